//! Jobs as a person lists them, wherever they are: to be done, over, or dead.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::filter::{JobFilter, JobState, Place};
use super::look;
use crate::Result;
use crate::page::{self, Page};

/// What is not known of a job where it is now is null: history is narrow.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Job {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = Text)]
    pub queue: String,
    #[diesel(sql_type = Text)]
    pub state: JobState,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub priority: Option<i16>,
    #[diesel(sql_type = Nullable<Text>)]
    pub limit_key: Option<String>,
    /// While it is there, no second job of its kind has this key.
    #[diesel(sql_type = Nullable<Text>)]
    pub key: Option<String>,
    #[diesel(sql_type = SmallInt)]
    pub attempt: i16,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub max_attempts: Option<i16>,
    /// How many workers were lost while they ran it.
    #[diesel(sql_type = SmallInt)]
    pub rescues: i16,
    /// It was there when several workers were lost, and is run alone.
    #[diesel(sql_type = Nullable<Bool>)]
    pub suspect: Option<bool>,
    /// Raised by each claim.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub epoch: Option<i64>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub worker_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Text>)]
    pub worker_name: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub project_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub task_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub run_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub step: Option<i16>,
    /// The arguments of a job without a run.
    #[diesel(sql_type = Nullable<Jsonb>)]
    #[schema(value_type = Option<Object>)]
    pub payload: Option<Value>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub run_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub deadline_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub finished_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub error: Option<String>,
    /// When it was tried again as a new job or run, after it had failed for good.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub redriven_at: Option<DateTime<Utc>>,
}

const HOT: &str = "SELECT j.id, j.kind, j.queue, j.state, j.priority, j.limit_key, j.key, j.attempt, j.max_attempts, \
     j.rescues, j.suspect, j.epoch, j.worker_id, w.name AS worker_name, j.project_id, r.task_id, j.run_id, j.step, j.payload, \
     j.run_at, j.deadline_at, j.created_at, NULL::timestamptz AS finished_at, NULL AS error, NULL::timestamptz AS redriven_at \
     FROM page j LEFT JOIN workers w ON w.id = j.worker_id LEFT JOIN runs r ON r.id = j.run_id ORDER BY j.id";

/// History is narrow; of what failed for good, the dead letter knows more.
const HISTORY: &str = "SELECT j.id, j.kind, j.queue, j.outcome AS state, d.priority, d.limit_key, d.key, j.attempt, \
     d.max_attempts, j.rescues, NULL::boolean AS suspect, j.epoch, j.worker_id, w.name AS worker_name, j.project_id, r.task_id, \
     j.run_id, j.step, d.payload, NULL::timestamptz AS run_at, NULL::timestamptz AS deadline_at, j.created_at, j.finished_at, \
     d.error, d.redriven_at \
     FROM page j LEFT JOIN dead_letters d ON d.job_id = j.id LEFT JOIN workers w ON w.id = j.worker_id \
     LEFT JOIN runs r ON r.id = j.run_id ORDER BY j.finished_at DESC, j.id DESC";

const DEAD: &str = "SELECT j.job_id AS id, j.kind, j.queue, 'dead' AS state, j.priority, j.limit_key, j.key, j.attempt, \
     j.max_attempts, j.rescues, NULL::boolean AS suspect, NULL::bigint AS epoch, NULL::uuid AS worker_id, NULL AS worker_name, \
     j.project_id, j.task_id, j.run_id, j.step, j.payload, NULL::timestamptz AS run_at, NULL::timestamptz AS deadline_at, \
     j.created_at, j.failed_at AS finished_at, j.error, j.redriven_at FROM page j ORDER BY j.job_id DESC";

/// Without a state all that is to be done, the oldest first; what is over comes with the newest first.
///
/// # Errors
/// [`crate::Error::NotFound`] for the project that was named; a cursor or limit that is wrong.
pub fn list_jobs(
    connection: &mut PgConnection,
    filter: &JobFilter,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Job>> {
    let limit = page::limit(limit)?;
    filter.check()?;
    let place = filter.state.map_or(Place::Hot, JobState::place);
    // History has its index by time, so its pages go by time and then id.
    let (after, at) = match place {
        Place::History => {
            page::parse_cursor::<Moment>(cursor)?.map_or((None, None), |moment| (Some(moment.id), Some(moment.at)))
        }
        Place::Hot | Place::Dead => (page::parse_cursor(cursor)?, None),
    };
    let (page_after, order, columns) = match place {
        Place::Hot => ("j.id > $6", "j.id", HOT),
        Place::History => ("(j.finished_at, j.id) < ($8, $6)", "j.finished_at DESC, j.id DESC", HISTORY),
        Place::Dead => ("j.job_id < $6", "j.job_id DESC", DEAD),
    };
    let page_after = if after.is_some() { page_after } else { "$6 IS NULL" };
    let time = if at.is_some() { "" } else { " AND $8 IS NULL" };
    let sql = format!(
        "WITH page AS MATERIALIZED (SELECT * FROM {} j WHERE {} AND {page_after}{time} ORDER BY {order} LIMIT $7) {columns}",
        place.table(),
        filter.conditions(place),
    );
    look(connection, |connection| {
        if let Some(id) = filter.project_id {
            crate::projects::exists(connection, id)?;
        }
        let rows: Vec<Job> = filter
            .bind(sql)
            .bind::<Nullable<BigInt>, _>(after)
            .bind::<BigInt, _>(limit + 1)
            .bind::<Nullable<Timestamptz>, _>(at)
            .load(connection)?;
        Ok(Page::of(rows, limit, |job| match (place, job.finished_at) {
            (Place::History, Some(at)) => format!("{}-{}", at.timestamp_micros(), job.id),
            _ => job.id.to_string(),
        }))
    })
}

/// A place in history.
struct Moment {
    at: DateTime<Utc>,
    id: i64,
}

impl FromStr for Moment {
    type Err = ();

    fn from_str(text: &str) -> std::result::Result<Self, ()> {
        let (micros, id) = text.split_once('-').ok_or(())?;
        let at = micros.parse().ok().and_then(DateTime::from_timestamp_micros).ok_or(())?;
        Ok(Moment { at, id: id.parse().map_err(|_| ())? })
    }
}
