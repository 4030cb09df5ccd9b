//! A forge: where the repository lies, and where a change to it is reviewed and merged. GitHub and Forgejo behind one trait.
//!
//! Writing is serial and can always be looked up: a branch by its name, a pull request by its branch, a merge by its pull request. So
//! whoever was killed after asking finds out before asking again. Waiting is the caller's: what a forge says of its limits comes back
//! as [`ForgeError::RateLimited`], and nothing here sleeps.
//!
//! In reading order: this trait, what a forge is made from (`settings`), what both share (requests, the table of errors, what may
//! stand in a route, a commit and a comment), and the two.

pub mod settings;

mod changes;
mod failure;
mod http;
mod names;
mod refused_merge;
mod texts;
mod turns;

mod forgejo;
mod github;

pub use forgejo::Forgejo;
pub use github::GitHub;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use secrecy::SecretString;

/// Where git fetches from, and with which header.
#[derive(Debug, Clone)]
pub struct Remote {
    pub url: String,
    /// `Authorization: ...`, to be given to git by its environment and never as an argument.
    pub header: Option<SecretString>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct About {
    pub default_branch: String,
    /// Whether this token may write.
    pub can_write: bool,
    /// The page of the repository, for people.
    pub page: String,
}

/// One commit to be made, all of it or nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewCommit {
    pub branch: String,
    /// Where the branch must stand; it is made there when it does not exist.
    pub parent: String,
    pub headline: String,
    pub body: String,
    pub files: Vec<NewFile>,
    pub deletions: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFile {
    pub path: String,
    pub content: Vec<u8>,
    pub executable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullRequest {
    pub number: u64,
    pub page: String,
    pub state: PullState,
    pub branch: String,
    /// The commit that it would merge.
    pub head: String,
    pub base: String,
    pub title: String,
    pub body: String,
    /// The commit that it became.
    pub merged_as: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PullState {
    Open,
    Closed,
    Merged,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPullRequest {
    pub branch: String,
    pub base: String,
    pub title: String,
    pub body: String,
}

/// What the forge's own checks say about a commit, check-runs and statuses together, the newest of each name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Checks {
    pub checks: Vec<Check>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    pub state: CheckState,
    /// What it says of itself.
    pub summary: String,
    pub page: Option<String>,
    pub finished_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckState {
    Pending,
    Passed,
    Failed,
    /// It was left out, or says neither yes nor no; GitHub lets such a one pass.
    Neutral,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MergeMethod {
    Squash,
    Merge,
}

#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum ForgeError {
    /// Come back after this time, and not before.
    #[error("{why}")]
    RateLimited { after: Duration, why: String },
    /// No answer, or one of a server in trouble. A write may have been done: look before it is repeated.
    #[error("{0}")]
    Unavailable(String),
    /// The token is wrong, or may not do this. Names the variable.
    #[error("{0}")]
    Denied(String),
    #[error("{0}")]
    NotFound(String),
    /// Somebody else moved the branch, or the head of the pull request.
    #[error("{branch} stands at {found} and not at {expected}: somebody else has moved it")]
    Moved { branch: String, expected: String, found: String },
    /// It cannot be merged as it is: conflicts, rules of the branch, checks that are missing.
    #[error("{0}")]
    NotMergeable(String),
    /// The same again will not help.
    #[error("{0}")]
    Refused(String),
}

#[async_trait]
pub trait Forge: Send + Sync {
    /// `GitHub` or `Forgejo`, for people.
    fn name(&self) -> &'static str;

    async fn remote(&self) -> Result<Remote, ForgeError>;

    async fn about(&self) -> Result<About, ForgeError>;

    /// Where a branch stands; none when it does not exist.
    async fn head(&self, branch: &str) -> Result<Option<String>, ForgeError>;

    /// Makes the commit on its branch, which must stand at its parent, and gives its id.
    async fn commit(&self, new: &NewCommit) -> Result<String, ForgeError>;

    /// The pull request of a branch, the newest when there are several; none when there never was one.
    async fn pull_request(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError>;

    /// Opens one. When one is open for the branch already, it is described anew instead.
    async fn open(&self, new: &NewPullRequest) -> Result<PullRequest, ForgeError>;

    async fn describe(&self, number: u64, title: &str, body: &str) -> Result<PullRequest, ForgeError>;

    /// Closes it without merging. Twice is as good as once.
    async fn close(&self, number: u64) -> Result<(), ForgeError>;

    /// Says something on the pull request, once for each marker: what was said under it before is replaced.
    async fn comment(&self, number: u64, marker: &str, body: &str) -> Result<(), ForgeError>;

    async fn checks(&self, commit: &str) -> Result<Checks, ForgeError>;

    /// Merges exactly this head and gives the commit that it became. When that was done already, gives the same commit.
    async fn merge(&self, number: u64, head: &str, method: MergeMethod, headline: &str) -> Result<String, ForgeError>;

    /// Removes a branch that stands at this commit. One that is gone is as good.
    async fn remove_branch(&self, branch: &str, at: &str) -> Result<(), ForgeError>;
}
