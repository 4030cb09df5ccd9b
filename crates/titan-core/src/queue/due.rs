//! Scheduled jobs become ready, or wait for the limit of their key.
//!
//! Each takes its turn from now on, like a job that is enqueued now: one that kept the start tag of the day when it was
//! scheduled would pass by everybody who waits.

use diesel::sql_types::{Array, BigInt, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::admit;
use super::fair::{self, Flow};
use crate::Result;
use crate::db::Prepare as _;

/// A scheduled job whose row is locked.
#[derive(QueryableByName)]
pub(super) struct Due {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    queue: String,
    #[diesel(sql_type = SmallInt)]
    priority: i16,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    project_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    limit_key: Option<String>,
}

/// What became of them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Woken {
    pub(super) jobs: usize,
    pub(super) any_ready: bool,
}

pub(super) fn wake(connection: &mut PgConnection, due: &[Due]) -> Result<Woken> {
    if due.is_empty() {
        return Ok(Woken::default());
    }
    let flow = |job: &Due| Flow { queue: job.queue.clone(), priority: job.priority, project_id: job.project_id };
    let tags = fair::tags(connection, &due.iter().map(flow).collect::<Vec<_>>())?;
    let jobs = sql_query(
        "UPDATE jobs j SET state = CASE WHEN j.limit_key IS NULL THEN 'ready' ELSE 'waiting' END, \
         run_at = least(j.run_at, clock_timestamp()), start_tag = greatest(j.start_tag, d.tag) \
         FROM unnest($1, $2) AS d (id, tag) WHERE j.id = d.id",
    )
    .bind::<Array<BigInt>, _>(due.iter().map(|job| job.id).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(tags)
    .prepared()
    .execute(connection)?;
    let admitted = admit(connection, due.iter().filter_map(|job| job.limit_key.as_deref()))?;
    Ok(Woken { jobs, any_ready: admitted > 0 || due.iter().any(|job| job.limit_key.is_none()) })
}
