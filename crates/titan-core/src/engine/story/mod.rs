//! The second act: what each transition of a batch means. Pure decisions over what was loaded; no database, no clock.
//!
//! A transition is checked whole before it changes anything, so that a refused one leaves no trace and never harms its
//! neighbours in the batch.

mod approve;
mod begin;
mod calls;
mod cancel;
mod changes;
mod end;
mod links;
mod lone;
mod work;

use serde_json::Value;

use super::load::{Job, Run, World};
use super::transition::{Applied, Fence, NewEvent, Transition};
use crate::queue::Hint;
use crate::text::head;
use crate::{Error, Result};

use changes::EventRow;
pub(super) use changes::{CallRow, Changes, EndedJob, JobOutcome, NewJobRow, NewMemory};

/// What was loaded, as it changes, and what of it is to be written.
pub(super) struct Story {
    pub(super) world: World,
    pub(super) changes: Changes,
    pub(super) hints: Vec<Hint>,
}

impl Story {
    pub(super) fn new(world: World) -> Self {
        Story { world, changes: Changes::default(), hints: Vec::new() }
    }

    /// Applies one transition to the story.
    pub(super) fn tell(&mut self, index: usize, transition: &Transition) -> Result<Applied> {
        match transition {
            Transition::Submit(submission) => self.submit(index, submission).map(Applied::Submitted),
            Transition::Approve(approve) => self.approve(index, approve).map(Applied::Approved),
            Transition::CompleteTask { task_id } => self.complete_task(*task_id).map(|()| Applied::Completed),
            Transition::Execute(execute) => self.execute(execute).map(Applied::Executed),
            Transition::Start(start) => self.start(start).map(|started| Applied::Started(Box::new(started))),
            Transition::Report(report) => self.report(report).map(Applied::Reported),
            Transition::Reserve(reserve) => self.reserve(reserve).map(Applied::Reserved),
            Transition::Wake(wake) => self.wake(*wake).map(Applied::Woken),
            Transition::Finish(finish) => self.finish(index, finish).map(Applied::Finished),
            Transition::CancelRun(cancel) => self.cancel_run(cancel).map(Applied::Canceled),
            Transition::CancelTask { task_id } => self.cancel_task(*task_id).map(Applied::Canceled),
            Transition::ForceCancel(force) => self.force_cancel(force).map(Applied::Canceled),
            Transition::Quarantine(quarantine) => self.quarantine(quarantine).map(Applied::Finished),
            Transition::Enqueue(jobs) => self.enqueue_lone(index, jobs),
            Transition::FinishJob(finish) => self.finish_lone(finish),
            Transition::CancelJob(cancel) => self.cancel_lone(cancel).map(Applied::Canceled),
        }
    }

    /// The job and run behind a fence, or the word that they are lost.
    fn held(&self, fence: &Fence) -> Result<(&Job, &Run)> {
        let lost = || Error::Fenced { job_id: fence.job_id, epoch: fence.epoch };
        let job = self.world.jobs.get(&fence.job_id).ok_or_else(lost)?;
        let run = self.world.runs.get(&fence.run_id).ok_or_else(lost)?;
        let ours = job.run_id == Some(fence.run_id) && job.step == Some(fence.step) && self.holds(job, fence.epoch);
        if ours && !run.status.is_terminal() { Ok((job, run)) } else { Err(lost()) }
    }

    /// Whether a job is still in the hands of who claimed it at this epoch, as far as this batch has come.
    fn holds(&self, job: &Job, epoch: i64) -> bool {
        let let_go = self.changes.ended_jobs.contains_key(&job.id) || self.changes.rescheduled.contains_key(&job.id);
        job.running && job.epoch == epoch && !let_go
    }

    /// Appends an event to a run under the next number. The run's row is locked, so the numbers have no gap.
    fn append(&mut self, run_id: crate::ids::Uuid, step: Option<i16>, event: NewEvent) {
        let Some(run) = self.world.runs.get_mut(&run_id) else { return };
        run.last_seq += 1;
        self.changes.runs.insert(run_id);
        self.changes.events.push(EventRow {
            run_id,
            seq: run.last_seq,
            project_id: run.project_id,
            task_id: run.task_id,
            step,
            kind: event.kind,
            level: event.line.as_ref().map(|(level, _)| *level),
            message: event.line.map(|(_, text)| storable(text)),
            data: storable_json(event.data),
        });
    }
}

/// Postgres stores no NUL in text; a model or a tool may well say one.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

fn storable_json(value: Value) -> Value {
    if !has_nul(&value) {
        return value;
    }
    match value {
        Value::String(text) => Value::String(storable(text)),
        Value::Array(items) => Value::Array(items.into_iter().map(storable_json).collect()),
        Value::Object(map) => {
            Value::Object(map.into_iter().map(|(key, value)| (storable(key), storable_json(value))).collect())
        }
        other => other,
    }
}

fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(items) => items.iter().any(has_nul),
        Value::Object(map) => map.iter().any(|(key, value)| key.contains('\0') || has_nul(value)),
        _ => false,
    }
}

/// An error is for people: long ones are cut.
fn short(error: &str) -> String {
    const MOST: usize = 2000;
    let cut = head(error, MOST);
    storable(if cut.len() < error.len() { format!("{cut} ...") } else { cut.to_owned() })
}
