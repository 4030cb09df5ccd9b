//! The supervisor of a side: a process of its own that outlives the worker which asked for it. It keeps running what serves, brings
//! up what is wanted instead, and writes down how it stands.
//!
//! It may be killed at any moment. The daemons go on, and the next supervisor takes them over: what it has to do stands in the files
//! of the side, and what runs carries its deployment's name.

use std::fs::File;
use std::future::Future;
use std::io;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::files::{Folder, Role, State, Wanted};
use super::keeper::Keeper;
use super::logs;
use super::process::{self, Found};
use crate::target::{Deployment, DeploymentState, answer};

const LOOK: Duration = Duration::from_millis(100);
/// Between two looks for daemons of deployments that are over, and at the size of the logs.
const TIDY: Duration = Duration::from_secs(5);
/// A daemon that dies so often before it is ready will not get ready.
const MOST_EARLY_DEATHS: u32 = 4;
/// Deployments that are remembered.
const REMEMBERED: usize = 20;

/// The daemons of one deployment.
struct Set {
    wanted: Wanted,
    worker: Option<Keeper>,
    api: Option<Keeper>,
}

struct Supervisor {
    folder: Folder,
    client: reqwest::Client,
    state: State,
    told: Option<State>,
    serving: Option<Set>,
    coming: Option<Set>,
    tidied: Instant,
}

/// What ends waiting for a release.
enum Came {
    Ready,
    Failed(String),
    /// Told to stop, or another is wanted.
    Instead(String),
}

/// Runs, with the lock of the side, until it is told to stop or nothing is wanted any more.
///
/// # Errors
/// When the side's folder cannot be used.
pub async fn run(folder: &Folder, _lock: File, stop: impl Future<Output = ()>) -> io::Result<()> {
    let client = answer::client().map_err(io::Error::other)?;
    let state = folder.state().unwrap_or_else(|error| {
        tracing::warn!(%error, "the state cannot be read and is begun anew");
        None
    });
    let state = state.unwrap_or_default();
    let mut supervisor = Supervisor {
        folder: folder.clone(),
        client,
        state: State { supervisor: std::process::id(), ..state },
        told: None,
        serving: None,
        coming: None,
        tidied: Instant::now(),
    };
    tokio::pin!(stop);
    let done = tokio::select! {
        done = supervisor.supervise() => done,
        () = &mut stop => Ok(()),
    };
    tracing::info!("the supervisor stops what it runs");
    supervisor.stop_all().await;
    supervisor.tell();
    done
}

impl Supervisor {
    async fn supervise(&mut self) -> io::Result<()> {
        let mut found = process::find(self.folder.path());
        if let Some(serving) = self.folder.serving()? {
            self.serving = Some(self.begin(serving, &mut found));
        }
        loop {
            let wanted = match self.folder.wanted() {
                Ok(wanted) => wanted,
                // Somebody has to mend it; what serves goes on.
                Err(error) => {
                    tracing::error!(%error, "what is wanted cannot be read");
                    self.rest().await;
                    continue;
                }
            };
            match wanted {
                Some(wanted) if wanted.commit.is_none() => {
                    self.folder.serve(None)?;
                    if let Some(ended) =
                        self.state.deployment.clone().filter(|newest| newest.state != DeploymentState::Failed)
                    {
                        let reason = Some("it was ended".to_owned());
                        self.remember(Deployment { state: DeploymentState::Failed, reason, ..ended });
                    }
                    self.stop_strays(found).await;
                    return Ok(());
                }
                Some(wanted) if !self.is_done(&wanted) => self.replace(wanted, &mut found).await?,
                _ => {}
            }
            self.stop_strays(std::mem::take(&mut found)).await;
            self.rest().await;
        }
    }

    /// Whether this one has been brought up, or has failed to.
    fn is_done(&self, wanted: &Wanted) -> bool {
        self.state.find(&wanted.id).is_some_and(|deployment| deployment.state != DeploymentState::UnderWay)
    }

    /// Brings up what is wanted, and stops what served only when that is ready. Where both want the same port, the API that served is
    /// stopped before; it comes back when the new one fails.
    async fn replace(&mut self, wanted: Wanted, found: &mut Vec<Found>) -> io::Result<()> {
        if self.serving.as_ref().is_some_and(|serving| serving.wanted.id == wanted.id) {
            // A supervisor was killed after it had made it the one that serves.
            self.remember(deployment(&wanted, DeploymentState::Live, None));
            return Ok(());
        }
        tracing::info!(deployment = wanted.id, commit = wanted.commit, "a deployment begins");
        self.remember(deployment(&wanted, DeploymentState::UnderWay, Some("its daemons are being started".to_owned())));
        let same_port =
            wanted.bind.is_some() && self.serving.as_ref().is_some_and(|serving| serving.wanted.bind == wanted.bind);
        if same_port && let Some(api) = self.serving.as_mut().and_then(|serving| serving.api.take()) {
            api.stop().await;
        }
        let coming = self.begin(wanted.clone(), found);
        self.coming = Some(coming);
        let came = self.wait_for(&wanted).await;
        let Some(coming) = self.coming.take() else { return Ok(()) };
        match came {
            Came::Ready => {
                // Before the old ones stop: whoever starts after a kill then finds the new ones to be those that serve.
                self.folder.serve(Some(&wanted))?;
                if let Some(old) = self.serving.replace(coming) {
                    // Who asks for the address now is not sent to what stops.
                    self.tell();
                    old.stop().await;
                }
                self.remember(deployment(&wanted, DeploymentState::Live, None));
            }
            Came::Failed(why) | Came::Instead(why) => {
                tracing::warn!(deployment = wanted.id, why, "a deployment failed");
                coming.stop().await;
                if let Some(serving) = &mut self.serving
                    && serving.api.is_none()
                {
                    serving.api = Some(Keeper::begin(&self.folder, &serving.wanted, Role::Api, None, &self.client));
                }
                self.remember(deployment(&wanted, DeploymentState::Failed, Some(why)));
            }
        }
        self.tell();
        Ok(())
    }

    async fn wait_for(&mut self, wanted: &Wanted) -> Came {
        let give_up = Instant::now() + wanted.ready_within;
        loop {
            self.rest().await;
            let Some(coming) = &self.coming else { return Came::Failed("it was stopped".to_owned()) };
            let daemons: Vec<_> = coming.keepers().map(Keeper::status).collect();
            if daemons.iter().all(|daemon| daemon.state.ready) {
                return Came::Ready;
            }
            let late = Instant::now() >= give_up;
            for daemon in daemons.iter().filter(|daemon| !daemon.state.ready) {
                let name = daemon.state.role.program();
                let why = daemon.state.last_error.as_deref().map(|why| format!(": {why}")).unwrap_or_default();
                if daemon.early_deaths >= MOST_EARLY_DEATHS {
                    return Came::Failed(format!("{name} died {} times before it was ready{why}", daemon.early_deaths));
                }
                if late {
                    return Came::Failed(format!("{name} was not ready within {:?}{why}", wanted.ready_within));
                }
            }
            match self.folder.wanted() {
                Ok(Some(newer)) if newer.id != wanted.id => {
                    return Came::Instead(format!("{} was ordered instead", newer.id));
                }
                _ => {}
            }
        }
    }

    /// Its daemons: those that run already are taken over.
    fn begin(&self, wanted: Wanted, found: &mut Vec<Found>) -> Set {
        let mut keeper = |role| {
            let place = found.iter().position(|found| found.mark.deployment == wanted.id && found.mark.role == role);
            let found = place.map(|place| found.swap_remove(place));
            Some(Keeper::begin(&self.folder, &wanted, role, found, &self.client))
        };
        let (worker, api) = (keeper(Role::Worker), keeper(Role::Api));
        Set { wanted, worker, api }
    }

    /// Stops what runs and belongs to nothing any more.
    async fn stop_strays(&self, found: Vec<Found>) {
        for mut stray in found {
            tracing::warn!(
                pid = stray.process.pid,
                deployment = stray.mark.deployment,
                "a daemon of a deployment that is over is stopped"
            );
            let grace = self.serving.as_ref().map_or(Duration::from_secs(10), |serving| serving.wanted.grace);
            stray.process.stop(grace).await;
        }
    }

    async fn rest(&mut self) {
        self.tell();
        if self.tidied.elapsed() > TIDY {
            self.tidied = Instant::now();
            if let Err(error) = logs::tidy(&self.folder.path().join("logs")) {
                tracing::warn!(%error, "the logs cannot be tidied");
            }
            let known: Vec<u32> =
                self.sets().flat_map(Set::keepers).filter_map(|keeper| keeper.status().state.pid).collect();
            let ours: Vec<&str> = self.sets().map(|set| set.wanted.id.as_str()).collect();
            let mut strays = process::find(self.folder.path());
            // One of ours whose number is not known yet was begun this moment.
            strays
                .retain(|found| !known.contains(&found.process.pid) && !ours.contains(&found.mark.deployment.as_str()));
            self.stop_strays(strays).await;
        }
        sleep(LOOK).await;
    }

    fn sets(&self) -> impl Iterator<Item = &Set> {
        self.serving.iter().chain(&self.coming)
    }

    fn remember(&mut self, newest: Deployment) {
        if let Some(before) = self.state.deployment.replace(newest) {
            let same = self.state.deployment.as_ref().is_some_and(|deployment| deployment.id == before.id);
            if !same {
                self.state.ended.retain(|ended| ended.id != before.id);
                self.state.ended.insert(0, before);
                self.state.ended.truncate(REMEMBERED);
            }
        }
        self.tell();
    }

    /// Writes down how it stands, when that has changed.
    fn tell(&mut self) {
        let daemons: Vec<_> = self.sets().flat_map(Set::keepers).map(|keeper| keeper.status().state).collect();
        let serving = self.serving.as_ref().or(self.coming.as_ref());
        self.state.address = serving.and_then(|set| set.api.as_ref()?.status().state.address);
        self.state.daemons = daemons;
        if self.told.as_ref() != Some(&self.state) {
            match self.folder.tell(&self.state) {
                Ok(()) => self.told = Some(self.state.clone()),
                Err(error) => tracing::error!(%error, "the state cannot be written"),
            }
        }
    }

    async fn stop_all(&mut self) {
        for set in [self.coming.take(), self.serving.take()].into_iter().flatten() {
            set.stop().await;
        }
    }
}

impl Set {
    fn keepers(&self) -> impl Iterator<Item = &Keeper> {
        self.worker.iter().chain(&self.api)
    }

    /// The API first: nothing new is asked for then.
    async fn stop(self) {
        for keeper in [self.api, self.worker].into_iter().flatten() {
            keeper.stop().await;
        }
    }
}

fn deployment(wanted: &Wanted, state: DeploymentState, reason: Option<String>) -> Deployment {
    let commit = wanted.commit.clone().unwrap_or_default();
    Deployment { id: wanted.id.clone(), commit, state, reason, began_at: Some(wanted.asked_at) }
}
