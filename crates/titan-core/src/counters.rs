//! The counts of a project: folded counters plus the deltas that are not folded yet, so always exact.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Result;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Stats {
    pub tasks: TaskCounts,
    pub runs: RunCounts,
    pub memories: i64,
    pub outputs: OutputCounts,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct TaskCounts {
    pub total: i64,
    pub pending: i64,
    pub queued: i64,
    pub in_progress: i64,
    pub paused: i64,
    pub blocked: i64,
    pub completed: i64,
    pub failed: i64,
    pub canceled: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct RunCounts {
    pub total: i64,
    pub queued: i64,
    pub running: i64,
    pub completed: i64,
    pub failed: i64,
    pub canceled: i64,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct OutputCounts {
    pub total: i64,
    pub pending: i64,
    pub approved: i64,
    pub rejected: i64,
}

impl Stats {
    fn add(&mut self, subject: &str, state: &str, value: i64) {
        let (total, slot) = match (subject, state) {
            ("tasks", "pending") => (&mut self.tasks.total, &mut self.tasks.pending),
            ("tasks", "queued") => (&mut self.tasks.total, &mut self.tasks.queued),
            ("tasks", "in_progress") => (&mut self.tasks.total, &mut self.tasks.in_progress),
            ("tasks", "paused") => (&mut self.tasks.total, &mut self.tasks.paused),
            ("tasks", "blocked") => (&mut self.tasks.total, &mut self.tasks.blocked),
            ("tasks", "completed") => (&mut self.tasks.total, &mut self.tasks.completed),
            ("tasks", "failed") => (&mut self.tasks.total, &mut self.tasks.failed),
            ("tasks", "canceled") => (&mut self.tasks.total, &mut self.tasks.canceled),
            ("runs", "queued") => (&mut self.runs.total, &mut self.runs.queued),
            ("runs", "running") => (&mut self.runs.total, &mut self.runs.running),
            ("runs", "completed") => (&mut self.runs.total, &mut self.runs.completed),
            ("runs", "failed") => (&mut self.runs.total, &mut self.runs.failed),
            ("runs", "canceled") => (&mut self.runs.total, &mut self.runs.canceled),
            ("outputs", "pending") => (&mut self.outputs.total, &mut self.outputs.pending),
            ("outputs", "approved") => (&mut self.outputs.total, &mut self.outputs.approved),
            ("outputs", "rejected") => (&mut self.outputs.total, &mut self.outputs.rejected),
            ("memories", _) => {
                self.memories += value;
                return;
            }
            _ => return,
        };
        *total += value;
        *slot += value;
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    project_id: Uuid,
    #[diesel(sql_type = Text)]
    subject: String,
    #[diesel(sql_type = Text)]
    state: String,
    #[diesel(sql_type = BigInt)]
    value: i64,
}

/// The counts of several projects in one query. A project without any is missing.
///
/// # Errors
/// When the database does not answer.
pub fn of_projects(connection: &mut PgConnection, ids: &[Uuid]) -> Result<HashMap<Uuid, Stats>> {
    let rows: Vec<Row> = sql_query(
        "SELECT project_id, subject, state, sum(value)::bigint AS value FROM (\
           SELECT project_id, subject, state, value FROM counters WHERE project_id = ANY($1) \
           UNION ALL SELECT project_id, subject, state, delta FROM counter_deltas WHERE project_id = ANY($1)) AS counts \
         GROUP BY project_id, subject, state",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .load(connection)?;
    let mut stats: HashMap<Uuid, Stats> = HashMap::new();
    for row in rows {
        stats.entry(row.project_id).or_default().add(&row.subject, &row.state, row.value);
    }
    Ok(stats)
}

/// The counts of one project.
///
/// # Errors
/// When the database does not answer.
pub fn of_project(connection: &mut PgConnection, id: Uuid) -> Result<Stats> {
    Ok(of_projects(connection, &[id])?.remove(&id).unwrap_or_default())
}
