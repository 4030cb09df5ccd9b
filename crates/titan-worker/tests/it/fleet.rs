//! A worker learns with its heartbeat how many there are, and keeps to one writing thread in a large fleet.

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use titan_core::engine::{Done, Outcome};
use titan_core::queue::NewJob;
use titan_testkit::wait;
use titan_worker::{JobHandler, LoneJob, Registry};
use tokio::time::sleep;

use crate::support::Stage;

/// Takes as many milliseconds as its payload says.
struct Nap;

#[async_trait]
impl JobHandler for Nap {
    fn kind(&self) -> &'static str {
        "nap"
    }

    async fn run(&self, job: LoneJob) -> Outcome {
        sleep(Duration::from_millis(job.payload.as_u64().unwrap_or_default())).await;
        Outcome::Done(Done::default())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn alone_it_writes_two_batches_at_once() {
    assert_eq!(ends_written_at_once(1).await, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn in_a_large_fleet_it_writes_one_batch_after_the_other() {
    assert_eq!(ends_written_at_once(8).await, 1);
}

/// The ends of two jobs, the second a moment after the first, take a second each to be written.
async fn ends_written_at_once(fleet: i64) -> i64 {
    let stage = Stage::new();
    let database = stage.own.as_ref().unwrap();
    // The others look alive for as long as this takes.
    database.execute(&format!(
        "INSERT INTO workers (id, name, host, pid, version, kinds, slots, lease_ms, heartbeat_at) \
         SELECT gen_random_uuid(), 'other', 'elsewhere', n, '0', '{{other}}', 1, 15000, now() + interval '1 hour' \
         FROM generate_series(2, {fleet}) n; \
         CREATE FUNCTION tarry() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(1); RETURN NEW; END $$; \
         CREATE TRIGGER tarry BEFORE INSERT ON job_history FOR EACH ROW EXECUTE FUNCTION tarry()"
    ));
    let mut handlers = Registry::new();
    handlers.add_job(Nap).unwrap();
    let worker = stage.worker_with(handlers).await;
    // It has said more about itself than that it is there, and so has heard how many there are. Two jobs let both threads
    // come back from what they were waiting for before.
    let nap = |ms: u64| NewJob { payload: Some(json!(ms)), ..NewJob::new("nap") };
    wait::until("a pulse", async || {
        (stage.count("SELECT count(*) FROM workers WHERE name <> 'other' AND cardinality(queues) > 0") == 1)
            .then_some(())
    })
    .await;
    for _ in 0..2 {
        stage.committer.enqueue(vec![nap(0)]).await.unwrap();
        wait::until("the end of a job", async || (stage.count("SELECT count(*) FROM jobs") == 0).then_some(())).await;
    }

    stage.committer.enqueue(vec![nap(0), nap(300)]).await.unwrap();
    let mut written = 0;
    while stage.count("SELECT count(*) FROM jobs") > 0 {
        let sleeping =
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'";
        written = written.max(stage.count(sleeping));
        sleep(Duration::from_millis(20)).await;
    }
    worker.stop(Duration::from_secs(10)).await;
    written
}
