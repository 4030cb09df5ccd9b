//! Bringing what a run made into what the project has.

use diesel::PgConnection;
use uuid::Uuid;

use super::change::{Draft, Said};
use super::write::within_limits;
use super::{Also, Branch, Workspace, path, rows};
use crate::git::Merge;
use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// The commit where the project's files stand now.
    Yes(String),
    /// Both sides changed these files in different ways; nothing was written.
    Conflicts(Vec<String>),
}

impl Workspace {
    /// Merges a run's branch into `main` and forgets it, in one transaction with what a person decides about it. The branch must
    /// stand at the commit that they were shown. What has no branch has nothing to merge, and nothing is decided then.
    ///
    /// # Errors
    /// [`Error::Conflict`] when the branch stands elsewhere, or when others were first all the time; what `also` refuses.
    pub fn merge(&self, run_id: Uuid, shown: &str, said: &Said<'_>, also: Also<'_>) -> Result<Option<Merged>> {
        let branch = Branch::OfRun(run_id);
        let mut decide = |connection: &mut PgConnection| {
            also(connection)?;
            // That has locked the run, so that no rejection comes in between.
            if rows::head_of_run(connection, self.project_id, run_id)?.as_deref() != Some(shown) {
                return Err(Error::Conflict("the changes of the run were rejected meanwhile".to_owned()));
            }
            rows::drop_branch(connection, self.project_id, branch)
        };
        for _ in 0..8 {
            let now = self.workspaces.open(self.project_id)?;
            let Some(theirs) = now.head(branch) else { return Ok(None) };
            if theirs != shown {
                let message = "the files that the run left are not those that were shown; reject it and run it again";
                return Err(Error::Conflict(message.to_owned()));
            }
            let ours = now.head(Branch::Main);
            let merged = match ours {
                Some(ours) if !now.git.is_ancestor(theirs, ours)? && !now.git.is_ancestor(ours, theirs)? => {
                    now.three_way(ours, theirs, said, &mut decide)?
                }
                ours => {
                    // Nothing else has changed since; or it is merged already, and `main` stays where it is.
                    let to = match ours {
                        Some(ours) if now.git.is_ancestor(theirs, ours)? => ours,
                        _ => theirs,
                    };
                    now.advance(Branch::Main, ours, to, None, &mut decide)?.then(|| Merged::Yes(to.to_owned()))
                }
            };
            if merged.is_some() {
                return Ok(merged);
            }
        }
        Err(Error::Conflict("others change files of this project all the time; try again".to_owned()))
    }

    /// Nothing when `main` stands elsewhere by now.
    fn three_way(&self, ours: &str, theirs: &str, said: &Said<'_>, also: Also<'_>) -> Result<Option<Merged>> {
        let tree = match self.git.merge(ours, theirs)? {
            Merge::Tree(tree) => tree,
            Merge::Conflicts(paths) => return Ok(Some(Merged::Conflicts(paths))),
        };
        let clashing = self.clashing(&tree)?;
        if !clashing.is_empty() {
            return Ok(Some(Merged::Conflicts(clashing)));
        }
        let draft = Draft::of_tree(&self.git, &tree, &[ours, theirs], said)?;
        let commit = draft.commit.clone();
        Ok(self.publish(Branch::Main, Some(ours), &draft, also)?.then_some(Merged::Yes(commit)))
    }

    /// Files that do not fit to each other although git would merge them: it tells capital letters apart.
    fn clashing(&self, tree: &str) -> Result<Vec<String>> {
        let entries = self.entries(tree)?;
        let bytes = entries.iter().map(|entry| entry.size).sum();
        within_limits(entries.len(), bytes)
            .map_err(|error| Error::Conflict(format!("with what the run made, {error}")))?;
        let mut beside = path::Tree::default();
        Ok(entries.into_iter().map(|entry| entry.path).filter(|path| beside.take(path).is_err()).collect())
    }
}
