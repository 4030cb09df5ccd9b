//! Keeps one daemon of a deployment running until it is told to stop: begins it again with growing pauses when it dies, and knows
//! whether it is ready.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::files::{DaemonState, Folder, Role, Wanted};
use super::logs;
use super::process::{Found, Mark, Process};
use crate::target::answer;

/// Pauses before a daemon that died is begun again.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// One that ran so long has not died of how it was begun.
const LONG: Duration = Duration::from_secs(60);
/// A daemon without an address is ready when it has run so long.
const SETTLED: Duration = Duration::from_secs(2);
const LOOK: Duration = Duration::from_millis(150);
const LOOK_AGAIN: Duration = Duration::from_secs(5);

pub(super) struct Keeper {
    status: Arc<Mutex<Status>>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

/// How a daemon stands.
#[derive(Debug, Clone)]
pub(super) struct Status {
    pub(super) state: DaemonState,
    /// How often it has died before it was ever ready.
    pub(super) early_deaths: u32,
}

struct Work {
    folder: Folder,
    wanted: Wanted,
    mark: Mark,
    program: PathBuf,
    client: reqwest::Client,
    status: Arc<Mutex<Status>>,
    stop: CancellationToken,
}

impl Keeper {
    /// Takes over the one that runs, or begins it.
    pub(super) fn begin(
        folder: &Folder,
        wanted: &Wanted,
        role: Role,
        found: Option<Found>,
        client: &reqwest::Client,
    ) -> Self {
        let state = DaemonState {
            role,
            deployment: wanted.id.clone(),
            commit: wanted.commit.clone().unwrap_or_default(),
            pid: None,
            address: None,
            ready: false,
            restarts: 0,
            deaths: 0,
            last_error: None,
        };
        let status = Arc::new(Mutex::new(Status { state, early_deaths: 0 }));
        let stop = CancellationToken::new();
        let work = Work {
            folder: folder.clone(),
            wanted: wanted.clone(),
            mark: Mark { deployment: wanted.id.clone(), role },
            program: wanted.programs.join(role.program()),
            client: client.clone(),
            status: Arc::clone(&status),
            stop: stop.clone(),
        };
        Keeper { status, stop, task: tokio::spawn(work.run(found)) }
    }

    pub(super) fn status(&self) -> Status {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Stops the daemon, and returns when it is gone.
    pub(super) async fn stop(self) {
        self.stop.cancel();
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the keeper of a daemon was lost");
        }
    }
}

impl Work {
    async fn run(self, found: Option<Found>) {
        let mut pause = FIRST_PAUSE;
        let mut found = found;
        while !self.stop.is_cancelled() {
            let begun = Instant::now();
            let log = self.folder.log(self.mark.role, self.wanted.commit.as_deref().unwrap_or_default());
            let since = std::fs::metadata(&log).map_or(0, |about| about.len());
            let taken = match found.take() {
                Some(found) => Ok((found.process, found.bind.and_then(|bind| bind.parse().ok()))),
                None => self.start(&log),
            };
            let why = match taken {
                Err(why) => why,
                Ok((mut process, bind)) => {
                    self.set(|status| {
                        status.state.pid = Some(process.pid);
                        status.state.address = bind.map(|bind| format!("http://{bind}"));
                    });
                    tokio::select! {
                        why = process.ended() => why,
                        never = self.watch(begun) => match never {},
                        () = self.stop.cancelled() => {
                            process.stop(self.wanted.grace).await;
                            self.set(|status| (status.state.pid, status.state.ready) = (None, false));
                            return;
                        }
                    }
                }
            };
            let said = logs::tail(&log, since, &self.wanted.environment);
            let why = if said.is_empty() { why } else { format!("{why}; its last lines:\n{said}") };
            tracing::warn!(role = self.mark.role.name(), deployment = self.mark.deployment, why, "a daemon ended");
            self.set(|status| {
                status.early_deaths += u32::from(!status.state.ready && begun.elapsed() < LONG);
                status.state.deaths += u32::from(status.state.ready);
                status.state.restarts += 1;
                status.state.last_error = Some(why);
                (status.state.pid, status.state.ready) = (None, false);
            });
            if begun.elapsed() > LONG {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.stop.cancelled() => return,
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
        // Told to stop before it had so much as looked at the one that runs.
        if let Some(mut found) = found {
            found.process.stop(self.wanted.grace).await;
        }
    }

    fn start(&self, log: &std::path::Path) -> Result<(Process, Option<SocketAddr>), String> {
        let mut variables: Vec<(String, String)> = self.wanted.environment.0.clone().into_iter().collect();
        variables.push(("TITAN_COMMIT".to_owned(), self.wanted.commit.clone().unwrap_or_default()));
        let bind = match (self.mark.role, self.wanted.bind) {
            (Role::Worker, _) => None,
            (Role::Api, Some(bind)) => Some(bind),
            // A new one each time: the one before may be somebody else's by now.
            (Role::Api, None) => Some(free_port().map_err(|error| format!("there is no free port: {error}"))?),
        };
        if let Some(bind) = bind {
            variables.push(("TITAN_BIND".to_owned(), bind.to_string()));
        }
        let process = Process::begin(self.folder.path(), &self.mark, &self.program, &variables, log);
        let process = process.map_err(|error| format!("{} cannot be started: {error}", self.program.display()))?;
        Ok((process, bind))
    }

    /// Looks whether it is ready for as long as it runs.
    async fn watch(&self, begun: Instant) -> std::convert::Infallible {
        loop {
            let address = self.status.lock().unwrap_or_else(PoisonError::into_inner).state.address.clone();
            let ready = match address.and_then(|address| Url::parse(&address).ok()) {
                Some(address) => {
                    // Somebody else may answer at this address.
                    let running = answer::running(&self.client, &address).await;
                    running.ready && running.commit == self.wanted.commit
                }
                None => begun.elapsed() >= SETTLED,
            };
            self.set(|status| status.state.ready = ready);
            sleep(if ready { LOOK_AGAIN } else { LOOK }).await;
        }
    }

    fn set(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn free_port() -> std::io::Result<SocketAddr> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()
}
