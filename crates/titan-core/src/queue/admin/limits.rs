//! Limits per key: listed, set and taken away. How they are kept is [`admit`]'s.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;

use super::look;
use crate::page::{self, Page};
use crate::queue::admit;
use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Limit {
    #[diesel(sql_type = Text)]
    pub key: String,
    /// How many jobs with this key may be ready or running at once; null for any number.
    #[diesel(sql_type = Nullable<Integer>)]
    pub max_running: Option<i32>,
    /// How many may come in per period; null for any number.
    #[diesel(sql_type = Nullable<Integer>)]
    pub rate_count: Option<i32>,
    #[diesel(sql_type = Nullable<BigInt>)]
    pub rate_period_ms: Option<i64>,
    /// Jobs that were let in: ready or running.
    #[diesel(sql_type = BigInt)]
    pub admitted: i64,
    #[diesel(sql_type = BigInt)]
    pub waiting: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// What a limit is to be, as a whole.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LimitRule {
    pub max_running: Option<i32>,
    pub rate_count: Option<i32>,
    pub rate_period_ms: Option<i64>,
}

impl LimitRule {
    fn check(&self) -> Result<()> {
        let within = |field, value: Option<i64>, most: i64| match value {
            Some(value) if !(1..=most).contains(&value) => {
                Err(Error::invalid(field, format!("must be between 1 and {most}, and is {value}")))
            }
            _ => Ok(()),
        };
        within("max_running", self.max_running.map(i64::from), 100_000)?;
        within("rate_count", self.rate_count.map(i64::from), 1_000_000)?;
        within("rate_period_ms", self.rate_period_ms, 86_400_000)?;
        match (self.max_running, self.rate_count, self.rate_period_ms) {
            (_, Some(_), None) => Err(Error::invalid("rate_period_ms", "is required together with rate_count")),
            (_, None, Some(_)) => Err(Error::invalid("rate_count", "is required together with rate_period_ms")),
            (None, None, None) => {
                Err(Error::invalid("max_running", "is required, unless rate_count and rate_period_ms are given"))
            }
            _ => Ok(()),
        }
    }
}

const SELECT: &str = "SELECT l.key, l.max_running, l.rate_count, l.rate_period_ms, l.created_at, l.updated_at, \
     (SELECT count(*) FROM jobs j WHERE j.limit_key = l.key AND j.limit_key IS NOT NULL AND j.state IN ('ready', 'running')) \
       AS admitted, \
     (SELECT count(*) FROM jobs j WHERE j.limit_key = l.key AND j.state = 'waiting') AS waiting FROM limits l";

/// All limits, by key.
///
/// # Errors
/// A limit that is wrong, or when the database does not answer in time.
pub fn list_limits(connection: &mut PgConnection, limit: Option<i64>, cursor: Option<&str>) -> Result<Page<Limit>> {
    let limit = page::limit(limit)?;
    look(connection, |connection| {
        let rows: Vec<Limit> = sql_query(format!("{SELECT} WHERE $1 IS NULL OR l.key > $1 ORDER BY l.key LIMIT $2"))
            .bind::<Nullable<Text>, _>(cursor)
            .bind::<BigInt, _>(limit + 1)
            .load(connection)?;
        Ok(Page::of(rows, limit, |limit| limit.key.clone()))
    })
}

/// Makes or replaces a limit, and lets in what waits as far as the new one allows. Returns it together with how many jobs
/// that were.
///
/// # Errors
/// What is wrong with the key or the rule.
pub fn put_limit(connection: &mut PgConnection, key: &str, rule: &LimitRule) -> Result<(Limit, usize)> {
    check_key(key)?;
    rule.check()?;
    connection.transaction(|connection| {
        // The time that a rate has used up says nothing about another rate; when to look again is for `admit` to say.
        sql_query(
            "INSERT INTO limits AS l (key, max_running, rate_count, rate_period_ms) VALUES ($1, $2, $3, $4) \
             ON CONFLICT (key) DO UPDATE SET max_running = $2, rate_count = $3, rate_period_ms = $4, wake_at = NULL, \
               updated_at = clock_timestamp(), \
               next_at = CASE WHEN (l.rate_count, l.rate_period_ms) IS DISTINCT FROM ($3, $4) THEN '-infinity' \
                 ELSE l.next_at END",
        )
        .bind::<Text, _>(key)
        .bind::<Nullable<Integer>, _>(rule.max_running)
        .bind::<Nullable<Integer>, _>(rule.rate_count)
        .bind::<Nullable<BigInt>, _>(rule.rate_period_ms)
        .execute(connection)?;
        let let_in = admit(connection, [key])?;
        let limit = sql_query(format!("{SELECT} WHERE l.key = $1")).bind::<Text, _>(key).get_result(connection)?;
        Ok((limit, let_in))
    })
}

/// Takes a limit away. False when there is none.
///
/// # Errors
/// [`Error::Conflict`] while jobs wait for it: without it nothing would tell when they may come in.
pub fn delete_limit(connection: &mut PgConnection, key: &str) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        waiting: bool,
    }
    if check_key(key).is_err() {
        return Ok(false);
    }
    connection.transaction(|connection| {
        // Who lets jobs in holds this row. Whether any wait is read after the lock, with what others had decided by then;
        // who comes later finds no limit.
        let there =
            sql_query("SELECT FROM limits WHERE key = $1 FOR UPDATE").bind::<Text, _>(key).execute(connection)?;
        if there == 0 {
            return Ok(false);
        }
        let row: Row =
            sql_query("SELECT EXISTS (SELECT FROM jobs WHERE state = 'waiting' AND limit_key = $1) AS waiting")
                .bind::<Text, _>(key)
                .get_result(connection)?;
        if row.waiting {
            return Err(Error::Conflict(format!("jobs wait for the limit {key:?}; raise it, or cancel them first")));
        }
        sql_query("DELETE FROM limits WHERE key = $1").bind::<Text, _>(key).execute(connection)?;
        Ok(true)
    })
}

fn check_key(key: &str) -> Result<()> {
    let length = key.chars().count();
    if !(1..=200).contains(&length) {
        return Err(Error::invalid("key", format!("must have 1 to 200 characters, and has {length}")));
    }
    if key.contains('\0') {
        return Err(Error::invalid("key", "must not contain NUL characters"));
    }
    Ok(())
}
