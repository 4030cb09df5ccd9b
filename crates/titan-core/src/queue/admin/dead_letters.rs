//! Dead letters tried again. They are listed with the other jobs.
//!
//! A letter is marked in the transaction that locks it, so that two who redrive it make one job. A new run is made by the
//! engine, on a connection of its own, while the letter is held. Should this process die in between, the task has a newer
//! run than the letter says: the next try sees that and only marks the letter.

use std::time::Duration;

use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, SmallInt, Text, Uuid as SqlUuid};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use crate::db::{Db, Prepare as _};
use crate::engine::{Committer, Execute};
use crate::queue::{NewJob, enqueue};
use crate::{Error, Result};

/// What became of some letters.
#[derive(Debug, Default)]
pub(super) struct Redriven {
    /// How many were tried again, or had been by hand.
    pub(super) letters: usize,
    /// Whether workers have something to do now.
    pub(super) any_ready: bool,
}

/// Tries again what these letters are about. Those that somebody else has in hand are left to them.
pub(super) async fn redrive(db: &Db, committer: &Committer, ids: Vec<i64>) -> Result<Redriven> {
    let (committer, runtime) = (committer.clone(), tokio::runtime::Handle::current());
    db.run(move |connection| {
        // The runs come first: while limits are held for new jobs, the engine could not make runs that are subject to them.
        let (runs, failed) = runs_anew(connection, &ids, |tasks| runtime.block_on(execute(&committer, tasks)))?;
        if let Some(error) = failed {
            // Told as a value, so that what was done for the others is kept.
            return Ok(Err(error));
        }
        let jobs = jobs_anew(connection, &ids)?;
        Ok(Ok(Redriven { letters: runs + jobs, any_ready: runs + jobs > 0 }))
    })
    .await?
}

async fn execute(committer: &Committer, tasks: &[Uuid]) -> Vec<Result<Uuid>> {
    let one = async |task_id: Uuid| {
        let executed = committer.execute(Execute { task_id, trace_id: None }).await?;
        Ok(executed.run_id)
    };
    futures_util::future::join_all(tasks.iter().copied().map(one)).await
}

/// How many, and what went wrong with others that may pass.
fn runs_anew(
    connection: &mut PgConnection,
    ids: &[i64],
    execute: impl FnOnce(&[Uuid]) -> Vec<Result<Uuid>>,
) -> Result<(usize, Option<Error>)> {
    #[derive(QueryableByName)]
    struct Letter {
        #[diesel(sql_type = BigInt)]
        job_id: i64,
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
        #[diesel(sql_type = SqlUuid)]
        task_id: Uuid,
        #[diesel(sql_type = Nullable<SqlUuid>)]
        latest_run_id: Option<Uuid>,
    }
    connection.transaction(|connection| {
        let letters: Vec<Letter> = sql_query(
            "SELECT d.job_id, d.run_id, d.task_id, t.latest_run_id FROM dead_letters d JOIN tasks t ON t.id = d.task_id \
             WHERE d.job_id = ANY($1) AND d.run_id IS NOT NULL AND d.redriven_at IS NULL \
             ORDER BY d.job_id FOR UPDATE OF d SKIP LOCKED",
        )
        .bind::<Array<BigInt>, _>(ids)
        .prepared()
        .load(connection)?;
        // Its task was executed again since: nothing is left to do for it.
        let (due, done): (Vec<Letter>, Vec<Letter>) =
            letters.into_iter().partition(|letter| letter.latest_run_id.is_none_or(|latest| latest == letter.run_id));
        let mut marks: Vec<(i64, String)> =
            done.iter().filter_map(|letter| Some((letter.job_id, letter.latest_run_id?.to_string()))).collect();
        let tasks: Vec<Uuid> = due.iter().map(|letter| letter.task_id).collect();
        let mut failed = None;
        for (letter, answer) in due.iter().zip(execute(&tasks)) {
            match answer {
                Ok(run_id) => marks.push((letter.job_id, run_id.to_string())),
                Err(error) if error.may_pass() => failed = Some(error),
                Err(error) => tracing::debug!(job.id = letter.job_id, %error, "a dead letter was not tried again"),
            }
        }
        mark(connection, &marks)?;
        Ok((marks.len(), failed))
    })
}

fn jobs_anew(connection: &mut PgConnection, ids: &[i64]) -> Result<usize> {
    #[derive(QueryableByName)]
    struct Letter {
        #[diesel(sql_type = BigInt)]
        job_id: i64,
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Text)]
        queue: String,
        #[diesel(sql_type = SmallInt)]
        priority: i16,
        #[diesel(sql_type = Nullable<Jsonb>)]
        payload: Option<Value>,
        #[diesel(sql_type = Nullable<Text>)]
        key: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        limit_key: Option<String>,
        #[diesel(sql_type = Nullable<SqlUuid>)]
        project_id: Option<Uuid>,
        #[diesel(sql_type = SmallInt)]
        max_attempts: i16,
        #[diesel(sql_type = BigInt)]
        timeout_ms: i64,
    }
    let job = |letter: Letter| NewJob {
        kind: letter.kind,
        queue: letter.queue,
        priority: letter.priority,
        payload: letter.payload,
        key: letter.key,
        limit_key: letter.limit_key,
        project_id: letter.project_id,
        run_at: None,
        max_attempts: letter.max_attempts,
        timeout: Duration::from_millis(u64::try_from(letter.timeout_ms).unwrap_or(0)),
    };
    connection.transaction(|connection| {
        let letters: Vec<Letter> = sql_query(
            "SELECT job_id, kind, queue, priority, payload, key, limit_key, project_id, max_attempts, timeout_ms \
             FROM dead_letters WHERE job_id = ANY($1) AND run_id IS NULL AND redriven_at IS NULL \
             ORDER BY job_id FOR UPDATE SKIP LOCKED",
        )
        .bind::<Array<BigInt>, _>(ids)
        .prepared()
        .load(connection)?;
        let of: Vec<i64> = letters.iter().map(|letter| letter.job_id).collect();
        let jobs: Vec<NewJob> = letters.into_iter().map(job).collect();
        // One with its key is active already: the letter stays until that one is done.
        let made = enqueue(connection, &jobs)?.into_iter().zip(of);
        let marks: Vec<(i64, String)> = made.filter_map(|(id, letter)| Some((letter, id?.to_string()))).collect();
        mark(connection, &marks)?;
        Ok(marks.len())
    })
}

/// Tried again as which job or run.
fn mark(connection: &mut PgConnection, marks: &[(i64, String)]) -> Result<()> {
    if marks.is_empty() {
        return Ok(());
    }
    let (ids, words): (Vec<i64>, Vec<&str>) = marks.iter().map(|(id, word)| (*id, word.as_str())).unzip();
    sql_query(
        "UPDATE dead_letters d SET redriven_at = clock_timestamp(), redriven_as = m.word FROM unnest($1, $2) AS m (id, word) \
         WHERE d.job_id = m.id",
    )
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Array<Text>, _>(words)
    .prepared()
    .execute(connection)?;
    Ok(())
}
