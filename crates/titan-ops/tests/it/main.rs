//! One binary for all tests that go through the public API of this crate: against real repositories and real processes, and against
//! fakes that are real underneath, such as a forge over a bare repository of git.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod analysis;
mod forgejo;
mod github;
mod local;
mod local_real;
mod local_site;
mod render;
mod repository;
mod site;
mod verdict;
