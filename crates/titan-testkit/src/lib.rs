//! What Titan's tests stand on. Nothing ships it.
//!
//! - [`db`]: a real Postgres database per test.
//! - [`wait`]: waiting for a condition, with an end.
//! - [`fake_model`]: a model server that speaks the real wire.
//! - `app`, `client`: the real router over a real socket, and a client for it.
//! - `daemon`: the real daemons as processes, to be killed.
//! - [`edges`]: where on a proposal's way a worker can be killed, by name.
//! - [`machine`]: a network and a disk of their own.
//! - [`pooler`]: a PgBouncer before a test's database.
//! - [`proxy`]: a connection to Postgres that can be cut and held.
//! - [`git_server`]: git repositories over https.
//! - [`forge`]: a GitHub or a Forgejo over real bare repositories, with its real document watching.
//! - [`render`]: Render's API and deploy hooks.
//! - [`webhook`]: what forges send, signed.
//! - [`s3`]: an S3-compatible store.
//! - `bench`: how fast all of it is.
//! - `faults`: what must not get lost, whatever happens.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::missing_panics_doc)]

#[cfg(feature = "daemons")]
pub mod app;
#[cfg(feature = "daemons")]
pub mod bench;
pub mod client;
pub mod daemon;
pub mod db;
pub mod edges;
pub mod fake_model;
#[cfg(feature = "daemons")]
pub mod faults;
pub mod forge;
pub mod git_server;
pub mod machine;
mod plain_http;
pub mod pooler;
pub mod proxy;
pub mod render;
pub mod s3;
pub mod wait;
pub mod webhook;
