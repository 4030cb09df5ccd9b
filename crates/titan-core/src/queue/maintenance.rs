//! What must happen from time to time, whoever does it: each action is idempotent, limited and skips locked rows, so that
//! every worker may do it and two at once are harmless. Clocks are the database's.

use diesel::sql_types::{BigInt, Bool, Integer, SmallInt, Text, Uuid as SqlUuid};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::Result;
use crate::engine::{ForceCancel, Quarantine};

/// Rows per action and call.
const BATCH: i64 = 1000;
/// After a restart of Postgres nobody could send a heartbeat for a while: this long nothing is rescued.
const RESTART_GRACE_S: i64 = 5;
/// A job that lost this many workers is not given to another one.
pub const MOST_RESCUES: i16 = 5;
/// A handler that has not come back this long after its deadline is counted as hung.
const HUNG_S: i64 = 30;

#[derive(Debug, Clone, QueryableByName)]
pub struct Rescued {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = SqlUuid)]
    pub worker_id: Uuid,
}

/// Does something in a transaction while no other worker does the same; `None` when another one is at it. Several at once
/// would be harmless: this only spares the database the same work from every worker.
///
/// # Errors
/// What the work returns, or when the database does not answer.
pub fn alone<T>(
    connection: &mut PgConnection,
    what: &str,
    work: impl FnOnce(&mut PgConnection) -> Result<T>,
) -> Result<Option<T>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        mine: bool,
    }
    connection.transaction(|connection| {
        let row: Row = sql_query("SELECT pg_try_advisory_xact_lock(hashtext('titan_upkeep_' || $1)) AS mine")
            .bind::<Text, _>(what)
            .get_result(connection)?;
        if row.mine { work(connection).map(Some) } else { Ok(None) }
    })
}

/// Scheduled jobs whose time has come become ready. Returns how many.
///
/// # Errors
/// When the database does not answer.
pub fn promote(connection: &mut PgConnection) -> Result<usize> {
    Ok(sql_query(
        "UPDATE jobs SET state = 'ready' WHERE id IN (SELECT id FROM jobs WHERE state = 'scheduled' \
         AND run_at <= clock_timestamp() ORDER BY run_at, id LIMIT $1 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<BigInt, _>(BATCH)
    .execute(connection)?)
}

/// Jobs of workers whose lease has run out become ready again. The epoch is raised, so that the old owner can write nothing more.
///
/// # Errors
/// When the database does not answer.
pub fn rescue(connection: &mut PgConnection) -> Result<Vec<Rescued>> {
    Ok(sql_query(
        "WITH lost AS MATERIALIZED (\
           SELECT j.id, j.worker_id FROM jobs j LEFT JOIN workers w ON w.id = j.worker_id \
           WHERE j.state = 'running' AND clock_timestamp() > pg_postmaster_start_time() + $2 * interval '1 second' \
             AND (w.id IS NULL OR w.heartbeat_at + w.lease_ms * interval '1 millisecond' < clock_timestamp()) \
           ORDER BY j.id LIMIT $1 FOR UPDATE OF j SKIP LOCKED) \
         UPDATE jobs j SET state = 'ready', worker_id = NULL, deadline_at = NULL, epoch = j.epoch + 1, \
           rescues = j.rescues + 1, attempt = greatest(j.attempt - 1, 0) \
         FROM lost WHERE j.id = lost.id RETURNING j.id, lost.worker_id",
    )
    .bind::<BigInt, _>(BATCH)
    .bind::<BigInt, _>(RESTART_GRACE_S)
    .load(connection)?)
}

/// The same for jobs far past their deadline although their worker lives: its handler hangs. The attempt counts.
///
/// # Errors
/// When the database does not answer.
pub fn rescue_overdue(connection: &mut PgConnection) -> Result<Vec<Rescued>> {
    Ok(sql_query(
        "WITH hung AS MATERIALIZED (\
           SELECT id, worker_id FROM jobs WHERE state = 'running' AND deadline_at < clock_timestamp() - $2 * interval '1 second' \
           ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) \
         UPDATE jobs j SET state = 'ready', worker_id = NULL, deadline_at = NULL, epoch = j.epoch + 1, rescues = j.rescues + 1 \
         FROM hung WHERE j.id = hung.id RETURNING j.id, hung.worker_id",
    )
    .bind::<BigInt, _>(BATCH)
    .bind::<BigInt, _>(HUNG_S)
    .load(connection)?)
}

/// Jobs that were rescued too often, for the engine to fail.
///
/// # Errors
/// When the database does not answer.
pub fn poisoned(connection: &mut PgConnection) -> Result<Vec<Quarantine>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
        #[diesel(sql_type = SmallInt)]
        rescues: i16,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT id, run_id, rescues FROM jobs WHERE state = 'ready' AND rescues >= $1 AND run_id IS NOT NULL LIMIT $2",
    )
    .bind::<SmallInt, _>(MOST_RESCUES)
    .bind::<BigInt, _>(BATCH)
    .load(connection)?;
    Ok(rows.into_iter().map(|row| Quarantine { run_id: row.run_id, job_id: row.id, rescues: row.rescues }).collect())
}

/// Runs that were asked to stop longer than `grace_ms` ago and still are not ended.
///
/// # Errors
/// When the database does not answer.
pub fn overdue_cancels(connection: &mut PgConnection, grace_ms: i64) -> Result<Vec<ForceCancel>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT id FROM runs WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL \
         AND cancel_requested_at < clock_timestamp() - $1 * interval '1 millisecond' ORDER BY cancel_requested_at LIMIT $2",
    )
    .bind::<BigInt, _>(grace_ms)
    .bind::<BigInt, _>(BATCH)
    .load(connection)?;
    Ok(rows.into_iter().map(|row| ForceCancel { run_id: row.id }).collect())
}

/// Folds appended counter deltas into the counters. Returns how many were folded.
///
/// # Errors
/// When the database does not answer.
pub fn fold_counters(connection: &mut PgConnection) -> Result<usize> {
    Ok(sql_query(
        "WITH gone AS (DELETE FROM counter_deltas WHERE id IN \
           (SELECT id FROM counter_deltas ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING project_id, subject, state, delta) \
         INSERT INTO counters AS c (project_id, subject, state, value) \
         SELECT project_id, subject, state, sum(delta) FROM gone GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 \
         ON CONFLICT (project_id, subject, state) DO UPDATE SET value = c.value + excluded.value",
    )
    .bind::<BigInt, _>(BATCH * 10)
    .execute(connection)?)
}

/// Makes the history's partitions of the next week.
///
/// # Errors
/// When the database does not answer.
pub fn prepare_partitions(connection: &mut PgConnection) -> Result<usize> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        made: i32,
    }
    // Two workers that start on the same day would both try to make the same table; the lock lets one go first.
    connection.transaction(|connection| {
        sql_query("SELECT pg_advisory_xact_lock(hashtext('titan_history_partitions'))").execute(connection)?;
        let row: Row = sql_query("SELECT titan_ensure_history_partitions(7) AS made").get_result(connection)?;
        Ok(usize::try_from(row.made).unwrap_or(0))
    })
}

/// Forgets expired idempotency keys and workers that have been gone for a day.
///
/// # Errors
/// When the database does not answer.
pub fn forget(connection: &mut PgConnection) -> Result<usize> {
    let mut keys = 0;
    loop {
        let gone = crate::idempotency::forget_expired(connection, BATCH)?;
        keys += gone;
        if i64::try_from(gone).unwrap_or(0) < BATCH {
            break;
        }
    }
    let workers = sql_query(
        "DELETE FROM workers w WHERE heartbeat_at < now() - interval '1 day' \
         AND NOT EXISTS (SELECT FROM jobs j WHERE j.worker_id = w.id AND j.state = 'running')",
    )
    .execute(connection)?;
    Ok(keys + workers)
}
