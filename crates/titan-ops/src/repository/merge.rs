//! Merging as a trial: what two commits come to, what a proposal comes to on a base that has moved, and what taking something back
//! comes to. Nothing here moves a branch.

use chrono::{DateTime, Utc};
use titan_core::git::{Call, Merge, id};

use super::{Mirror, RepositoryError, Result};

/// Paths of a conflict that are named.
const MOST_NAMED: usize = 1000;
/// Who makes commits that only this machine sees.
const AUTHOR: &str = "Titan <titan@localhost>";
/// Characters of a message.
const MAX_MESSAGE: usize = 64 << 10;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    Tree(String),
    /// Both sides changed these paths in different ways, or what one of them changed is not there any more.
    Conflicts(Vec<String>),
}

impl Mirror {
    /// What merging the one commit into the other gives.
    ///
    /// # Errors
    /// [`RepositoryError::NotFound`] when one of them is not there, [`RepositoryError::Refused`] when they have nothing in common.
    pub fn merge(&self, ours_commit: &str, theirs_commit: &str) -> Result<Merged> {
        let (ours, theirs) = (self.commit(ours_commit)?, self.commit(theirs_commit)?);
        if !self.have_something_in_common(&ours, &theirs)? {
            let message =
                format!("{ours} and {theirs} have no history in common: the branch must stand on a commit of its base");
            return Err(RepositoryError::Refused(message));
        }
        Ok(merged(self.git.merge(&ours, &theirs)?))
    }

    /// A tree that was made on one base, brought onto another commit: what changed from the base to the tree, and what changed from the
    /// base to `ours`.
    ///
    /// # Errors
    /// [`RepositoryError::NotFound`] when one of them is not there.
    pub fn three_way(&self, base: &str, ours: &str, tree: &str) -> Result<Merged> {
        let (base, ours, theirs) = (self.tree_of(base)?, self.tree_of(ours)?, self.tree_of(tree)?);
        // Commits that stand on nothing but this base, so that git takes it and no other one.
        let at = DateTime::UNIX_EPOCH;
        let base = self.commit_of_tree(&base, &[], "The base", at)?;
        let ours = self.commit_of_tree(&ours, &[&base], "Ours", at)?;
        let theirs = self.commit_of_tree(&theirs, &[&base], "Theirs", at)?;
        Ok(merged(self.git.merge(&ours, &theirs)?))
    }

    /// What `head` comes to without what a commit has brought in: of a merge all that was merged, and not only its last commit.
    ///
    /// # Errors
    /// [`RepositoryError::NotFound`] when one of them is not there, [`RepositoryError::Refused`] when `head` does not stand on the
    /// commit, or the commit stands on nothing.
    pub fn revert_tree(&self, merge_commit: &str, head: &str) -> Result<Merged> {
        if !self.is_ancestor(merge_commit, head)? {
            let message = format!("{head} does not stand on {merge_commit}, so that there is nothing to be taken back");
            return Err(RepositoryError::Refused(message));
        }
        let Some(before) = self.first_parent(merge_commit)? else {
            let message = format!("{merge_commit} is the first commit there is: nothing stands before it");
            return Err(RepositoryError::Refused(message));
        };
        self.three_way(merge_commit, head, &before)
    }

    /// A commit of a tree. The same tree, parents, message and second make the same commit.
    ///
    /// # Errors
    /// [`RepositoryError::NotFound`] when the tree or a parent is not there.
    pub fn commit_of_tree(&self, tree: &str, parents: &[&str], message: &str, at: DateTime<Utc>) -> Result<String> {
        let mut commit = format!("tree {}\n", self.tree_of(tree)?);
        for parent in parents {
            commit.push_str(&format!("parent {}\n", self.commit(parent)?));
        }
        let seconds = at.timestamp().max(0);
        commit.push_str(&format!("author {AUTHOR} {seconds} +0000\ncommitter {AUTHOR} {seconds} +0000\n\n"));
        let message: String = message.chars().filter(|c| *c == '\n' || !c.is_control()).take(MAX_MESSAGE).collect();
        commit.push_str(&format!("{}\n", message.trim()));
        Ok(id(&self.git.run(&["hash-object", "-t", "commit", "-w", "--stdin"], commit.as_bytes())?)?)
    }

    fn first_parent(&self, commit: &str) -> Result<Option<String>> {
        let said = self.git.run(&["rev-list", "--parents", "--max-count=1", &self.commit(commit)?], b"")?;
        let said = String::from_utf8_lossy(&said);
        said.split_whitespace().nth(1).map(|parent| id(parent.as_bytes()).map_err(RepositoryError::from)).transpose()
    }

    fn have_something_in_common(&self, ours: &str, theirs: &str) -> Result<bool> {
        let answer = self.git.ask(&Call::new(&["merge-base", ours, theirs]))?;
        match answer.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(answer.failure().into()),
        }
    }
}

fn merged(merge: Merge) -> Merged {
    match merge {
        Merge::Tree(tree) => Merged::Tree(tree),
        Merge::Conflicts(mut paths) => {
            paths.truncate(MOST_NAMED);
            Merged::Conflicts(paths)
        }
    }
}
