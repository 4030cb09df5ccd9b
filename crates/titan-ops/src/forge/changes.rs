//! What a commit may be asked to hold. The rules of what may be changed stand in the core; these are those of the forges themselves,
//! so that a commit is refused before half of it is sent.

use std::collections::BTreeSet;

use super::names::{checked_branch, checked_commit};
use super::{ForgeError, NewCommit};

/// Files of a commit, and bytes of all of them: GitHub takes them in one request.
const MAX_FILES: usize = 1000;
const MAX_BYTES: usize = 20 << 20;

impl NewCommit {
    /// Headline and body, as git has them.
    pub(crate) fn message(&self) -> String {
        if self.body.is_empty() { self.headline.clone() } else { format!("{}\n\n{}", self.headline, self.body) }
    }
}

pub(crate) fn checked(new: &NewCommit) -> Result<(), ForgeError> {
    let refused = |why: String| Err(ForgeError::Refused(why));
    checked_branch(&new.branch)?;
    checked_commit(&new.parent)?;
    if new.headline.trim().is_empty() || new.headline.contains('\n') {
        return refused("the headline of a commit must be one line of text".to_owned());
    }
    let bytes: usize = new.files.iter().map(|file| file.content.len()).sum();
    let count = new.files.len() + new.deletions.len();
    if count == 0 || count > MAX_FILES || bytes > MAX_BYTES {
        return refused(format!(
            "a commit of {count} files and {bytes} bytes cannot be made in one step; 1 to {MAX_FILES} files of at most {} MiB can",
            MAX_BYTES >> 20
        ));
    }
    let mut paths = BTreeSet::new();
    for path in new.files.iter().map(|file| &file.path).chain(&new.deletions) {
        if path.split('/').any(|part| matches!(part, "" | "." | "..")) || path.contains('\0') {
            return refused(format!("\"{}\" is no path of a repository; one is like docs/tea.md", path.escape_debug()));
        }
        if !paths.insert(path) {
            return refused(format!("{path} is in the commit twice; a file is written or deleted once"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forge::NewFile;

    fn commit(files: &[&str], deletions: &[&str]) -> NewCommit {
        let file = |path: &&str| NewFile { path: (*path).to_owned(), content: Vec::new(), executable: false };
        NewCommit {
            branch: "titan/ops/7".to_owned(),
            parent: "a".repeat(40),
            headline: "Brew tea".to_owned(),
            body: String::new(),
            files: files.iter().map(file).collect(),
            deletions: deletions.iter().map(|path| (*path).to_owned()).collect(),
        }
    }

    #[test]
    fn a_commit_that_no_forge_takes_is_refused() {
        assert_eq!(checked(&commit(&["a/b.md"], &["c"])), Ok(()));
        for (new, says) in [
            (commit(&[], &[]), "1 to 1000"),
            (commit(&["a"; 1001], &[]), "1 to 1000"),
            (commit(&["a", "a"], &[]), "twice"),
            (commit(&["a"], &["a"]), "twice"),
            (commit(&["/a"], &[]), "no path"),
            (commit(&["a/../b"], &[]), "no path"),
            (commit(&[], &["a\0"]), "no path"),
            (NewCommit { branch: "a b".to_owned(), ..commit(&["a"], &[]) }, "no name of a branch"),
            (NewCommit { parent: "main".to_owned(), ..commit(&["a"], &[]) }, "no commit"),
            (NewCommit { headline: " ".to_owned(), ..commit(&["a"], &[]) }, "one line"),
            (NewCommit { headline: "a\nb".to_owned(), ..commit(&["a"], &[]) }, "one line"),
        ] {
            let error = checked(&new).unwrap_err().to_string();
            assert!(error.contains(says), "{error:?} says nothing of {says:?}");
        }
        let mut large = commit(&["a"], &[]);
        large.files[0].content = vec![0; MAX_BYTES + 1];
        assert!(checked(&large).unwrap_err().to_string().contains("20 MiB"));
    }

    #[test]
    fn a_message_is_that_of_git() {
        let new = commit(&["a"], &[]);
        assert_eq!(new.message(), "Brew tea");
        assert_eq!(NewCommit { body: "Because.".to_owned(), ..new }.message(), "Brew tea\n\nBecause.");
    }
}
