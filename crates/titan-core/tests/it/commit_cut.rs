//! The connection is cut while COMMIT is under way: the caller hears the truth, and nothing happens twice.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use secrecy::{ExposeSecret, SecretString};
use titan_core::db::Db;
use titan_core::engine::Committer;
use titan_core::queue::Notifier;
use url::Url;

use crate::support::{Bench, submission};

const PASS: u8 = 0;
/// The next COMMIT reaches the server, its answer is lost.
const CUT_AFTER: u8 = 1;
/// The next COMMIT is lost before it reaches the server.
const CUT_BEFORE: u8 = 2;

/// A proxy in front of Postgres that can cut a connection at its COMMIT.
struct Proxy {
    url: SecretString,
    mode: Arc<AtomicU8>,
}

impl Proxy {
    fn before(url: &SecretString) -> Self {
        let mut url = Url::parse(url.expose_secret()).unwrap();
        let server = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        url.set_host(Some("127.0.0.1")).unwrap();
        url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
        let mode = Arc::new(AtomicU8::new(PASS));
        let shared = Arc::clone(&mode);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let server = TcpStream::connect((server.0.as_str(), server.1)).unwrap();
                let (client_too, server_too) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                let mode = Arc::clone(&shared);
                std::thread::spawn(move || forward(client, server, &mode));
                std::thread::spawn(move || forward(server_too, client_too, &AtomicU8::new(PASS)));
            }
        });
        Proxy { url: SecretString::from(String::from(url)), mode }
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, mode: &AtomicU8) {
    let mut buffer = [0; 65536];
    while let Ok(n) = from.read(&mut buffer) {
        if n == 0 {
            break;
        }
        let commits = buffer[..n].windows(6).any(|window| window == b"COMMIT");
        let cut = if commits { mode.swap(PASS, Ordering::SeqCst) } else { PASS };
        if cut == CUT_AFTER {
            // Both ways at once: the server gets the COMMIT, the client gets no answer.
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.write_all(&buffer[..n]);
            return;
        }
        if cut == CUT_BEFORE {
            break;
        }
        if to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

async fn survives(mode: u8) {
    let bench = Bench::new();
    let proxy = Proxy::before(&bench.test.url);
    let db = Db::new(&proxy.url, 2).unwrap();
    let committer = Committer::start(&db, &Notifier::start(&bench.test.db).unwrap(), 1).unwrap();
    committer.submit(submission(bench.project, "before")).await.unwrap();
    proxy.mode.store(mode, Ordering::SeqCst);
    let submitted = committer.submit(submission(bench.project, "during")).await.unwrap();
    assert_eq!(proxy.mode.load(Ordering::SeqCst), PASS, "no COMMIT was cut");
    committer.submit(submission(bench.project, "after")).await.unwrap();
    assert_eq!(bench.test.count("SELECT count(*) FROM tasks"), 3);
    let during = bench.test.text("SELECT id FROM tasks WHERE title = 'during'");
    assert_eq!(during, submitted.task_id.to_string(), "the caller was told of another task");
    bench.test.execute("DELETE FROM jobs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_happened_is_not_repeated() {
    survives(CUT_AFTER).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_did_not_happen_is_done_again() {
    survives(CUT_BEFORE).await;
}
