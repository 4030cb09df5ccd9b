//! The first act: lock and read everything that a batch of transitions touches. Decides nothing; what needs no decision, the
//! plain end of a job without a run, is done at once.
//!
//! One lock order for every batch in every process: idempotency keys, plans of projects, runs, jobs, tasks, then the lock
//! that who reserves a call shares, calls, budgets, each by ascending id, then projects by ascending key of their advisory
//! lock; while saving, the attachments of new tasks by ascending id, and memories by project, scope, agent and fingerprint;
//! limits last. Steps have no lock of their own: whoever holds the run's row holds its steps. The jobs that a claim brings
//! are locked only where nobody else holds them, so that it can wait for nobody and stand in no circle; who writes memories
//! in another order (embeddings, the count of their use, retention) does the same.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Bool, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use super::counts::Before;
use super::ends;
use super::ledger::{self, Budget, OpenCall};
use super::plans::{self, Plannings};
use super::relations::{self, Relations};
use super::transition::Transition;
use super::wanted::Wanted;
use crate::Result;
use crate::budgets;
use crate::db::Prepare as _;
use crate::idempotency::{self, Claimed};
use crate::projects;
use crate::queue::ClaimedJob;
use crate::state::{ExecutionStatus, ExecutionType, RunStage, RunStatus, StepStatus, WaitingOn};
use crate::workflow::Workflow;

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
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) cost_micros: Option<i64>,
    /// Calls of models that are under way.
    #[diesel(sql_type = SmallInt)]
    pub(super) open_calls: i16,
    #[diesel(sql_type = Text)]
    pub(super) trace_id: String,
    /// Whether its task is.
    #[diesel(sql_type = Bool)]
    pub(super) linked: bool,
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
    /// The claim under which it was begun last.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub(super) epoch: Option<i64>,
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
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub(super) run_id: Option<Uuid>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub(super) step: Option<i16>,
    #[diesel(sql_type = Bool)]
    pub(super) running: bool,
    #[diesel(sql_type = BigInt)]
    pub(super) epoch: i64,
    #[diesel(sql_type = SmallInt)]
    pub(super) attempt: i16,
    #[diesel(sql_type = SmallInt)]
    pub(super) max_attempts: i16,
    /// How many workers were lost with it.
    #[diesel(sql_type = SmallInt)]
    pub(super) rescues: i16,
    /// When it was claimed.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) claimed_at: Option<DateTime<Utc>>,
    /// When it is to begin; none of one that has just been claimed.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) run_at: Option<DateTime<Utc>>,
    /// What the worker that holds it is called.
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) worker: Option<String>,
}

#[derive(Debug, Clone, QueryableByName)]
pub(super) struct Task {
    #[diesel(sql_type = SqlUuid)]
    pub(super) id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub(super) project_id: Uuid,
    /// The group that it belongs to.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub(super) parent_id: Option<Uuid>,
    /// Whether others may hang on it.
    #[diesel(sql_type = Bool)]
    pub(super) linked: bool,
    #[diesel(sql_type = Text)]
    pub(super) task_type: String,
    #[diesel(sql_type = Jsonb)]
    pub(super) payload: Value,
    #[diesel(sql_type = Text)]
    pub(super) execution_type: ExecutionType,
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
    #[diesel(sql_type = Text)]
    pub(super) queue: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) limit_key: Option<String>,
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
    /// Of the limits and queues that new tasks name, those that exist.
    pub(super) limits: BTreeSet<String>,
    pub(super) queues: BTreeSet<String>,
    /// Of the queues of steps that would be gone on with, those that are paused.
    pub(super) paused: BTreeSet<String>,
    pub(super) runs: BTreeMap<Uuid, Run>,
    pub(super) steps: BTreeMap<(Uuid, i16), Step>,
    pub(super) jobs: BTreeMap<i64, Job>,
    pub(super) tasks: BTreeMap<Uuid, Task>,
    /// Of the tasks that are to go on where their last run failed: that run, and its steps that were completed.
    pub(super) completed: BTreeMap<Uuid, (Uuid, BTreeSet<i16>)>,
    pub(super) relations: Relations,
    pub(super) plannings: Plannings,
    /// Jobs without a run that have ended already, with this batch, and under which epoch.
    pub(super) ended: BTreeSet<(i64, i64)>,
    /// The limits of these.
    pub(super) freed: BTreeSet<String>,
    pub(super) calls: BTreeMap<Uuid, OpenCall>,
    pub(super) budgets: BTreeMap<Uuid, Budget>,
    pub(super) before: Before,
}

/// Locks and reads, and claims in between. The transaction is open.
pub(super) fn load(
    connection: &mut PgConnection,
    batch: &[Transition],
    now: DateTime<Utc>,
    claim: impl FnOnce(&mut PgConnection) -> Result<Vec<ClaimedJob>>,
) -> Result<(World, Vec<ClaimedJob>)> {
    let mut wanted = Wanted::of(batch);
    let keys = load_keys(connection, batch)?;
    let drafted_again = plans::projects_of_drafts(connection, &wanted.executing)?;
    drafted_again.into_iter().for_each(|project_id| wanted.draft_of(project_id));
    let plannings = plans::load(connection, &wanted)?;
    let runs = load_runs(connection, &wanted.runs)?;
    // Nothing is to be decided about these, so they are not locked first: the end itself is the fence. They come before jobs with
    // lower ids; who cancels several of both kinds at once may so meet this batch in a circle, which Postgres breaks.
    let (mut ended, mut freed) = (BTreeSet::new(), BTreeSet::new());
    for gone in ends::write(connection, &wanted.ends)? {
        ended.insert((gone.id, gone.epoch));
        freed.extend(gone.limit_key);
    }
    let mut jobs = load_jobs(connection, &wanted)?;
    let claimed = claim(connection)?;
    let mut task_ids = wanted.tasks.clone();
    task_ids.extend(wanted.runs_with_task.iter().filter_map(|id| runs.get(id)).map(|run| run.task_id));
    // Whatever else the batch says of them, it is said of jobs that are held now.
    jobs.extend(claimed.iter().map(|job| (job.id, Job::from(job))));
    let steps = load_steps(connection, &runs)?;
    // The first word about a step begins it, and perhaps its run and its task too.
    let first_words = wanted
        .reports
        .iter()
        .filter(|fence| steps.get(&(fence.run_id, fence.step)).is_some_and(|step| step.epoch != Some(fence.epoch)));
    let begun: Vec<Uuid> = first_words.map(|fence| fence.run_id).collect();
    task_ids.extend(begun.iter().filter_map(|id| runs.get(id)).map(|run| run.task_id));
    let of_charters = plannings.values().flat_map(|planning| planning.charter.tasks.values().copied());
    task_ids.extend(of_charters.clone());
    let mut linked: BTreeSet<Uuid> = wanted.tasks.iter().copied().chain(of_charters).collect();
    linked.extend(runs.values().filter(|run| run.linked && task_ids.contains(&run.task_id)).map(|run| run.task_id));
    let (linked, tasks) = load_linked(connection, &linked, task_ids)?;
    let completed = load_completed(connection, wanted.executing.iter().filter_map(|id| tasks.get(id)))?;
    let relations = Relations::read(connection, &linked)?;
    if !wanted.reserving.is_empty() {
        budgets::lock_shared(connection)?;
    }
    let mut settling = wanted.settling;
    settling.extend(wanted.runs_with_jobs.iter().copied());
    settling.extend(begun);
    let calls = ledger::load_calls(connection, &settling, &runs)?;
    let budgets_over = ledger::load_budgets(connection, &wanted.reserving, &runs, &calls, now)?;
    let mut project_ids = wanted.projects;
    project_ids.extend(linked.iter().filter_map(|id| tasks.get(id)).map(|task| task.project_id));
    let projects = load_projects(connection, &project_ids)?;
    let limits = load_names(connection, "SELECT key AS name FROM limits WHERE key = ANY($1)", wanted.limits)?;
    let queues = load_names(connection, "SELECT name FROM queues WHERE name = ANY($1)", wanted.queues)?;
    let task_to_go_on = |run_id| tasks.get(&runs.get(run_id)?.task_id);
    let of_next = wanted.runs_to_go_on.iter().filter_map(task_to_go_on).map(|task| task.queue.clone()).collect();
    let paused = "SELECT name FROM queues WHERE name = ANY($1) AND paused_at IS NOT NULL";
    let paused = load_names(connection, paused, of_next)?;
    let before = Before::of(&runs, &tasks);
    let world = World {
        now,
        keys,
        projects,
        limits,
        queues,
        paused,
        runs,
        steps,
        jobs,
        tasks,
        completed,
        relations,
        plannings,
        ended,
        freed,
        calls,
        budgets: budgets_over,
        before,
    };
    Ok((world, claimed))
}

impl From<&ClaimedJob> for Job {
    fn from(job: &ClaimedJob) -> Self {
        Job {
            id: job.id,
            run_id: job.run_id,
            step: job.step,
            running: true,
            epoch: job.epoch,
            attempt: job.attempt,
            max_attempts: job.max_attempts,
            rescues: job.rescues,
            claimed_at: None,
            run_at: None,
            worker: None,
        }
    }
}

/// The result that a key will stand for is made before: the ids are ours to choose.
fn load_keys(connection: &mut PgConnection, batch: &[Transition]) -> Result<HashMap<usize, Claimed>> {
    let keyed: Vec<_> = batch
        .iter()
        .enumerate()
        .filter_map(|(index, transition)| match transition {
            Transition::Submit(submission) => submission.key.as_ref().map(|key| (index, key)),
            Transition::Approve(approve) => approve.key.as_ref().map(|key| (index, key)),
            _ => None,
        })
        .collect();
    if keyed.is_empty() {
        return Ok(HashMap::new());
    }
    idempotency::claim(connection, &keyed)
}

fn load_runs(connection: &mut PgConnection, ids: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, Run>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Run> = sql_query(
        "SELECT id, task_id, project_id, status, stage, cancel_requested_at, last_seq, input_tokens, output_tokens, \
         cost_micros, open_calls, trace_id, linked, error, started_at, finished_at FROM runs WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(list(ids))
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|run| (run.id, run)).collect())
}

/// A run that has ended changes no more, so nothing is locked. One of another version of the workflow is no beginning to go on from.
fn load_completed<'a>(
    connection: &mut PgConnection,
    tasks: impl Iterator<Item = &'a Task>,
) -> Result<BTreeMap<Uuid, (Uuid, BTreeSet<i16>)>> {
    #[derive(QueryableByName)]
    struct Completed {
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
        #[diesel(sql_type = SmallInt)]
        seq: i16,
        /// Whether it took files that are not the project's any more.
        #[diesel(sql_type = Bool)]
        is_outdated: bool,
    }
    let mut completed = BTreeMap::new();
    for task in tasks {
        let (Some(run_id), Some(workflow)) = (task.latest_run_id, Workflow::for_task_type(&task.task_type)) else {
            continue;
        };
        if !workflow.resumes {
            continue;
        }
        let rows: Vec<Completed> = sql_query(
            "SELECT s.run_id, s.seq, s.seq = $3 AND s.output->>'commit' IS DISTINCT FROM main.head AS is_outdated \
             FROM steps s JOIN runs r ON r.id = s.run_id \
             LEFT JOIN workspace_branches main ON main.project_id = r.project_id AND main.name = 'main' \
             WHERE r.id = $1 AND r.status = 'failed' AND r.workflow_hash = $2 AND s.status = 'completed'",
        )
        .bind::<SqlUuid, _>(run_id)
        .bind::<Text, _>(workflow.hash())
        .bind::<SmallInt, _>(workflow.takes_files.unwrap_or(0))
        .load(connection)?;
        let end = rows.iter().filter(|row| row.is_outdated).map(|row| row.seq).min().unwrap_or(i16::MAX);
        for row in rows.iter().filter(|row| row.seq < end) {
            completed.entry(task.id).or_insert_with(|| (row.run_id, BTreeSet::new())).1.insert(row.seq);
        }
    }
    Ok(completed)
}

/// This lock is the fence: a claim or a rescue of one of these jobs waits until the batch has committed, and a batch that
/// comes after one of them reads the new epoch.
fn load_jobs(connection: &mut PgConnection, wanted: &Wanted) -> Result<BTreeMap<i64, Job>> {
    if wanted.jobs.is_empty() && wanted.runs_with_jobs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Job> = sql_query(
        "SELECT j.id, j.run_id, j.step, j.state = 'running' AS running, j.epoch, j.attempt, j.max_attempts, j.rescues, \
           j.deadline_at - j.timeout_ms * interval '1 millisecond' AS claimed_at, j.run_at, w.name AS worker \
         FROM jobs j LEFT JOIN workers w ON w.id = j.worker_id \
         WHERE j.id = ANY(ARRAY(SELECT unnest($1) UNION SELECT o.id FROM jobs o WHERE o.run_id = ANY($2))) \
         ORDER BY j.id FOR UPDATE OF j",
    )
    .bind::<Array<BigInt>, _>(list(&wanted.jobs))
    .bind::<Array<SqlUuid>, _>(list(&wanted.runs_with_jobs))
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|job| (job.id, job)).collect())
}

fn load_names(connection: &mut PgConnection, sql: &'static str, names: BTreeSet<String>) -> Result<BTreeSet<String>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
    }
    if names.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<Row> = sql_query(sql).bind::<Array<Text>, _>(list(&names)).prepared().load(connection)?;
    Ok(rows.into_iter().map(|row| row.name).collect())
}

fn load_steps(connection: &mut PgConnection, runs: &BTreeMap<Uuid, Run>) -> Result<BTreeMap<(Uuid, i16), Step>> {
    if runs.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Step> = sql_query(
        "SELECT run_id, seq, name, kind, status, needs, waits_for, waiting_on, waiting_since, waiting_until, waiting_reason, \
         attempt, max_attempts, timeout_ms, worker, epoch, output, error, started_at, heartbeat_at, finished_at \
         FROM steps WHERE run_id = ANY($1)",
    )
    .bind::<Array<SqlUuid>, _>(runs.keys().copied().collect::<Vec<_>>())
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|step| ((step.run_id, step.seq), step)).collect())
}

fn load_tasks(connection: &mut PgConnection, ids: &BTreeSet<Uuid>) -> Result<BTreeMap<Uuid, Task>> {
    if ids.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows: Vec<Task> = sql_query(
        "SELECT id, project_id, parent_task_id AS parent_id, linked, type AS task_type, payload, execution_type, \
         execution_status AS status, priority, retry_count, max_retries, \
         reopen_count, failure_reason, queue, limit_key, latest_run_id, started_at, completed_at \
         FROM tasks WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE",
    )
    .bind::<Array<SqlUuid>, _>(list(ids))
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|task| (task.id, task)).collect())
}

/// Locks and reads these tasks, and whatever hangs on the linked ones of them, whose ids come first in the answer.
///
/// An approval may hang a new task on one of them until the moment in which that one is locked. So what hangs on them is looked
/// up once more when they are, and what has come in between is locked too. Nothing comes after that: an approval locks every
/// task of the charter before it, and so each that it hangs something on. What is locked so late may have a lower id than what
/// was locked before; where that closes a circle, Postgres breaks it, and the batch is tried again.
fn load_linked(
    connection: &mut PgConnection,
    linked: &BTreeSet<Uuid>,
    mut ids: BTreeSet<Uuid>,
) -> Result<(BTreeSet<Uuid>, BTreeMap<Uuid, Task>)> {
    let mut found = relations::find(connection, linked)?;
    ids.extend(&found);
    let mut tasks = load_tasks(connection, &ids)?;
    // A task is linked from its first moment on, so others need no second look.
    if linked.iter().any(|id| tasks.get(id).is_some_and(|task| task.linked)) {
        let late: BTreeSet<Uuid> =
            relations::find(connection, linked)?.into_iter().filter(|id| !ids.contains(id)).collect();
        tasks.extend(load_tasks(connection, &late)?);
        found.extend(late);
    }
    Ok((found, tasks))
}

/// Those that are there. One that is deleted at the same moment either is seen as gone, or waits and then finds the new run to
/// cancel.
fn load_projects(connection: &mut PgConnection, ids: &BTreeSet<Uuid>) -> Result<BTreeSet<Uuid>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    projects::keep(connection, ids)?;
    let rows: Vec<Row> = sql_query("SELECT id FROM projects WHERE id = ANY($1) AND deleted_at IS NULL")
        .bind::<Array<SqlUuid>, _>(list(ids))
        .prepared()
        .load(connection)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

fn list<T: Clone>(set: &BTreeSet<T>) -> Vec<T> {
    set.iter().cloned().collect()
}
