//! The end of jobs. The deletion of the hot row is what makes "exactly one terminal row" true: only who deletes it writes its
//! history.

use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::story::JobOutcome;
use crate::Result;
use crate::db::Prepare as _;

/// A job that is to end.
pub(super) struct End {
    pub(super) id: i64,
    /// Only if it has no run, and is held under this epoch; none when that is known.
    pub(super) epoch: Option<i64>,
    pub(super) outcome: JobOutcome,
    /// Why it failed for good; it then becomes a dead letter.
    pub(super) error: Option<String>,
    pub(super) task_id: Option<Uuid>,
}

/// A job that has.
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

/// Ends jobs, each once and by ascending id, and returns those that it found. They are looked up by an array: a join with a table that
/// was empty a moment ago, as this one mostly is, would read all of it.
pub(super) fn write(connection: &mut PgConnection, ends: &[End]) -> Result<Vec<Ended>> {
    if ends.is_empty() {
        return Ok(Vec::new());
    }
    let ended = sql_query(
        "WITH gone AS (DELETE FROM jobs j WHERE j.id = ANY($1) AND (($2)[array_position($1, j.id)] IS NULL \
             OR (j.epoch = ($2)[array_position($1, j.id)] AND j.state = 'running' AND j.run_id IS NULL)) \
           RETURNING j.*, array_position($1, j.id) AS place), \
         ended AS (SELECT *, ($3)[place] AS outcome, ($4)[place] AS error, ($5)[place] AS task_id FROM gone), \
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
