//! The worker's sign of life, and who leads the maintenance: real heartbeats against a real Postgres.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use titan_testkit::daemon::Daemon;
use titan_testkit::wait;

use crate::support::Stage;

/// The session that holds a lock of two halves, of which none is zero: a worker's.
const HOLDER: &str = "SELECT coalesce(max(l.pid), 0) FROM pg_locks l JOIN workers w ON w.lock_key = \
                      (l.classid::bigint << 32) | l.objid::bigint WHERE l.locktype = 'advisory' AND l.granted \
                      AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())";

async fn holder(stage: &Stage, other_than: i64) -> i64 {
    wait::until("a session that holds the worker's lock", async || {
        let pid = stage.count(HOLDER);
        (pid != 0 && pid != other_than).then_some(pid)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_of_a_killed_worker_are_taken_over_long_before_its_lease_is_over() {
    let stage = Stage::new();
    let env = |name| stage.env(&[("TITAN_WORKER_NAME", name)]);
    // The one that is killed leads the maintenance as well.
    let mut first = Daemon::worker(&env("first"));
    first.wait_for_line("this worker leads the maintenance now");
    let mut runs = Vec::new();
    for n in 0..3 {
        runs.push(stage.chat(&format!("[slow] Tell me about tea, part {n}.")).await.run_id);
    }
    for run in &runs {
        stage.deltas(*run, 1).await;
    }
    let second = Daemon::worker(&env("second"));
    first.kill();
    let killed = Instant::now();
    wait::until("the jobs in the second worker's hands", async || {
        let sql = "SELECT count(*) FROM jobs j JOIN workers w ON w.id = j.worker_id WHERE w.name = 'second'";
        (stage.count(sql) == 3).then_some(())
    })
    .await;
    let took = killed.elapsed();
    println!("taken over after {took:?}");
    assert!(took < Duration::from_secs(5), "the lease is 15 s, and it took {took:?}");
    second.wait_for_line("this worker leads the maintenance now");
    second.wait_for_line("rescued: its worker died");
    for run in runs {
        stage.assert_answered_once(run).await;
    }
    assert_eq!(stage.count("SELECT sum(rescues) FROM job_history WHERE step = 1"), 3);
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_whose_connection_breaks_has_its_lock_again_and_keeps_its_jobs() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    let other = stage.worker(&[("TITAN_WORKER_SLOTS", "1")]).await;
    let ids = stage.chat("[slow] Tell me about tea.").await;
    stage.deltas(ids.run_id, 1).await;
    let mut broken = 0;
    for _ in 0..3 {
        broken = holder(&stage, broken).await;
        let _ = stage.count(&format!("SELECT pg_terminate_backend({broken})::int"));
    }
    holder(&stage, broken).await;
    stage.assert_answered_once(ids.run_id).await;
    assert_eq!(stage.count("SELECT sum(rescues) FROM job_history"), 0);
    worker.stop(Duration::from_secs(10)).await;
    other.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_stops_in_order_leaves_the_lead_to_the_next_one() {
    let stage = Stage::new();
    let leads = |stage: &Stage, id| {
        stage.count(&format!("SELECT count(*) FROM leaders WHERE holder = '{id}' AND expires_at > now()")) == 1
    };
    let first = stage.worker(&[]).await;
    wait::until("the first leader", async || leads(&stage, first.id()).then_some(())).await;
    let second = stage.worker(&[]).await;
    first.stop(Duration::from_secs(10)).await;
    wait::until("the second leader", async || leads(&stage, second.id()).then_some(())).await;
    assert_eq!(stage.count("SELECT term FROM leaders"), 2);
    second.stop(Duration::from_secs(10)).await;
    assert_eq!(stage.count("SELECT count(*) FROM leaders WHERE expires_at > clock_timestamp()"), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_way_around_a_pooler_there_is_no_lock_and_work_is_done_all_the_same() {
    for setting in [("DATABASE_POOLER", "transaction"), ("DATABASE_DIRECT_URL", "postgres://nobody@127.0.0.1:1/none")] {
        let stage = Stage::new();
        let worker = stage.worker(&[setting]).await;
        let ids = stage.chat("[echo] Hello?").await;
        stage.assert_answered_once(ids.run_id).await;
        wait::until("a heartbeat", async || {
            let beaten = "SELECT count(*) FROM workers WHERE heartbeat_at > started_at + interval '1 second'";
            (stage.count(beaten) == 1).then_some(())
        })
        .await;
        assert_eq!(stage.count("SELECT count(*) FROM workers WHERE lock_key IS NULL"), 1);
        worker.stop(Duration::from_secs(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_lives_beats_several_times_a_second_and_says_what_it_counted() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    holder(&stage, 0).await;
    let beats = Mutex::new(Vec::new());
    wait::until("heartbeats", async || {
        let beat = stage.count("SELECT extract(epoch FROM heartbeat_at) * 1000 FROM workers");
        let mut beats = beats.lock().unwrap();
        if beats.last() != Some(&beat) {
            beats.push(beat);
        }
        (beats.len() > 10).then_some(())
    })
    .await;
    let beats = beats.into_inner().unwrap();
    let mut pauses: Vec<i64> = beats.windows(2).map(|pair| pair[1] - pair[0]).collect();
    pauses.sort_unstable();
    assert!(pauses[pauses.len() / 2] < 1000, "half of the pauses are shorter than the silence that counts: {pauses:?}");
    assert_eq!(stage.count("SELECT count(*) FROM workers WHERE stats ? 'claims'"), 1);
    worker.stop(Duration::from_secs(10)).await;
}
