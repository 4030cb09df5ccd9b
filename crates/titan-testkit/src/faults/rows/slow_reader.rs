//! People who open streams and never read: the API keeps nothing for them, and the others do not notice.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, ensure};

use super::super::Row;
use super::super::history::{Expect, Operation};
use super::super::load::{self, Mix};
use super::super::trial::Trial;
use crate::bench::resident_kib;
use crate::fake_model::{Answer, Behaviour};

pub(super) const ROW: Row = Row::new("slow-reader", "streams that nobody reads", harm);

const READERS: usize = 60;
/// Far more than sockets hold.
const LONG_ANSWER: usize = 2_000_000;
const GROWN_KIB: f64 = 64.0 * 1024.0;
/// From an event to a watcher that does read.
const LATE: Duration = Duration::from_secs(5);

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(1)?;
    let run = long_run(trial)?;
    trial.load(&Mix { watched: 2, ..Mix::default() })?;
    trial.moment(500..=900);
    let pid = trial.apis[0].daemon.pid();
    let before = resident_kib(pid)?;
    let mut readers = Vec::new();
    for number in 0..if trial.quick { READERS / 3 } else { READERS } {
        let path = if number % 3 == 2 { "/api/events".to_owned() } else { format!("/api/runs/{run}/events") };
        readers.push(open(&trial.apis[0].url, &path)?);
        trial.faults += 1;
    }
    trial.moment(2000..=3000);
    let grown = resident_kib(pid)? - before;
    ensure!(grown < GROWN_KIB, "the API has grown by {:.0} MiB", grown / 1024.0);
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    trial.counted.insert("KiB grown, added up", grown.max(0.0) as u64);
    trial.stop_load()?;
    let latest = trial.watchers.seen().iter().map(|seen| seen.latest).max().unwrap_or_default();
    ensure!(latest < LATE, "an event reached a watcher after {latest:?}");
    drop(readers);
    Ok(())
}

/// A run whose events are far more than sockets hold.
fn long_run(trial: &mut Trial<'_>) -> anyhow::Result<uuid::Uuid> {
    let text = "tea ".repeat(LONG_ANSWER / 4);
    let chunk_chars = LONG_ANSWER / 20;
    trial
        .model
        .push(Behaviour::Answer(Answer::of(text).with_chunk_chars(chunk_chars).with_delay(Duration::from_millis(100))));
    let key = titan_core::ids::new().to_string();
    let content = format!("{key} A long answer.");
    let target = trial.target();
    let url = format!("{}/api/projects/{}/tasks", target.urls[0], target.projects[0]);
    let body = load::body(&content, &Mix { limited: 0, ..Mix::default() }, 1);
    let made =
        trial.block_on(async |trial| load::ask(&trial.http, &url, &key, &body).await).map_err(anyhow::Error::msg)?;
    trial.history.add(Operation { content, expect: Expect::Completed, acknowledged: Some(made), refusal: None });
    let ended = format!("SELECT count(*) FROM runs WHERE id = '{}' AND finished_at IS NOT NULL", made.run);
    trial.until("the long answer", || Ok((trial.database.count(&ended)? == 1).then_some(())))?;
    Ok(made.run)
}

/// Asks, reads the first bytes of the answer and no more.
fn open(api: &str, path: &str) -> anyhow::Result<TcpStream> {
    let mut stream = TcpStream::connect(api.trim_start_matches("http://"))?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    stream
        .write_all(format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n").as_bytes())?;
    let mut first = [0; 12];
    stream.read_exact(&mut first).context("no answer to a request for a stream")?;
    ensure!(first.ends_with(b"200"), "no stream: {}", String::from_utf8_lossy(&first));
    Ok(stream)
}
