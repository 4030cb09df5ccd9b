//! The gate for jobs with a limit key: how many of them may be ready or running at once, and how many per period.
//!
//! Such a job waits outside the ready index. Whoever enqueues one, or ends one, calls [`admit`] in the same transaction,
//! and so hands the free place on. The limit's row is locked and the admitted jobs are counted: there is no counter that
//! could go wrong. The rate is a generic cell rate algorithm (ITU-T I.371): one timestamp per key.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::Result;
use crate::db::Prepare as _;

/// Jobs that are let in through one key at a time; more come with the next look.
const MOST: i64 = 10_000;

#[derive(QueryableByName)]
struct Limit {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Nullable<Integer>)]
    max_running: Option<i32>,
    #[diesel(sql_type = Nullable<Integer>)]
    rate_count: Option<i32>,
    #[diesel(sql_type = Nullable<BigInt>)]
    rate_period_ms: Option<i64>,
    /// `-infinity` when nothing was let in yet, which chrono does not know: null here.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    next_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    now: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// Lets waiting jobs in as far as the limits of these keys allow. Returns how many became ready.
///
/// The caller's transaction holds whatever job rows it holds already; limits come after jobs, by ascending key, and the
/// waiting jobs are taken only when nobody else holds them.
///
/// # Errors
/// When the database does not answer.
pub fn admit<'a>(connection: &mut PgConnection, keys: impl IntoIterator<Item = &'a str>) -> Result<usize> {
    let keys: BTreeSet<&str> = keys.into_iter().collect();
    if keys.is_empty() {
        return Ok(0);
    }
    let keys: Vec<&str> = keys.into_iter().collect();
    let limits = lock(connection, &keys)?;
    let admitted = count_admitted(connection, &keys)?;
    let room: Vec<(&str, i64)> = keys
        .iter()
        .map(|key| {
            // A limit that was deleted limits nothing.
            let room = limits.get(*key).map_or(MOST, |limit| limit.room(admitted.get(*key).copied().unwrap_or(0)));
            (*key, room)
        })
        .filter(|(_, room)| *room > 0)
        .collect();
    let let_in = let_in(connection, &room)?;
    note(connection, &limits, &let_in)?;
    Ok(let_in.values().map(|count| usize::try_from(*count).unwrap_or(0)).sum())
}

impl Limit {
    /// How many more may come in now.
    fn room(&self, admitted: i64) -> i64 {
        let places = self.max_running.map_or(MOST, |most| i64::from(most) - admitted);
        let cells = self.rate().map_or(MOST, |rate| rate.room(self.now));
        places.min(cells).clamp(0, MOST)
    }

    fn rate(&self) -> Option<Rate> {
        let (count, period_ms) = (i64::from(self.rate_count?), self.rate_period_ms?);
        let next_at = self.next_at.map_or(self.now, |next| next.max(self.now));
        Some(Rate { period_us: period_ms * 1000, count, next_at })
    }
}

/// A rate with its theoretical arrival time, which is never in the past.
struct Rate {
    period_us: i64,
    count: i64,
    next_at: DateTime<Utc>,
}

impl Rate {
    fn spacing_us(&self) -> i64 {
        (self.period_us / self.count).max(1)
    }

    fn room(&self, now: DateTime<Utc>) -> i64 {
        let ahead = (self.next_at - now).num_microseconds().unwrap_or(i64::MAX);
        (self.period_us - ahead).max(0) / self.spacing_us()
    }

    /// Where it stands after so many more.
    fn after(&self, let_in: i64, now: DateTime<Utc>) -> Noted {
        let next_at = self.next_at + TimeDelta::microseconds(self.spacing_us() * let_in);
        let spent = Rate { next_at, ..*self }.room(now) == 0;
        let wake_at = next_at + TimeDelta::microseconds(self.spacing_us() - self.period_us);
        Noted { next_at, wake_at: spent.then_some(wake_at) }
    }
}

#[derive(Debug, PartialEq, Eq)]
struct Noted {
    next_at: DateTime<Utc>,
    /// When the next one fits; none while the rate has room and only places are short.
    wake_at: Option<DateTime<Utc>>,
}

fn lock(connection: &mut PgConnection, keys: &[&str]) -> Result<BTreeMap<String, Limit>> {
    let rows: Vec<Limit> = sql_query(
        "SELECT key, max_running, rate_count, rate_period_ms, nullif(next_at, '-infinity') AS next_at, \
         clock_timestamp() AS now FROM limits WHERE key = ANY($1) ORDER BY key FOR UPDATE",
    )
    .bind::<Array<Text>, _>(keys)
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|limit| (limit.key.clone(), limit)).collect())
}

/// Read after the lock, so that what another transaction let in is seen.
fn count_admitted(connection: &mut PgConnection, keys: &[&str]) -> Result<BTreeMap<String, i64>> {
    let rows: Vec<Count> = sql_query(
        "SELECT limit_key AS key, count(*) AS count FROM jobs \
         WHERE limit_key IS NOT NULL AND state IN ('ready', 'running') AND limit_key = ANY($1) GROUP BY 1",
    )
    .bind::<Array<Text>, _>(keys)
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|row| (row.key, row.count)).collect())
}

/// Who waited long does not pass by everybody: its turn is at the head of the line, and not before it.
fn let_in(connection: &mut PgConnection, room: &[(&str, i64)]) -> Result<BTreeMap<String, i64>> {
    if room.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Count> = sql_query(
        "WITH first AS MATERIALIZED (SELECT w.id FROM unnest($1, $2) AS r (key, room) CROSS JOIN LATERAL \
           (SELECT j.id FROM jobs j WHERE j.state = 'waiting' AND j.limit_key = r.key \
            ORDER BY j.limit_key, j.priority DESC, j.start_tag, j.id LIMIT r.room FOR UPDATE SKIP LOCKED) AS w), \
         moved AS (UPDATE jobs j SET state = 'ready', start_tag = greatest(j.start_tag, coalesce( \
             (SELECT h.start_tag FROM jobs h WHERE h.state = 'ready' AND NOT h.suspect AND h.queue = j.queue \
              AND h.priority = j.priority ORDER BY h.queue, h.priority DESC, h.start_tag, h.id LIMIT 1), \
             (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)) \
           FROM first WHERE j.id = first.id RETURNING j.limit_key) \
         SELECT limit_key AS key, count(*) AS count FROM moved GROUP BY 1",
    )
    .bind::<Array<Text>, _>(room.iter().map(|(key, _)| *key).collect::<Vec<_>>())
    .bind::<Array<BigInt>, _>(room.iter().map(|(_, room)| *room).collect::<Vec<_>>())
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|row| (row.key, row.count)).collect())
}

/// What the rates came to: where their time stands, and when to look again.
fn note(connection: &mut PgConnection, limits: &BTreeMap<String, Limit>, let_in: &BTreeMap<String, i64>) -> Result<()> {
    let rated: Vec<(&str, Noted)> = limits
        .values()
        .filter_map(|limit| {
            let count = let_in.get(&limit.key).copied().unwrap_or(0);
            Some((limit.key.as_str(), limit.rate()?.after(count, limit.now)))
        })
        .collect();
    if rated.is_empty() {
        return Ok(());
    }
    sql_query(
        "UPDATE limits l SET next_at = n.next_at, wake_at = CASE WHEN EXISTS (SELECT FROM jobs j WHERE j.state = 'waiting' \
         AND j.limit_key = l.key) THEN n.wake_at END FROM unnest($1, $2, $3) AS n (key, next_at, wake_at) WHERE l.key = n.key",
    )
    .bind::<Array<Text>, _>(rated.iter().map(|(key, _)| *key).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(rated.iter().map(|(_, noted)| noted.next_at).collect::<Vec<_>>())
    .bind::<Array<Nullable<Timestamptz>>, _>(rated.iter().map(|(_, noted)| noted.wake_at).collect::<Vec<_>>())
    .prepared()
    .execute(connection)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(1_700_000_000_000 + ms).unwrap()
    }

    fn rate(next_at: DateTime<Utc>) -> Rate {
        Rate { period_us: 1_000_000, count: 10, next_at }
    }

    #[test]
    fn an_idle_key_lets_a_whole_period_in_at_once_and_then_one_per_interval() {
        let idle = rate(at(0));
        assert_eq!(idle.room(at(0)), 10);
        assert_eq!(idle.after(9, at(0)), Noted { next_at: at(900), wake_at: None });
        let spent = idle.after(10, at(0));
        assert_eq!(spent, Noted { next_at: at(1000), wake_at: Some(at(100)) });
        let full = rate(spent.next_at);
        assert_eq!(full.room(at(99)), 0);
        assert_eq!(full.room(at(100)), 1);
        assert_eq!(full.room(at(250)), 2);
    }
}
