//! The events of runs, read. Append-only: the engine writes them, nothing changes them.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Result;
use crate::state::Level;

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct RunEvent {
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub seq: i64,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = SqlUuid)]
    pub task_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub project_id: Uuid,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub step: Option<i16>,
    /// Set together with `message`: the event is a line of the log.
    #[diesel(sql_type = Nullable<Text>)]
    pub level: Option<Level>,
    #[diesel(sql_type = Nullable<Text>)]
    pub message: Option<String>,
    #[diesel(sql_type = Jsonb)]
    pub data: Value,
}

/// Up to `limit` events of a run after a number, in order. The caller has checked that the run may be seen.
///
/// # Errors
/// When the database does not answer.
pub fn after(connection: &mut PgConnection, run_id: Uuid, seq: i64, limit: i64) -> Result<Vec<RunEvent>> {
    Ok(sql_query(
        "SELECT run_id, seq, at, kind, task_id, project_id, step, level, message, data FROM run_events \
         WHERE run_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
    )
    .bind::<SqlUuid, _>(run_id)
    .bind::<BigInt, _>(seq)
    .bind::<BigInt, _>(limit)
    .load(connection)?)
}

/// The lifecycle events of a task's runs, for its execution log: no deltas, no plain lines.
///
/// # Errors
/// When the database does not answer.
pub fn of_task(connection: &mut PgConnection, task_id: Uuid, limit: i64) -> Result<Vec<RunEvent>> {
    Ok(sql_query(
        "SELECT e.run_id, e.seq, e.at, e.kind, e.task_id, e.project_id, e.step, e.level, e.message, e.data \
         FROM runs r JOIN run_events e ON e.run_id = r.id \
         WHERE r.task_id = $1 AND e.kind LIKE 'run.%' ORDER BY e.at, e.run_id, e.seq LIMIT $2",
    )
    .bind::<SqlUuid, _>(task_id)
    .bind::<BigInt, _>(limit)
    .load(connection)?)
}
