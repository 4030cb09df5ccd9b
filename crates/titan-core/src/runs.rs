//! Runs and their steps, read. They change through the engine only.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::page::Page;
use crate::state::{RunStage, RunStatus, StepStatus, WaitingOn};
use crate::workers::{self, RunHint};
use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Run {
    pub id: Uuid,
    pub task_id: Uuid,
    pub project_id: Uuid,
    pub parent_run_id: Option<Uuid>,
    pub retry_of: Option<Uuid>,
    pub workflow: String,
    pub status: RunStatus,
    pub stage: RunStage,
    /// What its first waiting step waits for.
    pub waiting_on: Option<WaitingOn>,
    pub waiting_since: Option<DateTime<Utc>>,
    pub waiting_until: Option<DateTime<Utc>>,
    pub waiting_reason: Option<String>,
    pub paused_at: Option<DateTime<Utc>>,
    pub cancel_requested_at: Option<DateTime<Utc>>,
    /// The highest attempt of its steps.
    pub attempt: i32,
    pub trace_id: String,
    pub created_at: DateTime<Utc>,
    pub started_at: Option<DateTime<Utc>>,
    pub finished_at: Option<DateTime<Utc>>,
    pub error: Option<String>,
    pub usage: RunUsage,
    pub last_seq: i64,
    /// Why it does not move although it could; null when all is well.
    pub hint: Option<RunHint>,
    /// In lists left empty.
    pub steps: Vec<Step>,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, ToSchema)]
pub struct RunUsage {
    pub input_tokens: i64,
    pub output_tokens: i64,
    /// In the currency of the price list; null until prices are known.
    pub cost: Option<f64>,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Step {
    #[serde(skip)]
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
    #[diesel(sql_type = SmallInt)]
    pub seq: i16,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub status: StepStatus,
    #[diesel(sql_type = Nullable<Text>)]
    pub waiting_on: Option<WaitingOn>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub waiting_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub waiting_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub waiting_reason: Option<String>,
    #[diesel(sql_type = Integer)]
    pub attempt: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub worker: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub heartbeat_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub finished_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub error: Option<String>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    task_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    project_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    parent_run_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    retry_of: Option<Uuid>,
    #[diesel(sql_type = Text)]
    workflow: String,
    #[diesel(sql_type = Text)]
    status: RunStatus,
    #[diesel(sql_type = Text)]
    stage: RunStage,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    paused_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    cancel_requested_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    trace_id: String,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    finished_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    error: Option<String>,
    #[diesel(sql_type = BigInt)]
    input_tokens: i64,
    #[diesel(sql_type = BigInt)]
    output_tokens: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    cost_micros: Option<i64>,
    #[diesel(sql_type = BigInt)]
    last_seq: i64,
}

const SELECT: &str = "SELECT r.id, r.task_id, r.project_id, r.parent_run_id, r.retry_of, r.workflow, r.status, r.stage, \
     r.paused_at, r.cancel_requested_at, r.trace_id, r.created_at, r.started_at, r.finished_at, r.error, r.input_tokens, \
     r.output_tokens, r.cost_micros, r.last_seq \
     FROM runs r JOIN projects p ON p.id = r.project_id AND p.deleted_at IS NULL";

/// Which runs a list shows.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub project_id: Option<Uuid>,
    pub task_id: Option<Uuid>,
    pub status: Option<RunStatus>,
}

/// Those of these runs that have ended.
///
/// # Errors
/// When the database does not answer.
pub fn ended_among(connection: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeSet<Uuid>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let rows: Vec<Row> = sql_query("SELECT id FROM runs WHERE id = ANY ($1) AND finished_at IS NOT NULL")
        .bind::<Array<SqlUuid>, _>(ids)
        .load(connection)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// With its steps.
///
/// # Errors
/// [`Error::NotFound`] also when its project was deleted.
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Run> {
    let rows: Vec<Row> = sql_query(format!("{SELECT} WHERE r.id = $1")).bind::<SqlUuid, _>(id).load(connection)?;
    complete(connection, rows, true)?.pop().ok_or(Error::NotFound("run", id))
}

/// The newest first, without steps.
///
/// # Errors
/// [`Error::NotFound`] for the project that was named; a cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    filter: &Filter,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Run>> {
    let limit = crate::page::limit(limit)?;
    if let Some(id) = filter.project_id {
        crate::projects::exists(connection, id)?;
    }
    let mut sql = format!("{SELECT} WHERE ($1 IS NULL OR r.id < $1) AND ($2 IS NULL OR r.status = $2)");
    // Written out only when asked for, so that each list has a plan that uses its own index.
    sql.push_str(if filter.project_id.is_some() { " AND r.project_id = $3" } else { " AND $3 IS NULL" });
    sql.push_str(if filter.task_id.is_some() { " AND r.task_id = $4" } else { " AND $4 IS NULL" });
    sql.push_str(" ORDER BY r.id DESC LIMIT $5");
    let rows: Vec<Row> = sql_query(sql)
        .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
        .bind::<Nullable<Text>, _>(filter.status)
        .bind::<Nullable<SqlUuid>, _>(filter.project_id)
        .bind::<Nullable<SqlUuid>, _>(filter.task_id)
        .bind::<BigInt, _>(limit + 1)
        .load(connection)?;
    Ok(Page::of(complete(connection, rows, false)?, limit, |run| run.id.to_string()))
}

/// Where a run stands, for a stream that follows it.
#[derive(Debug, Clone, QueryableByName)]
pub struct Position {
    #[diesel(sql_type = Text)]
    pub status: RunStatus,
    #[diesel(sql_type = BigInt)]
    pub last_seq: i64,
}

/// # Errors
/// [`Error::NotFound`] also when its project was deleted.
pub fn position(connection: &mut PgConnection, id: Uuid) -> Result<Position> {
    let rows: Vec<Position> = sql_query(
        "SELECT r.status, r.last_seq FROM runs r JOIN projects p ON p.id = r.project_id AND p.deleted_at IS NULL WHERE r.id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .load(connection)?;
    rows.into_iter().next().ok_or(Error::NotFound("run", id))
}

/// Adds steps, what is waited for and hints.
fn complete(connection: &mut PgConnection, rows: Vec<Row>, keep_steps: bool) -> Result<Vec<Run>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let open: Vec<Uuid> = rows.iter().filter(|row| !row.status.is_terminal()).map(|row| row.id).collect();
    let mut steps = steps_of(connection, &ids)?;
    let mut hints = if open.is_empty() { HashMap::new() } else { workers::hints_of_runs(connection, &open)? };
    let run = |row: Row| {
        let steps = steps.remove(&row.id).unwrap_or_default();
        let waiting = steps.iter().find(|step| step.waiting_on.is_some());
        Run {
            waiting_on: waiting.and_then(|step| step.waiting_on),
            waiting_since: waiting.and_then(|step| step.waiting_since),
            waiting_until: waiting.and_then(|step| step.waiting_until),
            waiting_reason: waiting.and_then(|step| step.waiting_reason.clone()),
            attempt: steps.iter().map(|step| step.attempt).max().unwrap_or(0),
            hint: hints.remove(&row.id),
            usage: RunUsage {
                input_tokens: row.input_tokens,
                output_tokens: row.output_tokens,
                #[allow(clippy::cast_precision_loss)]
                cost: row.cost_micros.map(|micros| micros as f64 / 1e6),
            },
            steps: if keep_steps { steps } else { Vec::new() },
            id: row.id,
            task_id: row.task_id,
            project_id: row.project_id,
            parent_run_id: row.parent_run_id,
            retry_of: row.retry_of,
            workflow: row.workflow,
            status: row.status,
            stage: row.stage,
            paused_at: row.paused_at,
            cancel_requested_at: row.cancel_requested_at,
            trace_id: row.trace_id,
            created_at: row.created_at,
            started_at: row.started_at,
            finished_at: row.finished_at,
            error: row.error,
            last_seq: row.last_seq,
        }
    };
    Ok(rows.into_iter().map(run).collect())
}

fn steps_of(connection: &mut PgConnection, runs: &[Uuid]) -> Result<HashMap<Uuid, Vec<Step>>> {
    if runs.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<Step> = sql_query(
        "SELECT run_id, seq, name, kind, status, waiting_on, waiting_since, waiting_until, waiting_reason, attempt, worker, \
         started_at, heartbeat_at, finished_at, error FROM steps WHERE run_id = ANY($1) ORDER BY run_id, seq",
    )
    .bind::<Array<SqlUuid>, _>(runs)
    .load(connection)?;
    let mut steps: HashMap<Uuid, Vec<Step>> = HashMap::new();
    for step in rows {
        steps.entry(step.run_id).or_default().push(step);
    }
    Ok(steps)
}
