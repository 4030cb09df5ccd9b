//! Commands and pipelines with real daemons, the real sandbox, and real compilers: what templates become, what is left of it after
//! a crash, and what a person does with it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

mod bare;
mod commands;
mod crashes;
mod deploying;
mod git_installs;
mod kit;
mod ops;
mod ops_edges;
mod ops_render;
mod ops_rollouts;
mod ops_site;
mod previews;
mod resuming;
mod split;
mod templates;
