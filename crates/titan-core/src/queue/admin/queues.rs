//! The queues: how deep they are, what they did lately, and the switch that holds one up. The switch is a row, so it
//! outlives every process.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Double, Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;

use super::look;
use crate::db::Prepare as _;
use crate::{Error, Result};

/// Queues that a list shows; an installation has a handful.
pub const MOST_QUEUES: i64 = 1_000;
/// No more can be made than this: each poll of each worker asks once for each of them.
const MOST_MADE: usize = 100;
/// Characters of a reason.
const MAX_REASON: usize = 500;

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Queue {
    pub name: String,
    /// While it is set nothing of the queue is begun; what runs goes on.
    pub paused_at: Option<DateTime<Utc>>,
    pub paused_reason: Option<String>,
    pub ready: i64,
    pub scheduled: i64,
    /// Held back by a limit.
    pub waiting: i64,
    pub running: i64,
    /// Dead letters that were not tried again.
    pub dead: i64,
    /// How long the oldest ready job could have run already; null when none is ready.
    pub oldest_ready_seconds: Option<f64>,
    pub created_at: DateTime<Utc>,
    /// What ended in each of the last 15 minutes, the oldest first, the one that is not over yet included.
    pub minutes: Vec<Minute>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Minute {
    pub minute: DateTime<Utc>,
    pub completed: i64,
    pub failed: i64,
    pub canceled: i64,
}

#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Row {
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) paused_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    paused_reason: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub(super) ready: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) scheduled: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) waiting: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) running: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) dead: i64,
    #[diesel(sql_type = Nullable<Double>)]
    pub(super) oldest_ready_seconds: Option<f64>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

/// The queues with their counts, in one pass over the jobs; or only the one that is named.
pub(super) fn depths(connection: &mut PgConnection, name: Option<&str>) -> Result<Vec<Row>> {
    let only = |column: &str| match name {
        Some(_) => format!("{column} = $1"),
        None => "$1 IS NULL".to_owned(),
    };
    Ok(sql_query(format!(
        "SELECT q.name, q.paused_at, q.paused_reason, coalesce(j.ready, 0) AS ready, coalesce(j.scheduled, 0) AS scheduled, \
           coalesce(j.waiting, 0) AS waiting, coalesce(j.running, 0) AS running, coalesce(d.dead, 0) AS dead, \
           (CASE WHEN j.oldest IS NOT NULL THEN greatest(0, extract(epoch FROM clock_timestamp() - j.oldest)) END)::float8 AS oldest_ready_seconds, q.created_at \
         FROM queues q \
         LEFT JOIN (SELECT queue, count(*) FILTER (WHERE state = 'ready') AS ready, \
             count(*) FILTER (WHERE state = 'scheduled') AS scheduled, count(*) FILTER (WHERE state = 'waiting') AS waiting, \
             count(*) FILTER (WHERE state = 'running') AS running, min(run_at) FILTER (WHERE state = 'ready') AS oldest \
           FROM jobs WHERE {} GROUP BY queue) AS j ON j.queue = q.name \
         LEFT JOIN (SELECT queue, count(*) AS dead FROM dead_letters WHERE redriven_at IS NULL AND {} GROUP BY queue) AS d \
           ON d.queue = q.name \
         WHERE {} ORDER BY q.name LIMIT $2",
        only("queue"),
        only("queue"),
        only("q.name"),
    ))
    .bind::<Nullable<Text>, _>(name)
    .bind::<BigInt, _>(MOST_QUEUES)
    .prepared()
    .load(connection)?)
}

/// All queues, by name.
///
/// # Errors
/// When the database does not answer in time.
pub fn list_queues(connection: &mut PgConnection) -> Result<Vec<Queue>> {
    look(connection, |connection| {
        let rows = depths(connection, None)?;
        with_minutes(connection, rows)
    })
}

/// One queue; `None` when there is none of that name.
///
/// # Errors
/// When the database does not answer in time.
pub fn get_queue(connection: &mut PgConnection, name: &str) -> Result<Option<Queue>> {
    if check_name(name).is_err() {
        return Ok(None);
    }
    look(connection, |connection| {
        let rows = depths(connection, Some(name))?;
        Ok(with_minutes(connection, rows)?.pop())
    })
}

fn with_minutes(connection: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Queue>> {
    #[derive(QueryableByName)]
    struct Tally {
        #[diesel(sql_type = Text)]
        queue: String,
        #[diesel(sql_type = Timestamptz)]
        minute: DateTime<Utc>,
        #[diesel(sql_type = BigInt)]
        completed: i64,
        #[diesel(sql_type = BigInt)]
        failed: i64,
        #[diesel(sql_type = BigInt)]
        canceled: i64,
    }
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let tallies: Vec<Tally> = sql_query(
        "WITH sums AS MATERIALIZED (SELECT queue, date_trunc('minute', minute) AS minute, \
             sum(n) FILTER (WHERE outcome = 'completed') AS completed, sum(n) FILTER (WHERE outcome = 'failed') AS failed, \
             sum(n) FILTER (WHERE outcome = 'canceled') AS canceled \
           FROM job_tallies WHERE minute >= date_trunc('minute', now()) - interval '14 minutes' AND queue = ANY($1) \
           GROUP BY 1, 2) \
         SELECT q.name AS queue, m.minute, coalesce(s.completed, 0)::bigint AS completed, \
           coalesce(s.failed, 0)::bigint AS failed, coalesce(s.canceled, 0)::bigint AS canceled \
         FROM unnest($1) AS q (name) CROSS JOIN generate_series(date_trunc('minute', now()) - interval '14 minutes', \
           date_trunc('minute', now()), interval '1 minute') AS m (minute) \
         LEFT JOIN sums s ON s.queue = q.name AND s.minute = m.minute ORDER BY 1, 2",
    )
    .bind::<Array<Text>, _>(rows.iter().map(|row| row.name.as_str()).collect::<Vec<_>>())
    .prepared()
    .load(connection)?;
    let mut minutes: std::collections::HashMap<String, Vec<Minute>> = std::collections::HashMap::new();
    for Tally { queue, minute, completed, failed, canceled } in tallies {
        minutes.entry(queue).or_default().push(Minute { minute, completed, failed, canceled });
    }
    let queue = |row: Row| Queue {
        minutes: minutes.remove(&row.name).unwrap_or_default(),
        name: row.name,
        paused_at: row.paused_at,
        paused_reason: row.paused_reason,
        ready: row.ready,
        scheduled: row.scheduled,
        waiting: row.waiting,
        running: row.running,
        dead: row.dead,
        oldest_ready_seconds: row.oldest_ready_seconds,
        created_at: row.created_at,
    };
    Ok(rows.into_iter().map(queue).collect())
}

/// Makes a queue known before the first job comes.
///
/// # Errors
/// A name that is wrong, or [`Error::Conflict`] when there is one of that name.
pub fn create_queue(connection: &mut PgConnection, name: &str) -> Result<()> {
    check_name(name)?;
    let known = super::super::names(connection)?;
    if known.iter().any(|known| known == name) {
        return Err(Error::Conflict(format!("there is a queue {name} already")));
    }
    if known.len() >= MOST_MADE {
        return Err(Error::Conflict(format!(
            "there are {MOST_MADE} queues already, and every worker looks into each; use limit keys to hold some jobs back"
        )));
    }
    let made = sql_query("INSERT INTO queues (name) VALUES ($1) ON CONFLICT DO NOTHING")
        .bind::<Text, _>(name)
        .execute(connection)?;
    if made == 1 { Ok(()) } else { Err(Error::Conflict(format!("there is a queue {name} already"))) }
}

/// Nothing more of this queue is begun, until it is resumed. False when there is no such queue. Again changes the reason,
/// when one is given, and not the time.
///
/// # Errors
/// A reason that is too long.
pub fn pause_queue(connection: &mut PgConnection, name: &str, reason: Option<&str>) -> Result<bool> {
    if check_name(name).is_err() {
        return Ok(false);
    }
    let reason = reason.filter(|reason| !reason.trim().is_empty());
    let reason = reason.map(|reason| crate::projects::checked_text("reason", reason, MAX_REASON)).transpose()?;
    let paused = sql_query(
        "UPDATE queues SET paused_at = coalesce(paused_at, clock_timestamp()), paused_reason = coalesce($2, paused_reason), \
         updated_at = clock_timestamp() WHERE name = $1",
    )
    .bind::<Text, _>(name)
    .bind::<Nullable<Text>, _>(reason)
    .execute(connection)?;
    Ok(paused == 1)
}

/// False when there is no such queue.
///
/// # Errors
/// When the database does not answer.
pub fn resume_queue(connection: &mut PgConnection, name: &str) -> Result<bool> {
    if check_name(name).is_err() {
        return Ok(false);
    }
    let resumed = sql_query(
        "UPDATE queues SET paused_at = NULL, paused_reason = NULL, updated_at = clock_timestamp() WHERE name = $1",
    )
    .bind::<Text, _>(name)
    .execute(connection)?;
    Ok(resumed == 1)
}

/// The rule that the table has too: `^[a-z][a-z0-9_.-]{0,62}$`.
fn check_name(name: &str) -> Result<()> {
    let mut bytes = name.bytes();
    let first = bytes.next().is_some_and(|byte| byte.is_ascii_lowercase());
    let rest = bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"_.-".contains(&byte));
    if first && rest && name.len() <= 63 {
        return Ok(());
    }
    let message = "must be a lowercase letter and up to 62 lowercase letters, digits, dots, dashes and underscores";
    Err(Error::invalid("name", message))
}
