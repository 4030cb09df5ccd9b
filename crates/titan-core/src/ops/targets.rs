//! What production answered last, for each target: the workers that know a target ask it, also while nothing is rolled out there.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use diesel::{OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;

use crate::Result;
use crate::text::head;

/// What production answers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
#[schema(as = DeployTarget)]
pub struct Target {
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Null: it did not answer, or did not say.
    #[diesel(sql_type = Nullable<Text>)]
    #[serde(rename = "commit")]
    pub commit_id: Option<String>,
    #[diesel(sql_type = Bool)]
    pub ready: bool,
    /// Why it is not ready.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    /// Since when it has answered so: this commit, ready or not. Null when that was not kept.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub since: Option<DateTime<Utc>>,
    /// When it was asked last. Half a minute ago, where a worker that knows the target runs.
    #[diesel(sql_type = Timestamptz)]
    pub seen_at: DateTime<Utc>,
}

/// The database's time, for who is about to ask.
///
/// # Errors
/// When the database does not answer.
pub fn now(connection: &mut PgConnection) -> Result<DateTime<Utc>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Timestamptz)]
        now: DateTime<Utc>,
    }
    let row: Row = sql_query("SELECT clock_timestamp() AS now").get_result(connection)?;
    Ok(row.now)
}

/// Writes down what production answered when it was asked. True when that is something else than before. What was asked for before the
/// last word came says nothing any more.
///
/// # Errors
/// When the database does not answer.
pub fn saw(
    connection: &mut PgConnection,
    name: &str,
    asked_at: DateTime<Utc>,
    commit: Option<&str>,
    why_not: Option<&str>,
) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        changed: bool,
    }
    let row: Option<Row> = sql_query(
        "INSERT INTO ops_targets AS t (name, commit_id, ready, reason, since) VALUES ($1, $2, $3, $4, now()) \
         ON CONFLICT (name) DO UPDATE SET commit_id = $2, ready = $3, reason = $4, seen_at = now(), \
         since = CASE WHEN (t.commit_id, t.ready) IS DISTINCT FROM ($2, $3) THEN now() ELSE t.since END \
         WHERE t.seen_at <= $5 RETURNING t.since IS NOT DISTINCT FROM now() AS changed",
    )
    .bind::<Text, _>(name)
    .bind::<Nullable<Text>, _>(commit.map(|commit| head(commit, 100)))
    .bind::<Bool, _>(why_not.is_none())
    .bind::<Nullable<Text>, _>(why_not.map(|why| head(why, 1_000)))
    .bind::<Timestamptz, _>(asked_at)
    .get_result(connection)
    .optional()?;
    Ok(row.is_some_and(|row| row.changed))
}

/// Whether anybody has asked it within so many seconds.
///
/// # Errors
/// When the database does not answer.
pub fn seen_within(connection: &mut PgConnection, name: &str, seconds: i64) -> Result<bool> {
    let seen = sql_query("SELECT 1 FROM ops_targets WHERE name = $1 AND seen_at > now() - $2 * interval '1 second'")
        .bind::<Text, _>(name)
        .bind::<BigInt, _>(seconds)
        .execute(connection)?;
    Ok(seen > 0)
}

/// The one asked last first.
///
/// # Errors
/// When the database does not answer.
pub fn list(connection: &mut PgConnection) -> Result<Vec<Target>> {
    Ok(sql_query(
        "SELECT name, commit_id, ready, reason, since, seen_at FROM ops_targets ORDER BY seen_at DESC LIMIT 20",
    )
    .load(connection)?)
}
