//! The third act: write what was decided, one statement per table whatever the number of rows.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Bool, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::counts;
use super::ends::{self, End};
use super::ledger;
use super::load::{Run, Step, Task};
use super::memories;
use super::plans;
use super::story::{Changes, EndedJob, NewJobRow, Story};
use super::transition::{Applied, Taken};
use crate::Result;
use crate::attachments;
use crate::blobs;
use crate::db::Prepare as _;
use crate::queue::{self, ClaimedJob, Hint, Inserted, JobRow};

/// One column of many rows.
pub(super) fn col<'a, R, T>(rows: &'a [R], of: impl FnMut(&'a R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

/// Writes everything. Parents before children, and tables in one order in every process. What only the database knows goes into the
/// answers and hints.
pub(super) fn save(connection: &mut PgConnection, story: &mut Story, answers: &mut [Result<Applied>]) -> Result<()> {
    insert_tasks(connection, story)?;
    insert_runs(connection, story)?;
    insert_steps(connection, story)?;
    update_runs(connection, story)?;
    update_steps(connection, story)?;
    update_tasks(connection, story)?;
    plans::save(connection, story)?;
    counts::save(connection, story)?;
    let changes = &story.changes;
    let mut limits = end_jobs(connection, changes)?;
    limits.extend(std::mem::take(&mut story.world.freed));
    limits.extend(reschedule_jobs(connection, changes)?);
    let inserted = insert_jobs(connection, changes)?;
    limits.extend(changes.new_jobs.iter().filter_map(|row| row.job.limit_key.clone()));
    memories::save(connection, story)?;
    insert_events(connection, story)?;
    let changes = &story.changes;
    insert_messages(connection, changes)?;
    insert_outputs(connection, changes)?;
    ledger::save(connection, story)?;
    drop_keys(connection, changes)?;
    // Last, because a limit that many want is locked by it until the commit.
    let admitted = queue::admit(connection, limits.iter().map(String::as_str))?;
    for (row, id) in changes.new_jobs.iter().zip(inserted.ids) {
        match row.answer.and_then(|place| answers.get_mut(place)) {
            Some(Ok(Applied::Enqueued(ids))) => ids.push(id),
            Some(Ok(Applied::Finished(finished))) => finished.next = id.and_then(|id| taken(row, id)).map(Box::new),
            _ => {}
        }
    }
    if inserted.any_ready || admitted > 0 {
        story.hints.push(Hint::Jobs);
    }
    Ok(())
}

fn insert_tasks(connection: &mut PgConnection, story: &Story) -> Result<()> {
    let rows: Vec<_> =
        story.changes.new_tasks.iter().filter_map(|new| Some((new, story.world.tasks.get(&new.id)?))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "INSERT INTO tasks (id, project_id, type, title, payload, execution_type, execution_status, priority, max_retries, \
         latest_run_id, completed_at, queue, limit_key, run_at, parent_task_id, linked, started_at, created_at) \
         SELECT *, $18 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
    )
    .bind::<Array<SqlUuid>, _>(col(&rows, |(_, t)| t.id))
    .bind::<Array<SqlUuid>, _>(col(&rows, |(_, t)| t.project_id))
    .bind::<Array<Text>, _>(col(&rows, |(_, t)| t.task_type.as_str()))
    .bind::<Array<Text>, _>(col(&rows, |(new, _)| new.title.as_str()))
    .bind::<Array<Jsonb>, _>(col(&rows, |(_, t)| &t.payload))
    .bind::<Array<Text>, _>(col(&rows, |(new, _)| new.execution_type.as_str()))
    .bind::<Array<Text>, _>(col(&rows, |(_, t)| t.status.as_str()))
    .bind::<Array<SmallInt>, _>(col(&rows, |(_, t)| t.priority))
    .bind::<Array<Integer>, _>(col(&rows, |(_, t)| t.max_retries))
    .bind::<Array<Nullable<SqlUuid>>, _>(col(&rows, |(_, t)| t.latest_run_id))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |(_, t)| t.completed_at))
    .bind::<Array<Text>, _>(col(&rows, |(_, t)| t.queue.as_str()))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |(_, t)| t.limit_key.as_deref()))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |(new, _)| new.run_at))
    .bind::<Array<Nullable<SqlUuid>>, _>(col(&rows, |(_, t)| t.parent_id))
    .bind::<Array<Bool>, _>(col(&rows, |(_, t)| t.linked))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |(_, t)| t.started_at))
    .bind::<Timestamptz, _>(story.world.now)
    .prepared()
    .run(connection)?;
    attachments::used(connection, rows.iter().map(|(_, t)| &t.payload))
}

fn insert_runs(connection: &mut PgConnection, story: &Story) -> Result<()> {
    let rows: Vec<_> =
        story.changes.new_runs.iter().filter_map(|new| Some((new, story.world.runs.get(&new.id)?))).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "INSERT INTO runs (id, task_id, project_id, retry_of, workflow, workflow_hash, status, stage, last_seq, trace_id, \
         finished_at, linked, created_at) \
         SELECT *, $13 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind::<Array<SqlUuid>, _>(col(&rows, |(_, r)| r.id))
    .bind::<Array<SqlUuid>, _>(col(&rows, |(_, r)| r.task_id))
    .bind::<Array<SqlUuid>, _>(col(&rows, |(_, r)| r.project_id))
    .bind::<Array<Nullable<SqlUuid>>, _>(col(&rows, |(new, _)| new.retry_of))
    .bind::<Array<Text>, _>(col(&rows, |(new, _)| new.workflow))
    .bind::<Array<Text>, _>(col(&rows, |(new, _)| new.workflow_hash.as_str()))
    .bind::<Array<Text>, _>(col(&rows, |(_, r)| r.status.as_str()))
    .bind::<Array<Text>, _>(col(&rows, |(_, r)| r.stage.as_str()))
    .bind::<Array<BigInt>, _>(col(&rows, |(_, r)| r.last_seq))
    .bind::<Array<Text>, _>(col(&rows, |(_, r)| r.trace_id.as_str()))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |(_, r)| r.finished_at))
    .bind::<Array<Bool>, _>(col(&rows, |(_, r)| r.linked))
    .bind::<Timestamptz, _>(story.world.now)
    .prepared()
    .run(connection)?;
    Ok(())
}

/// A step's `needs` is an array itself, and `unnest` would flatten an array of arrays: it travels as text.
fn insert_steps(connection: &mut PgConnection, story: &Story) -> Result<()> {
    let rows: Vec<&Step> = story.changes.new_steps.iter().filter_map(|key| story.world.steps.get(key)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    let needs = |step: &&Step| {
        let numbers: Vec<String> = step.needs.iter().map(i16::to_string).collect();
        format!("{{{}}}", numbers.join(","))
    };
    sql_query(
        "INSERT INTO steps (run_id, seq, name, kind, status, needs, waits_for, max_attempts, timeout_ms, finished_at) \
         SELECT run_id, seq, name, kind, status, needs::smallint[], waits_for, max_attempts, timeout_ms, finished_at \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         AS s (run_id, seq, name, kind, status, needs, waits_for, max_attempts, timeout_ms, finished_at)",
    )
    .bind::<Array<SqlUuid>, _>(col(&rows, |s| s.run_id))
    .bind::<Array<SmallInt>, _>(col(&rows, |s| s.seq))
    .bind::<Array<Text>, _>(col(&rows, |s| s.name.as_str()))
    .bind::<Array<Text>, _>(col(&rows, |s| s.kind.as_str()))
    .bind::<Array<Text>, _>(col(&rows, |s| s.status.as_str()))
    .bind::<Array<Text>, _>(col(&rows, needs))
    .bind::<Array<SmallInt>, _>(col(&rows, |s| s.waits_for))
    .bind::<Array<SmallInt>, _>(col(&rows, |s| s.max_attempts))
    .bind::<Array<BigInt>, _>(col(&rows, |s| s.timeout_ms))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |s| s.finished_at))
    .prepared()
    .run(connection)?;
    for (from, to) in &story.changes.kept_steps {
        keep_steps(connection, *from, *to)?;
    }
    Ok(())
}

/// What the steps came to which a run takes over from the one before.
fn keep_steps(connection: &mut PgConnection, from: Uuid, to: Uuid) -> Result<()> {
    sql_query(
        "UPDATE steps n SET output = o.output, attempt = o.attempt, worker = o.worker, started_at = o.started_at, \
           finished_at = o.finished_at \
         FROM steps o WHERE o.run_id = $1 AND o.seq = n.seq AND o.status = 'completed' AND n.run_id = $2 AND n.status = 'completed'",
    )
    .bind::<SqlUuid, _>(from)
    .bind::<SqlUuid, _>(to)
    .execute(connection)?;
    Ok(())
}

fn update_runs(connection: &mut PgConnection, story: &Story) -> Result<()> {
    let changes = &story.changes;
    let new: BTreeSet<Uuid> = changes.new_runs.iter().map(|new| new.id).collect();
    let rows: Vec<&Run> = changes.runs.difference(&new).filter_map(|id| story.world.runs.get(id)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "UPDATE runs r SET status = n.status, stage = n.stage, cancel_requested_at = n.cancel_requested_at, \
         last_seq = n.last_seq, input_tokens = n.input_tokens, output_tokens = n.output_tokens, error = n.error, \
         started_at = n.started_at, finished_at = n.finished_at, cost_micros = n.cost_micros, open_calls = n.open_calls \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS n (id, status, stage, cancel_requested_at, last_seq, \
         input_tokens, output_tokens, error, started_at, finished_at, cost_micros, open_calls) WHERE r.id = n.id",
    )
    .bind::<Array<SqlUuid>, _>(col(&rows, |r| r.id))
    .bind::<Array<Text>, _>(col(&rows, |r| r.status.as_str()))
    .bind::<Array<Text>, _>(col(&rows, |r| r.stage.as_str()))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |r| r.cancel_requested_at))
    .bind::<Array<BigInt>, _>(col(&rows, |r| r.last_seq))
    .bind::<Array<BigInt>, _>(col(&rows, |r| r.input_tokens))
    .bind::<Array<BigInt>, _>(col(&rows, |r| r.output_tokens))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |r| r.error.as_deref()))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |r| r.started_at))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |r| r.finished_at))
    .bind::<Array<Nullable<BigInt>>, _>(col(&rows, |r| r.cost_micros))
    .bind::<Array<SmallInt>, _>(col(&rows, |r| r.open_calls))
    .prepared()
    .run(connection)?;
    Ok(())
}

fn update_steps(connection: &mut PgConnection, story: &Story) -> Result<()> {
    let changes = &story.changes;
    let rows: Vec<&Step> =
        changes.steps.difference(&changes.new_steps).filter_map(|key| story.world.steps.get(key)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "UPDATE steps s SET status = n.status, waits_for = n.waits_for, waiting_on = n.waiting_on, \
         waiting_since = n.waiting_since, waiting_until = n.waiting_until, waiting_reason = n.waiting_reason, \
         attempt = n.attempt, worker = n.worker, epoch = n.epoch, output = n.output, error = n.error, started_at = n.started_at, \
         heartbeat_at = n.heartbeat_at, finished_at = n.finished_at \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) AS n (run_id, seq, status, \
         waits_for, waiting_on, waiting_since, waiting_until, waiting_reason, attempt, worker, epoch, output, error, started_at, \
         heartbeat_at, finished_at) WHERE s.run_id = n.run_id AND s.seq = n.seq",
    )
    .bind::<Array<SqlUuid>, _>(col(&rows, |s| s.run_id))
    .bind::<Array<SmallInt>, _>(col(&rows, |s| s.seq))
    .bind::<Array<Text>, _>(col(&rows, |s| s.status.as_str()))
    .bind::<Array<SmallInt>, _>(col(&rows, |s| s.waits_for))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |s| s.waiting_on.map(crate::state::WaitingOn::as_str)))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |s| s.waiting_since))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |s| s.waiting_until))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |s| s.waiting_reason.as_deref()))
    .bind::<Array<Integer>, _>(col(&rows, |s| s.attempt))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |s| s.worker.as_deref()))
    .bind::<Array<Nullable<BigInt>>, _>(col(&rows, |s| s.epoch))
    .bind::<Array<Nullable<Jsonb>>, _>(col(&rows, |s| s.output.as_ref()))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |s| s.error.as_deref()))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |s| s.started_at))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |s| s.heartbeat_at))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |s| s.finished_at))
    .prepared()
    .run(connection)?;
    Ok(())
}

fn update_tasks(connection: &mut PgConnection, story: &Story) -> Result<()> {
    let changes = &story.changes;
    let new: BTreeSet<Uuid> = changes.new_tasks.iter().map(|new| new.id).collect();
    let rows: Vec<&Task> = changes.tasks.difference(&new).filter_map(|id| story.world.tasks.get(id)).collect();
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "UPDATE tasks t SET execution_status = n.status, retry_count = n.retry_count, reopen_count = n.reopen_count, \
         failure_reason = n.failure_reason, latest_run_id = n.latest_run_id, started_at = n.started_at, \
         completed_at = n.completed_at \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8) AS n (id, status, retry_count, reopen_count, failure_reason, \
         latest_run_id, started_at, completed_at) WHERE t.id = n.id",
    )
    .bind::<Array<SqlUuid>, _>(col(&rows, |t| t.id))
    .bind::<Array<Text>, _>(col(&rows, |t| t.status.as_str()))
    .bind::<Array<Integer>, _>(col(&rows, |t| t.retry_count))
    .bind::<Array<Integer>, _>(col(&rows, |t| t.reopen_count))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |t| t.failure_reason.as_deref()))
    .bind::<Array<Nullable<SqlUuid>>, _>(col(&rows, |t| t.latest_run_id))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |t| t.started_at))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |t| t.completed_at))
    .prepared()
    .run(connection)?;
    Ok(())
}

/// The keys of limits that have a place again.
type FreedLimits = BTreeSet<String>;

#[derive(QueryableByName)]
struct Freed {
    #[diesel(sql_type = Text)]
    limit_key: String,
}

fn end_jobs(connection: &mut PgConnection, changes: &Changes) -> Result<FreedLimits> {
    let end = |(id, ended): (&i64, &EndedJob)| End {
        id: *id,
        epoch: None,
        outcome: ended.outcome,
        error: ended.error.clone(),
        task_id: ended.task_id,
    };
    let ended = ends::write(connection, &changes.ended_jobs.iter().map(end).collect::<Vec<_>>())?;
    Ok(ended.into_iter().filter_map(|ended| ended.limit_key).collect())
}

/// A worker survived it, so it is no suspect any more.
fn reschedule_jobs(connection: &mut PgConnection, changes: &Changes) -> Result<FreedLimits> {
    let rows: Vec<_> = changes.rescheduled.iter().collect();
    if rows.is_empty() {
        return Ok(FreedLimits::new());
    }
    let freed: Vec<Freed> = sql_query(
        "WITH moved AS (UPDATE jobs j SET state = 'scheduled', \
             run_at = clock_timestamp() + ($2)[array_position($1, j.id)] * interval '1 millisecond', \
             attempt = ($3)[array_position($1, j.id)], worker_id = NULL, deadline_at = NULL, suspect = false, lone_losses = 0 \
           WHERE j.id = ANY($1) RETURNING j.limit_key) \
         SELECT DISTINCT limit_key FROM moved WHERE limit_key IS NOT NULL",
    )
    .bind::<Array<BigInt>, _>(col(&rows, |(id, _)| **id))
    .bind::<Array<BigInt>, _>(col(&rows, |(_, moved)| moved.delay_ms))
    .bind::<Array<SmallInt>, _>(col(&rows, |(_, moved)| moved.attempt))
    .prepared()
    .load(connection)?;
    Ok(freed.into_iter().map(|row| row.limit_key).collect())
}

/// A new job as its worker gets it that goes on with it.
fn taken(row: &NewJobRow, id: i64) -> Option<Taken> {
    let (run_id, step) = row.run?;
    let job = ClaimedJob {
        id,
        kind: row.job.kind.clone(),
        queue: row.job.queue.clone(),
        priority: row.job.priority,
        limit_key: None,
        epoch: 1,
        attempt: 1,
        max_attempts: row.job.max_attempts,
        rescues: 0,
        suspect: false,
        timeout_ms: row.job.timeout_ms(),
        project_id: row.job.project_id,
        run_id: Some(run_id),
        step: Some(step),
        payload: None,
    };
    Some(Taken { job, context: Some(row.kept.as_ref()?.context.clone()) })
}

fn insert_jobs(connection: &mut PgConnection, changes: &Changes) -> Result<Inserted> {
    queue::insert(
        connection,
        &col(&changes.new_jobs, |row| JobRow {
            job: &row.job,
            run: row.run,
            holder: row.kept.as_ref().map(|kept| kept.worker_id),
        }),
    )
}

fn insert_events(connection: &mut PgConnection, story: &Story) -> Result<()> {
    let rows = &story.changes.events;
    if rows.is_empty() {
        return Ok(());
    }
    let at: DateTime<Utc> = story.world.now;
    sql_query(
        "INSERT INTO run_events (run_id, seq, project_id, task_id, step, kind, level, message, data, at) \
         SELECT *, $10 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind::<Array<SqlUuid>, _>(col(rows, |e| e.run_id))
    .bind::<Array<BigInt>, _>(col(rows, |e| e.seq))
    .bind::<Array<SqlUuid>, _>(col(rows, |e| e.project_id))
    .bind::<Array<SqlUuid>, _>(col(rows, |e| e.task_id))
    .bind::<Array<Nullable<SmallInt>>, _>(col(rows, |e| e.step))
    .bind::<Array<Text>, _>(col(rows, |e| e.kind))
    .bind::<Array<Nullable<Text>>, _>(col(rows, |e| e.level.map(crate::state::Level::as_str)))
    .bind::<Array<Nullable<Text>>, _>(col(rows, |e| e.message.as_deref()))
    .bind::<Array<Jsonb>, _>(col(rows, |e| &e.data))
    .bind::<Timestamptz, _>(at)
    .prepared()
    .run(connection)?;
    Ok(())
}

fn insert_messages(connection: &mut PgConnection, changes: &Changes) -> Result<()> {
    let rows = &changes.messages;
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "INSERT INTO messages (id, project_id, task_id, run_id, role, content) SELECT * FROM unnest($1, $2, $3, $4, $5, $6)",
    )
    .bind::<Array<SqlUuid>, _>(col(rows, |m| m.id))
    .bind::<Array<SqlUuid>, _>(col(rows, |m| m.project_id))
    .bind::<Array<SqlUuid>, _>(col(rows, |m| m.task_id))
    .bind::<Array<SqlUuid>, _>(col(rows, |m| m.run_id))
    .bind::<Array<Text>, _>(col(rows, |m| m.role))
    .bind::<Array<Text>, _>(col(rows, |m| m.content.as_str()))
    .prepared()
    .run(connection)?;
    Ok(())
}

fn insert_outputs(connection: &mut PgConnection, changes: &Changes) -> Result<()> {
    let rows = &changes.outputs;
    if rows.is_empty() {
        return Ok(());
    }
    blobs::store(connection, &col(rows, |o| &o.content))?;
    sql_query(
        "INSERT INTO outputs (id, project_id, task_id, run_id, name, kind, media_type, size, sha256, preview) \
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind::<Array<SqlUuid>, _>(col(rows, |o| o.id))
    .bind::<Array<SqlUuid>, _>(col(rows, |o| o.project_id))
    .bind::<Array<SqlUuid>, _>(col(rows, |o| o.task_id))
    .bind::<Array<SqlUuid>, _>(col(rows, |o| o.run_id))
    .bind::<Array<Text>, _>(col(rows, |o| o.name.as_str()))
    .bind::<Array<Text>, _>(col(rows, |o| o.kind))
    .bind::<Array<Text>, _>(col(rows, |o| o.media_type.as_str()))
    .bind::<Array<BigInt>, _>(col(rows, |o| o.content.size()))
    .bind::<Array<Binary>, _>(col(rows, |o| o.content.sha256()))
    .bind::<Array<Nullable<Text>>, _>(col(rows, |o| o.preview.as_deref()))
    .prepared()
    .run(connection)?;
    Ok(())
}

fn drop_keys(connection: &mut PgConnection, changes: &Changes) -> Result<()> {
    let rows = &changes.dropped_keys;
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "DELETE FROM idempotency_keys k USING unnest($1, $2) AS d (scope, key_hash) \
         WHERE k.scope = d.scope AND k.key_hash = d.key_hash",
    )
    .bind::<Array<Text>, _>(col(rows, |k| k.scope.as_str()))
    .bind::<Array<Binary>, _>(col(rows, |k| k.key_hash.as_slice()))
    .prepared()
    .run(connection)?;
    Ok(())
}
