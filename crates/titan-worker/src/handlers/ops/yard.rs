//! The forge, the mirror and the rules that all stages work with.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::Value;
use titan_core::config::{Config, ForgeSettings, Ops};
use titan_core::db::PgConnection;
use titan_core::ops::Policy;
use titan_core::ops::intents::{self, Intended};
use titan_core::ops::proposals::{self, Proposed};
use titan_core::ops::rollouts::Rollout;
use titan_ops::forge::Forge;
use titan_ops::repository::{Limits, Mirror};
use uuid::Uuid;

use super::destination::Destination;
use super::forge;
use super::halt::Halt;
use crate::handler::Work;
use crate::handlers::exec;
use crate::workshop::Workshop;

/// Until another worker may have taken the stage.
pub(super) const ELSEWHERE: Duration = Duration::from_secs(10);

pub(super) struct Yard {
    pub(super) settings: Ops,
    pub(super) policy: Policy,
    pub(super) workshop: Arc<Workshop>,
    pub(super) forge: Arc<dyn Forge>,
    /// Where changes are rolled out.
    pub(super) destination: Option<Destination>,
    folder: PathBuf,
}

impl Yard {
    /// # Errors
    /// A setting that cannot be used.
    pub(super) fn new(config: &Config, at: &ForgeSettings, workshop: &Arc<Workshop>) -> anyhow::Result<Self> {
        let settings = config.ops.clone();
        let policy = Policy::of(settings.allowed_paths.as_deref(), settings.protected_paths.as_deref());
        Ok(Yard {
            policy: policy.map_err(|error| anyhow!("{error}")).context("ALLOWED_PATHS or PROTECTED_PATHS")?,
            forge: forge::of(at)?,
            destination: settings.rollouts.target.as_ref().map(|at| Destination::new(config, at)).transpose()?,
            folder: config.data_dir.join("ops"),
            workshop: Arc::clone(workshop),
            settings,
        })
    }

    /// The repository as this machine has it.
    pub(super) async fn mirror(&self) -> Result<Mirror, Halt> {
        let (remote, folder) = (self.forge.remote().await?, self.folder.join("mirror"));
        let certificates = self.workshop.git_certificates().map(PathBuf::from);
        let open = move || Mirror::open_with(&folder, &remote, certificates, Limits::default());
        Ok(tokio::task::spawn_blocking(open).await.map_err(|error| Halt::Passing(error.to_string()))??)
    }

    /// The branch that changes go to.
    pub(super) async fn base(&self) -> Result<String, Halt> {
        match &self.settings.base {
            Some(base) => Ok(base.clone()),
            None => Ok(self.forge.about().await?.default_branch),
        }
    }

    /// Where this rollout goes.
    pub(super) fn destination(&self, rollout: &Rollout) -> Result<&Destination, Halt> {
        let to = self.destination.as_ref().filter(|to| to.target.name() == rollout.target);
        to.ok_or_else(|| Halt::Later {
            after: ELSEWHERE,
            reason: format!("this worker knows no target {}: TITAN_OPS_TARGET", rollout.target),
        })
    }

    /// Where programs are kept that were built here, by the trees that they were built of.
    pub(super) fn builds(&self) -> PathBuf {
        self.folder.join("builds")
    }

    /// A folder for one attempt, which nobody else has.
    pub(super) fn folder_for(&self, work: &Work) -> PathBuf {
        exec::folders(&self.workshop.work_dir()).join(format!("{}-{}", work.fence.run_id, work.fence.epoch))
    }
}

/// What was proposed.
pub(super) async fn proposed(work: &Work) -> Result<Proposed, Halt> {
    let id = work.started.task_id;
    Ok(work.db.run(move |connection| proposals::proposed(connection, id)).await?)
}

/// Writes down what is about to be done outside for the proposal of this work.
pub(super) async fn intend(work: &Work, key: &str, what: Value) -> Result<Intended, Halt> {
    intend_for(work, work.started.task_id, key, what).await
}

/// Writes down what came of it.
pub(super) async fn receive(work: &Work, key: &str, receipt: Value) -> Result<(), Halt> {
    receive_for(work, work.started.task_id, key, receipt).await
}

/// The same for a proposal that another task works for.
pub(super) async fn intend_for(work: &Work, id: Uuid, key: &str, what: Value) -> Result<Intended, Halt> {
    let (fence, key) = (work.fence, key.to_owned());
    let intend = move |connection: &mut PgConnection| intents::intend(connection, fence, id, &key, &what);
    Ok(work.db.run(intend).await?)
}

pub(super) async fn receive_for(work: &Work, id: Uuid, key: &str, receipt: Value) -> Result<(), Halt> {
    let (fence, key) = (work.fence, key.to_owned());
    let receive = move |connection: &mut PgConnection| intents::done(connection, fence, id, &key, &receipt);
    Ok(work.db.run(receive).await?)
}
