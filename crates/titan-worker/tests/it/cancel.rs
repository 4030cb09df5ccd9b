//! A person cancels: the stream stops at once, with or without hints.

use std::time::Duration;

use titan_core::engine::{CancelRun, Canceled};
use titan_core::state::RunStatus;

use crate::support::{Stage, timed};

/// A cancel in the middle of an answer of eight seconds. Gives the time until the model was left alone.
async fn cancel_while_streaming(listen: &str) -> Duration {
    let stage = Stage::new();
    let worker = stage.worker(&[("TITAN_LISTEN", listen)]).await;
    let ids = stage.chat("[slow] Tell me everything about tea.").await;
    stage.deltas(ids.run_id, 2).await;
    let cancel = CancelRun { run_id: ids.run_id, reason: "not needed any more".to_owned() };
    let (left, took) = timed(async {
        assert_eq!(stage.committer.cancel(cancel.into()).await.unwrap(), Canceled::Requested);
        stage.model.wait_for_abandoned(1, Duration::from_secs(30)).await
    })
    .await;
    assert!(left, "the model's stream was never left");
    let run = stage.ended(ids.run_id).await;
    assert_eq!(run.status, RunStatus::Canceled);
    assert!(stage.answers().await.is_empty());
    let kinds: Vec<String> = stage.events(ids.run_id).await.into_iter().map(|event| event.kind).collect();
    for kind in ["run.cancel_requested", "step.canceled", "run.canceled"] {
        assert!(kinds.iter().any(|told| told == kind), "{kind} is missing in {kinds:?}");
    }
    let task = stage.db.run(move |connection| titan_core::tasks::get(connection, ids.task_id)).await.unwrap();
    assert_eq!(task.execution_status.to_string(), "canceled");
    worker.stop(Duration::from_secs(10)).await;
    stage.assert_no_jobs_left();
    took
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_stops_the_stream_within_a_second() {
    // A busy machine may delay one of them.
    let mut took = Vec::new();
    for _ in 0..3 {
        took.push(cancel_while_streaming("on").await);
        if took.iter().any(|time| *time < Duration::from_secs(1)) {
            return;
        }
    }
    panic!("three cancels took {took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_hints_the_next_report_or_heartbeat_hears_of_it() {
    let took = cancel_while_streaming("off").await;
    assert!(took < Duration::from_secs(5), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_nobody_has_begun_is_canceled_at_once() {
    let stage = Stage::new();
    let ids = stage.chat("Hello").await;
    let cancel = CancelRun { run_id: ids.run_id, reason: "changed my mind".to_owned() };
    assert_eq!(stage.committer.cancel(cancel.into()).await.unwrap(), Canceled::Now);
    assert_eq!(stage.ended(ids.run_id).await.status, RunStatus::Canceled);
    stage.assert_no_jobs_left();
}
