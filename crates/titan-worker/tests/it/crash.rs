//! Workers that die or freeze in the middle of an answer, as real processes.

use std::collections::BTreeSet;

use titan_testkit::daemon::Daemon;
use titan_testkit::wait;

use crate::support::{Stage, deltas};

#[tokio::test(flavor = "multi_thread")]
async fn when_a_worker_is_killed_another_one_finishes() {
    let stage = Stage::new();
    let env = |name| stage.env(&[("TITAN_WORKER_NAME", name)]);
    let mut first = Daemon::worker(&env("first"));
    let ids = stage.chat("[slow] Tell me about tea.").await;
    let watch = stage.watch(ids.run_id);
    stage.deltas(ids.run_id, 3).await;
    let second = Daemon::worker(&env("second"));
    first.kill();

    stage.assert_answered_once(ids.run_id).await;
    watch.assert_forward();
    second.wait_for_line("rescued: its worker died");
    let run = stage.run(ids.run_id).await;
    assert_eq!((run.steps[0].attempt, run.steps[0].worker.as_deref()), (2, Some("second")));
    let attempts: BTreeSet<i64> =
        deltas(&stage.events(ids.run_id).await).into_iter().map(|(attempt, ..)| attempt).collect();
    assert_eq!(attempts, BTreeSet::from([1, 2]), "what the killed one said can be told apart");
    assert_eq!(stage.count("SELECT sum(rescues) FROM job_history WHERE step = 1"), 1);
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_was_frozen_past_its_lease_writes_nothing_any_more() {
    let stage = Stage::new();
    let env = |name| stage.env(&[("TITAN_LEASE", "2s"), ("TITAN_WORKER_NAME", name)]);
    let mut frozen = Daemon::worker(&env("frozen"));
    let ids = stage.chat("[slow] Tell me about tea.").await;
    stage.deltas(ids.run_id, 2).await;
    let other = Daemon::worker(&env("other"));
    frozen.freeze();
    stage.assert_answered_once(ids.run_id).await;
    let before = stage.events(ids.run_id).await.len();
    drop(other);

    frozen.thaw();
    frozen.wait_for_line("dropped");
    assert_eq!(stage.events(ids.run_id).await.len(), before, "its writes are refused");
    stage.assert_answered_once(ids.run_id).await;
    // It has lost a job, not its wits.
    let next = stage.chat("[echo] Are you there?").await;
    assert_eq!(stage.assert_answered_once(next.run_id).await, "[echo] Are you there?");
    assert!(frozen.is_running());
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_kills_every_worker_is_quarantined_and_the_queue_moves_on() {
    let stage = Stage::new();
    let poison = stage.chat("[slow] Whoever touches this dies.").await;
    // It was alone with the last worker that died, and is now with the next one.
    stage.own.as_ref().unwrap().execute(
        "UPDATE jobs SET state = 'running', epoch = 9, rescues = 4, suspect = true, lone_losses = 1, \
         worker_id = gen_random_uuid(), deadline_at = now()",
    );
    let worker = stage.worker(&[]).await;
    let run = stage.ended(poison.run_id).await;
    assert!(run.error.is_some_and(|error| error.contains("quarantined")));
    let next = stage.chat("[echo] And this?").await;
    stage.assert_answered_once(next.run_id).await;
    worker.stop(std::time::Duration::from_secs(10)).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_whose_answer_was_lost_is_given_back() {
    let stage = Stage::new();
    // This worker cannot do the job, so it did not claim it itself: as if the answer to its claim had been lost.
    let idle = stage.worker_with(titan_worker::Registry::new()).await;
    let ids = stage.chat("[echo] Lost and found").await;
    let claim =
        format!("UPDATE jobs SET state = 'running', epoch = epoch + 1, attempt = 1, worker_id = '{}'", idle.id());
    stage.own.as_ref().unwrap().execute(&claim);
    wait::until("the job to be given back", async || {
        (stage.count("SELECT count(*) FROM jobs WHERE state = 'ready' AND attempt = 0") == 1).then_some(())
    })
    .await;
    let able = stage.worker(&[]).await;
    stage.assert_answered_once(ids.run_id).await;
    assert_eq!(stage.count("SELECT sum(rescues) FROM job_history"), 0);
    idle.stop(std::time::Duration::ZERO).await;
    able.stop(std::time::Duration::from_secs(10)).await;
}
