//! The transitions and their answers, as plain values.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::call::{EndedCall, Reserve, Reserved, Wake};
use crate::blobs::Blob;
use crate::memories::Remembered;
use crate::plans::NewPlan;
use crate::queue::{ClaimedJob, NewJob};
use crate::state::{ExecutionType, Level, RunStatus, WaitingOn};
use crate::tasks::Task;

/// One change, waiting to be applied.
#[derive(Debug, Clone)]
pub enum Transition {
    Submit(Submission),
    /// Makes a version of a plan the charter.
    Approve(Approve),
    /// A person has done what nobody else was to do.
    CompleteTask {
        task_id: Uuid,
    },
    Execute(Execute),
    Start(Start),
    Report(Report),
    Reserve(Box<Reserve>),
    Finish(Finish),
    Wake(Wake),
    CancelRun(CancelRun),
    /// Cancels a task that never had a run, or that failed.
    CancelTask {
        task_id: Uuid,
    },
    ForceCancel(ForceCancel),
    Quarantine(Quarantine),
    /// Jobs without a run.
    Enqueue(Vec<NewJob>),
    FinishJob(FinishJob),
    CancelJob(CancelJob),
}

/// What became of a transition, in the same words.
#[derive(Debug, Clone)]
pub enum Applied {
    Submitted(Submitted),
    Approved(Approved),
    Completed,
    Executed(Executed),
    Started(Box<Started>),
    Reported(Reported),
    Reserved(Reserved),
    /// How many steps are to look again.
    Woken(usize),
    Finished(Finished),
    Canceled(Canceled),
    /// One id per job; `None` where one with the same kind and key is active.
    Enqueued(Vec<Option<i64>>),
    JobFinished,
}

/// A worker's claim on a job. Every write of a handler carries it, and is refused once the claim is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fence {
    pub job_id: i64,
    pub epoch: i64,
    pub run_id: Uuid,
    pub step: i16,
}

/// A new task and, when Titan does it by itself, its first run.
#[derive(Debug, Clone)]
pub struct Submission {
    pub task: NewTask,
    pub key: Option<IdempotencyKey>,
    pub trace_id: Option<String>,
}

#[derive(Debug, Clone)]
pub struct NewTask {
    pub project_id: Uuid,
    pub task_type: String,
    /// Made from the content when it is not given.
    pub title: Option<String>,
    pub payload: Value,
    pub execution_type: Option<ExecutionType>,
    pub priority: i16,
    pub max_retries: Option<i32>,
    /// The queue of its jobs; the default one when none is named.
    pub queue: Option<String>,
    /// The limit that its jobs are subject to.
    pub limit_key: Option<String>,
    /// Its first run does not begin before this.
    pub run_at: Option<DateTime<Utc>>,
}

/// The client's word for "this is the same request", together with what it was about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey {
    /// What the key belongs to, such as `POST /api/projects/{id}/tasks`.
    pub scope: String,
    pub key_hash: Vec<u8>,
    pub body_fingerprint: Vec<u8>,
}

#[derive(Debug, Clone)]
pub struct Submitted {
    pub task_id: Uuid,
    pub run_id: Option<Uuid>,
    /// The same request came before; nothing was made now.
    pub replayed: bool,
    /// The task as it was made, so that nobody has to read it; none for a replay.
    pub task: Option<Box<Task>>,
}

/// A person approves a version of a project's plan: it becomes the charter, and its tasks are made.
#[derive(Debug, Clone)]
pub struct Approve {
    pub project_id: Uuid,
    pub version: i32,
    /// The task that makes the project of the template which the version names.
    pub pipeline: Option<Box<NewTask>>,
    pub key: Option<IdempotencyKey>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approved {
    /// It had been approved before; nothing was made now.
    pub replayed: bool,
}

/// A run for a task that exists: its first, or another one after it ended.
#[derive(Debug, Clone)]
pub struct Execute {
    pub task_id: Uuid,
    pub trace_id: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Executed {
    pub task_id: Uuid,
    pub run_id: Uuid,
    /// False when a run was under way already, which is then the one named.
    pub created: bool,
}

/// A worker has begun with a job that it claimed. The first report and the outcome say so too, so it is only told of work that
/// says nothing for a while. To say it again changes nothing.
#[derive(Debug, Clone, Copy)]
pub struct Start {
    pub fence: Fence,
}

/// Everything a handler needs to know about the work it begins.
#[derive(Debug, Clone)]
pub struct Started {
    pub task_id: Uuid,
    pub project_id: Uuid,
    pub trace_id: String,
    pub task_type: String,
    pub payload: Value,
    pub step_name: String,
    /// Counts every beginning, rescues included.
    pub attempt: i32,
    /// The outputs of the steps that this one needs, by their names.
    pub inputs: serde_json::Map<String, Value>,
    /// Whether another step of the run needs this one.
    pub leads_on: bool,
}

/// What a handler says while it works. Also counts as a sign of life of the step.
#[derive(Debug, Clone)]
pub struct Report {
    pub fence: Fence,
    pub events: Vec<NewEvent>,
    /// Calls of models that have ended.
    pub calls: Vec<EndedCall>,
}

#[derive(Debug, Clone, Copy)]
pub struct Reported {
    pub cancel_requested: bool,
}

#[derive(Debug, Clone)]
pub struct Finish {
    pub fence: Fence,
    /// What was still to be said, before the outcome.
    pub events: Vec<NewEvent>,
    /// Calls of models that have ended, whatever came of the step.
    pub calls: Vec<EndedCall>,
    pub outcome: Outcome,
    /// Who would go on with the next step at once, in the same slot.
    pub go_on: Option<GoOn>,
}

/// A worker that would take the job of the next step as soon as there is one, without a claim.
#[derive(Debug, Clone)]
pub struct GoOn {
    pub worker_id: Uuid,
    /// The kinds that it has handlers for.
    pub kinds: Arc<[String]>,
}

/// What a handler may return.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The step is done; the steps that needed it may begin.
    Done(Done),
    /// It failed in a way that may pass. Tried again later unless the attempts are used up; then it fails.
    Retry { error: String, after: Option<Duration> },
    /// Not now, but no failure either: come back after this time. The attempt does not count.
    Snooze { after: Duration, reason: String },
    /// Not before somebody does something about it, and no failure: the job sleeps until it is woken.
    Wait {
        on: WaitingOn,
        reason: String,
        /// When it was found that it has to; what has changed since then wakes it.
        since: DateTime<Utc>,
        /// It looks by itself after so long, in case something has changed that wakes nobody; after a month when nothing is said.
        look_again: Option<Duration>,
    },
    /// It failed for good.
    Fail { error: String },
    /// It stopped because it was told to.
    Cancel { reason: String },
}

#[derive(Debug, Clone, Default)]
pub struct Done {
    /// Given to the steps that need this one. Small: large things are written as outputs.
    pub output: Value,
    pub writes: Vec<Write>,
}

/// What a finished step leaves behind, in the same transaction.
#[derive(Debug, Clone)]
pub enum Write {
    /// The answer in the project's conversation.
    Answer {
        content: String,
    },
    Output {
        name: String,
        kind: &'static str,
        media_type: String,
        content: Blob,
    },
    Memory(Remembered),
    /// A version of the plan of the run's project.
    Plan(Box<NewPlan>),
}

#[derive(Debug, Clone)]
pub struct Finished {
    /// How many steps became ready by it.
    pub readied: usize,
    pub run_status: RunStatus,
    /// The job of the next step, when the worker may go on with it.
    pub next: Option<Box<Taken>>,
}

/// A job that was claimed, with all that its handler needs to know.
#[derive(Debug, Clone)]
pub struct Taken {
    pub job: ClaimedJob,
    /// None for a job without a run, and when it was not read or the step is perhaps not to begin any more: the answer to its
    /// [`Start`] says.
    pub context: Option<Started>,
}

/// A person wants a run to stop.
#[derive(Debug, Clone)]
pub struct CancelRun {
    pub run_id: Uuid,
    pub reason: String,
}

/// A run was asked to stop, and nobody did it in time.
#[derive(Debug, Clone)]
pub struct ForceCancel {
    pub run_id: Uuid,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Canceled {
    /// It is canceled now.
    Now,
    /// A worker is at it and was asked to stop.
    Requested,
    /// It had ended before.
    HadEnded,
}

/// A job that was rescued too often: it is failed without another try.
#[derive(Debug, Clone)]
pub struct Quarantine {
    pub run_id: Uuid,
    pub job_id: i64,
    pub rescues: i16,
}

/// The outcome of a job without a run. What it wrote besides is its handler's own affair.
#[derive(Debug, Clone)]
pub struct FinishJob {
    pub job_id: i64,
    pub epoch: i64,
    pub outcome: Outcome,
}

/// A job without a run is not to be done any more. One that a worker holds is taken from it.
#[derive(Debug, Clone, Copy)]
pub struct CancelJob {
    pub job_id: i64,
}

/// An event to append to a run.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEvent {
    pub kind: &'static str,
    pub line: Option<(Level, String)>,
    pub data: Value,
}

impl NewEvent {
    /// A line of the log.
    #[must_use]
    pub fn log(level: Level, message: impl Into<String>) -> Self {
        NewEvent { kind: "log", line: Some((level, message.into())), data: json!({}) }
    }

    /// A lifecycle event that is a log line too.
    #[must_use]
    pub fn told(kind: &'static str, level: Level, message: impl Into<String>, data: Value) -> Self {
        NewEvent { kind, line: Some((level, message.into())), data }
    }

    /// A piece of a streamed answer. Readers drop the pieces of an attempt that is not the step's last.
    #[must_use]
    pub fn delta(step: i16, attempt: i32, offset: usize, text: &str) -> Self {
        NewEvent {
            kind: "delta",
            line: None,
            data: json!({"step": step, "attempt": attempt, "offset": offset, "text": text}),
        }
    }
}

macro_rules! into_transition {
    ($($name:ident),+) => { $(
        impl From<$name> for Transition {
            fn from(value: $name) -> Self { Transition::$name(value) }
        }
    )+ };
}
into_transition!(
    Approve,
    Execute,
    Start,
    Report,
    Finish,
    Wake,
    CancelRun,
    ForceCancel,
    Quarantine,
    FinishJob,
    CancelJob
);

impl From<Reserve> for Transition {
    fn from(value: Reserve) -> Self {
        Transition::Reserve(Box::new(value))
    }
}

impl From<Submission> for Transition {
    fn from(value: Submission) -> Self {
        Transition::Submit(value)
    }
}
