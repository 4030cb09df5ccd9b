//! Where a commit is deployed to. A target is asked for one thing at a time and can always be asked how it stands, so that whoever
//! was killed after asking finds out before asking again.

mod answer;
pub mod local;
pub mod render;

use std::time::Duration;

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

pub use local::Local;
pub use render::Render;

/// What one side of a target is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// What people use.
    Production,
    /// The new build, beside it or in its place for a while.
    Canary,
}

impl Side {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Side::Production => "production",
            Side::Canary => "canary",
        }
    }
}

/// What a target is asked to do. The same order is given again by whoever does not know whether it arrived.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    pub side: Side,
    pub release: Release,
    /// A name of its own, of a-z, 0-9 and -. A target that keeps it makes no second deployment of it.
    pub key: String,
    /// When it was given first, as its intent says. A target that knows no keys looks for what began since then.
    pub asked_at: DateTime<Utc>,
}

/// A deployment that was asked for, as the target tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Deployment {
    /// The target's own name for it; given back to [`Target::stand`].
    pub id: String,
    pub commit: String,
    pub state: DeploymentState,
    /// Why it failed, or what it waits for, in words.
    pub reason: Option<String>,
    pub began_at: Option<DateTime<Utc>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeploymentState {
    UnderWay,
    /// The target says that it is live; whether the commit answers is asked apart ([`Target::running`]).
    Live,
    Failed,
}

/// What a side answers on its version endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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

    /// Asks for a deployment, unless this order was carried out already. What is found then is the one that it made.
    async fn deploy(&self, order: &Order) -> Result<Deployment, TargetError>;

    /// The deployment that this order made, if it did, all of it: for whoever does not know whether the request arrived. None means
    /// that it is safe to [`Target::deploy`] it again.
    async fn find(&self, order: &Order) -> Result<Option<Deployment>, TargetError>;

    async fn stand(&self, side: Side, id: &str) -> Result<Deployment, TargetError>;

    /// What answers there now. What should run and was lost is brought back for it.
    async fn running(&self, side: Side) -> Result<Running, TargetError>;

    /// The same for who only wants to know: whoever has stopped it finds it stopped.
    async fn glance(&self, side: Side) -> Result<Running, TargetError> {
        self.running(side).await
    }

    /// Why what came up there did not stay up, where a target knows: a daemon that was ready and has died since, begun again or not.
    async fn died(&self, _side: Side) -> Result<Option<String>, TargetError> {
        Ok(None)
    }

    /// The address that is asked and measured; none when there is none.
    fn address(&self, side: Side) -> Option<String>;

    /// Ends the canary where it runs beside production; nothing otherwise. Twice is as good as once.
    async fn end_canary(&self) -> Result<(), TargetError>;
}
