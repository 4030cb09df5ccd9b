//! Files on disk for a program to work on, and what it made of them as a commit.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use super::cache::unusable;
use super::change::{Draft, Said};
use super::write::{MAX_FILE, within_limits};
use super::{Also, Branch, Workspace, path};
use crate::git::{Answer, Call, WorkTree, id};
use crate::{Error, Result};

/// Files that were left out, told of one by one.
const MOST_TOLD: usize = 100;
/// Bytes of the names of files that are looked at: many times as many as there may be.
const MAX_LIST: u64 = 64 << 20;
const IGNORE: &str = "what is not to be kept can be named in .gitignore";

/// Where collected files go.
pub struct Target<'a> {
    pub branch: Branch,
    /// Where the branch stands if nobody else has moved it; none when it is to be new.
    pub expected: Option<&'a str>,
    /// The commit that the new one stands on.
    pub base: Option<&'a str>,
    /// Who collects may have been taken for dead, and another one does the work again: refuses then.
    pub also: Also<'a>,
}

/// What became of the files of a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// Where the branch stands now.
    pub commit: String,
    pub changed: bool,
    /// What was not taken, and why.
    pub left_out: Vec<String>,
}

impl Workspace {
    /// Puts the files of a commit into a directory, which is made, and emptied when it is there.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn check_out(&self, commit: &str, directory: &Path) -> Result<()> {
        let failed = |error: std::io::Error| unusable(directory, &error);
        // Of somebody who was killed over it.
        forget_index(directory)?;
        match fs::remove_dir_all(directory) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
            _ => fs::create_dir_all(directory).map_err(failed)?,
        }
        let tree = work_tree(directory);
        self.git.run_in(&tree, &["read-tree", commit], b"")?;
        self.git.run_in(&tree, &["checkout-index", "--all", "--force", "--quiet"], b"")?;
        Ok(())
    }

    /// Commits what stands in a directory to a branch: files only, and none that `.gitignore` names. The directory is that of
    /// [`Workspace::check_out`], and nothing writes to it any more.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is too much, [`Error::Conflict`] when the branch was moved by somebody else meanwhile, and what
    /// the target refuses.
    pub fn collect(&self, target: Target<'_>, directory: &Path, said: &Said<'_>) -> Result<Collected> {
        let Target { branch, expected, base, also } = target;
        let tree = work_tree(directory);
        self.refuse_too_much(&tree)?;
        let answer = self.git.ask(&Call::new(&["add", "--all", "--ignore-errors", "."]).tree(&tree))?;
        let mut left_out = match answer.code {
            Some(0) => Vec::new(),
            Some(1) => self.not_added(&tree, &answer)?,
            _ => return Err(answer.failure().into()),
        };
        left_out.extend(self.drop_what_is_no_file(&tree)?);
        left_out.truncate(MOST_TOLD);
        let made = id(&self.git.run_in(&tree, &["write-tree"], b"")?)?;
        let entries = self.entries(&made)?;
        within_limits(entries.len(), entries.iter().map(|entry| entry.size).sum())?;
        if let Some(large) = entries.iter().find(|entry| entry.size > MAX_FILE as u64) {
            let message = format!("{:?} must have at most {MAX_FILE} bytes, and has {}", large.path, large.size);
            return Err(Error::invalid("content", message));
        }
        if let Some(base) = base
            && self.tree_of(base)? == made
        {
            return Ok(Collected { commit: base.to_owned(), changed: false, left_out });
        }
        let parents: Vec<&str> = base.into_iter().collect();
        let draft = Draft::of_tree(&self.git, &made, &parents, said)?;
        if !self.publish(branch, expected, &draft, also)? {
            return Err(Error::Conflict("the branch was moved by somebody else meanwhile".to_owned()));
        }
        Ok(Collected { commit: draft.commit.clone(), changed: true, left_out })
    }

    /// Refuses what is too much before any of it is read and stored, which may take long and stays for good.
    fn refuse_too_much(&self, tree: &WorkTree) -> Result<()> {
        let arguments = ["ls-files", "--cached", "--others", "--exclude-standard", "--deduplicate", "-z"];
        let (listed, _) = self.git.beginning(&Call::new(&arguments).tree(tree).most(MAX_LIST))?;
        let (mut files, mut bytes) = (0, 0);
        for path in paths(&listed) {
            let size = match tree.files.join(OsStr::from_bytes(path)).symlink_metadata() {
                Ok(meta) if meta.is_file() && is_named_well(path) => meta.len(),
                _ => continue,
            };
            if size > MAX_FILE as u64 {
                let path = String::from_utf8_lossy(path);
                let message = format!("{path:?} must have at most {MAX_FILE} bytes, and has {size}; {IGNORE}");
                return Err(Error::invalid("content", message));
            }
            (files, bytes) = (files + 1, bytes + size);
        }
        within_limits(files, bytes).map_err(|error| match error {
            Error::Invalid { field, message } => Error::invalid(field, format!("{message}; {IGNORE}")),
            other => other,
        })
    }

    /// What git could not take, and why. What it should have taken is git's own trouble.
    fn not_added(&self, tree: &WorkTree, answer: &Answer) -> Result<Vec<String>> {
        let arguments = ["ls-files", "--others", "--modified", "--exclude-standard", "--deduplicate", "-z"];
        let (listed, _) = self.git.beginning(&Call::new(&arguments).tree(tree).most(MAX_LIST))?;
        let mut left_out = Vec::new();
        for path in paths(&listed) {
            let name = String::from_utf8_lossy(path);
            let why = match std::str::from_utf8(path).map(|path| path::checked(path.trim_end_matches('/'))) {
                Ok(Err(error)) => error.to_string(),
                // Git says why not, and it is not the name.
                Err(_) => return Err(answer.failure().into()),
                Ok(Ok(path)) => {
                    let path = tree.files.join(path);
                    match path.symlink_metadata() {
                        Ok(meta) if meta.is_dir() => "is a repository of its own".to_owned(),
                        Ok(meta) if meta.is_symlink() => "is a symbolic link".to_owned(),
                        Ok(meta) if !meta.is_file() => "is no file".to_owned(),
                        _ => match File::open(path) {
                            Err(error) => format!("cannot be read: {error}"),
                            Ok(_) => return Err(answer.failure().into()),
                        },
                    }
                }
            };
            left_out.push(format!("{name}: {why}"));
        }
        Ok(left_out)
    }

    /// Symbolic links, repositories within, and names that cannot be.
    fn drop_what_is_no_file(&self, tree: &WorkTree) -> Result<Vec<String>> {
        let listed = self.git.run_in(tree, &["ls-files", "--stage", "-z"], b"")?;
        let listed: Vec<&[u8]> = listed.split(|byte| *byte == 0).filter(|line| !line.is_empty()).collect();
        let (mut drop, mut left_out, mut seen) = (Vec::new(), Vec::new(), path::Tree::default());
        for line in listed {
            let Some(fault) = fault(line, &mut seen) else { continue };
            let path = line.splitn(2, |byte| *byte == b'\t').nth(1).unwrap_or_default();
            drop.extend_from_slice(path);
            drop.push(0);
            if left_out.len() < MOST_TOLD {
                left_out.push(format!("{}: {fault}", String::from_utf8_lossy(path)));
            }
        }
        if !drop.is_empty() {
            self.git.run_in(tree, &["update-index", "--force-remove", "-z", "--stdin"], &drop)?;
        }
        Ok(left_out)
    }
}

fn work_tree(directory: &Path) -> WorkTree {
    WorkTree { files: directory.to_owned(), index: directory.with_extension("index") }
}

/// Removes what git knows of a directory that is no more, or about to be made.
///
/// # Errors
/// When it cannot be removed.
pub fn forget_index(directory: &Path) -> Result<()> {
    let index = work_tree(directory).index;
    for path in [index.with_extension("index.lock"), index] {
        match fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(unusable(&path, &error)),
            _ => {}
        }
    }
    Ok(())
}

/// What git lists with a NUL after each; what was cut off is none.
fn paths(listed: &[u8]) -> impl Iterator<Item = &[u8]> {
    listed.split_inclusive(|byte| *byte == 0).filter_map(|path| path.strip_suffix(&[0]))
}

fn is_named_well(path: &[u8]) -> bool {
    std::str::from_utf8(path).is_ok_and(|path| path::checked(path).is_ok())
}

/// Why what git has listed (`100644 8f2c... 0\tpath`) is no file of a workspace.
fn fault(line: &[u8], seen: &mut path::Tree) -> Option<String> {
    let Ok(line) = std::str::from_utf8(line) else { return Some("its name is not text in UTF-8".to_owned()) };
    let (head, path) = line.split_once('\t')?;
    match head.split(' ').next() {
        Some("100644" | "100755") => {}
        Some("120000") => return Some("is a symbolic link".to_owned()),
        _ => return Some("is a repository of its own".to_owned()),
    }
    if let Err(error) = path::checked(path) {
        return Some(error.to_string());
    }
    seen.take(path).err()
}
