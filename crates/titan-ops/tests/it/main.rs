//! One binary for all tests that go through the public API of this crate: against real repositories, and against fakes that are real
//! underneath, such as a forge over a bare repository of git.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod forgejo;
mod github;
mod render;
mod repository;
mod site;
mod verdict;
