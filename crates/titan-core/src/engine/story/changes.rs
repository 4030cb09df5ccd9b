//! What a story leaves to be written: new rows, and the names of rows that changed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::Value;
use uuid::Uuid;

use super::super::call::{CallOf, CallState};
use super::super::plans::{NewCharter, NewVersion};
use super::super::transition::{IdempotencyKey, Outcome, Started};
use crate::blobs::Blob;
use crate::budgets::Amounts;
use crate::memories::Remembered;
use crate::queue::NewJob;
use crate::state::{ExecutionType, Level};

/// Rows of `runs`, `steps` and `tasks` are written as they stand in the world at the end of the story; here are their ids.
#[derive(Default)]
pub(in crate::engine) struct Changes {
    pub(in crate::engine) new_tasks: Vec<NewTaskRow>,
    pub(in crate::engine) new_runs: Vec<NewRun>,
    pub(in crate::engine) new_steps: BTreeSet<(Uuid, i16)>,
    /// Runs of which the completed steps are those of another, newer one as well.
    pub(in crate::engine) kept_steps: Vec<(Uuid, Uuid)>,
    pub(in crate::engine) runs: BTreeSet<Uuid>,
    pub(in crate::engine) steps: BTreeSet<(Uuid, i16)>,
    pub(in crate::engine) tasks: BTreeSet<Uuid>,
    pub(in crate::engine) new_jobs: Vec<NewJobRow>,
    /// By job.
    pub(in crate::engine) ended_jobs: BTreeMap<i64, EndedJob>,
    pub(in crate::engine) rescheduled: BTreeMap<i64, Rescheduled>,
    pub(in crate::engine) events: Vec<EventRow>,
    pub(in crate::engine) messages: Vec<NewMessage>,
    pub(in crate::engine) outputs: Vec<NewOutput>,
    pub(in crate::engine) memories: Vec<NewMemory>,
    /// By call.
    pub(in crate::engine) calls: BTreeMap<Uuid, CallRow>,
    pub(in crate::engine) budgets: BTreeSet<Uuid>,
    pub(in crate::engine) new_needs: Vec<(Uuid, Uuid)>,
    pub(in crate::engine) dropped_needs: Vec<(Uuid, Uuid)>,
    pub(in crate::engine) new_plans: Vec<NewVersion>,
    pub(in crate::engine) new_charters: Vec<NewCharter>,
    /// Keys of submissions that were refused: they must stay free for a corrected one.
    pub(in crate::engine) dropped_keys: Vec<IdempotencyKey>,
}

pub(in crate::engine) struct NewTaskRow {
    pub(in crate::engine) id: Uuid,
    pub(in crate::engine) title: String,
    pub(in crate::engine) execution_type: ExecutionType,
    pub(in crate::engine) run_at: Option<DateTime<Utc>>,
}

pub(in crate::engine) struct NewRun {
    pub(in crate::engine) id: Uuid,
    pub(in crate::engine) workflow: &'static str,
    pub(in crate::engine) workflow_hash: String,
    pub(in crate::engine) retry_of: Option<Uuid>,
}

pub(in crate::engine) struct NewJobRow {
    pub(in crate::engine) job: NewJob,
    pub(in crate::engine) run: Option<(Uuid, i16)>,
    /// The place of the answer that waits for the job's id.
    pub(in crate::engine) answer: Option<usize>,
    /// Never to be claimed by anybody, since a worker goes on with it.
    pub(in crate::engine) kept: Option<Kept>,
}

pub(in crate::engine) struct Kept {
    pub(in crate::engine) worker_id: Uuid,
    pub(in crate::engine) context: Started,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::engine) enum JobOutcome {
    Completed,
    Failed,
    Canceled,
}

impl JobOutcome {
    /// What a job without a run ends as by this outcome, whatever is known of the job; none when it depends on the job.
    pub(in crate::engine) fn of(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Done(_) => Some(JobOutcome::Completed),
            Outcome::Cancel { .. } => Some(JobOutcome::Canceled),
            Outcome::Retry { .. } | Outcome::Snooze { .. } | Outcome::Wait { .. } | Outcome::Fail { .. } => None,
        }
    }

    pub(in crate::engine) fn as_str(self) -> &'static str {
        match self {
            JobOutcome::Completed => "completed",
            JobOutcome::Failed => "failed",
            JobOutcome::Canceled => "canceled",
        }
    }
}

pub(in crate::engine) struct EndedJob {
    pub(in crate::engine) outcome: JobOutcome,
    /// Why it failed for good; it then becomes a dead letter.
    pub(in crate::engine) error: Option<String>,
    pub(in crate::engine) task_id: Option<Uuid>,
}

impl EndedJob {
    pub(in crate::engine) fn new(outcome: JobOutcome) -> Self {
        EndedJob { outcome, error: None, task_id: None }
    }
}

/// A job that comes back later. A snoozed attempt does not count.
pub(in crate::engine) struct Rescheduled {
    pub(in crate::engine) delay_ms: i64,
    pub(in crate::engine) attempt: i16,
}

impl Rescheduled {
    pub(in crate::engine) fn after(wait: Duration, attempt: i16) -> Self {
        const LONGEST_MS: i64 = 30 * 86_400_000;
        Rescheduled { delay_ms: i64::try_from(wait.as_millis()).unwrap_or(i64::MAX).min(LONGEST_MS), attempt }
    }
}

pub(in crate::engine) struct EventRow {
    pub(in crate::engine) run_id: Uuid,
    pub(in crate::engine) seq: i64,
    pub(in crate::engine) project_id: Uuid,
    pub(in crate::engine) task_id: Uuid,
    pub(in crate::engine) step: Option<i16>,
    pub(in crate::engine) kind: &'static str,
    pub(in crate::engine) level: Option<Level>,
    pub(in crate::engine) message: Option<String>,
    pub(in crate::engine) data: Value,
}

pub(in crate::engine) struct NewMessage {
    pub(in crate::engine) id: Uuid,
    pub(in crate::engine) project_id: Uuid,
    pub(in crate::engine) task_id: Uuid,
    pub(in crate::engine) run_id: Uuid,
    pub(in crate::engine) role: &'static str,
    pub(in crate::engine) content: String,
}

pub(in crate::engine) struct NewOutput {
    pub(in crate::engine) id: Uuid,
    pub(in crate::engine) project_id: Uuid,
    pub(in crate::engine) task_id: Uuid,
    pub(in crate::engine) run_id: Uuid,
    pub(in crate::engine) name: String,
    pub(in crate::engine) kind: &'static str,
    pub(in crate::engine) media_type: String,
    pub(in crate::engine) content: Blob,
    pub(in crate::engine) preview: Option<String>,
}

pub(in crate::engine) struct NewMemory {
    pub(in crate::engine) id: Uuid,
    pub(in crate::engine) project_id: Uuid,
    pub(in crate::engine) task_id: Uuid,
    pub(in crate::engine) run_id: Uuid,
    pub(in crate::engine) remembered: Remembered,
}

/// A call as it is to stand.
pub(in crate::engine) struct CallRow {
    pub(in crate::engine) call: CallOf,
    /// Whether there is no row of it yet.
    pub(in crate::engine) is_new: bool,
    pub(in crate::engine) run_id: Uuid,
    pub(in crate::engine) step: i16,
    pub(in crate::engine) attempt: i32,
    pub(in crate::engine) project_id: Uuid,
    pub(in crate::engine) task_id: Uuid,
    pub(in crate::engine) state: CallState,
    pub(in crate::engine) error: Option<String>,
    pub(in crate::engine) input_tokens: i64,
    pub(in crate::engine) cached_tokens: i64,
    pub(in crate::engine) output_tokens: i64,
    pub(in crate::engine) estimated: bool,
    pub(in crate::engine) cost_micros: Option<i64>,
    pub(in crate::engine) finish_reason: Option<String>,
    pub(in crate::engine) first_token_ms: Option<i32>,
    pub(in crate::engine) duration_ms: Option<i32>,
    pub(in crate::engine) reserved: Amounts,
    pub(in crate::engine) budget_ids: Vec<Uuid>,
}
