//! Tasks: create, list, read, cancel, and the log of how one was executed.

use actix_web::web;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use titan_core::db::PgConnection;
use titan_core::engine::{CancelRun, NewTask, Submission, Transition};
use titan_core::events::{self, RunEvent};
use titan_core::page::Page;
use titan_core::state::{ExecutionStatus, ExecutionType};
use titan_core::tasks::{self, Task};
use titan_core::{agents, attachments, messages};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::pipelines::{self, PipelineBody};
use super::{Answer, State};
use crate::access::{Access, TasksRead, TasksWrite};
use crate::http::body::{Body, required, time};
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};

/// Entries of an execution log; a task that was run so often shows its first ones.
const LOG_ENTRIES: i64 = 1000;

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewTaskBody {
    #[serde(rename = "type")]
    #[schema(required, nullable = false, example = "chat")]
    task_type: Option<String>,
    /// Made from the content when it is not given.
    #[schema(max_length = 200)]
    title: Option<String>,
    /// What the task's type asks for; a `chat` needs `content`, and may name an `agent`, a `model` (`provider:model`) and
    /// `attachments` (ids); a `plan` needs a `wish`, and may name a `model`.
    #[schema(required, nullable = false, value_type = Object, example = json!({"content": "hello"}))]
    payload: Option<Value>,
    /// `manual` tasks wait until somebody executes them. A chat is `fully_automated` when nothing is said.
    execution_type: Option<ExecutionType>,
    #[schema(minimum = -100, maximum = 100)]
    priority: Option<i16>,
    /// How often a step may be tried again: 0 to 10, and 3 when nothing is said.
    #[schema(minimum = 0, maximum = 10)]
    max_retries: Option<i32>,
    /// The queue of its jobs, one that exists; `default` when nothing is said.
    #[schema(max_length = 63)]
    queue: Option<String>,
    /// The limit that its jobs are subject to, one that exists.
    #[schema(max_length = 200)]
    limit_key: Option<String>,
    /// Not before this moment.
    #[serde(default, deserialize_with = "time")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    run_at: Option<Option<DateTime<Utc>>>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct TaskFilter {
    status: Option<ExecutionStatus>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    cursor: Option<String>,
}

/// One thing that happened while a task was executed.
#[derive(Debug, Serialize, ToSchema)]
pub struct TaskLogEntry {
    /// `queued`, `started`, `cancel_requested`, `completed`, `failed` or `canceled`.
    event: String,
    /// The run.
    executor_id: Uuid,
    executor_type: String,
    /// What it came to, when it has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    result: Option<Value>,
    timestamp: DateTime<Utc>,
}

/// Create a task; unless it is manual, its first run begins at once
#[utoipa::path(post, path = "/api/projects/{id}/tasks", tag = "tasks", request_body = NewTaskBody,
    params(("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one task")),
    responses((status = 201, body = Task)))]
pub async fn create_task(
    _: Access<TasksWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    key: Key,
    body: Body<NewTaskBody>,
) -> Result<Created<Task>, ApiError> {
    let key = key.scoped(format!("POST /api/projects/{project_id}/tasks"), &body.raw);
    let task = ordered(
        &state,
        NewTask {
            project_id: *project_id,
            task_type: required("type", body.value.task_type)?,
            title: body.value.title,
            payload: required("payload", body.value.payload)?,
            execution_type: body.value.execution_type,
            priority: body.value.priority.unwrap_or(0),
            max_retries: body.value.max_retries,
            queue: body.value.queue,
            limit_key: body.value.limit_key,
            run_at: body.value.run_at.flatten(),
        },
    )
    .await?;
    submit(&state, Submission { task, key, trace_id: None }).await
}

/// Refuses what is not made here, and fills in what a pipeline's payload leaves open, as [`pipelines::start_pipeline`] does.
async fn ordered(state: &State, task: NewTask) -> Result<NewTask, ApiError> {
    tasks::check_type(&task.task_type)?;
    if task.task_type != titan_core::pipelines::TASK_TYPE {
        return Ok(task);
    }
    let body = PipelineBody::deserialize(&task.payload)
        .map_err(|error| ApiError::field(Code::ValidationFailed, "payload", error.to_string()))?;
    let ordered = pipelines::ordered(state, task.project_id, body.into()).await?;
    Ok(NewTask { payload: ordered.payload, title: task.title.clone().or(ordered.title), ..task })
}

/// Submits, and tells what was made; only what was made before has to be read.
pub(super) async fn submit(state: &State, submission: Submission) -> Result<Created<Task>, ApiError> {
    check_named(state, &submission.task).await?;
    let submitted = state.committer.submit(submission).await?;
    let task = match submitted.task {
        Some(task) => *task,
        None => state.db.run(move |connection| tasks::get(connection, submitted.task_id)).await?,
    };
    Ok(Created { location: format!("/api/tasks/{}", task.id), body: task, replayed: submitted.replayed })
}

/// Whether the agent and the attachments that a payload names are there. Most payloads name none.
async fn check_named(state: &State, task: &NewTask) -> Result<(), ApiError> {
    if ["agent", "attachments"].iter().all(|field| task.payload.get(field).is_none()) {
        return Ok(());
    }
    tasks::check(task)?;
    let agent = task.payload.get("agent").and_then(Value::as_str).map(str::to_owned);
    let (project_id, payload) = (task.project_id, task.payload.clone());
    let check = move |connection: &mut PgConnection| {
        if let Some(agent) = agent {
            agents::check(connection, agent.trim())?;
        }
        attachments::take(connection, project_id, &payload)
    };
    Ok(state.db.run(check).await?)
}

/// List the tasks of a project, the newest first
#[utoipa::path(get, path = "/api/projects/{id}/tasks", tag = "tasks", params(("id" = Uuid, Path), TaskFilter),
    responses((status = 200, body = Page<Task>)))]
pub async fn list_tasks(
    _: Access<TasksRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<TaskFilter>,
) -> Answer<Page<Task>> {
    let TaskFilter { status, limit, cursor } = query.0;
    let list =
        move |connection: &mut PgConnection| tasks::list(connection, *project_id, status, limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}

/// Read a task
#[utoipa::path(get, path = "/api/tasks/{id}", tag = "tasks", params(("id" = Uuid, Path)), responses((status = 200, body = Task)))]
pub async fn get_task(_: Access<TasksRead>, state: State, id: web::Path<Uuid>) -> Answer<Task> {
    Ok(web::Json(state.db.run(move |connection| tasks::get(connection, *id)).await?))
}

/// Say that a task which nobody has begun with is done
#[utoipa::path(post, path = "/api/tasks/{id}/complete", tag = "tasks", params(("id" = Uuid, Path)),
    responses((status = 200, body = Task)))]
pub async fn complete_task(_: Access<TasksWrite>, state: State, id: web::Path<Uuid>) -> Answer<Task> {
    let id = id.into_inner();
    state.committer.complete(id).await?;
    Ok(web::Json(state.db.run(move |connection| tasks::get(connection, id)).await?))
}

/// Cancel a task and the run that executes it, or give up one that failed; nothing happens when it has ended otherwise
#[utoipa::path(post, path = "/api/tasks/{id}/cancel", tag = "tasks", params(("id" = Uuid, Path)),
    responses((status = 200, body = Task)))]
pub async fn cancel_task(_: Access<TasksWrite>, state: State, id: web::Path<Uuid>) -> Answer<Task> {
    let id = id.into_inner();
    let read = move |connection: &mut PgConnection| tasks::get(connection, id);
    let task = state.db.run(read).await?;
    let cancel = match task.latest_run {
        _ if task.execution_status == ExecutionStatus::Failed => Transition::CancelTask { task_id: id },
        _ if task.execution_status.is_terminal() => return Ok(web::Json(task)),
        Some(run) => Transition::CancelRun(CancelRun { run_id: run.id, reason: super::runs::BY_A_PERSON.to_owned() }),
        None => Transition::CancelTask { task_id: id },
    };
    state.committer.cancel(cancel).await?;
    Ok(web::Json(state.db.run(read).await?))
}

/// How a task was executed
#[utoipa::path(get, path = "/api/tasks/{id}/log", tag = "tasks", params(("id" = Uuid, Path)),
    responses((status = 200, body = Vec<TaskLogEntry>)))]
pub async fn get_task_log(_: Access<TasksRead>, state: State, id: web::Path<Uuid>) -> Answer<Vec<TaskLogEntry>> {
    let read = move |connection: &mut PgConnection| {
        tasks::get(connection, *id)?;
        let events = events::of_task(connection, *id, LOG_ENTRIES)?;
        events.into_iter().map(|event| entry(connection, event)).collect()
    };
    Ok(web::Json(state.db.run(read).await?))
}

fn entry(connection: &mut PgConnection, event: RunEvent) -> titan_core::Result<TaskLogEntry> {
    let result = match event.kind.as_str() {
        "run.completed" => {
            let answer = messages::answer(connection, event.run_id)?.map(|message| message.content);
            // Nothing rates its own answer yet, so there is no confidence to tell.
            Some(json!({"strategy": "immediate", "output": answer, "confidence": null}))
        }
        "run.failed" => Some(event.data),
        _ => None,
    };
    let word = match event.kind.strip_prefix("run.").unwrap_or(&event.kind) {
        "created" => "queued",
        other => other,
    };
    Ok(TaskLogEntry {
        event: word.to_owned(),
        executor_id: event.run_id,
        executor_type: "workflow".to_owned(),
        result,
        timestamp: event.at,
    })
}
