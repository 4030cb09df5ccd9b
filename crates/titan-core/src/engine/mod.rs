//! The run engine: everything that changes a task, a run, a step or a job goes through here.
//!
//! A change is a [`Transition`]: a value. A batch of them is applied in one transaction by [`apply`], in three acts:
//! `load` locks what they touch, in one order everywhere; `story` decides in memory without touching the database; `save` writes what
//! was decided with one statement per table. One transition takes the same path as five hundred. The [`Committer`] gathers the
//! transitions of a process into such batches.
//!
//! Invariant: nothing else in this crate writes to `tasks`, `runs`, `steps`, `run_events`, `model_calls` or deletes from `jobs`, but
//! [`crate::outputs::review`], which appends its event under the same lock on the run.

mod apply;
mod backoff;
mod call;
mod committer;
mod context;
mod counts;
mod ends;
mod ledger;
mod load;
mod memories;
mod plans;
mod relations;
mod save;
mod story;
mod transition;
mod wanted;

pub use apply::{Batch, apply, apply_one, apply_with_claim};
pub use call::{CallOf, CallState, EndedCall, Purpose, Reserve, Reserved, Wake};
pub use committer::{Committer, Intake};
pub use transition::{
    Applied, Approve, Approved, CancelJob, CancelRun, Canceled, Done, Execute, Executed, Fence, Finish, FinishJob,
    Finished, ForceCancel, GoOn, IdempotencyKey, NewEvent, NewTask, Outcome, Quarantine, Report, Reported, Start,
    Started, Submission, Submitted, Taken, Transition, Write,
};
