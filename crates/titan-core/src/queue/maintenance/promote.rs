//! Waking what slept: scheduled jobs whose time has come, and keys whose rate lets the next job in.

use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};

use super::LIMIT;
use crate::Result;
use crate::db::Prepare as _;
use crate::queue::admit;
use crate::queue::due::{self, Due};

/// Keys that are looked at per call.
const KEYS: i64 = 100;

/// When somebody is to be woken next.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sleepers {
    /// Milliseconds until then, not above zero when it is due; `None` when nobody sleeps.
    pub next_ms: Option<f64>,
    /// Whether counters were appended and not folded yet, which is asked along.
    pub deltas: bool,
}

/// One cheap statement, for the leader to ask several times a second.
///
/// # Errors
/// When the database does not answer.
pub fn sleepers(connection: &mut PgConnection) -> Result<Sleepers> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<Double>)]
        next_ms: Option<f64>,
        #[diesel(sql_type = Bool)]
        deltas: bool,
    }
    let row: Row = sql_query(
        "SELECT extract(epoch FROM least(\
             (SELECT run_at FROM jobs WHERE state = 'scheduled' ORDER BY run_at, id LIMIT 1), \
             (SELECT wake_at FROM limits WHERE wake_at IS NOT NULL ORDER BY wake_at LIMIT 1)) - clock_timestamp())::float8 \
           * 1000 AS next_ms, EXISTS (SELECT FROM counter_deltas) AS deltas",
    )
    .prepared()
    .get_result(connection)?;
    Ok(Sleepers { next_ms: row.next_ms, deltas: row.deltas })
}

/// Scheduled jobs whose time has come. Returns how many there were, at most [`super::BATCH`]: then there may be more.
///
/// # Errors
/// When the database does not answer.
pub fn promote(connection: &mut PgConnection) -> Result<usize> {
    connection.transaction(|connection| {
        // The clock is read once: only then is it a bound of the index, and the scan ends where the future begins.
        let due: Vec<Due> = sql_query(
            "SELECT id, queue, priority, project_id, limit_key FROM jobs WHERE state = 'scheduled' \
             AND run_at <= (SELECT clock_timestamp()) ORDER BY run_at, id LIMIT $1 FOR UPDATE SKIP LOCKED",
        )
        .bind::<BigInt, _>(LIMIT)
        .prepared()
        .load(connection)?;
        Ok(due::wake(connection, &due)?.jobs)
    })
}

/// Lets jobs in whose key had to wait for its rate. Returns how many became ready.
///
/// # Errors
/// When the database does not answer.
pub fn wake(connection: &mut PgConnection) -> Result<usize> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        key: String,
    }
    connection.transaction(|connection| {
        let due: Vec<Row> = sql_query(
            "SELECT key FROM limits WHERE wake_at IS NOT NULL AND wake_at <= (SELECT clock_timestamp()) ORDER BY wake_at LIMIT $1",
        )
        .bind::<BigInt, _>(KEYS)
        .prepared()
        .load(connection)?;
        if due.is_empty() {
            return Ok(0);
        }
        let keys: Vec<&str> = due.iter().map(|row| row.key.as_str()).collect();
        let admitted = admit(connection, keys.iter().copied())?;
        // What is still due waits for a place and not for its rate: whoever gives the place up hands it on. Looking again
        // soon is enough, and looking again at once would be a loop.
        sql_query(
            "UPDATE limits SET wake_at = CASE WHEN rate_count IS NOT NULL THEN clock_timestamp() + interval '1 second' END \
             WHERE key = ANY($1) AND wake_at <= clock_timestamp()",
        )
        .bind::<Array<Text>, _>(keys)
        .prepared()
        .execute(connection)?;
        Ok(admitted)
    })
}
