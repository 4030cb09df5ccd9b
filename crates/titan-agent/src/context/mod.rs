//! The request for one message of a conversation: what a model is shown, and what gives way when not all of it fits. Pure:
//! reading the parts from the database, asking for summaries and storing them is the worker's.
//!
//! - [`limits`]: what a model takes, and how much of it a request may use.
//! - [`parts`]: what a request is made of.
//! - [`plan`](mod@plan): decides what is shown, or that older messages must be summarised first.
//! - [`compaction`]: the requests for such a summary, and what stands in when there is none.
//! - [`attached`](fn@attached): how a file is shown.
//! - `system`: the system text. `units`: messages that must not be parted. `shorten`: long texts without their middle.

mod attached;
pub mod compaction;
pub mod limits;
pub mod parts;
pub mod plan;
mod shorten;
mod system;
mod units;

pub use attached::attached;
pub use compaction::Compaction;
pub use limits::Limits;
pub use parts::{Parts, Project, Said, Summary};
pub use plan::{Fitted, Plan, plan};
