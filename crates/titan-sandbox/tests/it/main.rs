//! The sandbox against commands that mean harm, and against plain ones. All of it runs real commands behind real walls, for each
//! variant of them: a test that finds its variant missing fails, because a wall that was not tried is none.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod kit;

mod starting;

mod files;
mod network;
mod processes;
mod syscalls;

mod endings;
mod limits;
mod output;

mod caches;
mod egress;
mod ingress;
