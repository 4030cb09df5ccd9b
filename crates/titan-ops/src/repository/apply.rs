//! Patches put onto a commit's tree: by git's own index in a place of its own, and never as files. What comes out is a tree; nobody
//! sees it before a commit holds it.

use std::collections::BTreeMap;
use std::fs;

use titan_core::git::{Call, Kind, TreeEntry, id};
use titan_core::ops::unified::Shift;
use titan_core::ops::{Change, Fault, MOST_FAULTS, Patch};

use super::error::{fault, unusable};
use super::read::no_tree;
use super::{FileChange, Mirror, Renames, RepositoryError, Result};

/// Bytes of a file that a diff is put onto, and of all of them.
const MAX_OLD: u64 = 2 << 20;
const MAX_OLD_TOTAL: u64 = 32 << 20;
/// How git writes that a path goes.
const GONE: &str = "0 0000000000000000000000000000000000000000";

/// What patches come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    pub tree: String,
    /// What is not as it was, each path for itself. A patch that wants what is there already is not among them.
    pub files: Vec<FileChange>,
    /// Hunks that stand elsewhere than they say, by the path of their file.
    pub shifts: Vec<(String, Shift)>,
}

/// A file as it is to be.
struct Written<'p> {
    path: &'p str,
    /// None: it goes.
    bytes: Option<Vec<u8>>,
    executable: bool,
    shifts: Vec<Shift>,
}

type Entries = BTreeMap<String, TreeEntry>;

impl Mirror {
    /// Puts patches onto the tree of a commit.
    ///
    /// # Errors
    /// [`RepositoryError::Faults`] for all that does not fit, and when nothing would change; [`RepositoryError::NotFound`] for the
    /// commit.
    pub fn apply(&self, base_commit: &str, patches: &[Patch]) -> Result<Applied> {
        let base = self.tree_of(base_commit)?;
        let entries = self.entries_by_path(&base)?;
        let written = self.put_on(&entries, patches)?;
        let tree = self.write(&base, &written)?;
        if tree == base {
            let message = "change nothing: every file is as they want it already; a proposal must change something";
            return Err(RepositoryError::Faults(vec![fault("patches", message)]));
        }
        let files = self.changes(&base, &tree, Renames::Apart)?;
        let shifts = written.into_iter().flat_map(|file| {
            let path = file.path;
            file.shifts.into_iter().map(move |shift| (path.to_owned(), shift))
        });
        Ok(Applied { tree, files, shifts: shifts.collect() })
    }

    /// What each file is to be, or everything that is in the way of that.
    fn put_on<'p>(&self, entries: &Entries, patches: &'p [Patch]) -> Result<Vec<Written<'p>>> {
        let mut faults = Vec::new();
        let mut fitting = Vec::new();
        for (at, patch) in patches.iter().enumerate() {
            match misfit(entries, patch) {
                Some(why) => faults.push(fault(format!("patches[{at}].path"), why)),
                None => fitting.push((at, patch, entries.get(patch.path.as_str()))),
            }
        }
        let diffs = || {
            fitting
                .iter()
                .filter(|(_, patch, _)| matches!(patch.change, Change::Diff(_)))
                .filter_map(|(.., entry)| *entry)
        };
        let bytes: u64 = diffs().map(|entry| entry.size).sum();
        if bytes > MAX_OLD_TOTAL {
            let message = format!(
                "the files that diffs are put onto must have at most {MAX_OLD_TOTAL} bytes together, and have {bytes}"
            );
            return Err(RepositoryError::Faults(vec![fault("patches", message)]));
        }
        let mut old = self.git.contents(diffs())?.into_iter();
        let mut written = Vec::new();
        for (at, patch, entry) in fitting {
            let was_executable = entry.is_some_and(|entry| entry.kind == Kind::File { executable: true });
            let path = patch.path.as_str();
            let (bytes, executable, shifts) = match &patch.change {
                Change::Delete => (None, None, Vec::new()),
                Change::Content { bytes, executable } => (Some(bytes.clone()), *executable, Vec::new()),
                Change::Diff(diff) => {
                    let old = entry.and_then(|_| old.next());
                    match diff.apply(old.as_deref()) {
                        Ok(applied) => (applied.content, diff.executable(), applied.shifts),
                        Err(why) => {
                            faults.push(fault(format!("patches[{at}].diff"), why.to_string()));
                            continue;
                        }
                    }
                }
            };
            written.push(Written { path, bytes, executable: executable.unwrap_or(was_executable), shifts });
        }
        if faults.is_empty() { Ok(written) } else { Err(RepositoryError::Faults(at_most(faults))) }
    }

    fn write(&self, base: &str, written: &[Written<'_>]) -> Result<String> {
        let scratch = self.scratch()?;
        let mut names = String::new();
        for (at, bytes) in written.iter().filter_map(|file| file.bytes.as_ref()).enumerate() {
            let path = scratch.path().join(at.to_string());
            fs::write(&path, bytes).map_err(|error| unusable(&path, &error))?;
            let name = path
                .to_str()
                .ok_or_else(|| RepositoryError::Broken("TITAN_DATA_DIR is not text in UTF-8".to_owned()))?;
            names.push_str(&format!("{name}\n"));
        }
        let hash = ["hash-object", "-w", "--no-filters", "--stdin-paths"];
        let said = if names.is_empty() { Vec::new() } else { self.git.run(&hash, names.as_bytes())? };
        let said = String::from_utf8_lossy(&said);
        let mut ids = said.lines();
        let mut orders = String::new();
        for Written { path, bytes, executable, .. } in written {
            let order = match bytes {
                None => GONE.to_owned(),
                Some(_) => {
                    let mode = if *executable { "100755" } else { "100644" };
                    format!("{mode} {}", id(ids.next().unwrap_or_default().as_bytes())?)
                }
            };
            orders.push_str(&format!("{order}\t{path}\0"));
        }
        let index = scratch.path().join("index");
        let told = |arguments: &[&str], told: &str| -> Result<Vec<u8>> {
            let answer = self.git.ask(&Call::new(arguments).told(told.as_bytes()).index(&index))?;
            if answer.code == Some(0) { Ok(answer.said) } else { Err(no_tree(answer.failure())) }
        };
        told(&["read-tree", base], "")?;
        told(&["update-index", "-z", "--index-info"], &orders)?;
        Ok(id(&told(&["write-tree"], "")?)?)
    }
}

/// Why a patch cannot stand where it wants to.
fn misfit(entries: &Entries, patch: &Patch) -> Option<String> {
    let path = patch.path.as_str();
    let above = path.match_indices('/').filter_map(|(end, _)| entries.get(path.get(..end)?));
    for entry in above {
        let what = match entry.kind {
            Kind::Folder => continue,
            Kind::File { .. } => "a file",
            Kind::Link => "a symbolic link",
            Kind::Submodule => "a submodule",
        };
        return Some(format!("lies beneath {}, which is {what} in the repository and no folder", entry.path));
    }
    match entries.get(path).map(|entry| (entry.kind, entry.size)) {
        None if patch.change == Change::Delete => {
            Some("is not in the repository, so that it cannot be deleted".to_owned())
        }
        Some((Kind::Folder, _)) => Some("is a folder in the repository; a patch changes one file".to_owned()),
        Some((Kind::Link, _)) => {
            Some("is a symbolic link in the repository, and links are not changed by patches".to_owned())
        }
        Some((Kind::Submodule, _)) => Some("is a submodule, and those are not changed by patches".to_owned()),
        Some((Kind::File { .. }, size)) if size > MAX_OLD && matches!(patch.change, Change::Diff(_)) => {
            Some(format!("has {size} bytes, and a diff is put onto at most {MAX_OLD}; send its whole content"))
        }
        _ => None,
    }
}

/// The first ones; the last of them says how many more there are.
fn at_most(mut faults: Vec<Fault>) -> Vec<Fault> {
    if faults.len() > MOST_FAULTS {
        let more = faults.len() - MOST_FAULTS + 1;
        faults.truncate(MOST_FAULTS - 1);
        faults.push(fault("patches", format!("and {more} more faults that are not told here; mend these first")));
    }
    faults
}
