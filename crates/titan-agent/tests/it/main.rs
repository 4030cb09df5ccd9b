//! One binary for all tests that go through the public API of this crate, most of them over real sockets against the
//! fake model server.

mod answers;
mod cancellation;
mod chat;
mod failures;
mod fake;
mod models;
mod offline;
mod support;
mod timeouts;
