//! What differs between two trees, file by file: <https://git-scm.com/docs/git-diff-tree>, "RAW OUTPUT FORMAT".

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use titan_core::git::{Call, Failure, Kind};
use titan_core::ops::tree::TreeChange;

use super::read::no_tree;
use super::{Mirror, RepositoryError, Result};
use crate::forge::NewFile;

/// Files of a difference.
const MAX_CHANGES: usize = 10_000;
/// Bytes of the files that a commit writes.
const MAX_WRITTEN: u64 = 48 << 20;

/// A file that is another one in the second tree.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileChange {
    /// What it was called before, when it was renamed or copied.
    pub old_path: Option<String>,
    pub path: String,
    pub status: ChangeStatus,
    /// As git has it, such as `0o100644`; 0 where there is no file.
    pub old_mode: u32,
    pub mode: u32,
    /// Lines; none for what is not text.
    pub additions: Option<u64>,
    pub deletions: Option<u64>,
    pub binary: bool,
}

/// For the rules of what may be changed.
impl From<&FileChange> for TreeChange {
    fn from(change: &FileChange) -> Self {
        let FileChange { old_path, path, old_mode, mode, .. } = change;
        let (old_path, path) = (old_path.as_ref().unwrap_or(path).clone(), path.clone());
        TreeChange { old_path, path, old_mode: *old_mode, mode: *mode }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeStatus {
    Added,
    Deleted,
    Modified,
    /// A file became a link or a submodule, or the other way round.
    TypeChanged,
    Renamed,
}

/// Whether a file that went and one that came, alike, are told as one that was renamed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renames {
    /// For rules: each path stands for itself.
    Apart,
    /// For people.
    Found,
}

/// What a commit has to write and to delete, so that one tree becomes another.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    pub files: Vec<NewFile>,
    pub deletions: Vec<String>,
}

impl Mirror {
    /// Everything that differs, in the order of paths.
    ///
    /// # Errors
    /// [`RepositoryError::NotFound`] for a tree, [`RepositoryError::Refused`] when it is too much.
    pub fn changes(&self, from_tree: &str, to_tree: &str, renames: Renames) -> Result<Vec<FileChange>> {
        let (from, to) = (self.tree_of(from_tree)?, self.tree_of(to_tree)?);
        let raw = ["diff-tree", "-r", "--raw", "--numstat", "-z", "--no-abbrev"];
        let arguments = [&raw[..], PLAIN, &[renames.argument(), &from, &to]];
        let said = self.git.ask(&Call::new(&arguments.concat()).plain()).and_then(|answer| match answer.code {
            Some(0) => Ok(answer.said),
            _ => Err(answer.failure()),
        });
        let changes = read(&String::from_utf8_lossy(&said.map_err(no_tree)?))?;
        if changes.len() > MAX_CHANGES {
            let message = format!("{} files differ, and at most {MAX_CHANGES} are looked at", changes.len());
            return Err(RepositoryError::Refused(message));
        }
        Ok(changes)
    }

    /// What a commit on top of the first tree has to hold, so that it has the second one: for a forge that is told files.
    ///
    /// # Errors
    /// [`RepositoryError::Refused`] when something else than files differs, or it is too much; and as above.
    pub fn files_between(&self, from_tree: &str, to_tree: &str) -> Result<Files> {
        let (mut deletions, mut written) = (Vec::new(), Vec::new());
        let changes = self.changes(from_tree, to_tree, Renames::Apart)?;
        let entries = if changes.is_empty() { BTreeMap::new() } else { self.entries_by_path(&self.tree_of(to_tree)?)? };
        for change in changes {
            if change.mode == 0 {
                deletions.push(change.path);
                continue;
            }
            match entries.get(&change.path) {
                Some(entry) if matches!(entry.kind, Kind::File { .. }) => written.push(entry),
                _ => {
                    let message =
                        format!("{} is no file: a link or a submodule is not written to a forge", change.path);
                    return Err(RepositoryError::Refused(message));
                }
            }
        }
        let bytes: u64 = written.iter().map(|entry| entry.size).sum();
        if bytes > MAX_WRITTEN {
            let message =
                format!("the files of a commit must have at most {MAX_WRITTEN} bytes together, and have {bytes}");
            return Err(RepositoryError::Refused(message));
        }
        let contents = self.git.contents(written.iter().copied())?;
        let files = written.into_iter().zip(contents).map(|(entry, content)| NewFile {
            path: entry.path.clone(),
            content,
            executable: entry.kind == Kind::File { executable: true },
        });
        Ok(Files { files: files.collect(), deletions })
    }
}

/// Nothing that a setting or a file of the repository could change.
pub(super) const PLAIN: &[&str] =
    &["--no-ext-diff", "--no-textconv", "--no-color", "--full-index", "--ignore-submodules=none"];

impl Renames {
    pub(super) fn argument(self) -> &'static str {
        match self {
            Renames::Apart => "--no-renames",
            Renames::Found => "--find-renames",
        }
    }
}

/// First a record of each file (`:100644 100755 8f2c... 9a3d... M`, and its one or two paths), then the lines of each.
fn read(said: &str) -> Result<Vec<FileChange>> {
    let strange = |word: &str| RepositoryError::from(Failure::strange(word));
    let mut words = said.split('\0');
    let (mut changes, mut counts) = (Vec::new(), BTreeMap::new());
    while let Some(word) = words.next().filter(|word| !word.is_empty()) {
        let mut next = || words.next().filter(|path| !path.is_empty()).ok_or_else(|| strange(word)).map(str::to_owned);
        if let Some(record) = word.strip_prefix(':') {
            changes.push(change(record, next).ok_or_else(|| strange(word))?);
            continue;
        }
        let mut parts = word.splitn(3, '\t');
        let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(strange(word));
        };
        let path = if path.is_empty() { next().and_then(|_| next())? } else { path.to_owned() };
        counts.insert(path, (added.parse().ok(), removed.parse().ok()));
    }
    for change in &mut changes {
        let (additions, deletions) = counts.get(&change.path).copied().ok_or_else(|| strange(&change.path))?;
        (change.additions, change.deletions) = (additions, deletions);
        change.binary = additions.is_none();
    }
    Ok(changes)
}

fn change(record: &str, mut path: impl FnMut() -> Result<String>) -> Option<FileChange> {
    let words: Vec<&str> = record.split(' ').collect();
    let [old_mode, mode, _, _, status] = words.as_slice() else { return None };
    let (status, has_two) = match status.chars().next()? {
        'A' => (ChangeStatus::Added, false),
        'D' => (ChangeStatus::Deleted, false),
        'M' => (ChangeStatus::Modified, false),
        'T' => (ChangeStatus::TypeChanged, false),
        'R' => (ChangeStatus::Renamed, true),
        _ => return None,
    };
    let number = |mode: &str| u32::from_str_radix(mode, 8).ok();
    let old_path = if has_two { Some(path().ok()?) } else { None };
    let (old_mode, mode) = (number(old_mode)?, number(mode)?);
    Some(FileChange {
        old_path,
        path: path().ok()?,
        status,
        old_mode,
        mode,
        additions: None,
        deletions: None,
        binary: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_git_does_not_say_is_no_change() {
        let id = "0".repeat(40);
        let raw = format!(":100644 100644 {id} {id} M\0a\0");
        assert_eq!(read("").unwrap(), []);
        assert_eq!(read(&format!("{raw}1\t2\ta\0")).unwrap().len(), 1);
        for broken in [
            raw.clone(),
            format!(":100644 100644 {id} {id} M"),
            format!("{raw}1\ta\0"),
            format!(":100644 100644 {id} {id} R100\0a\0"),
            format!(":100644 100644 {id} {id} X\0a\01\t2\ta\0"),
            "what\0".to_owned(),
        ] {
            assert!(read(&broken).is_err(), "{broken:?}");
        }
    }
}
