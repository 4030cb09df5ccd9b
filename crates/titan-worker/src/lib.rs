//! The worker: claims jobs, runs their handlers and writes down what came of them. The rules of runs and the queue are
//! `titan-core`'s, what a model is asked is `titan-agent`'s; here is only who does what when.
//!
//! A map, in reading order.
//!
//! - [`handler`]: what a handler is, what it is given, and the registry of kinds.
//! - [`reporter`], [`stop`]: how a handler speaks while it works, and how it hears that it should stop.
//! - [`handlers`]: the handlers there are.
//! - `asking`: every call of a model, reserved, priced and written down.
//! - [`models`], `agents`: the model providers and the agents of this worker, and what the API is told about them.
//! - [`embedder`]: the model that turns texts into embeddings.
//! - [`extract`]: the text of a file, whatever its format and whoever made it.
//! - [`workshop`]: where foreign code runs, behind walls.
//! - [`worker`]: starting and stopping all of it.
//! - `slots`, `intake`, `poll`: how many jobs it may take, what the committer claims for it, and the look twice a second.
//! - `job`, `in_hand`: each job is a task of the runtime; the table of what is held.
//! - `hints`, `heartbeat`, `pulse`, `maintenance`: hearing from others, the sign of life, and what the leading worker does for all.
//! - [`watchdog`]: ends a daemon whose runtime is stuck.
//! - [`run_task`]: one task, once, from the command line.

pub mod handler;

pub mod reporter;
pub mod stop;

mod asking;
pub mod embedder;
pub mod extract;
pub mod handlers;
pub mod models;

pub mod worker;

mod agents;
mod bell;
mod claims;
mod heartbeat;
mod hints;
mod in_hand;
mod intake;
mod job;
mod leftovers;
mod maintenance;
mod outage;
mod poll;
mod pulse;
mod shared;
mod slot;
mod slots;
pub mod workshop;

pub mod run_task;
pub mod watchdog;

pub use handler::{Handler, JobHandler, LoneJob, Registry, Work};
pub use worker::{Worker, WorkerHandle};
