//! A local copy of the forge's repository: bare, fetched and worked on by the git program, and never with a work tree. It holds nothing
//! that is not at the forge or can be made again, so that it may be deleted at any time.
//!
//! Processes of one machine share it. Whoever fetches holds a lock, which git holds with them, so that it is free again only when both
//! have ended; what a killed one left behind is then removed. All else only adds objects, or reads them.
//!
//! Everything here waits for git: call it through [`Mirror::with`].

mod apply;
mod changes;
mod check_out;
mod diff;
mod error;
mod fetch;
mod leftovers;
mod link;
mod merge;
mod read;
mod scratch;
mod why;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use titan_core::git::{self, Call, Git, lock};

use crate::forge::Remote;
use error::unusable;

pub use apply::Applied;
pub use changes::{ChangeStatus, FileChange, Files, Renames};
pub use check_out::{CheckedOut, MAX_BYTES, MAX_FILE, MAX_FILES};
pub use diff::Rendered;
pub use error::{RepositoryError, Result};
pub use fetch::MAX_BRANCHES;
pub use merge::Merged;
pub use read::Logged;
pub use scratch::Scratch;

/// Written when the repository is whole.
const MARKER: &str = "titan-mirror";
/// What is there after a power cut: what a proposal's record names must not be half of itself.
const DURABLE: &str = "committed,reference";

/// How long things may take, and how large they may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// How long another process may be at the same mirror.
    pub lock: Duration,
    /// Until the server has said where its branches stand, and has sent what is new.
    pub list: Duration,
    pub fetch: Duration,
    /// How long it may send nothing, or next to nothing.
    pub stalled: Duration,
    /// Bytes of what is fetched at once.
    pub pack: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            lock: Duration::from_secs(120),
            list: Duration::from_secs(60),
            fetch: Duration::from_secs(600),
            stalled: Duration::from_secs(60),
            pack: 1 << 30,
        }
    }
}

/// The mirror of one repository, as one process has it.
#[derive(Debug, Clone)]
pub struct Mirror {
    folder: PathBuf,
    git: Git,
    remote: git::Remote,
    limits: Limits,
}

impl Mirror {
    /// In a folder of its own, which is made when it is not there.
    ///
    /// # Errors
    /// [`RepositoryError::Refused`] for an address that is none, and when the folder cannot be used.
    pub fn open(folder: &Path, remote: &Remote) -> Result<Self> {
        Mirror::open_with(folder, remote, None, Limits::default())
    }

    /// The same with the authorities that the server's certificate must come from, when those of the machine are not meant, and with
    /// limits.
    ///
    /// # Errors
    /// As above.
    pub fn open_with(folder: &Path, remote: &Remote, certificates: Option<PathBuf>, limits: Limits) -> Result<Self> {
        let mut remote = git::Remote::new(&remote.url, remote.header.clone()).map_err(RepositoryError::Refused)?;
        (remote.certificates, remote.stalled) = (certificates, limits.stalled);
        fs::create_dir_all(folder).map_err(|error| unusable(folder, &error))?;
        // Git runs in other folders too.
        let folder = folder.canonicalize().map_err(|error| unusable(folder, &error))?;
        let git = Git { repository: folder.join("repository.git") };
        let mirror = Mirror { folder, git, remote, limits };
        if !mirror.is_whole() {
            mirror.begin(&mirror.lock()?)?;
        }
        Ok(mirror)
    }

    /// Works with it off the async threads.
    ///
    /// # Errors
    /// What the work says.
    pub async fn with<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Mirror) -> Result<T> + Send + 'static,
    {
        let mirror = self.clone();
        tokio::task::spawn_blocking(move || work(&mirror))
            .await
            .map_err(|error| RepositoryError::Broken(format!("the work with the repository ended early: {error}")))?
    }

    fn is_whole(&self) -> bool {
        self.git.repository.join(MARKER).exists()
    }

    fn lock(&self) -> Result<File> {
        let path = self.folder.join("lock");
        lock::wait(&path, self.limits.lock).map_err(|error| match error.kind() {
            std::io::ErrorKind::TimedOut => RepositoryError::Unavailable(format!("the mirror is in use: {error}")),
            _ => unusable(&path, &error),
        })
    }

    /// Makes the repository. Where somebody was killed over that, it is gone through again.
    fn begin(&self, lock: &File) -> Result<()> {
        if self.is_whole() {
            return Ok(());
        }
        self.remove_leftovers()?;
        let repository = &self.git.repository;
        fs::create_dir_all(repository).map_err(|error| unusable(repository, &error))?;
        self.held(&Call::new(&["init", "--bare", "--quiet", "--template="]), lock)?;
        self.held(&Call::new(&["config", "core.fsync", DURABLE]), lock)?;
        let marker = repository.join(MARKER);
        fs::write(&marker, "").map_err(|error| unusable(&marker, &error))
    }
}
