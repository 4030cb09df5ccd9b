//! Running git on a bare repository of ours: no configuration of the machine or the user, no hooks, no network but where a call names
//! it, nothing that a file in the repository could make it run, and an end to every wait.

mod call;
mod failure;
pub mod lock;
mod merge;
mod objects;
mod process;
mod remote;

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use uuid::Uuid;

use crate::ids;

pub use call::{Call, MAX_ANSWER};
pub use failure::{Failure, Result};
pub use merge::Merge;
pub use objects::{Kind, NO_FILES, TreeEntry, id};
pub use process::Answer;
pub use remote::Remote;

/// A bare repository.
#[derive(Debug, Clone)]
pub struct Git {
    pub repository: PathBuf,
}

impl Git {
    /// Runs a command and gives what it says. What it is told goes to its input.
    ///
    /// # Errors
    /// What git says went wrong, or that it is not there, or that it took too long.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S], told: &[u8]) -> Result<Vec<u8>> {
        self.hear(&Call::new(arguments).told(told))?.right()
    }

    /// The same, with the index and the files of a work tree.
    ///
    /// # Errors
    /// As above.
    pub fn run_in<S: AsRef<OsStr>>(&self, tree: &WorkTree, arguments: &[S], told: &[u8]) -> Result<Vec<u8>> {
        self.hear(&Call::new(arguments).told(told).tree(tree))?.right()
    }

    /// How the answer begins, and whether it goes on.
    ///
    /// # Errors
    /// As above.
    pub fn beginning(&self, call: &Call<'_>) -> Result<(Vec<u8>, bool)> {
        let mut answer = self.hear(call)?;
        if answer.is_cut {
            answer.said.truncate(usize::try_from(call.most).unwrap_or(usize::MAX));
            return Ok((answer.said, true));
        }
        answer.right().map(|said| (said, false))
    }

    /// Runs a command that writes a file, whose name comes between its arguments, and gives what is in it: nothing when that is more than
    /// so many bytes.
    ///
    /// # Errors
    /// As above, and when the file cannot be used.
    pub fn file(&self, arguments: &[&str], rest: &[&str], most: u64) -> Result<Option<Vec<u8>>> {
        let path = self.repository.join(format!("titan-{}.tmp", Uuid::simple(ids::new())));
        let named = path.to_str().ok_or_else(|| Failure::Unusable("TITAN_DATA_DIR is not text in UTF-8".to_owned()))?;
        let unusable =
            |error: &std::io::Error| Failure::Unusable(format!("{} cannot be used: {error}", path.display()));
        let written = self.run(&[arguments, &[named], rest].concat(), b"").and_then(|_| {
            let size = fs::metadata(&path).map_err(|error| unusable(&error))?.len();
            (size <= most).then(|| fs::read(&path)).transpose().map_err(|error| unusable(&error))
        });
        let _ = fs::remove_file(&path);
        written
    }

    /// For commands whose code says more than yes or no.
    ///
    /// # Errors
    /// When there is no whole answer; what git says went wrong is in the answer.
    pub fn ask(&self, call: &Call<'_>) -> Result<Answer> {
        let answer = self.hear(call)?;
        if answer.is_cut { Err(Failure::TooLong(call.most)) } else { Ok(answer) }
    }
}

/// Where files are, and what git knows of them.
#[derive(Debug, Clone)]
pub struct WorkTree {
    pub files: PathBuf,
    pub index: PathBuf,
}
