//! The end of jobs. The deletion of the hot row is what makes "exactly one terminal row" true: only who deletes it writes its
//! history.

use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::story::JobOutcome;
use crate::Result;
use crate::db::Prepare as _;

pub(super) struct End {
    pub(super) id: i64,
    /// Only if it has no run, and is held under this epoch; none when that is known.
    pub(super) epoch: Option<i64>,
    pub(super) outcome: JobOutcome,
    /// Why it failed for good; it then becomes a dead letter.
    pub(super) error: Option<String>,
    pub(super) task_id: Option<Uuid>,
}

#[derive(QueryableByName)]
pub(super) struct Ended {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) epoch: i64,
    /// A limit that has a place again.
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) limit_key: Option<String>,
}

/// Ends jobs, by ascending id, and returns those that it found.
pub(super) fn write(connection: &mut PgConnection, ends: &[End]) -> Result<Vec<Ended>> {
    if ends.is_empty() {
        return Ok(Vec::new());
    }
    let ended = sql_query(
        "WITH ended AS (DELETE FROM jobs j USING unnest($1, $2, $3, $4, $5) AS e (id, epoch, outcome, error, task_id) \
           WHERE j.id = e.id AND (e.epoch IS NULL OR (j.epoch = e.epoch AND j.state = 'running' AND j.run_id IS NULL)) \
           RETURNING j.*, e.outcome, e.error, e.task_id), \
         kept AS (INSERT INTO job_history (id, kind, queue, outcome, attempt, rescues, epoch, worker_id, project_id, run_id, step, \
             created_at) \
           SELECT id, kind, queue, outcome, attempt, rescues, epoch, worker_id, project_id, run_id, step, created_at FROM ended), \
         tally AS (INSERT INTO job_tallies (minute, queue, outcome, n) \
           SELECT date_trunc('minute', clock_timestamp()), queue, outcome, count(*) FROM ended GROUP BY 2, 3), \
         dead AS (INSERT INTO dead_letters (job_id, kind, queue, priority, limit_key, key, payload, max_attempts, timeout_ms, \
             project_id, task_id, run_id, step, attempt, rescues, error, created_at) \
           SELECT id, kind, queue, priority, limit_key, key, payload, max_attempts, timeout_ms, project_id, task_id, run_id, step, \
             attempt, rescues, coalesce(error, 'no reason was given'), created_at FROM ended WHERE outcome = 'failed') \
         SELECT id, epoch, limit_key FROM ended",
    )
    .bind::<Array<BigInt>, _>(ends.iter().map(|end| end.id).collect::<Vec<_>>())
    .bind::<Array<Nullable<BigInt>>, _>(ends.iter().map(|end| end.epoch).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(ends.iter().map(|end| end.outcome.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(ends.iter().map(|end| end.error.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<SqlUuid>>, _>(ends.iter().map(|end| end.task_id).collect::<Vec<_>>())
    .prepared()
    .load(connection)?;
    Ok(ended)
}
