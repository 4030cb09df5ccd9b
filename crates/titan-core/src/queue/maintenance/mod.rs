//! What must happen from time to time. One worker does it for all, the leader; each action is idempotent, limited and skips
//! locked rows, so that two at once would be harmless too. Clocks are the database's.
//!
//! A map, in reading order. Who does what when is the worker daemon's; here is what is done.
//!
//! - `leader`: who does it, for how long, and the fence before each of its transactions.
//! - `liveness`: when a worker counts as gone.
//! - `rescue`: its jobs are given to others; one that kills its workers is taken out.
//! - `promote`: what slept is woken.
//! - `reconcile`: what should never be needed, and what is only appended elsewhere and summed up here.
//! - `retention`, `partitions`: what is old goes, what is needed next week is made.
//! - `analyse`: the planner's picture of the hot table.

mod analyse;
pub mod leader;
mod liveness;
mod partitions;
mod promote;
mod reconcile;
mod rescue;
mod retention;

pub use analyse::analyse;
pub use liveness::{Candidate, Speed, candidates};
pub use partitions::prepare_partitions;
pub use promote::{Sleepers, promote, sleepers, wake};
pub use reconcile::{Stranded, admit_waiting, fold_counters, fold_tallies, overdue_cancels, stranded};
pub use rescue::{
    LONE_LOSSES, Loss, QuarantinedJob, Rescued, poisoned, quarantine_jobs, rescue, rescue_from, rescue_overdue,
};
pub use retention::{Kept, drop_history, forget};

/// Rows per action and call.
pub const BATCH: usize = 1000;

/// The same for a LIMIT.
const LIMIT: i64 = BATCH as i64;
