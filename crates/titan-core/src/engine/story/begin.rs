//! How work begins: a submitted task, and a run for a task that exists.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use uuid::Uuid;

use super::super::load::{Run, Step, Task};
use super::super::transition::{Execute, Executed, IdempotencyKey, NewEvent, NewTask, Submission, Submitted};
use super::Story;
use super::changes::{NewJobRow, NewMessage, NewRun, NewTaskRow};
use super::links::refuse_group;
use crate::commands::Command;
use crate::idempotency::Claimed;
use crate::plans::{PLAN, second};
use crate::queue::{DEFAULT_QUEUE, Hint, NewJob};
use crate::state::{ExecutionStatus, ExecutionType, Level, RunStage, RunStatus, StepStatus};
use crate::title::title_of;
use crate::workflow::Workflow;
use crate::{Error, Result, ids, tasks};

impl Story {
    pub(super) fn submit(&mut self, index: usize, submission: &Submission) -> Result<Submitted> {
        let id = match self.world.keys.get(&index) {
            None => ids::new(),
            Some(Claimed::First { id }) => *id,
            Some(Claimed::Replay { id }) => {
                return Ok(Submitted { task_id: *id, run_id: None, replayed: true, task: None });
            }
            Some(Claimed::Reused) => return Err(Error::KeyReused),
        };
        match self.make_task(id, submission) {
            Ok((run_id, task)) => Ok(Submitted { task_id: id, run_id, replayed: false, task: Some(Box::new(task)) }),
            Err(error) => {
                self.free_key(Some(id), submission.key.as_ref());
                Err(error)
            }
        }
    }

    /// What was refused did not use its key, and a request that carried the same one in this batch must hear the same.
    pub(super) fn free_key(&mut self, id: Option<Uuid>, key: Option<&IdempotencyKey>) {
        self.world.keys.retain(|_, claimed| !matches!(claimed, Claimed::Replay { id: other } if Some(*other) == id));
        self.changes.dropped_keys.extend(key.cloned());
    }

    fn make_task(&mut self, id: Uuid, submission: &Submission) -> Result<(Option<Uuid>, tasks::Task)> {
        let new = &submission.task;
        if !self.world.projects.contains(&new.project_id) {
            return Err(Error::NotFound("project", new.project_id));
        }
        let execution_type = tasks::check(new)?;
        if let Some(key) = new.limit_key.as_ref().filter(|key| !self.world.limits.contains(*key)) {
            let message = format!("there is no limit {key:?}; set one with PUT /api/limits/{{key}} first");
            return Err(Error::invalid("limit_key", message));
        }
        if let Some(name) = new.queue.as_ref().filter(|name| !self.world.queues.contains(*name)) {
            return Err(Error::invalid(
                "queue",
                format!("there is no queue {name:?}; make it with POST /api/queues first"),
            ));
        }
        if new.task_type == PLAN {
            self.draft_alone(id, new.project_id)?;
        }
        let automatic = execution_type != ExecutionType::Manual;
        let title = title(new);
        self.changes.new_tasks.push(NewTaskRow { id, title: title.clone(), execution_type, run_at: new.run_at });
        self.world.tasks.insert(
            id,
            Task {
                id,
                project_id: new.project_id,
                parent_id: None,
                linked: false,
                task_type: new.task_type.clone(),
                payload: new.payload.clone(),
                execution_type,
                status: if automatic { ExecutionStatus::Queued } else { ExecutionStatus::Pending },
                priority: new.priority,
                retry_count: 0,
                max_retries: new.max_retries.unwrap_or(tasks::DEFAULT_MAX_RETRIES),
                reopen_count: 0,
                failure_reason: None,
                queue: new.queue.clone().unwrap_or_else(|| DEFAULT_QUEUE.to_owned()),
                limit_key: new.limit_key.clone(),
                latest_run_id: None,
                started_at: None,
                completed_at: None,
            },
        );
        self.hints.push(Hint::change("task", id, new.project_id));
        let run_id = match automatic {
            true => Some(self.begin_run(id, None, submission.trace_id.clone(), new.run_at)?),
            false => None,
        };
        let task = self.world.tasks.get(&id).ok_or(Error::NotFound("task", id))?;
        let view = tasks::Task {
            id,
            project_id: new.project_id,
            parent_task_id: None,
            task_type: new.task_type.clone(),
            title,
            payload: new.payload.clone(),
            execution_type,
            execution_status: task.status,
            status: task.status.simple(),
            assigned_to_type: None,
            assigned_to_id: None,
            priority: task.priority,
            ai_confidence: None,
            ai_context: None,
            blocked_reason: None,
            failure_reason: None,
            retry_count: 0,
            max_retries: task.max_retries,
            queue: task.queue.clone(),
            limit_key: task.limit_key.clone(),
            run_at: new.run_at,
            latest_run: run_id.map(|id| tasks::LatestRun { id, status: RunStatus::Queued, stage: RunStage::Intake }),
            hint: None,
            created_at: self.world.now,
            started_at: None,
            completed_at: None,
        };
        Ok((run_id, view))
    }

    pub(super) fn execute(&mut self, execute: &Execute) -> Result<Executed> {
        let task_id = execute.task_id;
        let projects = &self.world.projects;
        let task = self.world.tasks.get(&task_id).filter(|task| projects.contains(&task.project_id));
        let task = task.ok_or(Error::NotFound("task", task_id))?;
        refuse_group(&task.task_type)?;
        let (status, retry_of) = (task.status, task.latest_run_id);
        if status == ExecutionStatus::Pending || status.may_reopen() {
            self.refuse_before_its_needs(task_id)?;
            self.refuse_second_draft(task_id)?;
        }
        let task = self.world.tasks.get_mut(&task_id).ok_or(Error::NotFound("task", task_id))?;
        match (status, retry_of) {
            (ExecutionStatus::Canceled, _) => {
                return Err(Error::Conflict("the task was canceled; create it again to do it after all".to_owned()));
            }
            (ExecutionStatus::Pending, _) => {}
            (status, _) if status.may_reopen() => task.reopen_count += 1,
            (_, Some(run_id)) => return Ok(Executed { task_id, run_id, created: false }),
            (status, None) => return Err(Error::Conflict(format!("the task is {status} and has no run"))),
        }
        task.status = ExecutionStatus::Queued;
        task.completed_at = None;
        task.failure_reason = None;
        self.changes.tasks.insert(task_id);
        let run_id = self.begin_run(task_id, retry_of, execute.trace_id.clone(), None)?;
        self.moved(task_id);
        Ok(Executed { task_id, run_id, created: true })
    }

    fn refuse_second_draft(&mut self, task_id: Uuid) -> Result<()> {
        let task = self.world.tasks.get(&task_id).filter(|task| task.task_type == PLAN);
        task.map(|task| task.project_id).map_or(Ok(()), |project_id| self.draft_alone(task_id, project_id))
    }

    /// Takes the place of the one draft that a project may have at a time.
    fn draft_alone(&mut self, task_id: Uuid, project_id: Uuid) -> Result<()> {
        let ended = |id: &Uuid| self.world.tasks.get(id).is_some_and(|task| task.status.is_terminal());
        let Some(planning) = self.world.plannings.get(&project_id) else { return Ok(()) };
        if let Some((_, run_id)) = planning.drafts.iter().find(|(id, _)| *id != task_id && !ended(id)) {
            return Err(second(*run_id));
        }
        if let Some(planning) = self.world.plannings.get_mut(&project_id) {
            planning.drafts.push((task_id, None));
        }
        Ok(())
    }

    /// A queued run with all its steps, and a job for each step that needs no other.
    pub(super) fn begin_run(
        &mut self,
        task_id: Uuid,
        retry_of: Option<Uuid>,
        trace_id: Option<String>,
        run_at: Option<DateTime<Utc>>,
    ) -> Result<Uuid> {
        let task = self.world.tasks.get_mut(&task_id).ok_or(Error::NotFound("task", task_id))?;
        let workflow = Workflow::for_task_type(&task.task_type)
            .ok_or_else(|| Error::Internal(format!("no workflow executes tasks of type {}", task.task_type)))?;
        let run_id = ids::new();
        let first = task.latest_run_id.is_none();
        task.latest_run_id = Some(run_id);
        self.changes.tasks.insert(task_id);
        let (project_id, linked) = (task.project_id, task.linked);
        let max_attempts = i16::try_from(task.max_retries + 1).unwrap_or(i16::MAX);
        let question = question(task);
        self.world.runs.insert(
            run_id,
            Run {
                id: run_id,
                task_id,
                project_id,
                status: RunStatus::Queued,
                stage: RunStage::Intake,
                cancel_requested_at: None,
                last_seq: 0,
                input_tokens: 0,
                output_tokens: 0,
                cost_micros: None,
                open_calls: 0,
                trace_id: trace_id.unwrap_or_else(ids::new_trace),
                linked,
                error: None,
                started_at: None,
                finished_at: None,
            },
        );
        let new_run = NewRun { id: run_id, workflow: workflow.name, workflow_hash: workflow.hash(), retry_of };
        self.changes.new_runs.push(new_run);
        let line = "Queued";
        let data = json!({"workflow": workflow.name, "retry_of": retry_of});
        self.append(run_id, None, NewEvent::told("run.created", Level::Info, line, data));
        if let (true, Some(content)) = (first, question) {
            let id = ids::new();
            self.changes.messages.push(NewMessage { id, project_id, task_id, run_id, role: "user", content });
            let event =
                NewEvent { kind: "message.created", line: None, data: json!({"message_id": id, "role": "user"}) };
            self.append(run_id, None, event);
        }
        let (kept_from, kept) = self.world.completed.remove(&task_id).unwrap_or_default();
        for plan in workflow.steps {
            let is_kept = kept.contains(&plan.seq);
            let waits_for = plan.needs.iter().filter(|need| !kept.contains(*need)).count();
            let step = Step {
                run_id,
                seq: plan.seq,
                name: plan.name.to_owned(),
                kind: plan.kind.to_owned(),
                status: match waits_for {
                    _ if is_kept => StepStatus::Completed,
                    0 => StepStatus::Ready,
                    _ => StepStatus::Pending,
                },
                needs: plan.needs.to_vec(),
                waits_for: i16::try_from(waits_for).unwrap_or(i16::MAX),
                waiting_on: None,
                waiting_since: None,
                waiting_until: None,
                waiting_reason: None,
                attempt: 0,
                max_attempts,
                timeout_ms: plan.timeout_ms,
                worker: None,
                epoch: None,
                output: None,
                error: None,
                started_at: None,
                heartbeat_at: None,
                finished_at: is_kept.then_some(self.world.now),
            };
            if step.status == StepStatus::Ready {
                self.enqueue(&step, run_at);
            }
            if is_kept {
                let line = format!("Step {} was completed by the run before", plan.name);
                let data = json!({"run_id": kept_from});
                self.append(run_id, Some(plan.seq), NewEvent::told("step.kept", Level::Info, line, data));
            }
            self.changes.new_steps.insert((run_id, plan.seq));
            self.world.steps.insert((run_id, plan.seq), step);
        }
        if !kept.is_empty() {
            self.changes.kept_steps.push((kept_from, run_id));
        }
        Ok(run_id)
    }

    /// A job for a step that is ready, where its task says.
    pub(super) fn enqueue(&mut self, step: &Step, run_at: Option<DateTime<Utc>>) {
        let Some(run) = self.world.runs.get(&step.run_id) else { return };
        let task = self.world.tasks.get(&run.task_id);
        let job = NewJob {
            kind: step.kind.clone(),
            queue: task.map_or_else(|| DEFAULT_QUEUE.to_owned(), |task| task.queue.clone()),
            priority: task.map_or(0, |task| task.priority),
            payload: None,
            key: None,
            limit_key: task.and_then(|task| task.limit_key.clone()),
            project_id: Some(run.project_id),
            run_at,
            max_attempts: step.max_attempts,
            timeout: Duration::from_millis(u64::try_from(step.timeout_ms).unwrap_or(0)),
        };
        self.changes.new_jobs.push(NewJobRow { job, run: Some((step.run_id, step.seq)), answer: None, kept: None });
    }
}

/// What a chat task asks, which is also its message in the conversation.
fn question(task: &Task) -> Option<String> {
    if task.task_type != "chat" {
        return None;
    }
    task.payload.get("content").and_then(Value::as_str).map(str::to_owned)
}

/// A message by its words, a command by what is typed.
fn named_after(task: &NewTask) -> String {
    match task.task_type.as_str() {
        "exec" => Command::of(&task.payload).map_or_else(|_| task.task_type.clone(), |command| command.line()),
        _ => task.payload.get("content").and_then(Value::as_str).unwrap_or(&task.task_type).to_owned(),
    }
}

/// The title that was given, or one that is made of the content.
fn title(task: &NewTask) -> String {
    match task.title.as_deref().map(str::trim).filter(|title| !title.is_empty()) {
        Some(title) => title.to_owned(),
        None => title_of(&named_after(task)),
    }
}
