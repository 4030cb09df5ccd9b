//! The committer: many at once in few transactions, and a bad one harms no stranger.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use titan_core::Error;
use titan_core::engine::{CancelRun, Canceled, Committer};
use titan_core::queue::Notifier;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::support::{Bench, submission};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_submissions_at_once_need_few_transactions() {
    let bench = Bench::new();
    let committer = Committer::start(&bench.test.db, &Notifier::start(&bench.test.db).unwrap(), 1).unwrap();
    let before = bench.test.count("SELECT count(DISTINCT xmin::text) FROM tasks");
    let all: Vec<_> = (0..1000)
        .map(|n| {
            let (committer, submission) = (committer.clone(), submission(bench.project, &format!("message {n}")));
            tokio::spawn(async move { committer.submit(submission).await })
        })
        .collect();
    for one in all {
        one.await.unwrap().unwrap();
    }
    let transactions = bench.test.count("SELECT count(DISTINCT xmin::text) FROM tasks") - before;
    assert_eq!(bench.test.count("SELECT count(*) FROM tasks"), 1000);
    assert!(transactions < 300, "1000 submissions took {transactions} transactions");
    bench.test.execute("DELETE FROM jobs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_the_database_refuses_is_found_and_the_others_pass() {
    let bench = Bench::new();
    bench.test.execute(
        "CREATE FUNCTION poison() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
           IF NEW.title = 'poison' THEN RAISE EXCEPTION 'poisoned' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$; \
         CREATE TRIGGER poison BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION poison()",
    );
    let committer = Committer::start(&bench.test.db, &Notifier::start(&bench.test.db).unwrap(), 1).unwrap();
    let all: Vec<_> = (0..200)
        .map(|n| {
            let content = if n == 77 { "poison".to_owned() } else { format!("message {n}") };
            let (committer, submission) = (committer.clone(), submission(bench.project, &content));
            tokio::spawn(async move { committer.submit(submission).await })
        })
        .collect();
    for (n, one) in all.into_iter().enumerate() {
        let result = one.await.unwrap();
        if n == 77 {
            assert!(matches!(result, Err(Error::Refused(message)) if message == "poisoned"));
        } else {
            result.unwrap();
        }
    }
    assert_eq!(bench.test.count("SELECT count(*) FROM tasks"), 199);
    bench.test.execute("DELETE FROM jobs");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_whose_row_somebody_else_holds_is_found_and_the_others_pass() {
    let mut bench = Bench::new();
    let runs: Vec<_> = (0..100).map(|n| bench.submit(&format!("message {n}")).run_id.unwrap()).collect();
    let held = runs[37];
    let mut stranger = bench.test.db.dedicated().unwrap();
    stranger.batch_execute(&format!("BEGIN; SELECT FROM runs WHERE id = '{held}' FOR UPDATE")).unwrap();
    let committer = Committer::start(&bench.test.db, &Notifier::start(&bench.test.db).unwrap(), 1).unwrap();
    let cancel = |run_id| {
        let committer = committer.clone();
        async move { committer.cancel(CancelRun { run_id, reason: "not needed".to_owned() }.into()).await }
    };
    let all: Vec<_> = runs.iter().map(|run_id| (*run_id, tokio::spawn(cancel(*run_id)))).collect();
    for (run_id, one) in all {
        let result = one.await.unwrap();
        if run_id == held {
            assert!(matches!(result, Err(Error::Locked(_))), "{result:?}");
        } else {
            assert_eq!(result.unwrap(), Canceled::Now);
        }
    }
    stranger.batch_execute("ROLLBACK").unwrap();
    assert_eq!(cancel(held).await.unwrap(), Canceled::Now);
    assert_eq!(bench.test.count("SELECT count(*) FROM runs WHERE status = 'canceled'"), 100);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_large_fleet_one_thread_writes() {
    let bench = Bench::new();
    bench.test.execute(
        "CREATE FUNCTION tarry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
           IF NEW.title = 'slow' THEN PERFORM pg_sleep(1); END IF; RETURN NEW; END $$; \
         CREATE TRIGGER tarry BEFORE INSERT ON tasks FOR EACH ROW EXECUTE FUNCTION tarry()",
    );
    let committer = Committer::start(&bench.test.db, &Notifier::start(&bench.test.db).unwrap(), 2).unwrap();
    committer.in_a_fleet_of(8);
    // Both threads may be waiting for something to write already; after that they take turns.
    for _ in 0..2 {
        committer.submit(submission(bench.project, "quick")).await.unwrap();
    }
    assert_eq!(written_at_once(&bench, &committer).await, 1);
    committer.in_a_fleet_of(7);
    // Whoever waits for its turn has it once more.
    committer.submit(submission(bench.project, "quick")).await.unwrap();
    assert_eq!(written_at_once(&bench, &committer).await, 2);
    bench.test.execute("DELETE FROM jobs");
}

/// How many of two slow submissions, the second a moment after the first, are being written at once.
async fn written_at_once(bench: &Bench, committer: &Committer) -> i64 {
    let submit = |after: u64| {
        let (committer, submission) = (committer.clone(), submission(bench.project, "slow"));
        tokio::spawn(async move {
            sleep(Duration::from_millis(after)).await;
            committer.submit(submission).await
        })
    };
    let both = [submit(0), submit(300)];
    let sleeping =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
    let mut written = 0;
    while !both.iter().all(JoinHandle::is_finished) {
        written = written.max(bench.test.count(sleeping));
        sleep(Duration::from_millis(20)).await;
    }
    for one in both {
        one.await.unwrap().unwrap();
    }
    written
}
