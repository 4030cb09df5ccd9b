//! The queue: how a worker gets jobs, gives them back and loses them, and how processes hint to each other.
//!
//! A claim, a release and a rescue touch rows of `jobs` only. What a job means to its run is the engine's.

pub mod admin;
mod admit;
mod claim;
mod due;
mod enqueue;
mod fair;
mod held;
mod hint;
mod listen;
pub mod maintenance;
mod notify;
mod release;

pub use admit::admit;
pub use claim::{CLAIM_SQL, Claim, ClaimedJob, Source, claim};
pub use enqueue::{DEFAULT_QUEUE, MAX_PAYLOAD, NewJob, enqueue, names};
pub(crate) use enqueue::{Inserted, Row as JobRow, check as check_job, insert};
pub use held::hold;
pub use hint::Hint;
pub use listen::{Heard, Listener};
pub use maintenance::{
    Rescued, fold_counters, overdue_cancels, poisoned, prepare_partitions, promote, rescue, rescue_overdue,
};
pub use notify::Notifier;
pub use release::release;
