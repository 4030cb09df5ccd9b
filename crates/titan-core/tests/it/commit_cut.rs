//! The connection is cut while COMMIT is under way: the caller hears the truth, and nothing happens twice.

use diesel::{RunQueryDsl, sql_query};
use titan_core::Error;
use titan_core::db::{self, Db};
use titan_core::engine::Committer;
use titan_core::projects::{self, NewProject};
use titan_core::queue::Notifier;
use titan_testkit::daemon::Cluster;
use titan_testkit::proxy::{Cut, Proxy};
use titan_testkit::wait;

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

/// After a crash Postgres gives the numbers of transactions that it had not written down to others. One of those may have
/// been committed since.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_the_number_of_a_transaction_proves_nothing() {
    // What is not committed is not written down by the way.
    let cluster = Cluster::durable(&["wal_writer_delay=10000"]);
    let mut direct = cluster.db.dedicated().unwrap();
    db::migrate(&mut direct).unwrap();
    let new = NewProject { name: "Test".to_owned(), project_type: None, template_ref: None, spec: None };
    let project = projects::create(&mut direct, &new, None).unwrap().0.id;
    let proxy = Proxy::before(&cluster.url);
    let db = Db::new(&proxy.url, 2).unwrap();
    let committer = Committer::start(&db, &Notifier::start(&cluster.db).unwrap(), 1).unwrap();
    committer.submit(submission(project, "before")).await.unwrap();
    // Nor by the hint that follows it.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;

    proxy.cut_and_hold(Cut::Before);
    let during = tokio::spawn(async move { committer.submit(submission(project, "during")).await });
    wait::until("a COMMIT that is cut", async || (proxy.cuts() == 1).then_some(())).await;
    cluster.crash();
    cluster.start_again();
    let mut direct = cluster.db.dedicated().unwrap();
    for _ in 0..50 {
        sql_query("SELECT pg_current_xact_id()").execute(&mut direct).unwrap();
    }
    proxy.release();
    let told = during.await.unwrap();
    let there = sql_query("SELECT FROM tasks WHERE title = 'during'").execute(&mut direct).unwrap();
    assert_eq!(there, 0);
    assert!(matches!(told, Err(Error::Uncertain)), "{told:?}");
}
