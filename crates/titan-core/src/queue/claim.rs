//! The claim: one statement, READ COMMITTED, on `jobs` alone.

use diesel::connection::SimpleConnection;
use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::Result;
use crate::db::Db;

/// The CTE is a fence for the planner: without it an UPDATE may touch more rows than the limit says. The order is that of
/// the partial index `jobs_ready`.
const CLAIM: &str = "WITH picked AS MATERIALIZED (\
     SELECT id FROM jobs WHERE state = 'ready' AND NOT suspect AND queue = 'default' AND kind = ANY($2) ORDER BY queue, priority DESC, start_tag, id LIMIT $3 FOR UPDATE SKIP LOCKED) \
     UPDATE jobs j SET state = 'running', worker_id = $1, epoch = epoch + 1, attempt = attempt + 1, \
     deadline_at = clock_timestamp() + timeout_ms * interval '1 millisecond' FROM picked WHERE j.id = picked.id \
     RETURNING j.id, j.kind, j.epoch, j.attempt, j.max_attempts, j.rescues, j.timeout_ms, j.project_id, j.run_id, j.step";

/// The same for the jobs of one run.
const CLAIM_RUN: &str = "WITH picked AS MATERIALIZED (\
     SELECT id FROM jobs WHERE state = 'ready' AND kind = ANY($2) AND run_id = $4 ORDER BY priority DESC, id LIMIT $3 \
     FOR UPDATE SKIP LOCKED) \
     UPDATE jobs j SET state = 'running', worker_id = $1, epoch = epoch + 1, attempt = attempt + 1, \
     deadline_at = clock_timestamp() + timeout_ms * interval '1 millisecond' FROM picked WHERE j.id = picked.id \
     RETURNING j.id, j.kind, j.epoch, j.attempt, j.max_attempts, j.rescues, j.timeout_ms, j.project_id, j.run_id, j.step";

/// A table that is empty most of the time has statistics that say so, and a planner that believes them would sort the whole
/// table at the moment it is full. On the claim's own connection only the index remains.
const PLANNER: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; \
     SET enable_hashjoin = off; SET enable_mergejoin = off";

/// A job in a worker's hands.
#[derive(Debug, Clone, QueryableByName)]
pub struct ClaimedJob {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = BigInt)]
    pub epoch: i64,
    #[diesel(sql_type = SmallInt)]
    pub attempt: i16,
    #[diesel(sql_type = SmallInt)]
    pub max_attempts: i16,
    #[diesel(sql_type = SmallInt)]
    pub rescues: i16,
    #[diesel(sql_type = BigInt)]
    pub timeout_ms: i64,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub project_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub run_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub step: Option<i16>,
}

/// Who claims, and what it can do.
#[derive(Debug, Clone)]
pub struct Claim {
    pub worker_id: Uuid,
    pub kinds: Vec<String>,
    /// The free slots.
    pub limit: i64,
}

impl Claim {
    /// A connection on which claims use their index and nothing else.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub fn connection(db: &Db) -> Result<PgConnection> {
        let mut connection = db.dedicated()?;
        connection.batch_execute(PLANNER)?;
        Ok(connection)
    }
}

/// Claims up to `limit` ready jobs, the most urgent and then the oldest first.
///
/// # Errors
/// When the database does not answer. The claim may then have happened: such strays are released with the next heartbeat.
pub fn claim(connection: &mut PgConnection, claim: &Claim) -> Result<Vec<ClaimedJob>> {
    let mut jobs: Vec<ClaimedJob> = sql_query(CLAIM)
        .bind::<SqlUuid, _>(claim.worker_id)
        .bind::<Array<Text>, _>(&claim.kinds)
        .bind::<BigInt, _>(claim.limit)
        .load(connection)?;
    jobs.sort_by_key(|job| job.id);
    Ok(jobs)
}

/// Claims the ready jobs of one run, for a worker that was started to do just that.
///
/// # Errors
/// When the database does not answer.
pub fn claim_run(connection: &mut PgConnection, claim: &Claim, run_id: Uuid) -> Result<Vec<ClaimedJob>> {
    Ok(sql_query(CLAIM_RUN)
        .bind::<SqlUuid, _>(claim.worker_id)
        .bind::<Array<Text>, _>(&claim.kinds)
        .bind::<BigInt, _>(claim.limit)
        .bind::<SqlUuid, _>(run_id)
        .load(connection)?)
}
