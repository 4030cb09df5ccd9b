//! `run-task`: one task from the command line, alone or beside other workers.

use std::time::Duration;

use titan_core::state::{ExecutionType, RunStatus};
use titan_testkit::daemon::Daemon;
use titan_testkit::fake_model::Behaviour;
use titan_worker::handlers;
use titan_worker::run_task::{Ended, run_task};

use crate::support::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn it_executes_that_task_prints_the_answer_and_leaves_others_alone() {
    let stage = Stage::new();
    let others = stage.chat("[echo] not mine").await;
    let (task_id, _) = stage.submit("[echo] mine", None, ExecutionType::Manual).await;
    let mut process = Daemon::spawn("titan-worker", &["run-task", &task_id.to_string()], &stage.env(&[]));
    assert_eq!(process.ended().code(), Some(0));
    process.wait_for_line("[echo] mine");
    assert_eq!(process.log().lines().count(), 1, "{}", process.log());
    assert_eq!(stage.run(others.run_id).await.status, RunStatus::Queued);
    let task = stage.db.run(move |connection| titan_core::tasks::get(connection, task_id)).await.unwrap();
    stage.assert_answered_once(task.latest_run.unwrap().id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_fails_or_is_not_there_ends_with_one() {
    let stage = Stage::new();
    stage.model.set_default(Behaviour::Status { status: 400, headers: vec![], body: "{}".to_owned() });
    let (task_id, _) = stage.submit("Hello", None, ExecutionType::Manual).await;
    for (id, says) in [(task_id, "the task failed"), (uuid::Uuid::nil(), "does not exist")] {
        let mut process = Daemon::spawn("titan-worker", &["run-task", &id.to_string()], &stage.env(&[]));
        assert_eq!(process.ended().code(), Some(1));
        process.wait_for_line(says);
    }
    let mut process = Daemon::spawn("titan-worker", &["run-task", "no-id"], &stage.env(&[]));
    assert_eq!(process.ended().code(), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn beside_another_worker_it_does_not_matter_who_does_it() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    let config = stage.config(&[]);
    let (task_id, _) = stage.submit("[echo] together", None, ExecutionType::Manual).await;
    let ended = run_task(&config, handlers::all(&config).unwrap(), task_id, std::future::pending()).await.unwrap();
    assert_eq!(ended, Some(Ended::Completed(Some("[echo] together".to_owned()))));
    assert_eq!(stage.model.requests().len(), 1);
    worker.stop(Duration::from_secs(10)).await;
    stage.assert_no_jobs_left();
}
