//! The files of a tree in a folder, for building: exactly the bytes that were committed, as plain files and folders, and links that stay
//! inside. Everything is looked at before anything is written; whoever wrote the tree is not trusted.
//!
//! The files are written here and not by git: no attribute of the tree changes a byte of them, and each one is made anew.

use std::collections::BTreeSet;
use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use titan_core::filename::Tree;
use titan_core::git::{Kind, TreeEntry};
use titan_core::ops::Fault;
use titan_core::text::head;

use super::error::{fault, unusable};
use super::link::{self, MAX_TARGET};
use super::{Mirror, RepositoryError, Result};

/// Files, bytes of one of them, and bytes of all.
pub const MAX_FILES: usize = 50_000;
pub const MAX_FILE: u64 = 48 << 20;
pub const MAX_BYTES: u64 = 1 << 30;
/// Bytes that are held in memory at once.
const PORTION: u64 = 32 << 20;
/// Bytes of a path below the folder, of one name in it, and how many there are.
const MAX_PATH: usize = 1024;
const MAX_NAME: usize = 255;
const MAX_DEPTH: usize = 64;
/// Faults that are told one by one.
const MOST_TOLD: usize = 100;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedOut {
    /// Links included.
    pub files: usize,
    pub bytes: u64,
}

impl Mirror {
    /// Writes the files of a tree into an empty folder, with the modes 644 and 755.
    ///
    /// # Errors
    /// [`RepositoryError::Faults`] by path for what must not be written, [`RepositoryError::Refused`] when it is too much or the folder
    /// is not empty; then nothing is written. [`RepositoryError::Broken`] when the disk does not take it.
    pub fn check_out(&self, tree: &str, folder: &Path) -> Result<CheckedOut> {
        let failed = |error: std::io::Error| unusable(folder, &error);
        if fs::read_dir(folder).map_err(failed)?.next().is_some() {
            return Err(RepositoryError::Refused(format!("{} is not empty, and must be", folder.display())));
        }
        let entries = self.entries(&self.tree_of(tree)?)?;
        let of_kind =
            |wanted: fn(Kind) -> bool| entries.iter().filter(move |entry| wanted(entry.kind)).collect::<Vec<_>>();
        let files = of_kind(|kind| matches!(kind, Kind::File { .. }));
        let links = of_kind(|kind| kind == Kind::Link);
        let bytes = files.iter().map(|entry| entry.size).sum();
        within_limits(files.len() + links.len(), bytes)?;
        let mut faults = misnamed(&entries);
        faults.extend(unwanted(&entries));
        let targets = if faults.is_empty() { self.git.contents(links.iter().copied())? } else { Vec::new() };
        for (entry, target) in links.iter().zip(&targets) {
            faults.extend(link::fault(&entry.path, target).map(|why| fault(&*entry.path, why)));
        }
        if !faults.is_empty() {
            faults.truncate(MOST_TOLD);
            return Err(RepositoryError::Faults(faults));
        }
        for entry in of_kind(|kind| kind == Kind::Folder) {
            make_folder(&folder.join(&entry.path)).map_err(failed)?;
        }
        for portion in portions(&files) {
            for (entry, bytes) in portion.iter().zip(self.git.contents(portion.iter().copied())?) {
                let executable = entry.kind == Kind::File { executable: true };
                write(&folder.join(&entry.path), &bytes, executable).map_err(failed)?;
            }
        }
        // Last, so that nothing is written through one.
        for (entry, target) in links.iter().zip(&targets) {
            symlink(&*String::from_utf8_lossy(target), folder.join(&entry.path)).map_err(failed)?;
        }
        Ok(CheckedOut { files: files.len() + links.len(), bytes })
    }
}

fn within_limits(files: usize, bytes: u64) -> Result<()> {
    let refused = |message: String| Err(RepositoryError::Refused(message));
    if files > MAX_FILES {
        return refused(format!("at most {MAX_FILES} files are checked out, and there are {files}"));
    }
    if bytes > MAX_BYTES {
        return refused(format!("at most {MAX_BYTES} bytes are checked out, and there are {bytes}"));
    }
    Ok(())
}

/// Paths that lead elsewhere, are git's own, or cannot stand beside each other on every disk.
fn misnamed(entries: &[TreeEntry]) -> Vec<Fault> {
    let (mut beside, mut seen) = (Tree::default(), BTreeSet::new());
    let mut faults = Vec::new();
    for TreeEntry { path, kind, .. } in entries {
        let why = name_fault(path).or_else(|| (!seen.insert(path)).then(|| "stands in the tree twice".to_owned()));
        // A folder is taken with what is in it; a tree has no empty ones, or none that matters.
        let why = why.or_else(|| if *kind == Kind::Folder { None } else { beside.take(path).err() });
        faults.extend(why.map(|why| fault(head(path, 240), why)));
    }
    faults
}

fn name_fault(path: &str) -> Option<String> {
    if path.len() > MAX_PATH {
        return Some(format!("must have at most {MAX_PATH} bytes, and has {}", path.len()));
    }
    if path.split('/').count() > MAX_DEPTH {
        return Some(format!("must have at most {MAX_DEPTH} names between slashes"));
    }
    if path.contains(char::REPLACEMENT_CHARACTER) {
        return Some("is not UTF-8".to_owned());
    }
    path.split('/').find_map(|name| match name {
        "" | "." | ".." => Some(format!("holds {name:?}, which is no name")),
        name if name.len() > MAX_NAME => Some(format!("holds a name of more than {MAX_NAME} bytes")),
        name if name.contains(['\0', '\\']) => Some(format!("holds {name:?}, which is no name on every system")),
        name if is_gits_own(name) => Some(format!("holds {name:?}, which is git's own or is taken for it somewhere")),
        _ => None,
    })
}

/// `.git`, also as disks spell it that drop what shows nothing, or dots and spaces at the end.
fn is_gits_own(name: &str) -> bool {
    let name: String = name.chars().filter(|c| !titan_core::filename::is_invisible(*c)).collect();
    let name = name.split(':').next().unwrap_or_default().trim_end_matches([' ', '.']).to_lowercase();
    name == ".git" || name == "git~1"
}

fn unwanted(entries: &[TreeEntry]) -> Vec<Fault> {
    let why = |entry: &TreeEntry| match entry.kind {
        Kind::Submodule => Some(
            "is a submodule, whose files are not here; only what lies in the repository itself is built".to_owned(),
        ),
        Kind::Link if entry.size > MAX_TARGET => Some("is a link that says too much to be one".to_owned()),
        Kind::File { .. } if entry.size > MAX_FILE => {
            Some(format!("must have at most {MAX_FILE} bytes, and has {}", entry.size))
        }
        _ => None,
    };
    entries.iter().filter_map(|entry| why(entry).map(|why| fault(head(&entry.path, 240), why))).collect()
}

/// As many at once as fit into memory well; a file that is larger is one for itself.
fn portions<'e>(files: &[&'e TreeEntry]) -> Vec<Vec<&'e TreeEntry>> {
    let mut portions: Vec<Vec<&TreeEntry>> = Vec::new();
    let mut bytes = 0;
    for file in files {
        bytes += file.size;
        match portions.last_mut() {
            Some(portion) if bytes <= PORTION => portion.push(file),
            _ => {
                bytes = file.size;
                portions.push(vec![file]);
            }
        }
    }
    portions
}

/// The folder above was made before: git lists it first.
fn make_folder(path: &Path) -> std::io::Result<()> {
    fs::create_dir(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o755))
}

fn write(path: &Path, bytes: &[u8], executable: bool) -> std::io::Result<()> {
    let mode = if executable { 0o755 } else { 0o644 };
    let mut file = File::options().write(true).create_new(true).mode(mode).open(path)?;
    file.write_all(bytes)?;
    // Whatever the process takes away from what it makes.
    file.set_permissions(Permissions::from_mode(mode))
}
