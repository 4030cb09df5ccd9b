//! The connection is cut while COMMIT is under way: the caller hears the truth, and nothing happens twice.

use titan_core::db::Db;
use titan_core::engine::Committer;
use titan_core::queue::Notifier;
use titan_testkit::proxy::{Cut, Proxy};

use crate::support::{Bench, submission};

async fn survives(cut: Cut) {
    let bench = Bench::new();
    let proxy = Proxy::before(&bench.test.url);
    let db = Db::new(&proxy.url, 2).unwrap();
    let committer = Committer::start(&db, &Notifier::start(&bench.test.db).unwrap(), 1).unwrap();
    committer.submit(submission(bench.project, "before")).await.unwrap();
    proxy.cut(cut, 0);
    let submitted = committer.submit(submission(bench.project, "during")).await.unwrap();
    assert_eq!(proxy.cuts(), 1, "no COMMIT was cut");
    committer.submit(submission(bench.project, "after")).await.unwrap();
    assert_eq!(bench.test.count("SELECT count(*) FROM tasks"), 3);
    let during = bench.test.text("SELECT id FROM tasks WHERE title = 'during'");
    assert_eq!(during, submitted.task_id.to_string(), "the caller was told of another task");
    bench.test.execute("DELETE FROM jobs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_happened_is_not_repeated() {
    survives(Cut::After).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_did_not_happen_is_done_again() {
    survives(Cut::Before).await;
}
