//! The forge, the mirror and the rules that all stages work with.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use serde_json::Value;
use titan_core::config::{Config, ForgeSettings, GitHubAccess, Ops};
use titan_core::db::PgConnection;
use titan_core::ops::Policy;
use titan_core::ops::intents::{self, Intended};
use titan_core::ops::proposals::{self, Proposed};
use titan_ops::forge::settings::{Access, App, ForgejoSettings, GitHubSettings};
use titan_ops::forge::{Forge, Forgejo, GitHub};
use titan_ops::repository::{Limits, Mirror};

use super::halt::Halt;
use crate::handler::Work;
use crate::handlers::exec;
use crate::workshop::Workshop;

pub(super) struct Yard {
    pub(super) settings: Ops,
    pub(super) policy: Policy,
    pub(super) workshop: Arc<Workshop>,
    pub(super) forge: Arc<dyn Forge>,
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
            forge: forge(at)?,
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

    /// A folder for one attempt, which nobody else has.
    pub(super) fn folder_for(&self, work: &Work) -> PathBuf {
        exec::folders(&self.workshop.work_dir()).join(format!("{}-{}", work.fence.run_id, work.fence.epoch))
    }
}

fn forge(settings: &ForgeSettings) -> anyhow::Result<Arc<dyn Forge>> {
    Ok(match settings {
        ForgeSettings::GitHub(github) => {
            let access = match &github.access {
                GitHubAccess::Token(token) => Access::Token(token.clone()),
                GitHubAccess::App { id, private_key, installation } => {
                    Access::App(App { id: *id, private_key: private_key.clone(), installation: *installation })
                }
            };
            let (api, server) = (github.api_url.as_str(), github.server_url.as_str());
            Arc::new(GitHub::new(GitHubSettings::new(&github.repository, access, Some(api), Some(server))?)?)
        }
        ForgeSettings::Forgejo(forgejo) => {
            let settings = ForgejoSettings::new(&forgejo.repository, forgejo.url.as_str(), forgejo.token.clone())?;
            Arc::new(Forgejo::new(settings)?)
        }
    })
}

/// What was proposed.
pub(super) async fn proposed(work: &Work) -> Result<Proposed, Halt> {
    let id = work.started.task_id;
    Ok(work.db.run(move |connection| proposals::proposed(connection, id)).await?)
}

/// Writes down what is about to be done outside.
pub(super) async fn intend(work: &Work, key: &str, what: Value) -> Result<Intended, Halt> {
    let (fence, id, key) = (work.fence, work.started.task_id, key.to_owned());
    let intend = move |connection: &mut PgConnection| intents::intend(connection, fence, id, &key, &what);
    Ok(work.db.run(intend).await?)
}

/// Writes down what came of it.
pub(super) async fn receive(work: &Work, key: &str, receipt: Value) -> Result<(), Halt> {
    let (fence, id, key) = (work.fence, work.started.task_id, key.to_owned());
    let receive = move |connection: &mut PgConnection| intents::done(connection, fence, id, &key, &receipt);
    Ok(work.db.run(receive).await?)
}
