//! What the worker does with handlers of any kind: refuse a second one, survive a panic, end what takes too long.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use titan_core::engine::{Done, Outcome, Write};
use titan_core::state::{ExecutionType, RunStatus};
use titan_testkit::wait;
use titan_worker::handler::DuplicateKind;
use titan_worker::{Handler, Registry, Work};

use crate::support::Stage;

/// What it does at its first attempt; at the next one it answers.
#[derive(Clone, Copy)]
enum First {
    Panics,
    /// Returns only when it is told to stop.
    TakesTooLong,
    /// Does not even listen to that.
    Hangs,
    /// Leaves something behind that the database refuses.
    WritesNonsense,
}

struct Trial {
    first: First,
    calls: Arc<AtomicUsize>,
}

#[async_trait]
impl Handler for Trial {
    fn kind(&self) -> &'static str {
        "chat"
    }

    async fn run(&self, work: Work) -> Outcome {
        let answer = |kind| {
            let content = b"done".to_vec().into();
            let output =
                Write::Output { name: "Answer".to_owned(), kind, media_type: "text/plain".to_owned(), content };
            let writes = vec![Write::Answer { content: "done".to_owned() }, output];
            Outcome::Done(Done { output: json!({"question": "q", "answer": "a"}), writes })
        };
        if self.calls.fetch_add(1, Ordering::SeqCst) > 0 {
            return answer("text");
        }
        match self.first {
            First::Panics => panic!("out of tea"),
            First::TakesTooLong => work.stop.requested().await,
            First::Hangs => std::future::pending().await,
            First::WritesNonsense => return answer("nonsense"),
        }
        Outcome::Cancel { reason: "told to stop".to_owned() }
    }
}

/// Runs one task through it, with half a second for an attempt that would take too long, and gives the run's end and how often it was called.
async fn tried(first: First) -> (Stage, titan_core::runs::Run, usize) {
    let stage = Stage::new();
    let (_, ids) = stage.submit("Hello", Some(2), ExecutionType::FullyAutomated).await;
    if matches!(first, First::TakesTooLong | First::Hangs) {
        stage.own.as_ref().unwrap().execute("UPDATE jobs SET timeout_ms = 500");
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let mut handlers = Registry::new();
    handlers.add(Trial { first, calls: Arc::clone(&calls) }).unwrap();
    handlers.add(stage.remember()).unwrap();
    let worker = stage.worker_with(handlers).await;
    let run = stage.ended(ids.unwrap().run_id).await;
    worker.stop(Duration::from_secs(10)).await;
    stage.assert_no_jobs_left();
    (stage, run, calls.load(Ordering::SeqCst))
}

async fn why_again(stage: &Stage, run: &titan_core::runs::Run) -> String {
    let events = stage.events(run.id).await;
    let told = events.into_iter().find(|event| event.kind == "step.retrying").expect("a second attempt");
    told.data["error"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_is_a_failed_attempt() {
    let (stage, run, calls) = tried(First::Panics).await;
    assert_eq!((run.status, calls), (RunStatus::Completed, 2));
    assert_eq!(why_again(&stage, &run).await, "the handler panicked: out of tea");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_too_long_is_stopped_and_tried_again() {
    let (stage, run, calls) = tried(First::TakesTooLong).await;
    assert_eq!((run.status, calls), (RunStatus::Completed, 2));
    assert_eq!(why_again(&stage, &run).await, "timed out after 0.5 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_listen_is_ended() {
    let (stage, run, calls) = tried(First::Hangs).await;
    assert_eq!((run.status, calls), (RunStatus::Completed, 2));
    assert_eq!(why_again(&stage, &run).await, "timed out after 0.5 s");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outcome_that_the_database_refuses_fails_the_step_and_leaves_nothing() {
    let (stage, run, calls) = tried(First::WritesNonsense).await;
    assert_eq!((run.status, calls), (RunStatus::Failed, 1));
    assert!(run.error.is_some_and(|error| error.starts_with("what the step left behind was refused")));
    assert!(stage.answers().await.is_empty());
}

#[test]
fn two_handlers_of_one_kind_refuse_to_start() {
    let trial = || Trial { first: First::Panics, calls: Arc::default() };
    let mut handlers = Registry::new();
    handlers.add(trial()).unwrap();
    assert_eq!(handlers.add(trial()), Err(DuplicateKind("chat")));
    assert_eq!(DuplicateKind("remember").to_string(), "two handlers are registered for jobs of kind remember");
}

/// Says nothing until it is let go.
struct Silent(Arc<tokio::sync::Semaphore>);

#[async_trait]
impl Handler for Silent {
    fn kind(&self) -> &'static str {
        "chat"
    }

    async fn run(&self, _: Work) -> Outcome {
        let _ = self.0.acquire().await;
        Outcome::Done(Done { output: json!({"question": "q", "answer": "a"}), ..Done::default() })
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn work_that_says_nothing_is_written_down_as_begun_all_the_same() {
    let stage = Stage::new();
    let gate = Arc::new(tokio::sync::Semaphore::new(0));
    let mut handlers = Registry::new();
    handlers.add(Silent(Arc::clone(&gate))).unwrap();
    handlers.add(stage.remember()).unwrap();
    let worker = stage.worker_with(handlers).await;
    let ids = stage.chat("Hello").await;
    wait::until("the word that it is at work", async || {
        (stage.run(ids.run_id).await.status == RunStatus::Running).then_some(())
    })
    .await;
    gate.add_permits(1);
    let run = stage.ended(ids.run_id).await;
    assert_eq!(run.status, RunStatus::Completed);
    assert!(run.steps.iter().all(|step| step.attempt == 1), "{:?}", run.steps);
    let begun = stage.events(ids.run_id).await.iter().filter(|event| event.kind == "step.started").count();
    assert_eq!(begun, 2);
    worker.stop(Duration::from_secs(10)).await;
}
