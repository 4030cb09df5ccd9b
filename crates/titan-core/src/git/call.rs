//! One call of git: what it is told, and what it may use and use up.

use std::ffi::OsStr;
use std::fs::File;
use std::path::Path;
use std::time::Duration;

use super::{Remote, WorkTree};

/// A large repository on a slow disk.
const PATIENCE: Duration = Duration::from_secs(120);
/// Bytes of an answer. What may be longer is written to a file ([`super::Git::file`]) or cut ([`super::Git::beginning`]).
pub const MAX_ANSWER: u64 = 64 << 20;

#[derive(Debug, Clone)]
pub struct Call<'a> {
    pub(super) arguments: Vec<&'a OsStr>,
    pub(super) told: &'a [u8],
    pub(super) tree: Option<&'a WorkTree>,
    pub(super) index: Option<&'a Path>,
    pub(super) remote: Option<&'a Remote>,
    pub(super) most: u64,
    pub(super) patience: Duration,
    pub(super) file_size: Option<u64>,
    pub(super) holds: Option<&'a File>,
    pub(super) plain: bool,
}

impl<'a> Call<'a> {
    pub fn new<S: AsRef<OsStr>>(arguments: &'a [S]) -> Self {
        Call {
            arguments: arguments.iter().map(AsRef::as_ref).collect(),
            told: b"",
            tree: None,
            index: None,
            remote: None,
            most: MAX_ANSWER,
            patience: PATIENCE,
            file_size: None,
            holds: None,
            plain: false,
        }
    }

    /// What goes to its input.
    #[must_use]
    pub fn told(mut self, told: &'a [u8]) -> Self {
        self.told = told;
        self
    }

    /// With the files of a work tree, and its index.
    #[must_use]
    pub fn tree(mut self, tree: &'a WorkTree) -> Self {
        self.tree = Some(tree);
        self
    }

    /// With an index alone.
    #[must_use]
    pub fn index(mut self, index: &'a Path) -> Self {
        self.index = Some(index);
        self
    }

    /// With the network, for one server alone.
    #[must_use]
    pub fn remote(mut self, remote: &'a Remote) -> Self {
        self.remote = Some(remote);
        self
    }

    /// Bytes of the answer.
    #[must_use]
    pub fn most(mut self, most: u64) -> Self {
        self.most = most;
        self
    }

    #[must_use]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// Bytes of one file that it writes. It is in force before git is told anything, so that this holds for what waits for its input.
    #[must_use]
    pub fn file_size(mut self, most: u64) -> Self {
        self.file_size = Some(most);
        self
    }

    /// A file that stays open, and a lock on it held, as long as git lives, also when this process does not. Git has it as its output,
    /// so that nothing is heard: for commands that say nothing.
    #[must_use]
    pub fn holds(mut self, file: &'a File) -> Self {
        self.holds = Some(file);
        self
    }

    /// Without the attributes that files of the repository give to other files: those say what is shown as text, how it is merged
    /// and how it is changed when it is written.
    #[must_use]
    pub fn plain(mut self) -> Self {
        self.plain = true;
        self
    }
}
