//! How a run ends: completed, failed or canceled, with everything that hangs on it.

use serde_json::json;
use uuid::Uuid;

use super::super::transition::NewEvent;
use super::changes::{EndedJob, JobOutcome};
use super::work::stop_waiting;
use super::{Story, short};
use crate::queue::Hint;
use crate::state::{ExecutionStatus, Level, RunStage, RunStatus, StepStatus};

impl Story {
    /// A step failed for good, and its run with it.
    pub(super) fn fail_step(&mut self, run_id: Uuid, seq: i16, job_id: i64, error: &str) {
        let error = short(error);
        if let Some(step) = self.world.steps.get_mut(&(run_id, seq)) {
            step.status = StepStatus::Failed;
            step.error = Some(error.clone());
            step.finished_at = Some(self.world.now);
            stop_waiting(step);
            let line = format!("Step {} failed: {error}", step.name);
            let data = json!({"attempt": step.attempt, "error": error});
            self.changes.steps.insert((run_id, seq));
            self.append(run_id, Some(seq), NewEvent::told("step.failed", Level::Error, line, data));
        }
        let task_id = self.world.runs.get(&run_id).map(|run| run.task_id);
        let ended = EndedJob { outcome: JobOutcome::Failed, error: Some(error.clone()), task_id };
        self.changes.ended_jobs.insert(job_id, ended);
        self.end_run(run_id, RunStatus::Failed, Some(error));
    }

    /// Ends a run: the steps that are left, their jobs, the run, its task, and the event that says so.
    pub(super) fn end_run(&mut self, run_id: Uuid, status: RunStatus, error: Option<String>) {
        let now = self.world.now;
        self.end_steps(run_id, status);
        self.end_jobs(run_id);
        let open = self.open_calls(run_id, None);
        self.lose_all(&open);
        let Some(run) = self.world.runs.get_mut(&run_id) else { return };
        run.status = status;
        run.stage = RunStage::Done;
        run.error.clone_from(&error);
        run.finished_at = Some(now);
        let (task_id, project_id) = (run.task_id, run.project_id);
        self.changes.runs.insert(run_id);
        let (task_status, event) = match status {
            RunStatus::Failed => {
                let line = format!("Failed: {}", error.as_deref().unwrap_or("no reason was given"));
                let event = NewEvent::told("run.failed", Level::Error, line, json!({"error": error}));
                (ExecutionStatus::Failed, event)
            }
            RunStatus::Canceled => {
                (ExecutionStatus::Canceled, NewEvent::told("run.canceled", Level::Warn, "Canceled", json!({})))
            }
            _ => (ExecutionStatus::Completed, NewEvent::told("run.completed", Level::Info, "Completed", json!({}))),
        };
        if let Some(task) = self.world.tasks.get_mut(&task_id)
            && task.latest_run_id == Some(run_id)
            && !task.status.is_terminal()
        {
            task.status = task_status;
            task.completed_at = Some(now);
            task.failure_reason = error;
            self.changes.tasks.insert(task_id);
            self.hints.push(Hint::change("task", task_id, project_id));
            self.moved(task_id);
        }
        self.append(run_id, None, event);
    }

    fn end_steps(&mut self, run_id: Uuid, status: RunStatus) {
        let mut canceled = Vec::new();
        for (key, step) in self.world.steps.range_mut((run_id, i16::MIN)..=(run_id, i16::MAX)) {
            let ends_as = match step.status {
                StepStatus::Running => StepStatus::Canceled,
                StepStatus::Pending | StepStatus::Ready if status == RunStatus::Canceled => StepStatus::Canceled,
                StepStatus::Pending | StepStatus::Ready => StepStatus::Skipped,
                _ => continue,
            };
            if step.status == StepStatus::Running {
                canceled.push((step.seq, step.name.clone(), step.attempt));
            }
            step.status = ends_as;
            step.finished_at = Some(self.world.now);
            stop_waiting(step);
            self.changes.steps.insert(*key);
        }
        for (seq, name, attempt) in canceled {
            let line = format!("Step {name} canceled");
            let event = NewEvent::told("step.canceled", Level::Warn, line, json!({"attempt": attempt}));
            self.append(run_id, Some(seq), event);
        }
    }

    fn end_jobs(&mut self, run_id: Uuid) {
        // Only batches that end runs ask, and few jobs of a run are there at once.
        let of_run = self.world.jobs.values().filter(|job| job.run_id == Some(run_id)).map(|job| job.id);
        let left: Vec<i64> = of_run.filter(|id| !self.changes.ended_jobs.contains_key(id)).collect();
        for id in left {
            self.changes.rescheduled.remove(&id);
            self.changes.ended_jobs.insert(id, EndedJob::new(JobOutcome::Canceled));
        }
        // Within one batch a step may have been made ready and its run canceled: that job is never written.
        self.changes.new_jobs.retain(|row| row.run.is_none_or(|(id, _)| id != run_id));
    }
}
