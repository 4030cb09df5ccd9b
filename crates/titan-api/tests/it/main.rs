//! Tests of the API over a real socket, a real database and, where it says so, a real worker.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod attachments;
mod bad_input;
mod budgets;
mod cancel;
mod contacts;
mod contract;
mod documents;
mod downloads;
mod events;
mod execute;
mod files;
mod idempotency;
mod load;
mod local_mode;
mod memories;
mod metrics;
mod models;
mod ops;
mod outage;
mod pages;
mod plans;
mod projects;
mod queue_admin;
mod review;
mod sales;
mod startup;
mod story;
mod support;
mod templates;
mod user_examples;
mod webhooks;
