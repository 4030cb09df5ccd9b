//! Where a commit is deployed to. A target is asked for one thing at a time and can always be asked how it stands, so that whoever
//! was killed after asking finds out before asking again.

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};

/// What one side of a target is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Side {
    /// What people use.
    Production,
    /// The new build, beside it or in its place for a while.
    Canary,
}

/// A deployment that was asked for, as the target tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deployment {
    /// The target's own name for it; given back to [`Target::stand`].
    pub id: String,
    pub commit: String,
    pub state: DeploymentState,
    /// Why it failed, or what it waits for, in words.
    pub reason: Option<String>,
    pub began_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeploymentState {
    UnderWay,
    /// The target says that it is live; whether the commit answers is asked apart ([`Target::running`]).
    Live,
    Failed,
}

/// What a side answers on its version endpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// None: it does not answer, or does not say.
    pub commit: Option<String>,
    /// Whether it says that it is ready (`/readyz`).
    pub ready: bool,
    /// Why not, in words.
    pub reason: Option<String>,
}

/// Where the built programs of a commit lie on this machine, for targets that need them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Release {
    pub commit: String,
    /// A folder with `titan-api` and `titan-worker`; none for targets that build by themselves.
    pub folder: Option<std::path::PathBuf>,
}

#[derive(Debug, Clone, thiserror::Error, PartialEq, Eq)]
pub enum TargetError {
    /// It may have been done; ask how it stands before asking again.
    #[error("{0}")]
    Unavailable(String),
    #[error("{why}")]
    RateLimited { after: Duration, why: String },
    /// The same again will not help.
    #[error("{0}")]
    Refused(String),
}

#[async_trait]
pub trait Target: Send + Sync {
    /// Its name, of which one rollout may be active at a time.
    fn name(&self) -> &str;

    /// Whether production and canary run side by side. Where not, a canary is the new commit in production's place, and the
    /// baseline is what was measured before.
    fn side_by_side(&self) -> bool;

    /// Asks for a deployment and gives its id. `key` is the same when the same is asked for again: a target that can tell so makes no
    /// second one.
    async fn deploy(&self, side: Side, release: &Release, key: &str) -> Result<Deployment, TargetError>;

    /// The newest deployment of this commit on this side, if any: for whoever does not know whether the request arrived.
    async fn find(&self, side: Side, commit: &str, key: &str) -> Result<Option<Deployment>, TargetError>;

    async fn stand(&self, side: Side, id: &str) -> Result<Deployment, TargetError>;

    /// What answers there now.
    async fn running(&self, side: Side) -> Result<Running, TargetError>;

    /// The address that is asked and measured; none when there is none.
    fn address(&self, side: Side) -> Option<String>;

    /// Ends the canary where it runs beside production; nothing otherwise. Twice is as good as once.
    async fn end_canary(&self) -> Result<(), TargetError>;
}
