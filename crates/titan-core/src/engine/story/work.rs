//! What a worker says about a job that it holds: begun, still at it, finished.

use std::time::Duration;

use chrono::{DateTime, Utc};
use serde_json::json;
use uuid::Uuid;

use super::super::backoff;
use super::super::call::EndedCall;
use super::super::load::Step;
use super::super::plans::NewVersion;
use super::super::transition::{
    Done, Fence, Finish, Finished, GoOn, NewEvent, Outcome, Report, Reported, Start, Started, Write,
};
use super::changes::{EndedJob, JobOutcome, Kept, NewMemory, NewMessage, NewOutput, Rescheduled};
use super::{Story, short, storable, storable_json};
use crate::plans::NewPlan;
use crate::queue::{Hint, NewJob};
use crate::state::{ExecutionStatus, Level, RunStage, RunStatus, StepStatus, WaitingOn};
use crate::text::head;
use crate::{Error, Result, ids};

/// How much of a text output is kept beside its bytes, for lists.
const PREVIEW: usize = 4000;

impl Story {
    pub(super) fn start(&mut self, start: &Start) -> Result<Started> {
        let fence = &start.fence;
        let canceling = self.may_work(fence)?;
        if canceling && !self.has_begun(fence) {
            // It was to stop before anybody said that it had begun. Whoever has it now hears that it is over.
            self.end_run(fence.run_id, RunStatus::Canceled, None);
            return Err(lost(fence));
        }
        self.begin(fence)?;
        let attempt = self.world.steps.get(&(fence.run_id, fence.step)).map_or(1, |step| step.attempt);
        self.context(fence.run_id, fence.step, attempt).ok_or_else(|| lost(fence))
    }

    fn has_begun(&self, fence: &Fence) -> bool {
        self.world.steps.get(&(fence.run_id, fence.step)).is_some_and(|step| step.epoch == Some(fence.epoch))
    }

    /// Writes down that the step was begun under this claim, unless an earlier word did.
    pub(super) fn begin(&mut self, fence: &Fence) -> Result<()> {
        if self.has_begun(fence) {
            return Ok(());
        }
        let (job, run) = self.held(fence)?;
        let task_id = run.task_id;
        let lost_calls = self.open_calls(fence.run_id, Some(fence.step));
        let (worker, rescues) = (job.worker.clone(), job.rescues);
        let worker = worker.unwrap_or_else(|| "a worker that is gone".to_owned());
        let now = self.world.now;
        // It began when it was claimed, whenever that is written down.
        let began = job.claimed_at.unwrap_or(now);
        let step = self.world.steps.get_mut(&(fence.run_id, fence.step)).ok_or_else(|| lost(fence))?;
        step.status = StepStatus::Running;
        step.attempt += 1;
        step.worker = Some(worker.clone());
        step.epoch = Some(fence.epoch);
        step.started_at = step.started_at.or(Some(began));
        step.heartbeat_at = Some(now);
        stop_waiting(step);
        let (name, attempt) = (step.name.clone(), step.attempt);
        self.changes.steps.insert((fence.run_id, fence.step));
        if let Some(task) = self.world.tasks.get_mut(&task_id).filter(|task| task.status == ExecutionStatus::Queued) {
            task.status = ExecutionStatus::InProgress;
            task.started_at = task.started_at.or(Some(began));
            self.changes.tasks.insert(task_id);
            self.moved(task_id);
        }
        if let Some(run) = self.world.runs.get_mut(&fence.run_id).filter(|run| run.status == RunStatus::Queued) {
            run.status = RunStatus::Running;
            run.stage = RunStage::Processing;
            run.started_at = Some(began);
            self.append(fence.run_id, None, NewEvent::told("run.started", Level::Info, "Started", json!({})));
        }
        let again = if attempt > 1 { format!(", attempt {attempt}") } else { String::new() };
        // One that was lost within moments has said nothing of its attempt: this tells of it.
        let lost = match rescues {
            0 => String::new(),
            1 => ", after a worker was lost with it".to_owned(),
            _ => format!(", after {rescues} workers were lost with it"),
        };
        let line = format!("Step {name} started on {worker}{again}{lost}");
        let mut data = json!({"name": name, "attempt": attempt, "worker": worker});
        if let Some(data) = data.as_object_mut().filter(|_| rescues > 0) {
            data.insert("rescues".to_owned(), json!(rescues));
        }
        self.append(fence.run_id, Some(fence.step), NewEvent::told("step.started", Level::Info, line, data));
        self.lose_all(&lost_calls);
        Ok(())
    }

    /// What the handler of a step needs to know.
    fn context(&self, run_id: Uuid, seq: i16, attempt: i32) -> Option<Started> {
        let run = self.world.runs.get(&run_id)?;
        let task = self.world.tasks.get(&run.task_id)?;
        let step = self.world.steps.get(&(run_id, seq))?;
        let needed = step.needs.iter().filter_map(|need| self.world.steps.get(&(run_id, *need)));
        let mut of_run = self.world.steps.range((run_id, i16::MIN)..=(run_id, i16::MAX));
        Some(Started {
            task_id: task.id,
            project_id: task.project_id,
            trace_id: run.trace_id.clone(),
            task_type: task.task_type.clone(),
            payload: task.payload.clone(),
            step_name: step.name.clone(),
            attempt,
            inputs: needed.filter_map(|need| Some((need.name.clone(), need.output.clone()?))).collect(),
            leads_on: of_run.any(|(_, other)| other.needs.contains(&seq)),
        })
    }

    pub(super) fn report(&mut self, report: &Report) -> Result<Reported> {
        let cancel_requested = self.may_work(&report.fence)?;
        self.begin(&report.fence)?;
        self.append_all(&report.fence, &report.events);
        self.settle_all(&report.fence, &report.calls);
        if let Some(step) = self.world.steps.get_mut(&(report.fence.run_id, report.fence.step)) {
            step.heartbeat_at = Some(self.world.now);
            self.changes.steps.insert((report.fence.run_id, report.fence.step));
        }
        Ok(Reported { cancel_requested })
    }

    pub(super) fn finish(&mut self, index: usize, finish: &Finish) -> Result<Finished> {
        let fence = &finish.fence;
        let canceling = self.may_work(fence)?;
        self.begin(fence)?;
        self.append_all(fence, &finish.events);
        self.settle_all(fence, &finish.calls);
        let jobs_before = self.changes.new_jobs.len();
        match &finish.outcome {
            Outcome::Done(done) => {
                self.done(fence, done, &finish.calls, canceling);
                if let Some(go_on) = &finish.go_on {
                    self.keep_one(index, fence.run_id, go_on, jobs_before);
                }
            }
            Outcome::Cancel { .. } => self.end_run(fence.run_id, RunStatus::Canceled, None),
            // A person does not want it any more: there is nothing to try again.
            _ if canceling => self.end_run(fence.run_id, RunStatus::Canceled, None),
            Outcome::Retry { error, after } => self.retry(fence, error, *after),
            Outcome::Snooze { after, reason } => self.snooze(fence, *after, reason),
            Outcome::Wait { on, reason, since, look_again } => self.wait(fence, *on, reason, *since, *look_again),
            Outcome::Fail { error } => self.fail_step(fence.run_id, fence.step, fence.job_id, error),
        }
        let run_status = self.world.runs.get(&fence.run_id).map_or(RunStatus::Failed, |run| run.status);
        Ok(Finished { readied: self.changes.new_jobs.len() - jobs_before, run_status, next: None })
    }

    /// Checks that the fence holds and the step has not ended; tells whether somebody wants it to stop.
    pub(super) fn may_work(&self, fence: &Fence) -> Result<bool> {
        let (_, run) = self.held(fence)?;
        match self.world.steps.get(&(fence.run_id, fence.step)) {
            Some(step) if matches!(step.status, StepStatus::Ready | StepStatus::Running) => {
                Ok(run.cancel_requested_at.is_some())
            }
            _ => Err(lost(fence)),
        }
    }

    /// The first of the new jobs of the run from here on that the worker may go on with becomes its own, unless somebody has to
    /// be asked first: a limit, or a queue that is paused.
    fn keep_one(&mut self, index: usize, run_id: Uuid, go_on: &GoOn, from: usize) {
        let new = self.changes.new_jobs.iter().enumerate().skip(from);
        let may = |job: &NewJob| {
            go_on.kinds.contains(&job.kind) && job.limit_key.is_none() && !self.world.paused.contains(&job.queue)
        };
        let of_run = new.filter(|(_, row)| may(&row.job) && row.run.is_some_and(|(id, _)| id == run_id));
        let kept = of_run.into_iter().find_map(|(place, row)| {
            let (run_id, step) = row.run?;
            let attempt = self.world.steps.get(&(run_id, step))?.attempt + 1;
            Some((place, self.context(run_id, step, attempt)?))
        });
        if let Some((place, context)) = kept
            && let Some(row) = self.changes.new_jobs.get_mut(place)
        {
            row.answer = Some(index);
            row.kept = Some(Kept { worker_id: go_on.worker_id, context });
        }
    }

    pub(super) fn append_all(&mut self, fence: &Fence, events: &[NewEvent]) {
        for event in events {
            self.append(fence.run_id, Some(fence.step), event.clone());
        }
    }

    fn done(&mut self, fence: &Fence, done: &Done, calls: &[EndedCall], canceling: bool) {
        let now = self.world.now;
        let key = (fence.run_id, fence.step);
        self.write_all(fence, &done.writes);
        if let Some(step) = self.world.steps.get_mut(&key) {
            step.status = StepStatus::Completed;
            step.output = Some(storable_json(done.output.clone()));
            step.error = None;
            step.finished_at = Some(now);
            let line = format!("Step {} completed", step.name);
            let sum = |of: fn(&EndedCall) -> i64| calls.iter().map(of).sum::<i64>();
            let usage =
                json!({"input_tokens": sum(|call| call.input_tokens), "output_tokens": sum(|call| call.output_tokens)});
            let data = json!({"attempt": step.attempt, "usage": usage});
            self.changes.steps.insert(key);
            self.append(fence.run_id, Some(fence.step), NewEvent::told("step.completed", Level::Info, line, data));
        }
        self.changes.ended_jobs.insert(fence.job_id, EndedJob::new(JobOutcome::Completed));
        if canceling {
            self.end_run(fence.run_id, RunStatus::Canceled, None);
        } else {
            self.go_on(fence);
        }
    }

    /// The steps that needed this one: those that need nothing more become ready. When no step is left, the run is done.
    fn go_on(&mut self, fence: &Fence) {
        let mut ready: Vec<Step> = Vec::new();
        let of_run = (fence.run_id, i16::MIN)..=(fence.run_id, i16::MAX);
        for (key, step) in self.world.steps.range_mut(of_run.clone()) {
            if step.status == StepStatus::Pending && step.needs.contains(&fence.step) {
                step.waits_for -= 1;
                self.changes.steps.insert(*key);
                if step.waits_for == 0 {
                    step.status = StepStatus::Ready;
                    ready.push(step.clone());
                }
            }
        }
        for step in &ready {
            self.enqueue(step, None);
        }
        if self.world.steps.range(of_run).all(|(_, step)| step.status.is_terminal()) {
            self.end_run(fence.run_id, RunStatus::Completed, None);
        }
    }

    fn retry(&mut self, fence: &Fence, error: &str, after: Option<Duration>) {
        let Some(job) = self.world.jobs.get(&fence.job_id) else { return };
        let (tried, most) = (job.attempt, job.max_attempts);
        if tried >= most {
            let error = if most > 1 { format!("{error} (tried {tried} times)") } else { error.to_owned() };
            return self.fail_step(fence.run_id, fence.step, fence.job_id, &error);
        }
        let wait = backoff::wait(tried, after);
        let on = WaitingOn::Timer;
        let until =
            self.come_back(fence, on, wait, tried, &format!("attempt {tried} of {most} failed: {}", short(error)));
        if let Some(step) = self.world.steps.get_mut(&(fence.run_id, fence.step)) {
            step.error = Some(short(error));
        }
        let task_id = self.world.runs.get(&fence.run_id).map(|run| run.task_id);
        if let Some(task) = task_id.and_then(|id| self.world.tasks.get_mut(&id)) {
            task.retry_count += 1;
            self.changes.tasks.insert(task.id);
        }
        let line =
            format!("Attempt {tried} of {most} failed: {}; the next one in {:.1} s", short(error), wait.as_secs_f64());
        let data = json!({"attempt": tried, "max_attempts": most, "error": short(error), "retry_at": until});
        self.append(fence.run_id, Some(fence.step), NewEvent::told("step.retrying", Level::Warn, line, data));
    }

    fn snooze(&mut self, fence: &Fence, after: Duration, reason: &str) {
        let tried = self.world.jobs.get(&fence.job_id).map_or(1, |job| job.attempt);
        let until = self.come_back(fence, WaitingOn::Timer, after, tried - 1, reason);
        let line = format!("Waiting {:.1} s: {}", after.as_secs_f64(), short(reason));
        let data = json!({"until": until, "reason": short(reason)});
        self.append(fence.run_id, Some(fence.step), NewEvent::told("step.snoozed", Level::Info, line, data));
    }

    /// Until somebody wakes it. It looks by itself after a time, in case nobody could: after a month where nothing else is said.
    fn wait(&mut self, fence: &Fence, on: WaitingOn, reason: &str, since: DateTime<Utc>, look_again: Option<Duration>) {
        const LONGEST: Duration = Duration::from_secs(30 * 86_400);
        let tried = self.world.jobs.get(&fence.job_id).map_or(1, |job| job.attempt);
        let until = self.come_back(fence, on, look_again.unwrap_or(LONGEST), tried - 1, reason);
        if let Some(step) = self.world.steps.get_mut(&(fence.run_id, fence.step)) {
            step.waiting_since = Some(since.min(self.world.now));
        }
        // Nobody has to do anything about what comes from outside.
        let (level, until) = match on {
            WaitingOn::Event => (Level::Info, Some(until)),
            _ => (Level::Warn, None),
        };
        let line = format!("Waiting for {}: {}", on.what(), short(reason));
        let data = json!({"on": on, "reason": short(reason), "until": until});
        self.append(fence.run_id, Some(fence.step), NewEvent::told("step.waiting", level, line, data));
    }

    /// The job sleeps, the step stays running and says what it waits for, and no slot is held.
    fn come_back(&mut self, fence: &Fence, on: WaitingOn, wait: Duration, attempt: i16, reason: &str) -> DateTime<Utc> {
        let moved = Rescheduled::after(wait, attempt);
        let until = self.world.now + chrono::TimeDelta::milliseconds(moved.delay_ms);
        self.changes.rescheduled.insert(fence.job_id, moved);
        if let Some(step) = self.world.steps.get_mut(&(fence.run_id, fence.step)) {
            step.waiting_on = Some(on);
            step.waiting_since = Some(self.world.now);
            step.waiting_until = matches!(on, WaitingOn::Timer | WaitingOn::Event).then_some(until);
            step.waiting_reason = Some(short(reason));
            self.changes.steps.insert((fence.run_id, fence.step));
        }
        until
    }

    fn write_all(&mut self, fence: &Fence, writes: &[Write]) {
        let Some(run) = self.world.runs.get(&fence.run_id) else { return };
        let (run_id, task_id, project_id) = (run.id, run.task_id, run.project_id);
        for write in writes {
            let id = ids::new();
            let event = match write {
                Write::Answer { content } => {
                    let content = storable(content.clone());
                    self.changes.messages.push(NewMessage {
                        id,
                        project_id,
                        task_id,
                        run_id,
                        role: "assistant",
                        content,
                    });
                    self.hints.push(Hint::change("message", id, project_id));
                    NewEvent {
                        kind: "message.created",
                        line: None,
                        data: json!({"message_id": id, "role": "assistant"}),
                    }
                }
                Write::Output { name, kind, media_type, content } => {
                    let preview = std::str::from_utf8(content.bytes()).ok();
                    let preview = preview.map(|text| head(text, PREVIEW).to_owned());
                    let (name, media_type) = (storable(name.clone()), media_type.clone());
                    let line = format!("Output {name} is ready for review");
                    let data = json!({"output_id": id, "name": name});
                    self.changes.outputs.push(NewOutput {
                        id,
                        project_id,
                        task_id,
                        run_id,
                        name,
                        kind,
                        media_type,
                        content: content.clone(),
                        preview: preview.map(storable),
                    });
                    self.hints.push(Hint::change("output", id, project_id));
                    NewEvent::told("output.created", Level::Info, line, data)
                }
                Write::Memory(remembered) => {
                    let remembered = remembered.clone();
                    self.changes.memories.push(NewMemory { id, project_id, task_id, run_id, remembered });
                    self.hints.push(Hint::change("memory", id, project_id));
                    NewEvent::told("memory.created", Level::Info, "Remembered", json!({"memory_id": id}))
                }
                Write::Plan(plan) => self.write_plan(id, run_id, project_id, plan),
            };
            self.append(run_id, Some(fence.step), event);
        }
    }
}

impl Story {
    /// The next version of the plan.
    fn write_plan(&mut self, id: Uuid, run_id: Uuid, project_id: Uuid, plan: &NewPlan) -> NewEvent {
        let Some(planning) = self.world.plannings.get_mut(&project_id).filter(|_| plan.project_id == project_id) else {
            return NewEvent::log(Level::Error, "The plan is of another project, and is not stored");
        };
        planning.newest += 1;
        let number = planning.newest;
        self.changes.new_plans.push(NewVersion { id, number, run_id, plan: plan.clone() });
        self.hints.push(Hint::change("plan", id, project_id));
        let line = format!("Version {number} of the plan is ready");
        NewEvent::told("plan.created", Level::Info, line, json!({"plan_id": id, "version": number}))
    }
}

fn lost(fence: &Fence) -> Error {
    Error::Fenced { job_id: fence.job_id, epoch: fence.epoch }
}

pub(super) fn stop_waiting(step: &mut Step) {
    step.waiting_on = None;
    step.waiting_since = None;
    step.waiting_until = None;
    step.waiting_reason = None;
}
