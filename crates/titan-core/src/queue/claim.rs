//! The claim: one statement per queue, READ COMMITTED, on `jobs` and the queue's own row.

use diesel::sql_types::{Array, BigInt, Bool, Jsonb, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use crate::Result;
use crate::db::Prepare as _;
use crate::meter::Meter;

/// The columns of a [`ClaimedJob`], and what a claim does to them.
macro_rules! claim {
    ($which:literal) => {
        concat!(
            // The CTE is a fence for the planner: without it an UPDATE may touch more rows than the limit says. And an array is looked up by
            // the primary key, whatever is believed of the table's size; a join with a table that was empty a moment ago reads all of it.
            "WITH picked AS MATERIALIZED (SELECT id FROM jobs WHERE state = 'ready' AND kind = ANY($2) AND ",
            $which,
            " FOR UPDATE SKIP LOCKED) \
             UPDATE jobs j SET state = 'running', worker_id = $1, epoch = epoch + 1, attempt = attempt + 1, \
             deadline_at = clock_timestamp() + timeout_ms * interval '1 millisecond' WHERE j.id = ANY(ARRAY(SELECT id FROM picked)) \
             RETURNING j.id, j.kind, j.queue, j.priority, j.limit_key, j.epoch, j.attempt, j.max_attempts, j.rescues, \
             j.suspect, j.timeout_ms, j.project_id, j.run_id, j.step, j.payload"
        )
    };
}

/// The order is that of the partial index `jobs_ready`. A paused queue is a filter that is looked at once. Public, so that its plan
/// can be looked at.
pub const CLAIM_SQL: &str = claim!(
    "NOT suspect AND queue = $4 AND coalesce((SELECT paused_at IS NULL FROM queues WHERE name = $4), true) \
     ORDER BY queue, priority DESC, start_tag, id LIMIT $3"
);
const CLAIM_SUSPECT: &str = claim!(
    "suspect AND lone_losses < 2 AND queue = $4 AND coalesce((SELECT paused_at IS NULL FROM queues WHERE name = $4), true) \
     ORDER BY queue, id LIMIT $3"
);
/// Somebody asked for this very run: that its queue is paused, or that it is a suspect, was known to him.
const CLAIM_RUN: &str = claim!("run_id = $4 ORDER BY id LIMIT $3");

/// A job in a worker's hands.
#[derive(Debug, Clone, QueryableByName)]
pub struct ClaimedJob {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub queue: String,
    #[diesel(sql_type = SmallInt)]
    pub priority: i16,
    #[diesel(sql_type = Nullable<Text>)]
    pub limit_key: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub epoch: i64,
    #[diesel(sql_type = SmallInt)]
    pub attempt: i16,
    #[diesel(sql_type = SmallInt)]
    pub max_attempts: i16,
    #[diesel(sql_type = SmallInt)]
    pub rescues: i16,
    #[diesel(sql_type = Bool)]
    pub suspect: bool,
    #[diesel(sql_type = BigInt)]
    pub timeout_ms: i64,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub project_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub run_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub step: Option<i16>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub payload: Option<Value>,
}

/// Who claims, and what it can do.
#[derive(Debug, Clone)]
pub struct Claim {
    /// The worker's own, to know it again.
    pub number: u64,
    pub worker_id: Uuid,
    pub source: Source,
    /// The kinds that it has handlers for. A queue is no place for kinds that the workers on it do not know: a claim passes over
    /// them one by one.
    pub kinds: Vec<String>,
    /// The free slots.
    pub limit: usize,
    /// Whether a suspect may be taken: not while the worker holds another one.
    pub suspect: bool,
    /// Whether what the handlers need to know is read along.
    pub context: bool,
}

/// Whose jobs are claimed.
#[derive(Debug, Clone)]
pub enum Source {
    /// These queues, each in turn.
    Queues(Vec<String>),
    OneRun(Uuid),
}

impl Claim {
    /// A claim on the default queue.
    #[must_use]
    pub fn simple(worker_id: Uuid, kinds: Vec<String>, limit: usize) -> Self {
        Claim {
            number: 0,
            worker_id,
            source: Source::Queues(vec![super::DEFAULT_QUEUE.to_owned()]),
            kinds,
            limit,
            suspect: true,
            context: true,
        }
    }
}

/// Claims ready jobs, by priority, turn and age, no more than there are free slots.
///
/// # Errors
/// When the database does not answer. The claim may then have happened: such strays are released with the next heartbeat.
pub fn claim(connection: &mut PgConnection, claim: &Claim) -> Result<Vec<ClaimedJob>> {
    let mut jobs = match &claim.source {
        Source::OneRun(run_id) => take::<SqlUuid, _>(connection, CLAIM_RUN, claim, claim.limit, *run_id)?,
        Source::Queues(queues) => {
            let mut jobs = take_from(connection, CLAIM_SQL, claim, claim.limit, queues)?;
            if claim.suspect {
                jobs.extend(take_from(connection, CLAIM_SUSPECT, claim, 1, queues)?);
            }
            jobs
        }
    };
    jobs.sort_by_key(|job| job.id);
    let meter = Meter::get();
    meter.claims.one();
    meter.claimed.add(jobs.len());
    Ok(jobs)
}

/// Each queue in turn, until there are so many.
fn take_from(
    connection: &mut PgConnection,
    sql: &'static str,
    claim: &Claim,
    limit: usize,
    queues: &[String],
) -> Result<Vec<ClaimedJob>> {
    let mut jobs = Vec::new();
    for queue in queues {
        if jobs.len() >= limit {
            break;
        }
        jobs.extend(take::<Text, _>(connection, sql, claim, limit - jobs.len(), queue)?);
    }
    Ok(jobs)
}

fn take<ST, V>(
    connection: &mut PgConnection,
    sql: &'static str,
    claim: &Claim,
    limit: usize,
    from: V,
) -> Result<Vec<ClaimedJob>>
where
    ST: diesel::sql_types::SingleValue + diesel::query_builder::QueryId,
    diesel::pg::Pg: diesel::sql_types::HasSqlType<ST>,
    V: diesel::serialize::ToSql<ST, diesel::pg::Pg>,
{
    let claimed = sql_query(sql)
        .bind::<SqlUuid, _>(claim.worker_id)
        .bind::<Array<Text>, _>(&claim.kinds)
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .bind::<ST, _>(from)
        .prepared()
        .load(connection)?;
    Ok(claimed)
}
