//! What the target and the supervisor of a side tell each other, as files in the side's folder: `wanted.json` is the target's,
//! `state.json` and `serving.json` are the supervisor's. Each is replaced as a whole, so that nobody reads half of one.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::target::Deployment;

/// Bytes of one of these files.
const MAX_FILE: u64 = 1 << 20;

/// What a side is to run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Wanted {
    /// The deployment's own name.
    pub id: String,
    pub asked_at: DateTime<Utc>,
    /// None: nothing any more.
    pub commit: Option<String>,
    /// Where its programs lie.
    pub programs: PathBuf,
    /// Where the API listens; none is a free port of the loopback interface.
    pub bind: Option<SocketAddr>,
    /// What the daemons get, and nothing else.
    pub environment: Environment,
    /// A release that is not ready by then has failed.
    pub ready_within: Duration,
    /// Between asking a daemon to stop and killing it.
    pub grace: Duration,
}

/// Variables and their values, of which some are secrets: shown by their names alone. They are written to files that only their owner
/// may read, so that a supervisor that was killed can be started by anyone who knows the folder.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Environment(pub BTreeMap<String, String>);

/// How a side stands.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct State {
    /// The process that wrote this.
    pub supervisor: u32,
    /// The newest one.
    pub deployment: Option<Deployment>,
    /// Those before it, the newest first.
    pub ended: Vec<Deployment>,
    /// Where what serves answers.
    pub address: Option<String>,
    pub daemons: Vec<DaemonState>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DaemonState {
    pub role: Role,
    /// The deployment that it belongs to.
    pub deployment: String,
    pub commit: String,
    /// None while it does not run.
    pub pid: Option<u32>,
    pub address: Option<String>,
    pub ready: bool,
    pub restarts: u32,
    /// How often it has died after it was ready.
    #[serde(default)]
    pub deaths: u32,
    /// How it ended last, with the last lines of its log.
    pub last_error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Api,
    Worker,
}

impl Role {
    pub const ALL: [Role; 2] = [Role::Worker, Role::Api];

    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Api => "api",
            Role::Worker => "worker",
        }
    }

    /// Its program.
    #[must_use]
    pub fn program(self) -> &'static str {
        match self {
            Role::Api => "titan-api",
            Role::Worker => "titan-worker",
        }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl State {
    /// A deployment by its name.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Deployment> {
        self.deployment.iter().chain(&self.ended).find(|deployment| deployment.id == id)
    }
}

/// The folder of a side.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Folder(path)
    }

    #[must_use]
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it, for its owner alone.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn make(&self) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(self.0.join("logs"))
    }

    /// # Errors
    /// When it is there and cannot be read.
    pub fn wanted(&self) -> io::Result<Option<Wanted>> {
        read(&self.0.join("wanted.json"))
    }

    /// # Errors
    /// When it cannot be written.
    pub fn want(&self, wanted: &Wanted) -> io::Result<()> {
        write(&self.0.join("wanted.json"), wanted)
    }

    pub(super) fn serving(&self) -> io::Result<Option<Wanted>> {
        read(&self.0.join("serving.json"))
    }

    pub(super) fn serve(&self, serving: Option<&Wanted>) -> io::Result<()> {
        let path = self.0.join("serving.json");
        match serving {
            Some(serving) => write(&path, serving),
            None => fs::remove_file(path)
                .or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) }),
        }
    }

    /// # Errors
    /// When it is there and cannot be read.
    pub fn state(&self) -> io::Result<Option<State>> {
        read(&self.0.join("state.json"))
    }

    pub(super) fn tell(&self, state: &State) -> io::Result<()> {
        write(&self.0.join("state.json"), state)
    }

    #[must_use]
    pub fn log(&self, role: Role, commit: &str) -> PathBuf {
        let commit = commit.get(..12).unwrap_or(commit);
        self.0.join("logs").join(format!("{}-{commit}.log", role.name()))
    }

    #[must_use]
    pub fn supervisor_log(&self) -> PathBuf {
        self.0.join("logs/supervisor.log")
    }

    /// Two who order at once take turns, for as long as this lives.
    pub(super) fn ordering(&self) -> io::Result<File> {
        let path = self.0.join("orders.lock");
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
        file.lock()?;
        Ok(file)
    }

    /// The lock that one supervisor holds for as long as it lives. None: another has it.
    ///
    /// # Errors
    /// When the file cannot be opened or locked.
    pub fn lock(&self) -> io::Result<Option<File>> {
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(self.0.join("lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(error)) => Err(error),
        }
    }
}

fn read<T: DeserializeOwned>(path: &Path) -> io::Result<Option<T>> {
    let told = |error: io::Error| io::Error::new(error.kind(), format!("{}: {error}", path.display()));
    match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(told(error)),
        Ok(about) if about.len() > MAX_FILE => {
            return Err(io::Error::other(format!("{} is too large", path.display())));
        }
        Ok(_) => {}
    }
    match fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(told(error)),
        // Its words may hold a value, so they are not repeated.
        Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|error| {
            io::Error::other(format!("{} is not what it should be, in line {}", path.display(), error.line()))
        }),
    }
}

fn write<T: Serialize>(path: &Path, value: &T) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(value)?;
    text.push(b'\n');
    // A name of its own for each writer: two may write at once.
    let new = path.with_extension(format!("{}.new", uuid::Uuid::now_v7().simple()));
    let mut file = OpenOptions::new().create_new(true).write(true).mode(0o600).open(&new)?;
    let written = file.write_all(&text).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new);
    }
    written
}
