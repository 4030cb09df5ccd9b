//! The core against a real Postgres: each test has a database of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod append_only;
mod claiming;
mod commit_cut;
mod committing;
mod fence;
mod hints;
mod idempotency;
mod leader;
mod lifecycle;
mod liveness;
mod maintenance;
mod migrations;
mod reading;
mod sequences;
mod states;
mod support;
