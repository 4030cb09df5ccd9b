//! Hints travel from one process's commit to another's subscribers, and come back after the connection was lost.

use std::time::Duration;

use titan_core::engine::Committer;
use titan_core::queue::{Heard, Hint, Listener, Notifier};
use tokio::sync::broadcast::Receiver;

use crate::support::{Bench, submission};

const PATIENCE: Duration = Duration::from_secs(30);

async fn hear(receiver: &mut Receiver<Heard>, wanted: impl Fn(&Heard) -> bool) -> Heard {
    tokio::time::timeout(PATIENCE, async {
        loop {
            let heard = receiver.recv().await.unwrap();
            if wanted(&heard) {
                return heard;
            }
        }
    })
    .await
    .expect("heard in time")
}

fn has(heard: &Heard, wanted: impl Fn(&Hint) -> bool) -> bool {
    matches!(heard, Heard::Hints(hints) if hints.iter().any(wanted))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_submission_is_heard_by_whoever_listens() {
    let bench = Bench::new();
    let listener = Listener::start(&bench.test.url);
    let mut heard = listener.subscribe();
    hear(&mut heard, |heard| matches!(heard, Heard::Connected)).await;
    let committer = Committer::start(&bench.test.db, &Notifier::start(&bench.test.db).unwrap(), 1).unwrap();
    let run_id = committer.submit(submission(bench.project, "hello")).await.unwrap().run_id.unwrap();
    let told = hear(&mut heard, |heard| has(heard, |hint| *hint == Hint::Jobs)).await;
    assert!(has(&told, |hint| matches!(hint, Hint::Run { id, seq: 2, ended: false, .. } if *id == run_id)));
    bench.test.execute("DELETE FROM jobs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_connection_is_told_and_comes_back() {
    let bench = Bench::new();
    let listener = Listener::start(&bench.test.url);
    let notifier = Notifier::start(&bench.test.db).unwrap();
    let mut heard = listener.subscribe();
    hear(&mut heard, |heard| matches!(heard, Heard::Connected)).await;
    bench.test.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
    );
    hear(&mut heard, |heard| matches!(heard, Heard::Lost)).await;
    hear(&mut heard, |heard| matches!(heard, Heard::Connected)).await;
    // The notifier's first call may meet its own dead connection; hints are sent until one arrives.
    tokio::time::timeout(PATIENCE, async {
        loop {
            notifier.send(vec![Hint::Jobs]);
            let next = tokio::time::timeout(Duration::from_millis(200), heard.recv()).await;
            if next.is_ok_and(|heard| has(&heard.unwrap(), |hint| *hint == Hint::Jobs)) {
                return;
            }
        }
    })
    .await
    .expect("hints again");
}

#[tokio::test]
async fn a_deaf_listener_hears_nothing_and_stays_open() {
    let listener = Listener::deaf();
    let mut heard = listener.subscribe();
    assert!(tokio::time::timeout(Duration::from_millis(50), heard.recv()).await.is_err());
}
