//! New jobs: one insert for any number of them, with or without a run.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use super::admit::admit;
use super::fair::{self, Flow};
use crate::db::Prepare as _;
use crate::{Error, Result};

pub const DEFAULT_QUEUE: &str = "default";
/// The queues that every installation has.
const BUILT_IN: [&str; 2] = [DEFAULT_QUEUE, "maintenance"];
/// The arguments of a job are copied with its row at each change of state: large things are stored elsewhere and named.
pub const MAX_PAYLOAD: usize = 2000;

/// A job to be done.
#[derive(Debug, Clone, PartialEq)]
pub struct NewJob {
    pub kind: String,
    pub queue: String,
    pub priority: i16,
    /// Its arguments, at most [`MAX_PAYLOAD`] bytes.
    pub payload: Option<Value>,
    /// While a job of this kind with this key is there, no second one is made.
    pub key: Option<String>,
    /// The limit that it is subject to.
    pub limit_key: Option<String>,
    pub project_id: Option<Uuid>,
    /// Not before this moment.
    pub run_at: Option<DateTime<Utc>>,
    pub max_attempts: i16,
    pub timeout: Duration,
}

impl NewJob {
    #[must_use]
    pub fn new(kind: impl Into<String>) -> Self {
        NewJob {
            kind: kind.into(),
            queue: DEFAULT_QUEUE.to_owned(),
            priority: 0,
            payload: None,
            key: None,
            limit_key: None,
            project_id: None,
            run_at: None,
            max_attempts: 3,
            timeout: Duration::from_secs(60),
        }
    }

    pub(crate) fn timeout_ms(&self) -> i64 {
        i64::try_from(self.timeout.as_millis()).unwrap_or(i64::MAX)
    }
}

/// Checks all about a job that needs no database.
pub(crate) fn check(job: &NewJob) -> Result<()> {
    if !(-100..=100).contains(&job.priority) {
        return Err(Error::invalid("priority", format!("must be between -100 and 100, and is {}", job.priority)));
    }
    if job.max_attempts < 1 {
        return Err(Error::invalid("max_attempts", "must be at least 1"));
    }
    if let Some(payload) = &job.payload {
        crate::tasks::check_json("payload", payload)?;
        let size = payload.to_string().len();
        if size > MAX_PAYLOAD {
            return Err(Error::invalid("payload", format!("must be at most {MAX_PAYLOAD} bytes, and is {size}")));
        }
    }
    Ok(())
}

/// Enqueues jobs without a run, all or none. Each answer belongs to the job at the same place: its id, or `None` when one
/// with its kind and key is active already.
///
/// # Errors
/// What is wrong with a job, or when the database does not answer.
pub fn enqueue(connection: &mut PgConnection, jobs: &[NewJob]) -> Result<Vec<Option<i64>>> {
    jobs.iter().try_for_each(check)?;
    connection.transaction(|connection| {
        let rows: Vec<Row<'_>> = jobs.iter().map(Row::without_run).collect();
        let Inserted { ids, .. } = insert(connection, &rows)?;
        admit(connection, jobs.iter().filter_map(|job| job.limit_key.as_deref()))?;
        Ok(ids)
    })
}

/// A job as it goes into the table.
pub(crate) struct Row<'a> {
    pub(crate) job: &'a NewJob,
    pub(crate) run: Option<(Uuid, i16)>,
    /// The worker that has it from the beginning, as if it had claimed it.
    pub(crate) holder: Option<Uuid>,
}

impl<'a> Row<'a> {
    pub(crate) fn without_run(job: &'a NewJob) -> Self {
        Row { job, run: None, holder: None }
    }
}

pub(crate) struct Inserted {
    pub(crate) ids: Vec<Option<i64>>,
    /// Whether any of them may be claimed at once, without being admitted first.
    pub(crate) any_ready: bool,
}

/// Inserts jobs that were checked, in the caller's transaction. Those with a limit key wait until the caller has them admitted.
pub(crate) fn insert(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<Inserted> {
    #[derive(QueryableByName)]
    struct New {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Nullable<Text>)]
        key: Option<String>,
        #[diesel(sql_type = Text)]
        state: String,
    }
    if rows.is_empty() {
        return Ok(Inserted { ids: Vec::new(), any_ready: false });
    }
    know_queues(connection, rows)?;
    // Two transactions that make jobs with the same keys wait for each other in one order, not in a circle.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by_key(|place| rows.get(*place).map(|row| (row.job.key.is_some(), &row.job.kind, &row.job.key)));
    let ordered: Vec<&Row<'_>> = order.iter().filter_map(|place| rows.get(*place)).collect();
    let flow = |row: &&Row<'_>| Flow {
        queue: row.job.queue.clone(),
        priority: row.job.priority,
        project_id: row.job.project_id,
    };
    let tags = fair::tags(connection, &ordered.iter().map(flow).collect::<Vec<_>>())?;
    let new: Vec<New> = sql_query(
        "INSERT INTO jobs (run_id, step, project_id, kind, queue, priority, max_attempts, timeout_ms, payload, key, limit_key, \
           run_at, start_tag, worker_id, epoch, attempt, deadline_at, state) \
         SELECT run_id, step, project_id, kind, queue, priority, max_attempts, timeout_ms, payload, key, limit_key, \
           coalesce(run_at, clock_timestamp()), start_tag, holder, num_nonnulls(holder), num_nonnulls(holder), \
           CASE WHEN holder IS NOT NULL THEN clock_timestamp() + timeout_ms * interval '1 millisecond' END, \
           CASE WHEN holder IS NOT NULL THEN 'running' WHEN run_at > clock_timestamp() THEN 'scheduled' WHEN limit_key IS NOT NULL THEN 'waiting' ELSE 'ready' END \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS n (run_id, step, project_id, kind, \
           queue, priority, max_attempts, timeout_ms, payload, key, limit_key, run_at, start_tag, holder) \
         ON CONFLICT (kind, key) WHERE key IS NOT NULL DO NOTHING RETURNING id, kind, key, state",
    )
    .bind::<Array<Nullable<SqlUuid>>, _>(column(&ordered, |row| row.run.map(|(id, _)| id)))
    .bind::<Array<Nullable<SmallInt>>, _>(column(&ordered, |row| row.run.map(|(_, step)| step)))
    .bind::<Array<Nullable<SqlUuid>>, _>(column(&ordered, |row| row.job.project_id))
    .bind::<Array<Text>, _>(column(&ordered, |row| row.job.kind.as_str()))
    .bind::<Array<Text>, _>(column(&ordered, |row| row.job.queue.as_str()))
    .bind::<Array<SmallInt>, _>(column(&ordered, |row| row.job.priority))
    .bind::<Array<SmallInt>, _>(column(&ordered, |row| row.job.max_attempts))
    .bind::<Array<BigInt>, _>(column(&ordered, |row| row.job.timeout_ms()))
    .bind::<Array<Nullable<Jsonb>>, _>(column(&ordered, |row| row.job.payload.clone()))
    .bind::<Array<Nullable<Text>>, _>(column(&ordered, |row| row.job.key.as_deref()))
    .bind::<Array<Nullable<Text>>, _>(column(&ordered, |row| row.job.limit_key.as_deref()))
    .bind::<Array<Nullable<Timestamptz>>, _>(column(&ordered, |row| row.job.run_at))
    .bind::<Array<BigInt>, _>(tags)
    .bind::<Array<Nullable<SqlUuid>>, _>(column(&ordered, |row| row.holder))
    .prepared()
    .load(connection)?;

    let any_ready = new.iter().any(|job| job.state == "ready");
    // Rows without a key come back in the order in which they went in; of equal keys only the first went in.
    let mut plain = new.iter().filter(|job| job.key.is_none()).map(|job| job.id);
    let mut keyed: HashMap<(&str, &str), i64> =
        new.iter().filter_map(|job| Some(((job.kind.as_str(), job.key.as_deref()?), job.id))).collect();
    let mut ids = vec![None; rows.len()];
    for (place, row) in order.iter().zip(&ordered) {
        let id = match &row.job.key {
            None => plain.next(),
            Some(key) => keyed.remove(&(row.job.kind.as_str(), key.as_str())),
        };
        if let Some(slot) = ids.get_mut(*place) {
            *slot = id;
        }
    }
    Ok(Inserted { ids, any_ready })
}

/// The names of all queues.
///
/// # Errors
/// When the database does not answer.
pub fn names(connection: &mut PgConnection) -> Result<Vec<String>> {
    #[derive(QueryableByName)]
    struct Named {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let rows: Vec<Named> =
        sql_query("SELECT name FROM queues ORDER BY created_at, name LIMIT 1000").prepared().load(connection)?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

/// A queue that is used is known, so that it is claimed from and can be seen and paused.
fn know_queues(connection: &mut PgConnection, rows: &[Row<'_>]) -> Result<()> {
    let names: HashSet<&str> = rows.iter().map(|row| row.job.queue.as_str()).collect();
    let mut names: Vec<&str> = names.into_iter().filter(|name| !BUILT_IN.contains(name)).collect();
    if names.is_empty() {
        return Ok(());
    }
    names.sort_unstable();
    sql_query("INSERT INTO queues (name) SELECT * FROM unnest($1) ON CONFLICT DO NOTHING")
        .bind::<Array<Text>, _>(names)
        .prepared()
        .run(connection)?;
    Ok(())
}

fn column<'a, T>(rows: &[&'a Row<'_>], of: impl Fn(&'a Row<'_>) -> T) -> Vec<T> {
    rows.iter().map(|row| of(row)).collect()
}
