//! The files of a project: a git repository of which Postgres says where its branches stand, and whose commits travel as bundles in the
//! blob store. Any process on any machine sees the same files; what it has on disk is a copy that may be deleted.
//!
//! Everything here waits for git and for the database: call it through [`Workspaces::with`].

mod branch;
mod cache;
mod change;
mod merge;
pub mod path;
mod read;
mod rows;
mod tree;
mod write;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use crate::blobs::{Blob, Blobs};
use crate::db::Db;
use crate::git::Git;
use crate::{Error, Result};

pub use branch::Branch;
pub use change::{Change, Said};
pub use merge::Merged;
pub use read::{Commit, Difference, FileContent, FileDifference, FileEntry};
pub use rows::{Also, begin_afresh, drop_abandoned};
pub(crate) use rows::{drop_branch, head_of_run};
pub use tree::{Collected, Target, forget_index};
pub use write::{MAX_FILE, MAX_FILES, MAX_TOTAL, Precondition, Written};

/// The workspaces of an installation, as one process has them.
#[derive(Debug, Clone)]
pub struct Workspaces {
    db: Db,
    blobs: Blobs,
    root: PathBuf,
}

impl Workspaces {
    /// With copies under a directory that this machine's processes may share.
    #[must_use]
    pub fn new(db: Db, blobs: Blobs, data_dir: &Path) -> Self {
        Workspaces { db, blobs, root: data_dir.join("workspaces") }
    }

    /// Works with a project's files as they are now, off the async threads.
    ///
    /// # Errors
    /// [`Error::NotFound`] for the project, what the work says, and what stands in the way of the files.
    pub async fn with<T, F>(&self, project_id: Uuid, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Workspace) -> Result<T> + Send + 'static,
    {
        let workspaces = self.clone();
        tokio::task::spawn_blocking(move || work(&workspaces.open(project_id)?))
            .await
            .map_err(|error| Error::Internal(format!("the work with files ended early: {error}")))?
    }

    /// The same for a thread that may wait.
    ///
    /// # Errors
    /// As above.
    pub fn open(&self, project_id: Uuid) -> Result<Workspace> {
        let (branches, bundles) = self.db.run_blocking(|connection| {
            let branches = rows::branches(connection, project_id)?;
            Ok((branches, rows::bundles(connection, project_id)?))
        })?;
        let git = cache::bring_up(&self.blobs, project_id, &self.root, &bundles)?;
        let newest = bundles.last().map_or(0, |bundle| bundle.number);
        Ok(Workspace { workspaces: self.clone(), project_id, git, branches, newest })
    }
}

/// The files of one project, as they were when it was opened.
#[derive(Debug)]
pub struct Workspace {
    workspaces: Workspaces,
    project_id: Uuid,
    git: Git,
    branches: BTreeMap<Branch, String>,
    /// The number of the newest bundle.
    newest: i64,
}

impl Workspace {
    /// The commit where a branch stands; none when it has no files yet.
    #[must_use]
    pub fn head(&self, branch: Branch) -> Option<&str> {
        self.branches.get(&branch).map(String::as_str)
    }

    /// The runs whose work is not merged.
    #[must_use]
    pub fn unmerged_runs(&self) -> Vec<Uuid> {
        let of_run = |branch: &Branch| match branch {
            Branch::OfRun(run_id) => Some(*run_id),
            Branch::Main => None,
        };
        self.branches.keys().filter_map(of_run).collect()
    }

    /// Publishes a commit as the new place of a branch, if that still stands at `from`.
    fn publish(&self, branch: Branch, from: Option<&str>, draft: &change::Draft<'_>, also: Also<'_>) -> Result<bool> {
        let known: Vec<&str> = self.branches.values().map(String::as_str).collect();
        let bundle = draft.bundle(&known)?;
        self.advance(branch, from, &draft.commit, Some(bundle), also)
    }

    fn advance(
        &self,
        branch: Branch,
        from: Option<&str>,
        to: &str,
        bundle: Option<Vec<u8>>,
        also: Also<'_>,
    ) -> Result<bool> {
        let Workspaces { db, blobs, .. } = &self.workspaces;
        let mut bundle = bundle.map(Blob::from);
        bundle.as_mut().map(|bundle| blobs.put_blocking(bundle)).transpose()?;
        let step = rows::Move { branch, from, to, bundle: bundle.as_ref() };
        match db.run_blocking(|connection| rows::publish(connection, self.project_id, &step, also))? {
            rows::Moved::Elsewhere => Ok(false),
            rows::Moved::Yes { many } => {
                if many && let Err(error) = self.repack() {
                    tracing::warn!(%error, project.id = %self.project_id, "the bundles of a project are many, and stay so for now");
                }
                Ok(true)
            }
        }
    }

    /// One bundle with everything in the place of many.
    fn repack(&self) -> Result<()> {
        let now = self.workspaces.open(self.project_id)?;
        let heads: Vec<&str> = now.branches.values().map(String::as_str).collect();
        let Workspaces { db, blobs, .. } = &self.workspaces;
        let mut bundle = Blob::from(change::whole(&now.git, &heads)?);
        blobs.put_blocking(&mut bundle)?;
        db.run_blocking(|connection| rows::replace(connection, self.project_id, now.newest, &bundle))
    }
}
