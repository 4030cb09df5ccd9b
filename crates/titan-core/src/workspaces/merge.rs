//! Bringing what a run made into what the project has.

use super::change::{Draft, Said};
use super::{Branch, Workspace};
use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merged {
    /// The commit where the project's files stand now.
    Yes(String),
    /// Both sides changed these files in different ways; nothing was written.
    Conflicts(Vec<String>),
}

impl Workspace {
    /// Merges a run's branch into `main`, and forgets it when that went well. What has no branch has nothing to merge.
    ///
    /// # Errors
    /// [`Error::Conflict`] when others were first all the time.
    pub fn merge(&self, branch: Branch, said: &Said<'_>) -> Result<Option<Merged>> {
        for _ in 0..8 {
            let now = self.workspaces.open(self.project_id)?;
            let Some(theirs) = now.head(branch) else { return Ok(None) };
            let merged = match now.head(Branch::Main) {
                Some(ours) if now.is_ancestor(theirs, ours)? => Some(Merged::Yes(ours.to_owned())),
                Some(ours) if !now.is_ancestor(ours, theirs)? => now.three_way(ours, theirs, said)?,
                // Nothing else has changed since.
                _ => now.advance(Branch::Main, theirs, None)?.then(|| Merged::Yes(theirs.to_owned())),
            };
            match merged {
                Some(Merged::Yes(commit)) => {
                    now.drop_branch(branch)?;
                    return Ok(Some(Merged::Yes(commit)));
                }
                Some(conflicts) => return Ok(Some(conflicts)),
                None => {}
            }
        }
        Err(Error::Conflict("others change files of this project all the time; try again".to_owned()))
    }

    /// Nothing when `main` stands elsewhere by now.
    fn three_way(&self, ours: &str, theirs: &str, said: &Said<'_>) -> Result<Option<Merged>> {
        let arguments = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs];
        let answer = self.git.ask(&arguments, b"", None)?;
        let words = String::from_utf8_lossy(&answer.said);
        let mut words = words.split('\0').filter(|word| !word.is_empty());
        let tree = words.next().unwrap_or_default().to_owned();
        match answer.code {
            Some(0) => {
                let draft = Draft::of_tree(&self.git, &tree, &[ours, theirs], said)?;
                let commit = draft.commit.clone();
                Ok(self.publish(Branch::Main, &draft)?.then_some(Merged::Yes(commit)))
            }
            Some(1) => Ok(Some(Merged::Conflicts(words.map(str::to_owned).collect()))),
            _ => Err(answer.error()),
        }
    }

    fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool> {
        let answer = self.git.ask(&["merge-base", "--is-ancestor", older, newer], b"", None)?;
        match answer.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(answer.error()),
        }
    }
}
