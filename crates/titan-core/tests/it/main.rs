//! The core against a real Postgres: each test has a database of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod append_only;
mod batching;
mod blobs;
mod budgets;
mod claiming;
mod commit_cut;
mod committing;
mod contacts;
mod conversation;
mod documents;
mod fairness;
mod fence;
mod first_word;
mod hints;
mod idempotency;
mod leader;
mod lifecycle;
mod limits;
mod liveness;
mod lone;
mod maintenance;
mod memories;
mod migrations;
mod ops_policy;
mod plans;
mod pooler;
mod reading;
mod reviewing;
mod sales;
mod sequences;
mod states;
mod support;
mod template_files;
mod templates;
mod workspaces;
