//! Where this worker runs foreign code: the sandbox with what a build needs, and folders for the files of projects. Nothing runs
//! here but behind walls; where none can be built, nothing runs at all.
//!
//! - `tools`: the toolchains of this machine, and where it fetches packages.
//! - `console`: what a command writes, as lines of the run's log.
//! - `lines`: what of it is seen, and which line says why it failed.
//! - `folder`: a folder for one piece of work.
//! - `run`: one command from its order to its end.
//! - `build`: a project as a run builds it, whoever asks for it.
//! - `network`: whose loopback address is meant.
//! - `git`: the git program on a repository that nobody trusts.
//! - `copy`: files of a build, without following where their links lead.

pub(crate) mod build;
mod console;
pub(crate) mod copy;
mod folder;
pub(crate) mod git;
pub(crate) mod lines;
pub(crate) mod network;
pub(crate) mod run;
mod tools;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use secrecy::{ExposeSecret as _, SecretString};
use titan_core::config::Config;
use titan_core::workspaces::Workspaces;
use titan_sandbox::egress::{Rule, Way};
use titan_sandbox::{Sandbox, Settings, Variant};
use tokio::sync::{OnceCell, Semaphore};
use uuid::Uuid;

use run::Site;
use tools::Tools;
pub use tools::registries;

pub struct Workshop {
    way: Way,
    /// Tried out when it is asked for first, which a daemon does when it starts.
    sandbox: OnceCell<Result<Sandbox, String>>,
    tools: Tools,
    /// The places that a build may fetch packages from.
    registries: Vec<Rule>,
    /// So many commands at once.
    places: Arc<Semaphore>,
    data_dir: PathBuf,
    output_dir: PathBuf,
    preview_bind: IpAddr,
    hooks: BTreeMap<String, SecretString>,
}

impl Workshop {
    /// # Errors
    /// A setting that cannot be used.
    pub fn new(config: &Config) -> anyhow::Result<Self> {
        let exec = &config.exec;
        let mut way = Way::default();
        if let Some(proxy) = &exec.proxy {
            way.upstream = Some(proxy.expose_secret().parse().context("TITAN_EGRESS_PROXY")?);
        }
        for network in &exec.inner_networks {
            let why = || format!("TITAN_EGRESS_INNER: {network:?} is no network such as 10.0.0.0/8");
            way.inner.push(network.parse().with_context(why)?);
        }
        let registries = match &exec.registries {
            Some(hosts) => hosts.clone(),
            None => tools::registries(),
        };
        let rule = |host: &String| host.parse::<Rule>().with_context(|| format!("TITAN_REGISTRIES: {host:?}"));
        // Absolute, because commands are started elsewhere.
        let data_dir = std::path::absolute(&config.data_dir).context("TITAN_DATA_DIR")?;
        Ok(Workshop {
            way,
            sandbox: OnceCell::new(),
            tools: Tools::find(exec.toolchains.as_deref()),
            registries: registries.iter().map(rule).collect::<anyhow::Result<_>>()?,
            places: Arc::new(Semaphore::new(exec.slots)),
            output_dir: std::path::absolute(exec.output_dir(&data_dir)).context("OUTPUT_DIR")?,
            data_dir,
            preview_bind: exec.preview_bind,
            hooks: exec.hooks.clone(),
        })
    }

    /// The walls of this machine, or why there are none.
    pub(crate) async fn sandbox(&self) -> Result<&Sandbox, &str> {
        let detect = || async {
            let settings = Settings { way: self.way.clone(), ..Settings::default() };
            Sandbox::detect(settings).await.map_err(|unavailable| unavailable.to_string())
        };
        self.sandbox.get_or_init(detect).await.as_ref().map_err(String::as_str)
    }

    /// The same in a word, for people.
    pub(crate) async fn describe(&self) -> String {
        match self.sandbox().await.map(Sandbox::variant) {
            Ok(Variant::Bubblewrap) => "bubblewrap".to_owned(),
            Ok(Variant::Landlock) => "landlock".to_owned(),
            Err(why) => why.to_owned(),
        }
    }

    /// Whether an address that a stranger has named may be reached from here.
    pub(crate) fn may_lead_to(&self, address: IpAddr) -> bool {
        self.way.may_lead_to(address)
    }

    /// The authorities that git servers must be known to, when those of the machine are not meant.
    pub(crate) fn git_certificates(&self) -> Option<&Path> {
        self.tools.git_certificates.as_deref()
    }

    pub(crate) fn workspaces(&self, site: Site<'_>) -> Workspaces {
        Workspaces::new(site.db.clone(), site.blobs.clone(), &self.data_dir)
    }

    /// Where the projects with the target `directory` go.
    pub(crate) fn output_dir(&self) -> &Path {
        &self.output_dir
    }

    pub(crate) fn preview_bind(&self) -> IpAddr {
        self.preview_bind
    }

    /// The address of a deploy hook, by its name.
    pub(crate) fn hook(&self, name: &str) -> Option<&SecretString> {
        self.hooks.get(name)
    }

    /// What a run works on, and what it built.
    pub(crate) fn work_dir(&self) -> PathBuf {
        self.data_dir.join("work")
    }

    /// What is fetched and looked at once.
    pub(crate) fn fetch_dir(&self) -> PathBuf {
        self.data_dir.join("fetch")
    }

    /// What package managers keep. Each project has its own: what one wrote there is not for others to trust.
    pub(crate) fn caches_of(&self, project_id: Uuid) -> PathBuf {
        self.data_dir.join("caches").join(project_id.to_string())
    }
}
