//! Commands that stop work: a person's cancel, the forced one after it, and the quarantine of a job that kills workers.

use serde_json::json;
use uuid::Uuid;

use super::super::transition::{CancelRun, Canceled, Finished, ForceCancel, NewEvent, Quarantine};
use super::links::refuse_group;
use super::{Story, short};
use crate::queue::Hint;
use crate::state::{ExecutionStatus, Level, RunStatus};
use crate::{Error, Result};

impl Story {
    /// A run that a worker is busy with is asked to stop; any other ends at once.
    pub(super) fn cancel_run(&mut self, cancel: &CancelRun) -> Result<Canceled> {
        let run_id = cancel.run_id;
        let run = self.world.runs.get(&run_id).ok_or(Error::NotFound("run", run_id))?;
        if run.status.is_terminal() {
            return Ok(Canceled::HadEnded);
        }
        if !self.busy(run_id) {
            self.end_run(run_id, RunStatus::Canceled, None);
            return Ok(Canceled::Now);
        }
        if run.cancel_requested_at.is_none() {
            let now = self.world.now;
            if let Some(run) = self.world.runs.get_mut(&run_id) {
                run.cancel_requested_at = Some(now);
            }
            let line = format!("Asked to stop: {}", short(&cancel.reason));
            let data = json!({"reason": short(&cancel.reason)});
            self.append(run_id, None, NewEvent::told("run.cancel_requested", Level::Warn, line, data));
        }
        self.hints.push(Hint::Cancel { run_id });
        Ok(Canceled::Requested)
    }

    /// Whether a worker holds a step of the run.
    fn busy(&self, run_id: Uuid) -> bool {
        self.world.jobs.values().any(|job| job.run_id == Some(run_id) && self.holds(job, job.epoch))
    }

    pub(super) fn cancel_task(&mut self, task_id: Uuid) -> Result<Canceled> {
        let task = self.world.tasks.get_mut(&task_id).ok_or(Error::NotFound("task", task_id))?;
        // Its run has ended already; to cancel it is to say that it is not to be tried again.
        let failed = task.status == ExecutionStatus::Failed;
        if task.status.is_terminal() && !failed {
            return Ok(Canceled::HadEnded);
        }
        refuse_group(&task.task_type)?;
        if task.latest_run_id.is_some() && !failed {
            return Err(Error::Conflict("the task has just begun; cancel it again".to_owned()));
        }
        task.status = ExecutionStatus::Canceled;
        task.completed_at = Some(self.world.now);
        let project_id = task.project_id;
        self.changes.tasks.insert(task_id);
        self.hints.push(Hint::change("task", task_id, project_id));
        self.moved(task_id);
        Ok(Canceled::Now)
    }

    pub(super) fn force_cancel(&mut self, force: &ForceCancel) -> Result<Canceled> {
        let run = self.world.runs.get(&force.run_id).ok_or(Error::NotFound("run", force.run_id))?;
        if run.status.is_terminal() {
            return Ok(Canceled::HadEnded);
        }
        let line = "The worker did not stop in time; its claim is withdrawn";
        self.append(force.run_id, None, NewEvent::log(Level::Warn, line));
        self.end_run(force.run_id, RunStatus::Canceled, None);
        Ok(Canceled::Now)
    }

    pub(super) fn quarantine(&mut self, quarantine: &Quarantine) -> Result<Finished> {
        let Quarantine { run_id, job_id, rescues } = *quarantine;
        let lost = Error::Fenced { job_id, epoch: 0 };
        let job = self.world.jobs.get(&job_id).ok_or_else(|| lost.clone())?;
        let run = self.world.runs.get(&run_id).ok_or(lost)?;
        if job.running || run.status.is_terminal() {
            return Err(Error::Conflict("the job is held by a worker or its run has ended".to_owned()));
        }
        let error = format!("quarantined: {rescues} workers were lost while they ran this step");
        let step = job.step.unwrap_or_default();
        self.fail_step(run_id, step, job_id, &error);
        Ok(Finished { readied: 0, run_status: RunStatus::Failed, next: None })
    }
}
