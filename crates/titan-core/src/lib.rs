//! Titan's core: the one engine, its queue and everything that touches Postgres.
//!
//! A map, in reading order. Nothing here knows HTTP or a model; the two daemons are built on it.
//!
//! - [`config`], [`daemon`]: the environment, read once, and what both daemons do when they start and stop.
//! - [`error`], [`ids`], [`page`], [`text`]: the small words everything else speaks.
//! - [`db`]: connections, migrations, and the only hop from async to blocking code.
//! - [`git`]: the git program on bare repositories of ours.
//! - [`state`]: the rules of runs, steps and tasks as pure functions.
//! - [`workflow`]: what a run is made of.
//! - [`engine`]: transitions (values), how a batch of them is applied, and who applies it.
//! - [`queue`]: claim, release, rescue, hints.
//! - the rest: one module per table, queries only.

pub mod config;
pub mod daemon;
pub mod error;
pub mod filename;
pub mod ids;
mod owned;
pub mod page;
pub mod redact;
pub mod text;
pub mod title;
mod words;

pub mod db;

pub mod state;
pub mod workflow;

pub mod engine;
pub mod queue;

pub mod agents;
pub mod attachments;
pub mod blobs;
pub mod budgets;
pub mod calls;
pub mod commands;
pub mod contacts;
pub mod counters;
pub mod documents;
pub mod events;
pub mod git;
pub mod idempotency;
pub mod logs;
pub mod memories;
pub mod messages;
pub mod meter;
mod needs;
pub mod ops;
pub mod outputs;
pub mod people;
pub mod pipelines;
pub mod plans;
pub mod projects;
pub mod providers;
pub mod runs;
pub mod sales;
pub mod summaries;
pub mod tasks;
pub mod templates;
pub mod workers;
pub mod workspaces;

pub use error::{Error, Result};
