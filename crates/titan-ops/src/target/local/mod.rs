//! This machine: the daemons of a release run as processes, the canary's beside those of production.
//!
//! Each side has a folder and a supervisor (`titan-supervise`), a program of its own: it must outlive the worker that starts it, and
//! must not be part of the release that is being judged. The target writes what is wanted and reads how it stands, so that a worker
//! that was killed right after asking finds out by reading.

mod environment;
mod files;
mod keeper;
mod logs;
mod process;
mod releases;
mod supervisor;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, sleep};
use url::Url;

pub use environment::{read_environment, stops_within};
pub use files::{DaemonState, Environment, Folder, Role, State, Wanted};
pub use releases::HELPERS;
pub use supervisor::run;

use super::{Deployment, DeploymentState, Order, Running, Side, Target, TargetError, answer};

/// Until a supervisor has begun.
const START: Duration = Duration::from_secs(15);
const LOOK: Duration = Duration::from_millis(50);
const MAX_KEY: usize = 100;
/// Deployments of production that can be gone back to without a build.
const GO_BACK: usize = 5;

#[derive(Debug, Clone)]
pub struct Settings {
    /// Where all of it lies.
    pub folder: PathBuf,
    /// The program `titan-supervise`.
    pub supervisor: PathBuf,
    pub production: SideSettings,
    pub canary: SideSettings,
    /// A release whose daemons are not ready by then has failed.
    pub ready_within: Duration,
    /// Between asking a daemon to stop and killing it.
    pub grace: Duration,
}

#[derive(Debug, Clone, Default)]
pub struct SideSettings {
    /// Where its API listens. None is a free port, with which the new one is ready before the old one stops.
    pub bind: Option<SocketAddr>,
    /// All that its daemons get, beside `TITAN_COMMIT` and `TITAN_BIND`.
    pub environment: BTreeMap<String, SecretString>,
}

#[derive(Debug)]
pub struct Local {
    settings: Settings,
    client: reqwest::Client,
}

impl Local {
    /// # Errors
    /// What is wrong with the settings.
    pub fn new(settings: Settings) -> Result<Self, String> {
        // The daemons begin elsewhere, so a relative path would lead them elsewhere.
        if !settings.folder.is_absolute() {
            return Err(format!(
                "the folder of the local target must be an absolute path, and is {}",
                settings.folder.display()
            ));
        }
        let fixed = |side: &SideSettings| side.bind.filter(|bind| bind.port() != 0);
        if let (Some(production), Some(canary)) = (fixed(&settings.production), fixed(&settings.canary))
            && production == canary
        {
            return Err(format!("production and canary run side by side and cannot both listen on {production}"));
        }
        Ok(Local { settings, client: answer::client()? })
    }

    /// The folder of a side, with its state and its logs.
    #[must_use]
    pub fn folder(&self, side: Side) -> Folder {
        Folder::new(self.settings.folder.join(side.name()))
    }

    fn of(&self, side: Side) -> &SideSettings {
        match side {
            Side::Production => &self.settings.production,
            Side::Canary => &self.settings.canary,
        }
    }

    /// What the files say of a deployment.
    fn look(&self, side: Side, id: &str) -> io::Result<Option<Deployment>> {
        let folder = self.folder(side);
        let (wanted, state) = (folder.wanted()?, folder.state()?.unwrap_or_default());
        if let Some(found) = state.find(id) {
            return Ok(Some(found.clone()));
        }
        let wanted = wanted.filter(|wanted| wanted.id == id);
        Ok(wanted.map(|wanted| Deployment {
            id: wanted.id,
            commit: wanted.commit.unwrap_or_default(),
            state: DeploymentState::UnderWay,
            reason: Some("the supervisor has not begun with it".to_owned()),
            began_at: Some(wanted.asked_at),
        }))
    }

    fn want(
        &self,
        side: Side,
        id: &str,
        asked_at: chrono::DateTime<chrono::Utc>,
        release: Option<(String, PathBuf)>,
    ) -> io::Result<()> {
        let ends = release.is_none();
        let (commit, programs) = release.unzip();
        let (settings, folder) = (self.of(side), self.folder(side));
        folder.make()?;
        // Whoever was held up after it was told to order this has no say any more once a newer order was given.
        let _ordering = folder.ordering()?;
        if folder.wanted()?.is_some_and(|other| other.id != id && other.asked_at > asked_at) {
            return Err(io::Error::other("a newer order was given meanwhile"));
        }
        let environment =
            settings.environment.iter().map(|(name, value)| (name.clone(), value.expose_secret().to_owned()));
        folder.want(&Wanted {
            id: id.to_owned(),
            asked_at,
            commit,
            programs: programs.unwrap_or_default(),
            bind: settings.bind.filter(|bind| bind.port() != 0),
            // What is to end needs no secrets to lie about.
            environment: Environment(if ends { BTreeMap::new() } else { environment.collect() }),
            ready_within: self.settings.ready_within,
            grace: self.settings.grace,
        })
    }

    fn is_wanted(&self, side: Side) -> Result<bool, TargetError> {
        let wanted = self.folder(side).wanted().map_err(|error| unusable(&error))?;
        Ok(wanted.is_some_and(|wanted| wanted.commit.is_some()))
    }

    /// Sees to it that a side has its supervisor, which may have been killed.
    async fn ensure(&self, side: Side) -> Result<(), TargetError> {
        let folder = self.folder(side);
        if folder.lock().map_err(|error| unusable(&error))?.is_none() {
            return Ok(());
        }
        let program = self.settings.supervisor.display();
        let mut command = tokio::process::Command::new(&self.settings.supervisor);
        command.arg("start").arg(folder.path()).env_clear().kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let started = tokio::time::timeout(START, command.output()).await;
        let output = started
            .map_err(|_| TargetError::Unavailable(format!("{program} did not start a supervisor within {START:?}")))?
            .map_err(|error| TargetError::Refused(format!("{program} cannot be started: {error}")))?;
        if output.status.success() {
            return Ok(());
        }
        let said = titan_core::error::one_line(&String::from_utf8_lossy(&output.stderr));
        Err(TargetError::Unavailable(format!("no supervisor was started: {said}")))
    }

    /// Where production's and the canary's releases are, which must not be removed.
    fn tidy(&self) -> io::Result<()> {
        let mut in_use = Vec::new();
        for side in [Side::Production, Side::Canary] {
            let folder = self.folder(side);
            in_use.extend(folder.wanted()?.into_iter().chain(folder.serving()?).filter_map(|wanted| wanted.commit));
        }
        // What production ran before is what it goes back to, however many canaries there were since.
        let before = self.folder(Side::Production).state()?.unwrap_or_default().ended;
        in_use.extend(before.into_iter().take(GO_BACK).map(|deployment| deployment.commit));
        releases::tidy(&self.settings.folder.join("releases"), &in_use)
    }
}

#[async_trait]
impl Target for Local {
    fn name(&self) -> &str {
        "local"
    }

    fn side_by_side(&self) -> bool {
        true
    }

    async fn deploy(&self, order: &Order) -> Result<Deployment, TargetError> {
        check(order)?;
        if let Some(found) = self.find(order).await? {
            return Ok(found);
        }
        let (releases, release) = (self.settings.folder.join("releases"), order.release.clone());
        let copied = move || releases::install(&releases, &release.commit, release.folder.as_deref());
        let programs =
            tokio::task::spawn_blocking(copied).await.map_err(|error| TargetError::Unavailable(error.to_string()))?;
        let programs = programs.map_err(TargetError::Refused)?;
        let release = (order.release.commit.clone(), programs);
        self.want(order.side, &order.key, order.asked_at, Some(release)).map_err(|error| unusable(&error))?;
        self.ensure(order.side).await?;
        if let Err(error) = self.tidy() {
            tracing::warn!(%error, "old releases cannot be removed");
        }
        self.stand(order.side, &order.key).await
    }

    async fn find(&self, order: &Order) -> Result<Option<Deployment>, TargetError> {
        check(order)?;
        let found = self.look(order.side, &order.key).map_err(|error| unusable(&error))?;
        // It may have been written down by somebody who was killed before the supervisor was started.
        if found.as_ref().is_some_and(|found| found.state == DeploymentState::UnderWay) {
            self.ensure(order.side).await?;
        }
        Ok(found)
    }

    async fn stand(&self, side: Side, id: &str) -> Result<Deployment, TargetError> {
        let found = self.look(side, id).map_err(|error| unusable(&error))?;
        let found = found.ok_or_else(|| TargetError::Refused(format!("{} knows no deployment {id:?}", side.name())))?;
        let wanted = self.folder(side).wanted().map_err(|error| unusable(&error))?;
        // What serves is kept running, whoever killed the supervisor.
        if wanted.is_some_and(|wanted| wanted.commit.is_some()) {
            self.ensure(side).await?;
        }
        Ok(found)
    }

    async fn running(&self, side: Side) -> Result<Running, TargetError> {
        if self.is_wanted(side)? {
            self.ensure(side).await?;
        }
        self.glance(side).await
    }

    async fn glance(&self, side: Side) -> Result<Running, TargetError> {
        let not = |reason: String| Running { commit: None, ready: false, reason: Some(reason) };
        if !self.is_wanted(side)? {
            return Ok(not(format!("nothing is deployed to {}", side.name())));
        }
        let state = self.folder(side).state().map_err(|error| unusable(&error))?.unwrap_or_default();
        let Some(address) = state.address.as_deref().and_then(|address| Url::parse(address).ok()) else {
            return Ok(not(format!("the API of {} does not run", side.name())));
        };
        let running = answer::running(&self.client, &address).await;
        // What the API does not say of itself.
        Ok(match one_that(&state, |daemon| daemon.pid.is_none()).filter(|_| running.ready) {
            None => running,
            Some(why) => Running { ready: false, reason: Some(why), ..running },
        })
    }

    async fn died(&self, side: Side) -> Result<Option<String>, TargetError> {
        let state = self.folder(side).state().map_err(|error| unusable(&error))?.unwrap_or_default();
        Ok(one_that(&state, |daemon| daemon.deaths > 0))
    }

    fn address(&self, side: Side) -> Option<String> {
        self.folder(side).state().ok()??.address
    }

    async fn end_canary(&self) -> Result<(), TargetError> {
        let folder = self.folder(Side::Canary);
        let wanted = folder.wanted().map_err(|error| unusable(&error))?;
        let Some(wanted) = wanted else { return Ok(()) };
        if wanted.commit.is_some() {
            let id = format!("end-{}", uuid::Uuid::now_v7().simple());
            // As old as what it ends: an order counts by when it was meant, and clocks differ.
            self.want(Side::Canary, &id, wanted.asked_at, None).map_err(|error| unusable(&error))?;
        }
        // Also when it was ended before: a supervisor that was killed may have left daemons.
        let left = |state: &State| state.daemons.iter().any(|daemon| daemon.pid.is_some());
        if folder.state().map_err(|error| unusable(&error))?.as_ref().is_some_and(left) {
            self.ensure(Side::Canary).await?;
        }
        let give_up = Instant::now() + self.settings.grace * 2 + START;
        while folder.lock().map_err(|error| unusable(&error))?.is_none() {
            if Instant::now() > give_up {
                return Err(TargetError::Unavailable("the canary's daemons do not stop".to_owned()));
            }
            sleep(LOOK).await;
        }
        Ok(())
    }
}

/// A daemon of what is live of which this holds, and how it died last.
fn one_that(state: &State, holds: impl Fn(&DaemonState) -> bool) -> Option<String> {
    let live = state.deployment.as_ref().filter(|deployment| deployment.state == DeploymentState::Live)?;
    let mut of_it = state.daemons.iter().filter(|daemon| daemon.deployment == live.id);
    of_it.find(|daemon| holds(daemon)).map(|daemon| {
        let why = daemon.last_error.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
        format!("{} has died{why}", daemon.role.program())
    })
}

fn check(order: &Order) -> Result<(), TargetError> {
    let commit = &order.release.commit;
    let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    if !(7..=64).contains(&commit.len()) || !commit.bytes().all(hex) {
        return Err(TargetError::Refused(format!("a commit must be its hexadecimal digits, and is {commit:?}")));
    }
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if order.key.is_empty() || order.key.len() > MAX_KEY || !order.key.bytes().all(fits) {
        return Err(TargetError::Refused(format!(
            "a key must be 1 to {MAX_KEY} of a-z, 0-9 and -, and is {:?}",
            order.key
        )));
    }
    Ok(())
}

fn unusable(error: &io::Error) -> TargetError {
    TargetError::Unavailable(format!("the folder of the local target cannot be used: {error}"))
}
