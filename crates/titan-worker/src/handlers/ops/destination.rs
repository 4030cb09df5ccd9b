//! Where changes are rolled out, as this worker's settings say it.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use titan_core::config::{Config, LocalSettings, RenderAccess, RenderSettings, TargetSettings};
use titan_core::templates::Problem;
use titan_ops::canary::Template;
use titan_ops::target::local::{Local, SideSettings, read_environment, stops_within};
use titan_ops::target::{self, Render, Target};

/// What variables begin with that a canary does not get.
const OF_OPS: [&str; 5] = ["OPS_", "TITAN_OPS_", "GITHUB_", "FORGEJO_", "RENDER_"];

/// A daemon that has to get ready migrates the database first.
const READY_WITHIN: Duration = Duration::from_secs(120);

/// A target, and what is looked at there.
pub(super) struct Destination {
    pub(super) target: Arc<dyn Target>,
    pub(super) template: Template,
    /// Where the build leaves the programs, for a target that does not build by itself.
    pub(super) programs: Option<PathBuf>,
}

impl Destination {
    /// # Errors
    /// A setting that cannot be used.
    pub(super) fn new(config: &Config, at: &TargetSettings) -> anyhow::Result<Self> {
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

fn local(config: &Config, settings: &LocalSettings) -> anyhow::Result<Local> {
    let read = |path: &Path, variable: &'static str| read_environment(path).map_err(|why| anyhow!("{variable}: {why}"));
    let production = read(&settings.env, "TITAN_OPS_LOCAL_ENV")?;
    let mut canary = match &settings.canary_env {
        Some(path) => read(path, "TITAN_OPS_LOCAL_CANARY_ENV")?,
        None => production.clone(),
    };
    // What nobody has approved yet is not to judge itself, nor to write at the forge or to deploy.
    canary.retain(|name, _| !OF_OPS.iter().any(|of| name.starts_with(of)));
    let grace = [&production, &canary].map(stops_within).into_iter().collect::<Result<Vec<_>, _>>();
    let grace = grace.map_err(|why| anyhow!("{why}"))?.into_iter().max().unwrap_or_default();
    let folder = settings.folder.clone().unwrap_or_else(|| config.data_dir.join("ops/target"));
    let own = std::env::current_exe().context("where this program lies")?;
    Local::new(target::local::Settings {
        folder: std::path::absolute(folder).context("TITAN_OPS_LOCAL_DIR")?,
        supervisor: own.with_file_name("titan-supervise"),
        production: SideSettings { bind: settings.bind, environment: production },
        canary: SideSettings { bind: None, environment: canary },
        // Sooner than the stage gives up: the target knows why a release does not come up.
        ready_within: READY_WITHIN.min(config.ops.rollouts.deploy_timeout / 4 * 3),
        grace,
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
