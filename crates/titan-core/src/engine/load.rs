//! The first act: lock and read everything that a batch of transitions touches. Decides nothing.
//!
//! One lock order for every batch in every process: idempotency keys, runs, jobs, tasks, each by ascending id. Steps have no lock of their
//! own: whoever holds the run's row holds its steps.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use super::transition::Transition;
use crate::Result;
use crate::idempotency::{self, Claimed};
use crate::state::{ExecutionStatus, RunStage, RunStatus, StepStatus, WaitingOn};

#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Run {
    #[diesel(sql_type = SqlUuid)]
    pub(super) id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub(super) task_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub(super) project_id: Uuid,
    #[diesel(sql_type = Text)]
    pub(super) status: RunStatus,
    #[diesel(sql_type = Text)]
    pub(super) stage: RunStage,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) cancel_requested_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    pub(super) last_seq: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) input_tokens: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) output_tokens: i64,
    #[diesel(sql_type = Text)]
    pub(super) trace_id: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) error: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) finished_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Step {
    #[diesel(sql_type = SqlUuid)]
    pub(super) run_id: Uuid,
    #[diesel(sql_type = SmallInt)]
    pub(super) seq: i16,
    #[diesel(sql_type = Text)]
    pub(super) name: String,
    #[diesel(sql_type = Text)]
    pub(super) kind: String,
    #[diesel(sql_type = Text)]
    pub(super) status: StepStatus,
    #[diesel(sql_type = Array<SmallInt>)]
    pub(super) needs: Vec<i16>,
    #[diesel(sql_type = SmallInt)]
    pub(super) waits_for: i16,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) waiting_on: Option<WaitingOn>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) waiting_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) waiting_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) waiting_reason: Option<String>,
    #[diesel(sql_type = Integer)]
    pub(super) attempt: i32,
    #[diesel(sql_type = SmallInt)]
    pub(super) max_attempts: i16,
    #[diesel(sql_type = BigInt)]
    pub(super) timeout_ms: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) worker: Option<String>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub(super) output: Option<Value>,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) error: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) heartbeat_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) finished_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Job {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = SqlUuid)]
    pub(super) run_id: Uuid,
    #[diesel(sql_type = SmallInt)]
    pub(super) step: i16,
    #[diesel(sql_type = Bool)]
    pub(super) running: bool,
    #[diesel(sql_type = BigInt)]
    pub(super) epoch: i64,
    #[diesel(sql_type = SmallInt)]
    pub(super) attempt: i16,
    #[diesel(sql_type = SmallInt)]
    pub(super) max_attempts: i16,
    #[diesel(sql_type = SmallInt)]
    pub(super) priority: i16,
}

#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Task {
    #[diesel(sql_type = SqlUuid)]
    pub(super) id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub(super) project_id: Uuid,
    #[diesel(sql_type = Text)]
    pub(super) task_type: String,
    #[diesel(sql_type = Jsonb)]
    pub(super) payload: Value,
    #[diesel(sql_type = Text)]
    pub(super) status: ExecutionStatus,
    #[diesel(sql_type = SmallInt)]
    pub(super) priority: i16,
    #[diesel(sql_type = Integer)]
    pub(super) retry_count: i32,
    #[diesel(sql_type = Integer)]
    pub(super) max_retries: i32,
    #[diesel(sql_type = Integer)]
    pub(super) reopen_count: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) failure_reason: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub(super) latest_run_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) completed_at: Option<DateTime<Utc>>,
}

/// What the batch may look at. Missing rows are missing here: the story says what that means.
#[derive(Debug)]
pub(super) struct World {
    pub(super) now: DateTime<Utc>,
    pub(super) keys: HashMap<usize, Claimed>,
    pub(super) projects: BTreeSet<Uuid>,
    pub(super) runs: BTreeMap<Uuid, Run>,
    pub(super) steps: BTreeMap<(Uuid, i16), Step>,
    pub(super) jobs: BTreeMap<i64, Job>,
    pub(super) tasks: BTreeMap<Uuid, Task>,
}

/// The ids that a batch names.
#[derive(Default)]
struct Wanted {
    projects: BTreeSet<Uuid>,
    runs: BTreeSet<Uuid>,
    /// Runs whose task matters too: everything but a report.
    runs_with_task: BTreeSet<Uuid>,
    /// Runs of which every job matters, not only the one that is held.
    runs_with_jobs: BTreeSet<Uuid>,
    jobs: BTreeSet<i64>,
    tasks: BTreeSet<Uuid>,
}

impl Wanted {
    fn of(batch: &[Transition]) -> Self {
        let mut wanted = Wanted::default();
        for transition in batch {
            match transition {
                Transition::Submit(submission) => {
                    wanted.projects.insert(submission.task.project_id);
                }
                Transition::Execute(execute) => {
                    wanted.tasks.insert(execute.task_id);
                }
                Transition::CancelTask { task_id } => {
                    wanted.tasks.insert(*task_id);
                }
                Transition::Start(start) => {
                    wanted.held(&start.fence);
                    wanted.runs_with_task.insert(start.fence.run_id);
                }
                // The end of a step may end its run, and with it whatever else of the run is under way.
                Transition::Finish(finish) => {
                    wanted.whole(finish.fence.run_id);
                    wanted.jobs.insert(finish.fence.job_id);
                }
                Transition::Report(report) => wanted.held(&report.fence),
                Transition::CancelRun(cancel) => wanted.whole(cancel.run_id),
                Transition::ForceCancel(force) => wanted.whole(force.run_id),
                Transition::Quarantine(quarantine) => wanted.whole(quarantine.run_id),
            }
        }
        wanted
    }

    fn held(&mut self, fence: &super::Fence) {
        self.runs.insert(fence.run_id);
        self.jobs.insert(fence.job_id);
    }

    fn whole(&mut self, run_id: Uuid) {
        self.runs.insert(run_id);
        self.runs_with_task.insert(run_id);
        self.runs_with_jobs.insert(run_id);
    }
}

/// Locks and reads. The transaction is open.
pub(super) fn load(connection: &mut PgConnection, batch: &[Transition], now: DateTime<Utc>) -> Result<World> {
    let wanted = Wanted::of(batch);
    let keys = load_keys(connection, batch)?;
    let runs = load_runs(connection, &wanted)?;
    let jobs = load_jobs(connection, &wanted)?;
    let steps = load_steps(connection, &runs)?;
    let mut task_ids = wanted.tasks.clone();
    task_ids.extend(wanted.runs_with_task.iter().filter_map(|id| runs.get(id)).map(|run| run.task_id));
    let tasks = load_tasks(connection, &task_ids)?;
    let mut project_ids = wanted.projects;
    project_ids.extend(wanted.tasks.iter().filter_map(|id| tasks.get(id)).map(|task| task.project_id));
    let projects = load_projects(connection, &project_ids)?;
    Ok(World { now, keys, projects, runs, steps, jobs, tasks })
}

/// The result that a key will stand for is made before: the ids are ours to choose.
fn load_keys(connection: &mut PgConnection, batch: &[Transition]) -> Result<HashMap<usize, Claimed>> {
    let keyed: Vec<_> = batch
        .iter()
        .enumerate()
        .filter_map(|(index, transition)| match transition {
            Transition::Submit(submission) => submission.key.as_ref().map(|key| (index, key)),
            _ => None,
        })
        .collect();
    if keyed.is_empty() {
        return Ok(HashMap::new());
    }
    idempotency::claim(connection, &keyed)
}

fn load_runs(connection: &mut PgConnection, wanted: &Wanted) -> Result<BTreeMap<Uuid, Run>> {
    if wanted.runs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Run> = sql_query(
        "SELECT id, task_id, project_id, status, stage, cancel_requested_at, last_seq, input_tokens, output_tokens, trace_id, error, \
         started_at, finished_at FROM runs WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(list(&wanted.runs))
    .load(connection)?;
    Ok(rows.into_iter().map(|run| (run.id, run)).collect())
}

/// This lock is the fence: a claim or a rescue of one of these jobs waits until the batch has committed, and a batch that
/// comes after one of them reads the new epoch.
fn load_jobs(connection: &mut PgConnection, wanted: &Wanted) -> Result<BTreeMap<i64, Job>> {
    let mut jobs = BTreeMap::new();
    if wanted.jobs.is_empty() && wanted.runs_with_jobs.is_empty() {
        return Ok(jobs);
    }
    const COLUMNS: &str = "id, run_id, step, state = 'running' AS running, epoch, attempt, max_attempts, priority";
    let rows: Vec<Job> = if wanted.runs_with_jobs.is_empty() {
        sql_query(format!(
            "SELECT {COLUMNS} FROM jobs WHERE id = ANY($1) AND run_id IS NOT NULL ORDER BY id FOR UPDATE"
        ))
        .bind::<Array<BigInt>, _>(list(&wanted.jobs))
        .load(connection)?
    } else {
        sql_query(format!(
            "SELECT {COLUMNS} FROM jobs WHERE run_id IS NOT NULL AND (id = ANY($1) OR run_id = ANY($2)) ORDER BY id FOR UPDATE"
        ))
        .bind::<Array<BigInt>, _>(list(&wanted.jobs))
        .bind::<Array<SqlUuid>, _>(list(&wanted.runs_with_jobs))
        .load(connection)?
    };
    jobs.extend(rows.into_iter().map(|job| (job.id, job)));
    Ok(jobs)
}

fn load_steps(connection: &mut PgConnection, runs: &BTreeMap<Uuid, Run>) -> Result<BTreeMap<(Uuid, i16), Step>> {
    if runs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Step> = sql_query(
        "SELECT run_id, seq, name, kind, status, needs, waits_for, waiting_on, waiting_since, waiting_until, waiting_reason, \
         attempt, max_attempts, timeout_ms, worker, output, error, started_at, heartbeat_at, finished_at \
         FROM steps WHERE run_id = ANY($1)",
    )
    .bind::<Array<SqlUuid>, _>(runs.keys().copied().collect::<Vec<_>>())
    .load(connection)?;
    Ok(rows.into_iter().map(|step| ((step.run_id, step.seq), step)).collect())
}

fn load_tasks(connection: &mut PgConnection, ids: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, Task>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Task> = sql_query(
        "SELECT id, project_id, type AS task_type, payload, execution_status AS status, priority, retry_count, max_retries, \
         reopen_count, failure_reason, latest_run_id, started_at, completed_at \
         FROM tasks WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(list(ids))
    .load(connection)?;
    Ok(rows.into_iter().map(|task| (task.id, task)).collect())
}

/// A project that is deleted at the same moment either is seen as gone, or waits and then finds the new run to cancel.
fn load_projects(connection: &mut PgConnection, ids: &BTreeSet<Uuid>) -> Result<BTreeSet<Uuid>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<Row> =
        sql_query("SELECT id FROM projects WHERE id = ANY($1) AND deleted_at IS NULL ORDER BY id FOR SHARE")
            .bind::<Array<SqlUuid>, _>(list(ids))
            .load(connection)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

fn list<T: Clone>(set: &BTreeSet<T>) -> Vec<T> {
    set.iter().cloned().collect()
}
