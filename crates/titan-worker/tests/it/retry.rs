//! What a model does wrong passes, or it does not: in either case there is one story and at most one answer.

use std::time::Duration;

use titan_core::state::{ExecutionType, RunStatus};
use titan_testkit::fake_model::Behaviour;

use crate::support::{Stage, deltas};

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_passes_is_tried_again_and_answered_once() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    let mut runs = Vec::new();
    for word in ["[429]", "[500]", "[cut-once]", "[malformed]"] {
        runs.push((word, stage.chat(&format!("{word} What is tea?")).await));
    }
    for (word, ids) in runs {
        stage.assert_answered_once(ids.run_id).await;
        let run = stage.run(ids.run_id).await;
        assert_eq!(run.steps[0].attempt, 2, "{word}");
        let task = stage.db.run(move |connection| titan_core::tasks::get(connection, ids.task_id)).await.unwrap();
        assert_eq!(task.retry_count, 1, "{word}");
        let events = stage.events(ids.run_id).await;
        let told: Vec<_> = events.iter().filter(|event| event.kind == "step.retrying").collect();
        assert_eq!(told.len(), 1, "{word}");
        assert!(told[0].data["retry_at"].is_string() && told[0].data["error"].is_string(), "{word}: {}", told[0].data);
        if word == "[cut-once]" {
            let attempts: Vec<i64> = deltas(&events).into_iter().map(|(attempt, ..)| attempt).collect();
            assert!(attempts.contains(&1) && attempts.contains(&2), "what broke off was shown as attempt 1");
        }
    }
    let asked = stage.model.requests();
    let limited: Vec<_> = asked.iter().filter(|request| request.content().starts_with("[429]")).collect();
    assert_eq!(limited.len(), 2);
    assert!(limited[1].instant - limited[0].instant >= Duration::from_secs(1), "Retry-After is kept");
    worker.stop(Duration::from_secs(10)).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_that_does_not_pass_fails_at_once_and_says_why() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    stage.model.push(Behaviour::Status {
        status: 400,
        headers: vec![],
        body: r#"{"error":{"message":"this model does not exist"}}"#.to_owned(),
    });
    let ids = stage.chat("Hello").await;
    let run = stage.ended(ids.run_id).await;
    assert_eq!(run.status, RunStatus::Failed);
    assert!(run.error.is_some_and(|error| error.contains("this model does not exist")));
    assert_eq!((run.steps[0].attempt, stage.model.requests().len()), (1, 1));
    assert!(stage.answers().await.is_empty());
    worker.stop(Duration::from_secs(10)).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_attempts_are_used_up_the_run_fails() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    stage.model.set_default(Behaviour::ServerError);
    let (_, ids) = stage.submit("Hello", Some(1), ExecutionType::FullyAutomated).await;
    let run = stage.ended(ids.unwrap().run_id).await;
    assert_eq!(run.status, RunStatus::Failed);
    assert!(run.error.is_some_and(|error| error.contains("tried 2 times")));
    assert_eq!(stage.model.requests().len(), 2);
    worker.stop(Duration::from_secs(10)).await;
    stage.assert_no_jobs_left();
}
