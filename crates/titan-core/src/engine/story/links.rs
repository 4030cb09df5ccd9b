//! What hangs on a task: those that wait for it begin when it is done, and the group that it belongs to stands as its tasks do.

use uuid::Uuid;

use super::Story;
use crate::queue::Hint;
use crate::state::{ExecutionStatus, ExecutionType, rolled_up};
use crate::workflow::{GROUP, Workflow};
use crate::{Error, Result};

impl Story {
    /// A task stands otherwise than before: whatever hangs on it follows.
    pub(super) fn moved(&mut self, task_id: Uuid) {
        let Some(task) = self.world.tasks.get(&task_id).filter(|task| task.linked) else { return };
        let (completed, group) = (task.status == ExecutionStatus::Completed, task.parent_id);
        if completed {
            for waiting in self.world.relations.waiting_for(task_id) {
                self.begin_if_free(waiting);
            }
        }
        if let Some(group) = group {
            self.roll_up(group);
        }
    }

    /// Begins with a task that is done by itself, when nothing that it needs is left to do.
    pub(super) fn begin_if_free(&mut self, task_id: Uuid) {
        let Some(task) = self.world.tasks.get(&task_id) else { return };
        let by_itself = task.execution_type == ExecutionType::FullyAutomated && task.latest_run_id.is_none();
        let able = Workflow::for_task_type(&task.task_type).is_some() && self.world.projects.contains(&task.project_id);
        let free =
            self.world.relations.needs(task_id).into_iter().all(|need| self.stands(need, ExecutionStatus::Completed));
        if task.status != ExecutionStatus::Pending || !by_itself || !able || !free {
            return;
        }
        let project_id = task.project_id;
        if self.begin_run(task_id, None, None, None).is_err() {
            return;
        }
        self.set_status(task_id, ExecutionStatus::Queued);
        self.hints.push(Hint::change("task", task_id, project_id));
        self.moved(task_id);
    }

    pub(super) fn roll_up(&mut self, group: Uuid) {
        let Some(task) = self.world.tasks.get(&group).filter(|task| task.task_type == GROUP) else { return };
        let (now, project_id) = (task.status, task.project_id);
        let parts = self.world.relations.parts(group);
        let parts: Vec<ExecutionStatus> = parts.into_iter().filter_map(|part| self.status_of(part)).collect();
        let Some(next) = rolled_up(now, &parts) else { return };
        // A row is written once a batch, and a group that was done is opened again by one move: its next task moves it on.
        let was_done = self.world.before.task(group) == Some(ExecutionStatus::Completed);
        if was_done && next == ExecutionStatus::InProgress {
            return;
        }
        self.set_status(group, next);
        self.hints.push(Hint::change("task", group, project_id));
        self.moved(group);
    }

    fn set_status(&mut self, task_id: Uuid, status: ExecutionStatus) {
        let now = self.world.now;
        let Some(task) = self.world.tasks.get_mut(&task_id) else { return };
        if task.status.may_reopen() && status == ExecutionStatus::Queued {
            task.reopen_count += 1;
        }
        task.status = status;
        task.completed_at = status.is_terminal().then_some(now);
        if task.task_type == GROUP && status != ExecutionStatus::Pending {
            task.started_at = task.started_at.or(Some(now));
        }
        self.changes.tasks.insert(task_id);
    }

    /// As far as this batch has come.
    fn status_of(&self, task_id: Uuid) -> Option<ExecutionStatus> {
        let here = self.world.tasks.get(&task_id).map(|task| task.status);
        here.or_else(|| self.world.relations.status(task_id))
    }

    fn stands(&self, task_id: Uuid, status: ExecutionStatus) -> bool {
        self.status_of(task_id) == Some(status)
    }

    /// Refuses to begin with a task before those that it needs. One that was canceled is not waited for: somebody has
    /// decided that it is not to be done, and by asking for this one that it can do without.
    pub(super) fn refuse_before_its_needs(&self, task_id: Uuid) -> Result<()> {
        let done = |need: &Uuid| {
            [ExecutionStatus::Completed, ExecutionStatus::Canceled].iter().any(|status| self.stands(*need, *status))
        };
        let left: Vec<Uuid> = self.world.relations.needs(task_id).into_iter().filter(|need| !done(need)).collect();
        let Some(first) = left.first() else { return Ok(()) };
        Err(Error::Conflict(format!(
            "the task needs {} others that are not done, the first of them {first}; do these first, or cancel what is not to be done",
            left.len()
        )))
    }

    /// A person says that a task is done.
    pub(super) fn complete_task(&mut self, task_id: Uuid) -> Result<()> {
        let projects = &self.world.projects;
        let task = self.world.tasks.get(&task_id).filter(|task| projects.contains(&task.project_id));
        let task = task.ok_or(Error::NotFound("task", task_id))?;
        refuse_group(&task.task_type)?;
        match task.status {
            ExecutionStatus::Completed => return Ok(()),
            ExecutionStatus::Pending => {}
            ExecutionStatus::Canceled | ExecutionStatus::Failed => {
                let message = format!("the task is {}; execute it again, or make another one", task.status);
                return Err(Error::Conflict(message));
            }
            _ => return Err(Error::Conflict("Titan is at it; cancel the task to do it yourself".to_owned())),
        }
        let project_id = task.project_id;
        self.refuse_before_its_needs(task_id)?;
        self.set_status(task_id, ExecutionStatus::Completed);
        self.hints.push(Hint::change("task", task_id, project_id));
        self.moved(task_id);
        Ok(())
    }
}

/// Nobody does anything about a group but to do what is in it.
pub(super) fn refuse_group(task_type: &str) -> Result<()> {
    if task_type == GROUP {
        let message = "the task is a group and stands as the tasks in it do; decide about these";
        return Err(Error::Conflict(message.to_owned()));
    }
    Ok(())
}
