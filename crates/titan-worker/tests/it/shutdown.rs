//! Going in order: what runs may finish, what does not finish is handed back at once, and a second signal is obeyed.

use std::time::Duration;

use titan_testkit::daemon::Daemon;
use titan_testkit::fake_model::{Answer, Behaviour};

use crate::support::Stage;

/// An answer of about two seconds.
fn two_seconds() -> Behaviour {
    let text = "word ".repeat(20);
    Behaviour::Answer(Answer::of(text.trim_end()).with_chunk_chars(5).with_delay(Duration::from_millis(100)))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_may_finish_within_the_grace() {
    let stage = Stage::new();
    let mut worker = Daemon::worker(&stage.env(&[("TITAN_GRACE", "60s")]));
    stage.model.push(two_seconds());
    let ids = stage.chat("Hello").await;
    stage.deltas(ids.run_id, 1).await;
    worker.signal("TERM");
    assert!(worker.ended().success());
    // The answer is there; what comes after it is for another worker.
    assert_eq!(stage.run(ids.run_id).await.steps[0].status.to_string(), "completed");
    assert_eq!(stage.run(ids.run_id).await.steps[0].attempt, 1);
    assert_eq!(stage.model.abandoned(), 0);
    let other = stage.worker(&[]).await;
    stage.assert_answered_once(ids.run_id).await;
    other.stop(Duration::from_secs(10)).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_finish_is_handed_back_at_once() {
    let stage = Stage::new();
    // The lease is so long that a rescue would never come in time for this test.
    let env = stage.env(&[("TITAN_GRACE", "200ms"), ("TITAN_LEASE", "10m")]);
    let mut first = Daemon::worker(&env);
    let ids = stage.chat("[slow] Tell me about tea.").await;
    stage.deltas(ids.run_id, 2).await;
    first.signal("TERM");
    assert!(first.ended().success());
    first.wait_for_line("handed back");
    assert_eq!(stage.count("SELECT count(*) FROM jobs WHERE state = 'ready' AND attempt = 0 AND rescues = 0"), 1);
    assert_eq!(stage.count("SELECT count(*) FROM workers WHERE stopped_at IS NOT NULL"), 1);

    let second = stage.worker(&[]).await;
    stage.assert_answered_once(ids.run_id).await;
    assert_eq!(stage.run(ids.run_id).await.steps[0].attempt, 2);
    second.stop(Duration::from_secs(10)).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_signal_ends_it_at_once() {
    let stage = Stage::new();
    let mut worker = Daemon::worker(&stage.env(&[("TITAN_GRACE", "10m"), ("TITAN_LEASE", "2s")]));
    stage.model.push(Behaviour::HangAfter(1));
    let ids = stage.chat("Hello").await;
    stage.deltas(ids.run_id, 1).await;
    worker.signal("INT");
    worker.wait_for_line("a second signal ends it at once");
    worker.signal("TERM");
    assert_eq!(worker.ended().code(), Some(1));
    // That is a crash for the others.
    let other = stage.worker(&[("TITAN_LEASE", "2s")]).await;
    stage.assert_answered_once(ids.run_id).await;
    other.stop(Duration::from_secs(10)).await;
}

#[test]
fn a_wrong_start_is_one_line() {
    let spawn = |pairs: &[(&str, &str)]| {
        let mut daemon = Daemon::spawn("titan-worker", &[], &titan_testkit::daemon::env(pairs));
        let code = daemon.ended().code();
        (code, daemon.line("titan-worker: "), daemon)
    };
    let (code, line, daemon) = spawn(&[]);
    assert_eq!(code, Some(2));
    assert!(line.contains("DATABASE_URL") && daemon.log().lines().count() == 1, "{}", daemon.log());
    let (code, line, _) = spawn(&[("DATABASE_URL", "postgres://u@127.0.0.1/d"), ("TITAN_WORKER_SLOTS", "many")]);
    assert_eq!(code, Some(2));
    assert!(line.contains("TITAN_WORKER_SLOTS"));
    // Port 1 is nobody's.
    let (code, line, daemon) = spawn(&[("DATABASE_URL", "postgres://u:hidden@127.0.0.1:1/d")]);
    assert_eq!(code, Some(1));
    assert!(line.contains("cannot reach the database") && daemon.log().lines().count() == 1, "{}", daemon.log());
    assert!(!line.contains("hidden"));
}
