//! Tasks: what a new one must be, and how they are read. They change through the engine only.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Double, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Prepare as _;
use crate::engine::NewTask;
use crate::needs::{self, WAITS};
use crate::page::Page;
use crate::state::{ExecutionStatus, ExecutionType, RunStage, RunStatus, SimpleStatus};
use crate::workers::{self, RunHint};
use crate::workflow::{GROUP, TASK_TYPES, Workflow};
use crate::{Error, Result};

pub const DEFAULT_MAX_RETRIES: i32 = 3;
/// Characters of a message.
pub const MAX_CONTENT: usize = 100_000;

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Task {
    pub id: Uuid,
    pub project_id: Uuid,
    pub parent_task_id: Option<Uuid>,
    #[serde(rename = "type")]
    pub task_type: String,
    pub title: String,
    pub payload: Value,
    pub execution_type: ExecutionType,
    pub execution_status: ExecutionStatus,
    pub status: SimpleStatus,
    pub assigned_to_type: Option<String>,
    pub assigned_to_id: Option<String>,
    pub priority: i16,
    pub ai_confidence: Option<f64>,
    pub ai_context: Option<Value>,
    pub blocked_reason: Option<String>,
    pub failure_reason: Option<String>,
    pub retry_count: i32,
    pub max_retries: i32,
    /// The queue of its jobs.
    pub queue: String,
    /// The limit that its jobs are subject to.
    pub limit_key: Option<String>,
    /// Its first run does not begin before this.
    pub run_at: Option<DateTime<Utc>>,
    pub latest_run: Option<LatestRun>,
    /// Why it does not move although it could; null when all is well.
    pub hint: Option<RunHint>,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub completed_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct LatestRun {
    pub id: Uuid,
    pub status: RunStatus,
    pub stage: RunStage,
}

/// Checks everything about a new task that needs no database, and says how it will be executed.
///
/// # Errors
/// The field that is wrong and what would be right.
pub fn check(new: &NewTask) -> Result<ExecutionType> {
    if Workflow::for_task_type(&new.task_type).is_none() {
        return Err(unknown_type(&new.task_type));
    }
    if let Some(title) = &new.title {
        crate::projects::checked_text("title", title, 200)?;
    }
    if !(-100..=100).contains(&new.priority) {
        return Err(Error::invalid("priority", format!("must be between -100 and 100, and is {}", new.priority)));
    }
    if let Some(retries) = new.max_retries
        && !(0..=10).contains(&retries)
    {
        return Err(Error::invalid("max_retries", format!("must be between 0 and 10, and is {retries}")));
    }
    if !new.payload.is_object() {
        return Err(Error::invalid("payload", "must be an object"));
    }
    check_json("payload", &new.payload)?;
    match new.task_type.as_str() {
        "exec" => drop(crate::commands::Command::of(&new.payload)?),
        crate::pipelines::TASK_TYPE => drop(crate::pipelines::Order::of(&new.payload)?),
        // What was proposed was checked where it was.
        crate::ops::proposals::TASK_TYPE => {}
        crate::ops::rollbacks::TASK_TYPE => drop(crate::ops::rollbacks::Rollback::of(&new.payload)?),
        crate::plans::PLAN => {
            crate::plans::check_payload(&new.payload)?;
            check_asked(&new.payload)?;
        }
        _ => {
            check_content(&new.payload)?;
            check_asked(&new.payload)?;
        }
    }
    match new.execution_type.unwrap_or(ExecutionType::FullyAutomated) {
        ExecutionType::SemiAutomated => Err(Error::invalid(
            "execution_type",
            format!("semi_automated is not available for {} yet; use fully_automated or manual", new.task_type),
        )),
        other => Ok(other),
    }
}

/// That anybody may create a task of this type.
///
/// # Errors
/// [`Error::UnknownTaskType`], also for types that are made another way.
pub fn check_type(task_type: &str) -> Result<()> {
    if TASK_TYPES.contains(&task_type) { Ok(()) } else { Err(unknown_type(task_type)) }
}

fn unknown_type(given: &str) -> Error {
    Error::UnknownTaskType { given: given.to_owned(), known: TASK_TYPES.join(", ") }
}

fn check_content(payload: &Value) -> Result<()> {
    match payload.get("content") {
        Some(Value::String(content)) => {
            crate::projects::checked_text("payload.content", content, MAX_CONTENT).map(|_| ())
        }
        _ => Err(Error::invalid("payload.content", "must be the text of the message")),
    }
}

/// Who is asked, and what is shown to them.
fn check_asked(payload: &Value) -> Result<()> {
    for (field, name) in [("payload.agent", "agent"), ("payload.model", "model")] {
        match payload.get(name) {
            None | Some(Value::Null) => {}
            Some(Value::String(text)) => crate::projects::checked_text(field, text, 400).map(|_| ())?,
            Some(_) => return Err(Error::invalid(field, "must be a name")),
        }
    }
    crate::attachments::ids_in(payload).map(drop)
}

/// What Postgres cannot store is refused before it is tried: NUL in a string, and nesting beyond reason.
pub(crate) fn check_json(field: &'static str, value: &Value) -> Result<()> {
    fn walk(field: &'static str, value: &Value, depth: usize) -> Result<()> {
        if depth > 64 {
            return Err(Error::invalid(field, "must not be nested more than 64 levels deep"));
        }
        let nul = |text: &str| {
            if text.contains('\0') { Err(Error::invalid(field, "must not contain NUL characters")) } else { Ok(()) }
        };
        match value {
            Value::String(text) => nul(text),
            Value::Array(items) => items.iter().try_for_each(|item| walk(field, item, depth + 1)),
            Value::Object(map) => map.iter().try_for_each(|(key, item)| {
                nul(key)?;
                walk(field, item, depth + 1)
            }),
            _ => Ok(()),
        }
    }
    walk(field, value, 0)
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    project_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    parent_task_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    task_type: String,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Jsonb)]
    payload: Value,
    #[diesel(sql_type = Bool)]
    linked: bool,
    #[diesel(sql_type = Text)]
    execution_type: ExecutionType,
    #[diesel(sql_type = Text)]
    execution_status: ExecutionStatus,
    #[diesel(sql_type = Nullable<Text>)]
    assigned_to_type: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    assigned_to_id: Option<String>,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = Nullable<Double>)]
    ai_confidence: Option<f64>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    ai_context: Option<Value>,
    #[diesel(sql_type = Nullable<Text>)]
    blocked_reason: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    failure_reason: Option<String>,
    #[diesel(sql_type = Integer)]
    retry_count: i32,
    #[diesel(sql_type = Integer)]
    max_retries: i32,
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = Nullable<Text>)]
    limit_key: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    run_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    completed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    run_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    run_status: Option<RunStatus>,
    #[diesel(sql_type = Nullable<Text>)]
    run_stage: Option<RunStage>,
}

const SELECT: &str = "SELECT t.id, t.project_id, t.parent_task_id, t.type AS task_type, t.title, t.payload, t.linked, t.execution_type, \
     t.execution_status, t.assigned_to_type, t.assigned_to_id, t.priority, t.ai_confidence, t.ai_context, t.blocked_reason, \
     t.failure_reason, t.retry_count, t.max_retries, t.queue, t.limit_key, t.run_at, t.created_at, t.started_at, t.completed_at, \
     r.id AS run_id, r.status AS run_status, r.stage AS run_stage \
     FROM tasks t JOIN projects p ON p.id = t.project_id AND p.deleted_at IS NULL \
     LEFT JOIN runs r ON r.id = t.latest_run_id";

fn with_hints(connection: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Task>> {
    let open = |row: &&Row| !row.execution_status.is_terminal();
    let runs: Vec<Uuid> = rows.iter().filter(open).filter_map(|row| row.run_id).collect();
    let mut hints = if runs.is_empty() { HashMap::new() } else { workers::hints_of_runs(connection, &runs)? };
    let waiting = |row: &&Row| row.linked && row.execution_status == ExecutionStatus::Pending;
    let waiting: Vec<Uuid> = rows.iter().filter(waiting).map(|row| row.id).collect();
    let mut needs = needs::hints(connection, &waiting)?;
    let task = |row: Row| Task {
        hint: row.run_id.and_then(|id| hints.remove(&id)).or_else(|| needs.remove(&row.id)),
        latest_run: match (row.run_id, row.run_status, row.run_stage) {
            (Some(id), Some(status), Some(stage)) => Some(LatestRun { id, status, stage }),
            _ => None,
        },
        status: row.execution_status.simple(),
        id: row.id,
        project_id: row.project_id,
        parent_task_id: row.parent_task_id,
        task_type: row.task_type,
        title: row.title,
        payload: row.payload,
        execution_type: row.execution_type,
        execution_status: row.execution_status,
        assigned_to_type: row.assigned_to_type,
        assigned_to_id: row.assigned_to_id,
        priority: row.priority,
        ai_confidence: row.ai_confidence,
        ai_context: row.ai_context,
        blocked_reason: row.blocked_reason,
        failure_reason: row.failure_reason,
        retry_count: row.retry_count,
        max_retries: row.max_retries,
        queue: row.queue,
        limit_key: row.limit_key,
        run_at: row.run_at,
        created_at: row.created_at,
        started_at: row.started_at,
        completed_at: row.completed_at,
    };
    Ok(rows.into_iter().map(task).collect())
}

/// # Errors
/// [`Error::NotFound`] also when its project was deleted.
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Task> {
    let rows = sql_query(format!("{SELECT} WHERE t.id = $1")).bind::<SqlUuid, _>(id).load(connection)?;
    with_hints(connection, rows)?.pop().ok_or(Error::NotFound("task", id))
}

/// The tasks of a project, the newest first.
///
/// # Errors
/// [`Error::NotFound`] for the project; a cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    project_id: Uuid,
    status: Option<ExecutionStatus>,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Task>> {
    let limit = crate::page::limit(limit)?;
    crate::projects::exists(connection, project_id)?;
    let rows = sql_query(format!(
        "{SELECT} WHERE t.project_id = $1 AND ($2 IS NULL OR t.execution_status = $2) AND ($3 IS NULL OR t.id < $3) \
         ORDER BY t.id DESC LIMIT $4"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<Text>, _>(status)
    .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(with_hints(connection, rows)?, limit, |task| task.id.to_string()))
}

/// What a person may start now, the most urgent first, then the oldest.
///
/// # Errors
/// A limit that is wrong.
pub fn executable(connection: &mut PgConnection, project_id: Option<Uuid>, limit: Option<i64>) -> Result<Vec<Task>> {
    let limit = crate::page::limit(limit)?;
    if let Some(id) = project_id {
        crate::projects::exists(connection, id)?;
    }
    let rows = sql_query(format!(
        "{SELECT} WHERE ($1 IS NULL OR t.project_id = $1) AND t.execution_status IN ('pending', 'failed') \
         AND t.type <> '{GROUP}' AND NOT ({WAITS}) ORDER BY t.priority DESC, t.id LIMIT $2"
    ))
    .bind::<Nullable<SqlUuid>, _>(project_id)
    .bind::<BigInt, _>(limit)
    .load(connection)?;
    with_hints(connection, rows)
}

/// A task as a model is told of it.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Recent {
    #[diesel(sql_type = Text)]
    pub title: String,
    #[diesel(sql_type = Text)]
    pub status: ExecutionStatus,
    /// Why it failed, if it did.
    #[diesel(sql_type = Nullable<Text>)]
    pub failure: Option<String>,
    /// What a person decided on its latest output: `approved` or `rejected`, and the comment.
    #[diesel(sql_type = Nullable<Text>)]
    pub review: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub comment: Option<String>,
    /// The beginning of that output, unless it is in the conversation anyway.
    #[diesel(sql_type = Nullable<Text>)]
    pub output: Option<String>,
}

/// Tasks that are looked through and told of, and characters of each of their texts.
const LOOKED_AT: i64 = 200;
const TOLD_OF: i64 = 20;
const TOLD_CHARS: i32 = 200;

/// What was done in a project lately, the newest first, without the task itself and without messages that were simply answered:
/// those are in the conversation.
///
/// # Errors
/// When the database does not answer.
pub fn recent(connection: &mut PgConnection, project_id: Uuid, except: Uuid) -> Result<Vec<Recent>> {
    Ok(sql_query(
        "SELECT t.title, t.execution_status AS status, left(t.failure_reason, $5) AS failure, \
           nullif(o.review, 'pending') AS review, left(o.comment, $5) AS comment, \
           CASE WHEN t.type <> 'chat' THEN left(o.preview, $5) END AS output \
         FROM (SELECT * FROM tasks WHERE project_id = $1 AND id <> $2 ORDER BY id DESC LIMIT $3) AS t \
         LEFT JOIN LATERAL (SELECT review, comment, preview FROM outputs WHERE run_id = t.latest_run_id ORDER BY id DESC LIMIT 1) \
           AS o ON true \
         WHERE t.type <> 'chat' OR t.execution_status <> 'completed' OR o.review <> 'pending' ORDER BY t.id DESC LIMIT $4",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<SqlUuid, _>(except)
    .bind::<BigInt, _>(LOOKED_AT)
    .bind::<BigInt, _>(TOLD_OF)
    .bind::<Integer, _>(TOLD_CHARS)
    .prepared()
    .load(connection)?)
}
