//! Executing a task by hand: start it, or start it again, and wait a while for what comes of it.

use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::engine::Execute;
use titan_core::page::Page;
use titan_core::state::RunStatus;
use titan_core::tasks::{self, Task};
use titan_core::{budgets, messages, runs};
use tokio::time::Instant;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Answer, State};
use crate::access::{Access, TasksRead, TasksWrite};
use crate::http::body::{Body, OptionalBody, required};
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};
use crate::live::hub::RunNews;

const WAIT: u64 = 30;
const LONGEST_WAIT: u64 = 60;
/// A hint may be lost; then this is how late the end is noticed.
const POLL: Duration = Duration::from_millis(500);

#[derive(Debug, Deserialize, ToSchema)]
pub struct ExecuteBody {
    /// Also accepted as `taskId`.
    #[serde(alias = "taskId")]
    #[schema(required, nullable = false)]
    task_id: Option<Uuid>,
    /// How long to wait for the result, 0 to 60; 30 when it is not given.
    #[schema(minimum = 0, maximum = 60)]
    wait_seconds: Option<u64>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct WaitBody {
    /// How long to wait for the result, 0 to 60; 30 when it is not given.
    #[schema(minimum = 0, maximum = 60)]
    wait_seconds: Option<u64>,
}

/// What came of it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Execution {
    success: bool,
    /// `immediate`, or `blocked` when it failed or was canceled.
    strategy: String,
    /// The answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    result: Option<String>,
    /// Why it is blocked.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    message: String,
    task_id: Uuid,
    run_id: Uuid,
}

/// It goes on; follow the run.
#[derive(Debug, Serialize, ToSchema)]
pub struct StillRunning {
    run_id: Uuid,
    task_id: Uuid,
    status: RunStatus,
    message: String,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ExecutableFilter {
    project_id: Option<Uuid>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
}

/// List what can be executed now, the most urgent first
#[utoipa::path(get, path = "/api/tasks/execute", tag = "tasks", params(ExecutableFilter),
    responses((status = 200, body = Page<Task>)))]
pub async fn list_executable_tasks(
    _: Access<TasksRead>,
    state: State,
    query: Query<ExecutableFilter>,
) -> Answer<Page<Task>> {
    let ExecutableFilter { project_id, limit } = query.0;
    let items = state.db.run(move |connection| tasks::executable(connection, project_id, limit)).await?;
    Ok(web::Json(Page { items, next_cursor: None }))
}

/// Start a task, or start it again, and wait for its result
///
/// When a budget does not allow what the run needs, the answer is 402 `budget_exhausted` at once, and the run waits for the budget to
/// be raised.
#[utoipa::path(post, path = "/api/tasks/execute", tag = "tasks", request_body = ExecuteBody,
    responses((status = 200, body = Execution), (status = 202, body = StillRunning)))]
pub async fn execute(_: Access<TasksWrite>, state: State, body: Body<ExecuteBody>) -> Result<HttpResponse, ApiError> {
    run_task(&state, required("task_id", body.value.task_id)?, body.value.wait_seconds).await
}

/// Start this task, or start it again, and wait for its result
#[utoipa::path(post, path = "/api/tasks/{id}/execute", tag = "tasks", params(("id" = Uuid, Path)),
    request_body = Option<WaitBody>,
    responses((status = 200, body = Execution), (status = 202, body = StillRunning)))]
pub async fn execute_task(
    _: Access<TasksWrite>,
    state: State,
    id: web::Path<Uuid>,
    body: OptionalBody<WaitBody>,
) -> Result<HttpResponse, ApiError> {
    run_task(&state, *id, body.0.wait_seconds).await
}

async fn run_task(state: &State, task_id: Uuid, wait_seconds: Option<u64>) -> Result<HttpResponse, ApiError> {
    let wait = wait_seconds.unwrap_or(WAIT);
    if wait > LONGEST_WAIT {
        let message = format!("must be between 0 and {LONGEST_WAIT}, and is {wait}");
        return Err(ApiError::field(Code::ValidationFailed, "wait_seconds", message));
    }
    let executed = state.committer.execute(Execute { task_id, trace_id: None }).await?;
    let run_id = executed.run_id;
    let status = wait_for(state, run_id, Duration::from_secs(wait)).await?;
    if !status.is_terminal() {
        if let Some(reason) = state.db.run(move |connection| budgets::waits_because(connection, run_id)).await? {
            let detail =
                format!("{reason}. The run waits, and goes on when the budget is raised: GET /api/runs/{run_id}.");
            return Err(ApiError::new(Code::BudgetExhausted, detail));
        }
        let message = format!("The run is {status}; GET /api/runs/{run_id} tells how it goes.");
        return Ok(HttpResponse::build(StatusCode::ACCEPTED).json(StillRunning { run_id, task_id, status, message }));
    }
    let outcome = move |connection: &mut PgConnection| {
        let run = runs::get(connection, run_id)?;
        Ok((run.error, messages::answer(connection, run_id)?.map(|message| message.content)))
    };
    let (error, answer) = state.db.run(outcome).await?;
    let done = status == RunStatus::Completed;
    let reason = error.unwrap_or_else(|| "The run was canceled".to_owned());
    Ok(HttpResponse::Ok().json(Execution {
        success: done,
        strategy: if done { "immediate" } else { "blocked" }.to_owned(),
        message: if done { "Task completed".to_owned() } else { format!("Task {status}: {reason}") },
        result: if done { Some(answer.unwrap_or_default()) } else { None },
        reason: (!done).then_some(reason),
        task_id,
        run_id,
    }))
}

/// Waits until a run has ended or waits for a budget, or for so long, and says where it stands.
async fn wait_for(state: &State, run_id: Uuid, wait: Duration) -> Result<RunStatus, ApiError> {
    let give_up = Instant::now() + wait;
    // Before the first look, so that an end between the two is heard.
    let mut follower = state.hub.follow(run_id);
    loop {
        let look = move |connection: &mut PgConnection| {
            Ok((runs::position(connection, run_id)?, budgets::waits_because(connection, run_id)?.is_some()))
        };
        let (position, is_refused) = state.db.run(look).await?;
        let now = Instant::now();
        if position.status.is_terminal() || is_refused || now >= give_up || state.stopping.is_cancelled() {
            return Ok(position.status);
        }
        let next_look = give_up.min(now + POLL);
        loop {
            let news = tokio::select! {
                news = follower.news.recv() => news,
                () = state.stopping.cancelled() => break,
                () = tokio::time::sleep_until(next_look) => break,
            };
            // Neither a heartbeat nor a hub that is gone tells of an end.
            match news {
                Some(RunNews::Events { .. } | RunNews::Look) => break,
                Some(RunNews::Beat { .. }) => {}
                None => tokio::time::sleep_until(next_look).await,
            }
        }
    }
}
