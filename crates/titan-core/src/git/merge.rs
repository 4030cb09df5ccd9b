//! Merging without files: <https://git-scm.com/docs/git-merge-tree>.

use super::{Call, Git, Result, id};

/// What two sides come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    /// The tree with what both have changed.
    Tree(String),
    /// Both changed these paths in different ways.
    Conflicts(Vec<String>),
}

impl Git {
    /// Merges one commit into another one, by what both stand on.
    ///
    /// # Errors
    /// What git says went wrong: one of them is not there, or they have nothing in common.
    pub fn merge(&self, ours: &str, theirs: &str) -> Result<Merge> {
        let arguments = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs];
        let answer = self.ask(&Call::new(&arguments).plain())?;
        let words = String::from_utf8_lossy(&answer.said);
        let mut words = words.split('\0').filter(|word| !word.is_empty());
        let tree = words.next().unwrap_or_default();
        match answer.code {
            Some(0) => id(tree.as_bytes()).map(Merge::Tree),
            Some(1) => {
                let mut paths: Vec<String> = words.map(|path| real(path, [ours, theirs]).to_owned()).collect();
                paths.dedup();
                Ok(Merge::Conflicts(paths))
            }
            _ => Err(answer.failure()),
        }
    }

    /// # Errors
    /// When one of them is not there.
    pub fn is_ancestor(&self, older: &str, newer: &str) -> Result<bool> {
        let answer = self.ask(&Call::new(&["merge-base", "--is-ancestor", older, newer]))?;
        match answer.code {
            Some(0) => Ok(true),
            Some(1) => Ok(false),
            _ => Err(answer.failure()),
        }
    }
}

/// Where a file and a folder want one path, git calls the file `path~commit`: that is no path of the repository.
fn real<'p>(path: &'p str, sides: [&str; 2]) -> &'p str {
    let end = sides.iter().find_map(|side| path.find(&format!("~{side}")));
    end.and_then(|end| path.get(..end)).unwrap_or(path)
}
