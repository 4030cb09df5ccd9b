//! The forge, the mirror and the rules that all stages work with.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde_json::Value;
use titan_core::config::{
    Config, ForgeSettings, GitHubAccess, LocalSettings, Ops, RenderAccess, RenderSettings, TargetSettings,
};
use titan_core::db::PgConnection;
use titan_core::ops::Policy;
use titan_core::ops::intents::{self, Intended};
use titan_core::ops::proposals::{self, Proposed};
use titan_core::ops::rollouts::Rollout;
use titan_core::templates::Problem;
use titan_ops::canary::Template;
use titan_ops::forge::settings::{Access, App, ForgejoSettings, GitHubSettings};
use titan_ops::forge::{Forge, Forgejo, GitHub};
use titan_ops::repository::{Limits, Mirror};
use titan_ops::target::local::{Local, SideSettings, read_environment};
use titan_ops::target::{self, Render, Target};

use uuid::Uuid;

use super::halt::Halt;
use crate::handler::Work;
use crate::handlers::exec;
use crate::workshop::Workshop;

pub(super) struct Yard {
    pub(super) settings: Ops,
    pub(super) policy: Policy,
    pub(super) workshop: Arc<Workshop>,
    pub(super) forge: Arc<dyn Forge>,
    /// Where changes are rolled out.
    pub(super) destination: Option<Destination>,
    folder: PathBuf,
}

/// A target, and what is looked at there.
pub(super) struct Destination {
    pub(super) target: Arc<dyn Target>,
    pub(super) template: Template,
    /// Where the build leaves the programs, for a target that does not build by itself.
    pub(super) programs: Option<PathBuf>,
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

impl Destination {
    fn new(config: &Config, at: &TargetSettings) -> anyhow::Result<Self> {
        let (target, programs): (Arc<dyn Target>, _) = match at {
            TargetSettings::Local(local) => (Arc::new(self::local(config, local)?), Some(local.programs.clone())),
            TargetSettings::Render(render) => (Arc::new(self::render(render)?), None),
        };
        Ok(Destination { target, template: template(config.ops.rollouts.template.as_deref())?, programs })
    }
}

fn template(path: Option<&Path>) -> anyhow::Result<Template> {
    let read = match path {
        None => Template::shipped(),
        Some(path) => {
            let text =
                std::fs::read_to_string(path).with_context(|| format!("TITAN_OPS_CANARY: {}", path.display()))?;
            Template::parse(&text)
        }
    };
    let in_words = |problems: Vec<Problem>| anyhow!("TITAN_OPS_CANARY: {}", titan_core::templates::in_words(&problems));
    read.map_err(in_words)
}

/// Until another worker may have taken the stage.
pub(super) const ELSEWHERE: Duration = Duration::from_secs(10);
/// What variables begin with that a canary does not get.
const OF_OPS: [&str; 5] = ["OPS_", "TITAN_OPS_", "GITHUB_", "FORGEJO_", "RENDER_"];

/// A daemon that has to get ready migrates the database first.
const READY_WITHIN: Duration = Duration::from_secs(120);

fn local(config: &Config, settings: &LocalSettings) -> anyhow::Result<Local> {
    let read = |path: &Path, variable: &'static str| read_environment(path).map_err(|why| anyhow!("{variable}: {why}"));
    let production = read(&settings.env, "TITAN_OPS_LOCAL_ENV")?;
    let mut canary = match &settings.canary_env {
        Some(path) => read(path, "TITAN_OPS_LOCAL_CANARY_ENV")?,
        None => production.clone(),
    };
    // What nobody has approved yet is not to judge itself, nor to write at the forge or to deploy.
    canary.retain(|name, _| !OF_OPS.iter().any(|of| name.starts_with(of)));
    let folder = settings.folder.clone().unwrap_or_else(|| config.data_dir.join("ops/target"));
    let own = std::env::current_exe().context("where this program lies")?;
    Local::new(target::local::Settings {
        folder: std::path::absolute(folder).context("TITAN_OPS_LOCAL_DIR")?,
        supervisor: own.with_file_name("titan-supervise"),
        production: SideSettings { bind: settings.bind, environment: production },
        canary: SideSettings { bind: None, environment: canary },
        ready_within: READY_WITHIN.min(config.ops.rollouts.deploy_timeout),
        grace: config.grace,
    })
    .map_err(|why| anyhow!("TITAN_OPS_LOCAL_DIR: {why}"))
}

fn render(settings: &RenderSettings) -> anyhow::Result<Render> {
    let access = match settings.access.clone() {
        RenderAccess::Key { key, api_url, service_api, service_worker } => target::render::Access::Key {
            key,
            api_url: match api_url {
                Some(url) => url,
                None => target::render::API_URL.parse()?,
            },
            service_api,
            service_worker,
        },
        RenderAccess::Hooks { api, worker } => target::render::Access::Hooks { api, worker },
    };
    Render::new(target::render::Settings { access, address: settings.address.clone() }).map_err(|why| anyhow!("{why}"))
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
