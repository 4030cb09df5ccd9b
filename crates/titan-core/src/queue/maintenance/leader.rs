//! The leader: the one worker that does maintenance for all. It holds a term of office, which it renews; each of its
//! transactions begins by locking the office's row and checking the term, so that one that was replaced without knowing
//! writes nothing more.

use diesel::sql_types::{BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel::{Connection as _, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::liveness::{SILENT_MS, Speed, UP_FOR_LOCKS_MS, lock_is_free};
use crate::Result;
use crate::db::Prepare as _;

const ROLE: &str = "maintenance";
/// A leader that has not renewed for this long is replaced, whatever else is known of it.
const EXPIRES_MS: i64 = 15_000;

/// A term of office. The numbers of one role only grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Term {
    pub holder: Uuid,
    pub number: i64,
}

/// How long one transaction of the leader may take, in milliseconds.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    pub statement_ms: u32,
    pub lock_ms: u32,
}

#[derive(QueryableByName)]
struct Flag {
    #[diesel(sql_type = Bool)]
    flag: bool,
}

#[derive(QueryableByName)]
struct Number {
    #[diesel(sql_type = BigInt)]
    term: i64,
}

/// Whether it is worth trying to [`take`] the office: nobody has it, its time is over, or its holder is silent. One cheap
/// statement, for every worker to ask several times a second.
///
/// # Errors
/// When the database does not answer.
pub fn vacant(connection: &mut PgConnection) -> Result<bool> {
    let row: Flag = sql_query(
        "SELECT NOT EXISTS (SELECT FROM leaders l WHERE l.role = $1 AND l.expires_at > clock_timestamp() \
           AND NOT EXISTS (SELECT FROM workers w WHERE w.id = l.holder AND (w.stopped_at IS NOT NULL OR \
             w.lock_key IS NOT NULL AND w.heartbeat_at < clock_timestamp() - $2 * interval '1 millisecond'))) AS flag",
    )
    .bind::<Text, _>(ROLE)
    .bind::<BigInt, _>(SILENT_MS)
    .prepared()
    .get_result(connection)?;
    Ok(row.flag)
}

/// Takes the office when nobody has it, its time is over, or its holder is gone. `None` when somebody else has it, or is
/// doing something with it at this moment.
///
/// # Errors
/// When the database does not answer.
pub fn take(connection: &mut PgConnection, worker_id: Uuid, speed: Speed) -> Result<Option<Term>> {
    #[derive(QueryableByName)]
    struct Holder {
        #[diesel(sql_type = BigInt)]
        term: i64,
        #[diesel(sql_type = Bool)]
        over: bool,
        #[diesel(sql_type = Bool)]
        silent: bool,
        #[diesel(sql_type = Nullable<BigInt>)]
        lock_key: Option<i64>,
    }
    connection.transaction(|connection| {
        let first: Option<Number> = sql_query(
            "INSERT INTO leaders (role, holder, term, expires_at) \
             SELECT $1, $2, 1, clock_timestamp() + $3 * interval '1 millisecond' \
             WHERE NOT EXISTS (SELECT FROM leaders WHERE role = $1) ON CONFLICT DO NOTHING RETURNING term",
        )
        .bind::<Text, _>(ROLE)
        .bind::<SqlUuid, _>(worker_id)
        .bind::<BigInt, _>(EXPIRES_MS)
        .get_result(connection)
        .optional()?;
        if let Some(Number { term }) = first {
            return Ok(Some(Term { holder: worker_id, number: term }));
        }
        // Skipped while the holder is within a transaction: then it lives, or Postgres is about to notice that it does not.
        let holder: Option<Holder> = sql_query(
            "SELECT l.term, l.expires_at <= clock_timestamp() OR coalesce(w.stopped_at IS NOT NULL, false) AS over, \
               w.lock_key, coalesce(w.heartbeat_at < clock_timestamp() - $2 * interval '1 millisecond' \
                 AND clock_timestamp() > pg_postmaster_start_time() + $3 * interval '1 millisecond', false) AS silent \
             FROM leaders l LEFT JOIN workers w ON w.id = l.holder WHERE l.role = $1 FOR UPDATE OF l SKIP LOCKED",
        )
        .bind::<Text, _>(ROLE)
        .bind::<BigInt, _>(SILENT_MS)
        .bind::<BigInt, _>(UP_FOR_LOCKS_MS)
        .get_result(connection)
        .optional()?;
        let Some(holder) = holder else { return Ok(None) };
        let dead = match holder.lock_key {
            Some(key) if !holder.over && holder.silent && speed == Speed::Fast => lock_is_free(connection, key)?,
            _ => false,
        };
        if !(holder.over || dead) {
            return Ok(None);
        }
        let next: Number = sql_query(
            "UPDATE leaders SET holder = $2, term = term + 1, taken_at = clock_timestamp(), \
               expires_at = clock_timestamp() + $3 * interval '1 millisecond' WHERE role = $1 AND term = $4 RETURNING term",
        )
        .bind::<Text, _>(ROLE)
        .bind::<SqlUuid, _>(worker_id)
        .bind::<BigInt, _>(EXPIRES_MS)
        .bind::<BigInt, _>(holder.term)
        .get_result(connection)?;
        Ok(Some(Term { holder: worker_id, number: next.term }))
    })
}

/// Stays in office. False when somebody else has it now.
///
/// # Errors
/// When the database does not answer.
pub fn renew(connection: &mut PgConnection, term: &Term) -> Result<bool> {
    let renewed = sql_query(
        "UPDATE leaders SET expires_at = clock_timestamp() + $4 * interval '1 millisecond' \
         WHERE role = $1 AND holder = $2 AND term = $3",
    )
    .bind::<Text, _>(ROLE)
    .bind::<SqlUuid, _>(term.holder)
    .bind::<BigInt, _>(term.number)
    .bind::<BigInt, _>(EXPIRES_MS)
    .prepared()
    .execute(connection)?;
    Ok(renewed == 1)
}

/// Leaves the office, so that the next one need not wait.
///
/// # Errors
/// When the database does not answer.
pub fn give_up(connection: &mut PgConnection, term: &Term) -> Result<()> {
    sql_query("UPDATE leaders SET expires_at = clock_timestamp() WHERE role = $1 AND holder = $2 AND term = $3")
        .bind::<Text, _>(ROLE)
        .bind::<SqlUuid, _>(term.holder)
        .bind::<BigInt, _>(term.number)
        .execute(connection)?;
    Ok(())
}

/// Does something as the leader, in one transaction. `None`, and nothing was done, when the term is over: the caller leads
/// no more. Whoever wants the office meanwhile waits for the end of the transaction, which is why it is to be short.
///
/// Nothing of it is lost that matters when Postgres crashes before it is on disk: it would be done again. So the commit
/// waits for no disk. Sequential scans are off because a table that is empty most of the time has statistics that say so.
///
/// # Errors
/// What the work returns, or when the database does not answer.
pub fn act<T>(
    connection: &mut PgConnection,
    term: &Term,
    patience: Patience,
    work: impl FnOnce(&mut PgConnection) -> Result<T>,
) -> Result<Option<T>> {
    connection.transaction(|connection| {
        let held: Option<Number> = sql_query(
            "SELECT term, set_config('statement_timeout', $4, true), set_config('lock_timeout', $5, true), \
               set_config('idle_in_transaction_session_timeout', '5s', true), \
               set_config('synchronous_commit', 'off', true), set_config('enable_seqscan', 'off', true) \
             FROM leaders WHERE role = $1 AND holder = $2 AND term = $3 FOR SHARE",
        )
        .bind::<Text, _>(ROLE)
        .bind::<SqlUuid, _>(term.holder)
        .bind::<BigInt, _>(term.number)
        .bind::<Text, _>(patience.statement_ms.to_string())
        .bind::<Text, _>(patience.lock_ms.to_string())
        .prepared()
        .get_result(connection)
        .optional()?;
        match held {
            Some(_) => work(connection).map(Some),
            None => Ok(None),
        }
    })
}
