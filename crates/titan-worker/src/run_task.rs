//! One task, once, from the command line: the same engine and handlers, but only the jobs of this one run. Other workers
//! may be faster; then this one only waits for the end.

use std::time::Duration;

use titan_core::config::Config;
use titan_core::db::Db;
use titan_core::engine::{Committer, Execute};
use titan_core::queue::Notifier;
use titan_core::state::RunStatus;
use titan_core::{Error, messages, runs};
use uuid::Uuid;

use crate::handler::Registry;
use crate::worker::Worker;

const LOOK_EVERY: Duration = Duration::from_millis(200);

/// How it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// With the answer, if the task has one.
    Completed(Option<String>),
    /// With the reason.
    Failed(String),
    Canceled,
}

/// Executes the task, or joins the run that is under way, and waits for its end, or until `stop` resolves: then the jobs
/// that are held are handed back, and the answer is `None`.
///
/// # Errors
/// When there is no such task, it may not be executed, or the database does not answer.
pub async fn run_task(
    config: &Config,
    handlers: Registry,
    task_id: Uuid,
    stop: impl Future<Output = ()>,
) -> anyhow::Result<Option<Ended>> {
    let db = Db::of(config, 2)?;
    let committer = Committer::start(&db, &Notifier::start(&db)?, 1)?;
    let executed = committer.execute(Execute { task_id, trace_id: None }).await?;
    let run_id = executed.run_id;
    tracing::info!(task.id = %task_id, run.id = %run_id, created = executed.created, "executing the task");
    let worker = Worker::start_for_run(config, handlers, run_id).await?;
    let ended = tokio::select! {
        ended = wait(&db, run_id) => ended.map(Some),
        () = stop => Ok(None),
    };
    worker.stop(config.grace).await;
    ended
}

async fn wait(db: &Db, run_id: Uuid) -> anyhow::Result<Ended> {
    loop {
        let read =
            db.run(move |connection| Ok((runs::get(connection, run_id)?, messages::answer(connection, run_id)?)));
        match read.await {
            Ok((run, answer)) => match run.status {
                RunStatus::Completed => return Ok(Ended::Completed(answer.map(|message| message.content))),
                RunStatus::Failed => return Ok(Ended::Failed(run.error.unwrap_or_else(|| "no reason".to_owned()))),
                RunStatus::Canceled => return Ok(Ended::Canceled),
                RunStatus::Queued | RunStatus::Running => {}
            },
            Err(Error::Unavailable(why)) => tracing::debug!(why, "looking at the run again soon"),
            Err(error) => return Err(error.into()),
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
