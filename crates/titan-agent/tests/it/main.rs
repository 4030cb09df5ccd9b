//! One binary for all tests that go through the public API of this crate, most of them over real sockets against the
//! fake model server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod aimock;
mod answers;
mod cancellation;
mod context;
mod contract;
mod failures;
mod fake;
mod models;
mod offline;
mod support;
mod timeouts;
