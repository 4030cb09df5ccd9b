//! Changing files: on top of what a branch holds now, again when somebody else was first.

use std::collections::{BTreeMap, BTreeSet};

use super::change::{Change, Draft, Said};
use super::{Branch, FileEntry, Workspace, path};
use crate::git::id;
use crate::{Error, Result};

/// Bytes of one file, bytes of all of them, and how many there may be.
pub const MAX_FILE: usize = 25 << 20;
pub const MAX_TOTAL: u64 = 256 << 20;
pub const MAX_FILES: usize = 10_000;

/// How often somebody else may be first before this gives up.
const TRIES: usize = 8;

/// What must be true of a file that is changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Precondition {
    None,
    /// It is not there.
    Absent,
    /// Its content has this id.
    Is(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    pub commit: String,
    /// False when everything was as it should be already.
    pub changed: bool,
}

impl Workspace {
    /// Changes files of a branch in one commit.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a path or a size, [`Error::Stale`] when the precondition is not met,
    /// [`Error::Conflict`] when others were always first.
    pub fn write(
        &self,
        branch: Branch,
        changes: &[Change],
        only_if: &Precondition,
        said: &Said<'_>,
    ) -> Result<Written> {
        if let Some(written) = self.try_write(branch, changes, only_if, said)? {
            return Ok(written);
        }
        for _ in 1..TRIES {
            let now = self.workspaces.open(self.project_id)?;
            if let Some(written) = now.try_write(branch, changes, only_if, said)? {
                return Ok(written);
            }
        }
        Err(Error::Conflict("others change files of this project all the time; try again".to_owned()))
    }

    /// Nothing when the branch stands elsewhere by now.
    fn try_write(
        &self,
        branch: Branch,
        changes: &[Change],
        only_if: &Precondition,
        said: &Said<'_>,
    ) -> Result<Option<Written>> {
        // What a run works on begins as what the project has.
        let base = self.head(branch).or_else(|| self.head(Branch::Main));
        let there = base.map(|base| self.entries(base)).transpose()?.unwrap_or_default();
        check(&there, changes, only_if)?;
        let draft = Draft::of(&self.git, base, changes, said)?;
        if let Some(base) = base
            && self.tree_of(base)? == self.tree_of(&draft.commit)?
        {
            return Ok(Some(Written { commit: base.to_owned(), changed: false }));
        }
        let commit = draft.commit.clone();
        Ok(self
            .publish(branch, self.head(branch), &draft, &mut |_| Ok(()))?
            .then_some(Written { commit, changed: true }))
    }

    pub(super) fn tree_of(&self, commit: &str) -> Result<String> {
        let asked = format!("{commit}^{{tree}}");
        Ok(id(&self.git.run(&["rev-parse", "--verify", "--quiet", &asked], b"")?)?)
    }
}

/// Whether the files can be as they are to be.
fn check(there: &[FileEntry], changes: &[Change], only_if: &Precondition) -> Result<()> {
    let mut files: BTreeMap<&str, u64> = there.iter().map(|entry| (entry.path.as_str(), entry.size)).collect();
    let mut named = BTreeSet::new();
    for change in changes {
        let path = path::checked(change.path())?;
        if !named.insert(path) {
            return Err(Error::invalid("path", format!("{path:?} is named twice")));
        }
        precondition(there, path, only_if)?;
        match change {
            Change::Put { bytes, .. } if bytes.len() > MAX_FILE => {
                let message = format!("{path:?} must have at most {MAX_FILE} bytes, and has {}", bytes.len());
                return Err(Error::invalid("content", message));
            }
            Change::Put { bytes, .. } => drop(files.insert(path, bytes.len() as u64)),
            Change::Delete { .. } => drop(files.remove(path)),
        }
    }
    let mut beside = path::Tree::default();
    for path in files.keys().filter(|path| !named.contains(*path)) {
        // What stands there is not this change's fault.
        let _ = beside.take(path);
    }
    for path in named.iter().filter(|path| files.contains_key(*path)) {
        beside.take(path).map_err(|why| Error::invalid("path", why))?;
    }
    // What is too much already can still be made less.
    if changes.iter().all(|change| matches!(change, Change::Delete { .. })) {
        return Ok(());
    }
    within_limits(files.len(), files.values().sum())
}

fn precondition(there: &[FileEntry], path: &str, only_if: &Precondition) -> Result<()> {
    if *only_if == Precondition::None {
        return Ok(());
    }
    let entry = there.iter().find(|entry| entry.path == path);
    match (only_if, entry) {
        (Precondition::None, _) | (Precondition::Absent, None) => Ok(()),
        (Precondition::Is(id), Some(entry)) if entry.id == *id => Ok(()),
        (Precondition::Absent, Some(_)) => Err(Error::Stale(format!("{path:?} is there already"))),
        (Precondition::Is(_), None) => Err(Error::Stale(format!("{path:?} is not there any more"))),
        (Precondition::Is(_), Some(_)) => {
            Err(Error::Stale(format!("{path:?} was changed by somebody else; read it again and change that")))
        }
    }
}

pub(super) fn within_limits(files: usize, bytes: u64) -> Result<()> {
    if files > MAX_FILES {
        return Err(Error::invalid(
            "files",
            format!("there may be at most {MAX_FILES} in a project, and there would be {files}"),
        ));
    }
    if bytes > MAX_TOTAL {
        let message = format!("may have at most {MAX_TOTAL} bytes together, and would have {bytes}");
        return Err(Error::invalid("files", message));
    }
    Ok(())
}
