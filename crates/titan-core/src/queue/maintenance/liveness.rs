//! When a worker counts as gone. Two speeds: its session lock is free and its heartbeat is old, which takes about a second;
//! or its lease is over, which is for workers without a direct connection, for frozen ones and for those cut off.
//!
//! Each sign alone is not enough. A lock is free for a moment whenever a connection breaks, and a heartbeat is late
//! whenever a machine is busy.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Nullable, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::Result;
use crate::db::Prepare as _;

/// A heartbeat that is older than this is the second sign beside a free lock: three beats were missed.
pub(super) const SILENT_MS: i64 = 1000;
/// After a start of Postgres no lock is held and no heartbeat is fresh, until everybody has connected again.
pub(super) const UP_FOR_LOCKS_MS: i64 = 2000;
/// The same for the leases: a restart may have taken longer than one.
const UP_FOR_LEASES_MS: i64 = 5000;

/// What an asker may conclude. Whoever has just connected may have been cut off together with the worker that it judges, and
/// lets a lock that is free and a heartbeat that is old count for nothing yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Speed {
    Fast,
    LeaseOnly,
}

/// A worker with running jobs that may be gone.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Candidate {
    #[diesel(sql_type = SqlUuid)]
    pub worker_id: Uuid,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) lock_key: Option<i64>,
    /// None: its row is gone.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) heartbeat_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    pub(super) stopped: bool,
    #[diesel(sql_type = Bool)]
    pub(super) lease_over: bool,
}

/// Workers with running jobs that are stopped, past their lease or silent. Costs one look into an index per worker that
/// holds anything, and locks nothing. Who has just connected does not ask: after a long recovery of Postgres every heartbeat
/// is old, until everybody has connected again.
///
/// # Errors
/// When the database does not answer.
pub fn candidates(connection: &mut PgConnection) -> Result<Vec<Candidate>> {
    Ok(sql_query(
        "WITH RECURSIVE holders (id) AS (\
           (SELECT worker_id FROM jobs WHERE state = 'running' ORDER BY worker_id, id LIMIT 1) \
           UNION ALL SELECT (SELECT j.worker_id FROM jobs j WHERE j.state = 'running' AND j.worker_id > h.id \
             ORDER BY j.worker_id, j.id LIMIT 1) FROM holders h WHERE h.id IS NOT NULL), \
         signs AS (SELECT h.id AS worker_id, w.lock_key, w.heartbeat_at, w.stopped_at IS NOT NULL AS stopped, \
           (w.id IS NULL OR w.heartbeat_at + w.lease_ms * interval '1 millisecond' < clock_timestamp()) \
             AND clock_timestamp() > pg_postmaster_start_time() + $1 * interval '1 millisecond' AS lease_over, \
           w.lock_key IS NOT NULL AND w.heartbeat_at < clock_timestamp() - $3 * interval '1 millisecond' \
             AND clock_timestamp() > pg_postmaster_start_time() + $2 * interval '1 millisecond' AS silent \
           FROM holders h LEFT JOIN workers w ON w.id = h.id WHERE h.id IS NOT NULL) \
         SELECT worker_id, lock_key, heartbeat_at, stopped, lease_over FROM signs WHERE stopped OR lease_over OR silent \
         ORDER BY worker_id",
    )
    .bind::<BigInt, _>(UP_FOR_LEASES_MS)
    .bind::<BigInt, _>(UP_FOR_LOCKS_MS)
    .bind::<BigInt, _>(SILENT_MS)
    .prepared()
    .load(connection)?)
}

/// Takes a worker's lock until the end of the transaction, unless its session holds it. A statement of its own: within a
/// condition a planner might lock for rows that nobody asked about.
pub(super) fn lock_is_free(connection: &mut PgConnection, lock_key: i64) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        free: bool,
    }
    let row: Row = sql_query("SELECT pg_try_advisory_xact_lock($1) AS free")
        .bind::<BigInt, _>(lock_key)
        .prepared()
        .get_result(connection)?;
    Ok(row.free)
}
