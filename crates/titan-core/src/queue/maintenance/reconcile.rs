//! The safety net: jobs that wait although their limit has room, runs that nothing moves any more, cancels that nobody
//! carried out. None of it is the main path. And the folding of what is only ever appended: counters and tallies.

use diesel::sql_types::{BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::LIMIT;
use crate::Result;
use crate::db::Prepare as _;
use crate::engine::ForceCancel;
use crate::queue::admit;

/// Keys, and runs, that are looked at per call.
const KEYS: i64 = 100;
const RUNS: i64 = 5000;

#[derive(QueryableByName)]
struct RunId {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Lets jobs in that wait although the limit of their key has room. Looks at the keys after `after` and returns how many
/// jobs became ready, and the key from which to go on; `None` when that was the last one.
///
/// # Errors
/// When the database does not answer.
pub fn admit_waiting(connection: &mut PgConnection, after: &str) -> Result<(usize, Option<String>)> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        key: String,
        #[diesel(sql_type = Bool)]
        room: bool,
    }
    // From key to key through the index, whatever the number of jobs that wait for each.
    let keys: Vec<Row> = sql_query(
        "WITH RECURSIVE keys (key) AS (\
           (SELECT limit_key FROM jobs WHERE state = 'waiting' AND limit_key > $1 ORDER BY limit_key LIMIT 1) \
           UNION ALL SELECT (SELECT j.limit_key FROM jobs j WHERE j.state = 'waiting' AND j.limit_key > k.key \
             ORDER BY j.limit_key LIMIT 1) FROM keys k WHERE k.key IS NOT NULL) \
         SELECT k.key, (l.max_running IS NULL OR l.max_running > (SELECT count(*) FROM jobs j \
             WHERE j.limit_key = k.key AND j.limit_key IS NOT NULL AND j.state IN ('ready', 'running'))) \
           AND (l.rate_count IS NULL OR l.next_at - l.rate_period_ms * interval '1 millisecond' < clock_timestamp()) AS room \
         FROM (SELECT key FROM keys WHERE key IS NOT NULL LIMIT $2) AS k LEFT JOIN limits l ON l.key = k.key ORDER BY k.key",
    )
    .bind::<Text, _>(after)
    .bind::<BigInt, _>(KEYS)
    .prepared()
    .load(connection)?;
    let admitted = admit(connection, keys.iter().filter(|row| row.room).map(|row| row.key.as_str()))?;
    let full = i64::try_from(keys.len()).is_ok_and(|count| count == KEYS);
    Ok((admitted, keys.into_iter().last().filter(|_| full).map(|row| row.key)))
}

/// What a look at the runs under way found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stranded {
    pub runs: Vec<Uuid>,
    /// The run from which to go on; `None` when that was the last one.
    pub next: Option<Uuid>,
}

/// Runs that have not ended and have neither a job nor a step that waits for something: nothing will ever move them, and
/// there is a fault in the engine. One statement sees one moment, so a run that is just moving is not among them.
///
/// # Errors
/// When the database does not answer.
pub fn stranded(connection: &mut PgConnection, after: Uuid) -> Result<Stranded> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Nullable<SqlUuid>)]
        id: Option<Uuid>,
        #[diesel(sql_type = Nullable<SqlUuid>)]
        last: Option<Uuid>,
        #[diesel(sql_type = BigInt)]
        seen: i64,
    }
    let rows: Vec<Row> = sql_query(
        "WITH active AS MATERIALIZED (SELECT id, paused_at FROM runs WHERE finished_at IS NULL AND id > $1 ORDER BY id LIMIT $2), \
         bad AS (SELECT a.id FROM active a WHERE a.paused_at IS NULL \
           AND NOT EXISTS (SELECT FROM jobs j WHERE j.run_id = a.id) \
           AND NOT EXISTS (SELECT FROM steps s WHERE s.run_id = a.id AND s.waiting_on IS NOT NULL AND s.finished_at IS NULL) \
           ORDER BY a.id LIMIT $3) \
         SELECT bad.id, (SELECT id FROM active ORDER BY id DESC LIMIT 1) AS last, (SELECT count(*) FROM active) AS seen \
         FROM (SELECT) AS one LEFT JOIN bad ON true",
    )
    .bind::<SqlUuid, _>(after)
    .bind::<BigInt, _>(RUNS)
    .bind::<BigInt, _>(LIMIT)
    .prepared()
    .load(connection)?;
    let next = rows.first().filter(|row| row.seen == RUNS).and_then(|row| row.last);
    Ok(Stranded { runs: rows.into_iter().filter_map(|row| row.id).collect(), next })
}

/// Runs that were asked to stop longer than `grace_ms` ago and still are not ended.
///
/// # Errors
/// When the database does not answer.
pub fn overdue_cancels(connection: &mut PgConnection, grace_ms: i64) -> Result<Vec<ForceCancel>> {
    let rows: Vec<RunId> = sql_query(
        "SELECT id FROM runs WHERE cancel_requested_at IS NOT NULL AND finished_at IS NULL \
         AND cancel_requested_at < clock_timestamp() - $1 * interval '1 millisecond' ORDER BY cancel_requested_at LIMIT $2",
    )
    .bind::<BigInt, _>(grace_ms)
    .bind::<BigInt, _>(LIMIT)
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|row| ForceCancel { run_id: row.id }).collect())
}

/// Folds appended counter deltas into the counters. Returns how many were folded.
///
/// # Errors
/// When the database does not answer.
pub fn fold_counters(connection: &mut PgConnection) -> Result<usize> {
    Ok(sql_query(
        "WITH gone AS (DELETE FROM counter_deltas WHERE id IN \
           (SELECT id FROM counter_deltas ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED) RETURNING project_id, subject, state, delta) \
         INSERT INTO counters AS c (project_id, subject, state, value) \
         SELECT project_id, subject, state, sum(delta) FROM gone GROUP BY 1, 2, 3 ORDER BY 1, 2, 3 \
         ON CONFLICT (project_id, subject, state) DO UPDATE SET value = c.value + excluded.value",
    )
    .bind::<BigInt, _>(LIMIT * 10)
    .prepared()
    .execute(connection)?)
}

/// Folds the tallies of the last two hours to one row per minute, queue and outcome. Older ones that were missed are read
/// as they are: who reads them adds them up anyway. Returns how many rows are left of those that were folded.
///
/// # Errors
/// When the database does not answer.
pub fn fold_tallies(connection: &mut PgConnection) -> Result<usize> {
    Ok(sql_query(
        "WITH several AS MATERIALIZED (SELECT minute, queue, outcome FROM job_tallies \
           WHERE minute > now() - interval '2 hours' GROUP BY 1, 2, 3 HAVING count(*) > 1 ORDER BY 1, 2, 3 LIMIT $1), \
         gone AS (DELETE FROM job_tallies t USING several s WHERE t.minute = s.minute AND t.queue = s.queue \
           AND t.outcome = s.outcome RETURNING t.minute, t.queue, t.outcome, t.n) \
         INSERT INTO job_tallies (minute, queue, outcome, n) SELECT minute, queue, outcome, sum(n) FROM gone GROUP BY 1, 2, 3",
    )
    .bind::<BigInt, _>(LIMIT)
    .prepared()
    .execute(connection)?)
}
