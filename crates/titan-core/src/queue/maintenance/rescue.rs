//! Jobs are taken from workers that are gone and from handlers that hang, and a job that kills its workers is taken out.
//!
//! A rescue raises the epoch, so that the old owner can write nothing more, and gives the attempt back: a crash is not the
//! job's fault. It may be, though. A job that was there when several workers died is a *suspect* and is claimed alone; when
//! workers die with it as their only suspect, it is the cause and is quarantined.

use diesel::sql_types::{BigInt, Integer, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::liveness::{Candidate, candidates, lock_is_free};
use super::{BATCH, LIMIT};
use crate::Result;
use crate::db::Prepare as _;
use crate::engine::Quarantine;
use crate::queue::admit;

/// A job that lost this many workers is a suspect.
const SUSPECT_FROM: i16 = 3;
/// A suspect that was alone with this many workers when they died is quarantined.
pub const LONE_LOSSES: i16 = 2;
/// A handler that has not come back this long after its deadline is counted as hung.
const HUNG_S: i64 = 30;

/// How it is known that a worker is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Its session's lock is free and its heartbeat is old.
    Died,
    /// It was silent for its whole lease.
    Silent,
    /// It said that it stops.
    Stopped,
    /// It may be well, but this handler has not come back.
    Hung,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rescued {
    pub id: i64,
    pub worker_id: Uuid,
    pub loss: Loss,
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// Jobs of workers that are gone become ready again.
///
/// # Errors
/// When the database does not answer.
pub fn rescue(connection: &mut PgConnection) -> Result<Vec<Rescued>> {
    let lost = candidates(connection)?;
    rescue_from(connection, &lost)
}

/// The same for workers that were looked up before. Each is judged once more before anything is taken from it.
///
/// # Errors
/// When the database does not answer.
pub fn rescue_from(connection: &mut PgConnection, lost: &[Candidate]) -> Result<Vec<Rescued>> {
    let mut rescued = Vec::new();
    for worker in lost {
        rescued.extend(connection.transaction(|connection| take_from(connection, worker))?);
    }
    Ok(rescued)
}

fn take_from(connection: &mut PgConnection, worker: &Candidate) -> Result<Vec<Rescued>> {
    let loss = if worker.stopped {
        Loss::Stopped
    } else if worker.lease_over {
        Loss::Silent
    } else if let Some(key) = worker.lock_key
        && lock_is_free(connection, key)?
    {
        Loss::Died
    } else {
        return Ok(Vec::new());
    };
    #[derive(QueryableByName)]
    struct Suspects {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let suspects: Suspects =
        sql_query("SELECT count(*) AS count FROM jobs WHERE worker_id = $1 AND state = 'running' AND suspect")
            .bind::<SqlUuid, _>(worker.worker_id)
            .prepared()
            .get_result(connection)?;
    // One that went in order has killed nobody.
    let lone = i32::from(suspects.count == 1 && loss != Loss::Stopped);
    let mut rescued = Vec::new();
    loop {
        // A heartbeat since the worker was judged means that it was judged wrongly.
        let jobs: Vec<Id> = sql_query(
            "WITH lost AS MATERIALIZED (SELECT id FROM jobs WHERE worker_id = $1 AND state = 'running' \
               AND (SELECT heartbeat_at FROM workers WHERE id = $1) IS NOT DISTINCT FROM $2 \
               ORDER BY worker_id, id LIMIT $3 FOR UPDATE SKIP LOCKED) \
             UPDATE jobs j SET state = 'ready', worker_id = NULL, deadline_at = NULL, epoch = j.epoch + 1, \
               rescues = j.rescues + 1, attempt = greatest(j.attempt - 1, 0), \
               lone_losses = j.lone_losses + CASE WHEN j.suspect THEN $4 ELSE 0 END, \
               suspect = j.suspect OR j.rescues + 1 >= $5 \
             FROM lost WHERE j.id = lost.id RETURNING j.id",
        )
        .bind::<SqlUuid, _>(worker.worker_id)
        .bind::<Nullable<Timestamptz>, _>(worker.heartbeat_at)
        .bind::<BigInt, _>(LIMIT)
        .bind::<Integer, _>(lone)
        .bind::<SmallInt, _>(SUSPECT_FROM)
        .prepared()
        .load(connection)?;
        let full = jobs.len() == BATCH;
        rescued.extend(jobs.into_iter().map(|job| Rescued { id: job.id, worker_id: worker.worker_id, loss }));
        if !full {
            return Ok(rescued);
        }
    }
}

/// Jobs far past their deadline become ready although their worker lives: the handler hangs. The attempt counts, and a job
/// whose attempts are used up by that is to be quarantined, since nobody else would ever end it.
///
/// # Errors
/// When the database does not answer.
pub fn rescue_overdue(connection: &mut PgConnection) -> Result<Vec<Rescued>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = SqlUuid)]
        worker_id: Uuid,
    }
    let rows: Vec<Row> = sql_query(
        "WITH hung AS MATERIALIZED (\
           SELECT id, worker_id FROM jobs WHERE state = 'running' AND deadline_at < clock_timestamp() - $2 * interval '1 second' \
           ORDER BY worker_id, id LIMIT $1 FOR UPDATE SKIP LOCKED) \
         UPDATE jobs j SET state = 'ready', worker_id = NULL, deadline_at = NULL, epoch = j.epoch + 1, rescues = j.rescues + 1, \
           suspect = j.suspect OR j.rescues + 1 >= $3 OR j.attempt >= j.max_attempts, \
           lone_losses = CASE WHEN j.attempt >= j.max_attempts THEN greatest(j.lone_losses, $4) ELSE j.lone_losses END \
         FROM hung WHERE j.id = hung.id RETURNING j.id, hung.worker_id",
    )
    .bind::<BigInt, _>(LIMIT)
    .bind::<BigInt, _>(HUNG_S)
    .bind::<SmallInt, _>(SUSPECT_FROM)
    .bind::<SmallInt, _>(LONE_LOSSES)
    .prepared()
    .load(connection)?;
    let hung = |row: Row| Rescued { id: row.id, worker_id: row.worker_id, loss: Loss::Hung };
    Ok(rows.into_iter().map(hung).collect())
}

/// Steps that killed their workers alone, for the engine to fail.
///
/// # Errors
/// When the database does not answer.
pub fn poisoned(connection: &mut PgConnection) -> Result<Vec<Quarantine>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
        #[diesel(sql_type = SmallInt)]
        rescues: i16,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT id, run_id, rescues FROM jobs WHERE state = 'ready' AND suspect AND lone_losses >= $1 \
         AND run_id IS NOT NULL LIMIT $2",
    )
    .bind::<SmallInt, _>(LONE_LOSSES)
    .bind::<BigInt, _>(LIMIT)
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|row| Quarantine { run_id: row.run_id, job_id: row.id, rescues: row.rescues }).collect())
}

/// A job without a run that was failed because it kills its workers.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct QuarantinedJob {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Text)]
    pub kind: String,
    #[diesel(sql_type = SmallInt)]
    pub rescues: i16,
    #[diesel(sql_type = Nullable<Text>)]
    limit_key: Option<String>,
}

/// The same for jobs without a run: they end here, with their history, their dead letter and their tally in one statement.
///
/// # Errors
/// When the database does not answer.
pub fn quarantine_jobs(connection: &mut PgConnection) -> Result<Vec<QuarantinedJob>> {
    connection.transaction(|connection| {
        let gone: Vec<QuarantinedJob> = sql_query(
            "WITH gone AS (DELETE FROM jobs WHERE id IN (SELECT id FROM jobs WHERE state = 'ready' AND suspect \
               AND lone_losses >= $1 AND run_id IS NULL ORDER BY queue, id LIMIT $2 FOR UPDATE SKIP LOCKED) RETURNING *), \
             history AS (INSERT INTO job_history (id, kind, queue, outcome, attempt, rescues, epoch, worker_id, project_id, \
                 created_at) \
               SELECT id, kind, queue, 'failed', attempt, rescues, epoch, worker_id, project_id, created_at FROM gone), \
             letters AS (INSERT INTO dead_letters (job_id, kind, queue, priority, limit_key, key, payload, max_attempts, \
                 timeout_ms, project_id, attempt, rescues, error, created_at) \
               SELECT id, kind, queue, priority, limit_key, key, payload, max_attempts, timeout_ms, project_id, attempt, \
                 rescues, format('quarantined: %s workers were lost while they ran this job', rescues), created_at FROM gone), \
             tallies AS (INSERT INTO job_tallies (minute, queue, outcome, n) \
               SELECT date_trunc('minute', clock_timestamp()), queue, 'failed', count(*) FROM gone GROUP BY queue) \
             SELECT id, kind, rescues, limit_key FROM gone",
        )
        .bind::<SmallInt, _>(LONE_LOSSES)
        .bind::<BigInt, _>(LIMIT)
        .prepared()
        .load(connection)?;
        // Each leaves its place to the next one in line.
        admit(connection, gone.iter().filter_map(|job| job.limit_key.as_deref()))?;
        Ok(gone)
    })
}
