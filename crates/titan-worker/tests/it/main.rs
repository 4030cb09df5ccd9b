//! The worker on real parts: a Postgres database per test, a model server that speaks the real wire, and real processes
//! where they are to be killed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod api;
mod asking;
mod cancel;
mod chat;
mod context;
mod crash;
mod documents;
mod fleet;
mod handlers;
mod liveness;
mod long_answers;
mod memory;
mod outage;
mod plan;
mod polling;
mod pooler;
mod providers;
mod retry;
mod run_task;
mod secrets;
mod shutdown;
mod support;
