//! The queue: how a worker gets jobs, gives them back and loses them, and how processes hint to each other.
//!
//! A claim, a release and a rescue touch rows of `jobs` only. What a job means to its run is the engine's.

pub mod admin;
mod admit;
mod claim;
mod enqueue;
mod fair;
mod hint;
mod listen;
mod maintenance;
mod notify;
mod release;

pub use admit::admit;
pub use claim::{Claim, ClaimedJob, claim, claim_run};
pub use enqueue::{DEFAULT_QUEUE, MAX_PAYLOAD, NewJob, enqueue};
pub(crate) use enqueue::{Inserted, Row, insert};
pub use hint::Hint;
pub use listen::{Heard, Listener};
pub use maintenance::{
    MOST_RESCUES, Rescued, alone, fold_counters, forget, overdue_cancels, poisoned, prepare_partitions, promote,
    rescue, rescue_overdue,
};
pub use notify::Notifier;
pub use release::release;
