//! How Titan changes its own code: what a proposal's patches come to in the repository, the forge where they are reviewed, the canary
//! that shows what they do, and the targets that they are deployed to.
//!
//! Nothing here knows the database or the queue: a worker's handlers carry out one stage each and write down what came of it. The
//! rules that a proposal has to keep (paths, sizes) stand in the core, so that the API refuses what breaks them before anything is stored.
//!
//! A map, in reading order.
//!
//! - [`repository`]: a local copy of the forge's repository: patches applied, merges tried out, differences shown.
//! - [`forge`]: branches, pull requests and checks, at GitHub or Forgejo.
//! - [`canary`]: samples of a baseline and a canary, and what they say.
//! - [`target`]: where a commit is deployed to, and what it answers there.

pub mod repository;

pub mod forge;

pub mod canary;

pub mod target;
