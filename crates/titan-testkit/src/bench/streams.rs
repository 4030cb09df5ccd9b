//! Q7: what ten thousand idle subscribers of change hints cost the API, whether each of them hears of a change, and how
//! late a hundred watchers of one run are while it streams.

use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use chrono::{DateTime, Utc};
use futures_util::future::try_join_all;
use serde_json::Value;

use super::Bench;
use super::database::Database;
use super::figure::{Figure, Target, percentile};
use super::load::{self, Connection, Stream};
use super::processes::resident_kib;
use super::stack::{self, Api};

const WATCHERS: usize = 100;
/// Opened at a time, so that no connection waits in the kernel's queue until it is refused.
const AT_A_TIME: usize = 100;
const PATIENCE: Duration = Duration::from_secs(60);

pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let mut database = Database::new()?;
    let api = Api::start(bench, &database, &[])?;
    let _worker = stack::worker(bench, &database, &[])?;
    let projects = bench.block_on(load::projects(api.address, 1))?;
    let project = projects.first().context("no project")?;
    bench.settle(&mut database)?;
    subscribe(bench, &api, figures)?;
    let mut late = Vec::new();
    for number in 0..bench.pick(10, 1) {
        late.extend(bench.block_on(watch(&api, project, number))?);
    }
    figures.push(
        Figure::new(
            "Q7",
            format!("events to {WATCHERS} watchers of a run that streams, p99 late"),
            "ms",
            vec![percentile(&late, 99.0)],
        )
        .target(Target::Under(100.0))
        .note("from the event's time in the database; each watcher got each event once, in order, to the end"),
    );
    Ok(())
}

fn subscribe(bench: &Bench, api: &Api, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let count = bench.pick(10_000, 300);
    let pid = api.program.pid();
    let before = resident_kib(pid)?;
    let mut streams = Vec::with_capacity(count);
    bench.block_on(async {
        while streams.len() < count {
            let some = (0..AT_A_TIME).map(|_| Stream::open(api.address, "/api/events"));
            let opened = try_join_all(some).await.context("more sockets are needed: ulimit -n 20000")?;
            for mut stream in opened {
                stream.until(": connected", PATIENCE).await?;
                streams.push(stream);
            }
        }
        anyhow::Ok(())
    })?;
    std::thread::sleep(Duration::from_secs(bench.pick(5, 1)));
    let each = (resident_kib(pid)? - before) / streams.len() as f64;
    let began = Instant::now();
    let heard = bench.block_on(async {
        load::projects(api.address, 1).await?;
        try_join_all(streams.iter_mut().map(|stream| stream.until("event: change", PATIENCE))).await
    });
    heard.context("a subscriber has not heard of a change")?;
    figures.push(
        Figure::new(
            "Q7",
            format!("resident memory of the API per idle subscriber, {count} of them"),
            "KiB",
            vec![each],
        )
        .target(Target::Under(32.0)),
    );
    let took = vec![began.elapsed().as_secs_f64() * 1000.0];
    figures
        .push(Figure::new("Q7", "a change until the last of them has heard of it", "ms", took).note("none missed it"));
    Ok(())
}

/// Milliseconds from each event to each of its watchers.
async fn watch(api: &Api, project: &str, number: u64) -> anyhow::Result<Vec<f64>> {
    let task = Connection::open(api.address).await?.json(&load::post_task(project, number)).await?;
    let run = task.pointer("/latest_run/id").and_then(Value::as_str).context("a task without a run")?;
    let path = format!("/api/runs/{run}/events");
    let all = try_join_all((0..WATCHERS).map(|_| follow(api, &path))).await?;
    Ok(all.into_iter().flatten().collect())
}

/// How late each event came that happened while this watcher was there.
async fn follow(api: &Api, path: &str) -> anyhow::Result<Vec<f64>> {
    let mut stream = Stream::open(api.address, path).await?;
    stream.until(": connected", PATIENCE).await?;
    let (there, mut late, mut last) = (Utc::now(), Vec::new(), 0);
    loop {
        let event = stream.event(PATIENCE).await?;
        let now = Utc::now();
        if event.contains("event: end") {
            ensure!(last > 0, "the stream ended before it had begun");
            return Ok(late);
        }
        let Some(data) = event.lines().find_map(|line| line.strip_prefix("data: ")) else { continue };
        if !event.contains("event: run_event") {
            continue;
        }
        let data: Value = serde_json::from_str(data)?;
        let seq = data.get("seq").and_then(Value::as_i64).context("an event without a number")?;
        ensure!(seq == last + 1, "event {seq} came after {last}");
        last = seq;
        let at: DateTime<Utc> = data.get("at").and_then(Value::as_str).context("an event without a time")?.parse()?;
        if at > there {
            late.push((now - at).as_seconds_f64() * 1000.0);
        }
    }
}
