//! What stands in the mirror: trees, files, and what stands on what.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use titan_core::git::{Call, Failure, Kind, TreeEntry, id};

use super::{Mirror, RepositoryError, Result};

/// Files and folders of a tree that is looked at as a whole.
const MAX_ENTRIES: usize = 100_000;
/// Commits that are listed at once.
const MAX_LOG: usize = 1000;

/// A commit, as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    pub id: String,
    pub author: String,
    pub at: DateTime<Utc>,
    /// The first line of the message.
    pub title: String,
}

impl Mirror {
    /// The tree of a commit that was fetched, or made here; that of a tree is itself.
    ///
    /// # Errors
    /// [`RepositoryError::NotFound`] when it is not there.
    pub fn tree_of(&self, commit: &str) -> Result<String> {
        self.named(commit, "tree")
    }

    /// Whether the one stands on the other, or is the other.
    ///
    /// # Errors
    /// [`RepositoryError::NotFound`] when one of them is not there.
    pub fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool> {
        let (older, newer) = (self.commit(older)?, self.commit(newer)?);
        Ok(self.git.is_ancestor(&older, &newer)?)
    }

    /// The commits that `to` stands on and `from` does not, the newest first, at most so many.
    ///
    /// # Errors
    /// [`RepositoryError::NotFound`] when one of them is not there.
    pub fn log(&self, from: &str, to: &str, most: usize) -> Result<Vec<Logged>> {
        let range = format!("{}..{}", self.commit(from)?, self.commit(to)?);
        let count = format!("--max-count={}", most.min(MAX_LOG));
        let said = self.git.run(&["log", "-z", "--format=%H%n%an%n%ct%n%s", &count, &range, "--"], b"")?;
        let said = String::from_utf8_lossy(&said);
        said.split('\0').filter(|text| !text.is_empty()).map(logged).collect()
    }

    /// What a file of a commit or a tree holds; nothing when there is no file of that name.
    ///
    /// # Errors
    /// [`RepositoryError::NotFound`] for the commit, [`RepositoryError::Refused`] when it has more than so many bytes.
    pub fn file(&self, commit: &str, path: &str, limit: u64) -> Result<Option<Vec<u8>>> {
        let tree = self.tree_of(commit)?;
        if !is_path(path) {
            return Ok(None);
        }
        let entry = self.git.entry(&tree, path)?.filter(|entry| matches!(entry.kind, Kind::File { .. }));
        let Some(entry) = entry else { return Ok(None) };
        if entry.size > limit {
            let message = format!("{path} must have at most {limit} bytes, and has {}", entry.size);
            return Err(RepositoryError::Refused(message));
        }
        Ok(self.git.contents(std::iter::once(&entry))?.pop())
    }

    /// Every path of a tree: files, links and submodules, without the folders that they are in.
    ///
    /// # Errors
    /// [`RepositoryError::NotFound`] for the tree, [`RepositoryError::Refused`] when there are too many.
    pub fn paths(&self, tree: &str) -> Result<BTreeSet<String>> {
        let entries = self.entries(&self.tree_of(tree)?)?.into_iter();
        Ok(entries.filter(|entry| entry.kind != Kind::Folder).map(|entry| entry.path).collect())
    }

    pub(super) fn entries(&self, tree: &str) -> Result<Vec<TreeEntry>> {
        let entries = self.git.entries(tree, MAX_ENTRIES).map_err(no_tree)?;
        entries.ok_or_else(|| {
            RepositoryError::Refused(format!(
                "the repository holds more than {MAX_ENTRIES} files and folders, which is the limit"
            ))
        })
    }

    pub(super) fn entries_by_path(&self, tree: &str) -> Result<BTreeMap<String, TreeEntry>> {
        Ok(self.entries(tree)?.into_iter().map(|entry| (entry.path.clone(), entry)).collect())
    }

    pub(super) fn commit(&self, commit: &str) -> Result<String> {
        self.named(commit, "commit")
    }

    /// The object of that kind which an id leads to. Only an id is taken: a name could be an expression.
    fn named(&self, asked: &str, kind: &str) -> Result<String> {
        let missing = || {
            let shown = titan_core::text::head(asked, 80);
            RepositoryError::NotFound(format!(
                "there is no {kind} {shown:?} in the mirror; one that was fetched is named by its 40 digits"
            ))
        };
        id(asked.as_bytes()).ok().filter(|id| id == asked).ok_or_else(missing)?;
        let wanted = format!("{asked}^{{{kind}}}");
        let answer = self.git.ask(&Call::new(&["rev-parse", "--verify", "--quiet", "--end-of-options", &wanted]))?;
        if answer.code == Some(0) { Ok(id(&answer.said)?) } else { Err(missing()) }
    }
}

/// How git complains of a tree that no git has written, or of a name in it that it keeps for itself.
const NO_TREE: [&str; 4] =
    ["empty filename in tree entry", "malformed mode in tree entry", "too-short tree", "invalid path"];

pub(super) fn no_tree(failure: Failure) -> RepositoryError {
    match failure {
        Failure::Failed { complaint, .. } if NO_TREE.iter().any(|words| complaint.contains(words)) => {
            RepositoryError::Refused(format!("git cannot read the tree, which no git has written: {complaint}"))
        }
        other => other.into(),
    }
}

/// Whether a file can be called so.
pub(super) fn is_path(path: &str) -> bool {
    !path.contains('\0') && path.split('/').all(|name| !matches!(name, "" | "." | ".."))
}

fn logged(text: &str) -> Result<Logged> {
    let strange = || RepositoryError::from(Failure::strange(text));
    let mut lines = text.splitn(4, '\n');
    let (Some(id), Some(author), Some(at)) = (lines.next(), lines.next(), lines.next()) else { return Err(strange()) };
    let at = at.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or_else(strange)?;
    let title = lines.next().unwrap_or_default();
    Ok(Logged { id: id.to_owned(), author: author.to_owned(), at, title: title.to_owned() })
}
