//! An approval: a version of a plan becomes the charter, and its tasks are made. Those that need nothing and are done by
//! themselves begin.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use uuid::Uuid;

use super::super::load::Task;
use super::super::plans::NewCharter;
use super::super::transition::{Approve, Approved, NewTask};
use super::Story;
use super::changes::NewTaskRow;
use crate::idempotency::Claimed;
use crate::plans::{Graph, PlanContent, PlanState, PlannedTask, groups_first};
use crate::queue::{DEFAULT_QUEUE, Hint};
use crate::state::{ExecutionStatus, ExecutionType};
use crate::workflow::GROUP;
use crate::{Error, Result, ids, tasks};

impl Story {
    pub(super) fn approve(&mut self, index: usize, approve: &Approve) -> Result<Approved> {
        let id = match self.world.keys.get(&index) {
            None => None,
            Some(Claimed::First { id }) => Some(*id),
            Some(Claimed::Replay { .. }) => return Ok(Approved { replayed: true }),
            Some(Claimed::Reused) => return Err(Error::KeyReused),
        };
        self.make_charter(approve).inspect_err(|_| self.free_key(id, approve.key.as_ref()))
    }

    fn make_charter(&mut self, approve: &Approve) -> Result<Approved> {
        let Approve { project_id, version, .. } = *approve;
        if !self.world.projects.contains(&project_id) {
            return Err(Error::NotFound("project", project_id));
        }
        let planning = self.world.plannings.entry(project_id).or_default();
        let newest = planning.newest;
        let plan = planning.versions.get_mut(&version).ok_or(Error::NoPlan { asked: version, newest })?;
        match plan.state {
            PlanState::Draft => plan.state = PlanState::Approved,
            PlanState::Approved => return Ok(Approved { replayed: true }),
            PlanState::Refused => {
                return Err(Error::Conflict(format!("version {version} of the plan was refused; approve another one")));
            }
        }
        let (plan_id, content) = (plan.id, plan.content.clone());
        let number = planning.charter.number + 1;
        let before = std::mem::take(&mut planning.charter.tasks);
        let items = self.make_tasks(project_id, &content, &before);
        if let Some(planning) = self.world.plannings.get_mut(&project_id) {
            planning.charter.number = number;
            planning.charter.tasks.clone_from(&items);
        }
        let template = content.template.map(|template| (template.reference, template.inputs));
        if let Some(pipeline) = &approve.pipeline {
            self.make_pipeline(pipeline);
        }
        self.changes.new_charters.push(NewCharter { id: ids::new(), project_id, number, plan_id, items, template });
        self.hints.extend(["plan", "project"].map(|kind| Hint::change(kind, project_id, project_id)));
        // Of many tasks at once.
        self.hints.push(Hint::change("task", Uuid::nil(), project_id));
        Ok(Approved { replayed: false })
    }

    /// What an earlier charter has made is kept, in the group that it was made in. Only what a kept task waits for is what the
    /// new plan says, as long as nobody has begun with it.
    fn make_tasks(
        &mut self,
        project_id: Uuid,
        content: &PlanContent,
        before: &BTreeMap<String, Uuid>,
    ) -> BTreeMap<String, Uuid> {
        let graph = Graph::of(content);
        let mut items = self.kept(content, before);
        let new = new_in(content, &items);
        items.extend(new.iter().map(|planned| (planned.key.clone(), ids::new())));
        let of_keys = |key: &str| items.get(key).copied();
        let needs_of = |key: &str| -> BTreeSet<Uuid> { graph.needs(key).filter_map(of_keys).collect() };
        for planned in &content.tasks {
            if let Some(id) = of_keys(&planned.key) {
                self.renew_needs(id, needs_of(&planned.key));
            }
        }
        for planned in &new {
            if let Some(id) = of_keys(&planned.key) {
                let group = planned.parent.as_deref().and_then(of_keys);
                let needs = needs_of(&planned.key);
                self.add_planned(id, project_id, planned, content.is_group(&planned.key), needs, group);
            }
        }
        for planned in groups_first(content) {
            of_keys(&planned.key).into_iter().for_each(|id| self.begin_if_free(id));
        }
        // A group that was done is not any more when there is something new in it.
        items.values().for_each(|id| self.roll_up(*id));
        items
    }

    /// The tasks of the charter before that are the same in this plan, by key.
    fn kept(&self, content: &PlanContent, before: &BTreeMap<String, Uuid>) -> BTreeMap<String, Uuid> {
        let kept = |planned: &PlannedTask| {
            let id = before.get(&planned.key)?;
            let task = self.world.tasks.get(id).filter(|task| task.status != ExecutionStatus::Canceled)?;
            let same = (task.task_type == GROUP) == content.is_group(&planned.key);
            same.then(|| (planned.key.clone(), *id))
        };
        content.tasks.iter().filter_map(kept).collect()
    }

    /// What a kept task that nobody has begun with waits for. One that was begun with has what it needed.
    fn renew_needs(&mut self, id: Uuid, needs: BTreeSet<Uuid>) {
        let waits = |task: &&Task| task.status == ExecutionStatus::Pending && task.task_type != GROUP;
        let Some(project_id) = self.world.tasks.get(&id).filter(waits).map(|task| task.project_id) else { return };
        let before: BTreeSet<Uuid> = self.world.relations.needs(id).into_iter().collect();
        if before == needs {
            return;
        }
        self.changes.dropped_needs.extend(before.difference(&needs).map(|need| (id, *need)));
        self.changes.new_needs.extend(needs.difference(&before).map(|need| (id, *need)));
        self.world.relations.set_needs(id, needs);
        self.hints.push(Hint::change("task", id, project_id));
    }

    fn add_planned(
        &mut self,
        id: Uuid,
        project_id: Uuid,
        planned: &PlannedTask,
        is_group: bool,
        needs: BTreeSet<Uuid>,
        group: Option<Uuid>,
    ) {
        self.changes.new_needs.extend(needs.iter().map(|need| (id, *need)));
        self.world.relations.add(id, needs, group);
        let task_type = if is_group { GROUP } else { planned.task_type.as_str() };
        let execution_type = if is_group { ExecutionType::Manual } else { planned.execution_type };
        let mut task = pending(id, project_id, task_type, execution_type, json!({"content": planned.content}));
        task.parent_id = group;
        self.add_task(task, planned.title.clone());
    }

    fn make_pipeline(&mut self, new: &NewTask) {
        let (id, payload) = (ids::new(), new.payload.clone());
        let task = pending(id, new.project_id, &new.task_type, ExecutionType::FullyAutomated, payload);
        self.add_task(task, new.title.clone().unwrap_or_else(|| new.task_type.clone()));
        self.begin_if_free(id);
    }

    fn add_task(&mut self, task: Task, title: String) {
        let (id, execution_type) = (task.id, task.execution_type);
        self.changes.new_tasks.push(NewTaskRow { id, title, run_at: None, execution_type });
        self.world.tasks.insert(id, task);
    }
}

/// What is to be made, groups before what is in them. A group is made for what is new in it: one that kept tasks alone belong
/// to would stay without a task, since each of these stays in the group that it was made in.
fn new_in<'p>(content: &'p PlanContent, kept: &BTreeMap<String, Uuid>) -> Vec<&'p PlannedTask> {
    let mut parents: BTreeSet<&str> = BTreeSet::new();
    let mut new = Vec::new();
    for planned in groups_first(content).into_iter().rev() {
        let empty = content.is_group(&planned.key) && !parents.contains(planned.key.as_str());
        if !kept.contains_key(&planned.key) && !empty {
            parents.extend(planned.parent.as_deref());
            new.push(planned);
        }
    }
    new.reverse();
    new
}

/// A task that nobody has begun with.
fn pending(id: Uuid, project_id: Uuid, task_type: &str, execution_type: ExecutionType, payload: Value) -> Task {
    Task {
        id,
        project_id,
        parent_id: None,
        linked: true,
        task_type: task_type.to_owned(),
        payload,
        execution_type,
        status: ExecutionStatus::Pending,
        priority: 0,
        retry_count: 0,
        max_retries: tasks::DEFAULT_MAX_RETRIES,
        reopen_count: 0,
        failure_reason: None,
        queue: DEFAULT_QUEUE.to_owned(),
        limit_key: None,
        latest_run_id: None,
        started_at: None,
        completed_at: None,
    }
}
