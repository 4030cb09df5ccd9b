//! Templates in a folder of the machine (`TEMPLATES_DIR`). Links are never followed: a template must not bring along what lies
//! elsewhere.

use std::collections::BTreeMap;
use std::fs::{self, DirEntry};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use super::catalogue::Broken;
use super::manifest::Manifest;
use super::parse::MANIFEST;
use super::problem::{Problem, one};
use super::template::{FILES, Template};
use super::{MAX_FILE, MAX_FILES, MAX_MANIFEST, MAX_TOTAL, paths, summaries};

/// How deep below the folder a template may lie.
const MAX_DEPTH: usize = 3;
/// Templates, and folders that are looked into.
const MAX_TEMPLATES: usize = 200;
const MAX_FOLDERS: usize = 2000;
/// Folders within a template; as many as a path may have.
const MAX_FILE_DEPTH: usize = 13;

/// What was found: templates, and those that cannot be read.
pub(super) struct Found {
    pub(super) templates: Vec<Summary>,
    pub(super) broken: Vec<Broken>,
}

/// A template without its files, which are read when they are needed.
#[derive(Debug, Clone)]
pub(super) struct Summary {
    /// Where it lies, below the folder of all of them.
    pub(super) folder: String,
    pub(super) manifest: Manifest,
    pub(super) sha256: [u8; 32],
}

/// All templates below a folder, by path.
pub(super) fn all(root: &Path) -> Found {
    let mut found = Found { templates: Vec::new(), broken: Vec::new() };
    let mut looked_into = 0;
    if !root.is_dir() {
        let message = "TEMPLATES_DIR is not a folder that can be read; make it, or leave the variable empty";
        found.broken.push(Broken { folder: String::new(), problems: one("TEMPLATES_DIR", message) });
        return found;
    }
    look_into(root, root, 0, &mut looked_into, &mut found);
    found
}

fn look_into(root: &Path, folder: &Path, depth: usize, looked_into: &mut usize, found: &mut Found) {
    if *looked_into > MAX_FOLDERS {
        return;
    }
    *looked_into += 1;
    if *looked_into > MAX_FOLDERS {
        return found.stop(format!(
            "holds more than {MAX_FOLDERS} folders; those after {} are not looked into",
            relative(root, folder)
        ));
    }
    if depth > 0 && is_file(&folder.join(MANIFEST)) {
        if found.templates.len() + found.broken.len() >= MAX_TEMPLATES {
            *looked_into = MAX_FOLDERS + 1;
            return found.stop(format!(
                "holds more than {MAX_TEMPLATES} templates; that in {} and those after it are not read",
                relative(root, folder)
            ));
        }
        let name = relative(root, folder);
        match summaries::of(folder, &name) {
            Ok(summary) => found.templates.push(summary),
            Err(problems) => found.broken.push(Broken { folder: name, problems }),
        }
        return;
    }
    if depth < MAX_DEPTH {
        match entries(folder) {
            Err(error) => {
                let problems = one("TEMPLATES_DIR", format!("a folder in it cannot be read: {error}"));
                found.broken.push(Broken { folder: relative(root, folder), problems });
            }
            Ok(entries) => {
                let is_folder =
                    |entry: &&DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir()) && !is_hidden(entry);
                for entry in entries.iter().filter(is_folder) {
                    look_into(root, &entry.path(), depth + 1, looked_into, found);
                }
            }
        }
    }
}

impl Found {
    /// Nothing is found after this.
    fn stop(&mut self, why: String) {
        self.broken.push(Broken { folder: String::new(), problems: one("TEMPLATES_DIR", why) });
    }
}

/// The template in a folder below another one, named by its relative path.
///
/// # Errors
/// What keeps it from being a template.
pub fn one_in(root: &Path, name: &str) -> Result<Template, Vec<Problem>> {
    paths::check(name).map_err(|why| one("directory", why))?;
    let mut folder = root.to_path_buf();
    for part in name.split('/') {
        folder.push(part);
        if !fs::symlink_metadata(&folder).is_ok_and(|found| found.is_dir()) {
            return Err(one(
                "directory",
                format!("there is no folder {name:?} in TEMPLATES_DIR; links are not followed"),
            ));
        }
    }
    read(&folder)
}

pub(super) fn read(folder: &Path) -> Result<Template, Vec<Problem>> {
    // A link would be followed, and a pipe waited for.
    if !is_file(&folder.join(MANIFEST)) {
        return Err(one(MANIFEST, "must be a file in the template's folder, and no link or device"));
    }
    let bytes = limited(&folder.join(MANIFEST), MAX_MANIFEST).map_err(|why| one(MANIFEST, why))?;
    let text = String::from_utf8(bytes).map_err(|_| one(MANIFEST, "is not text in UTF-8"))?;
    let mut files = BTreeMap::new();
    let inner = folder.join(FILES);
    if fs::symlink_metadata(folder.join(FILES.trim_end_matches('/'))).is_ok_and(|found| found.is_dir()) {
        read_files(&inner, &inner, 0, &mut 0, &mut files)?;
    }
    Template::new(text, files)
}

fn read_files(
    root: &Path,
    folder: &Path,
    depth: usize,
    total: &mut usize,
    files: &mut BTreeMap<String, Vec<u8>>,
) -> Result<(), Vec<Problem>> {
    let place = |path: &Path| format!("{FILES}{}", relative(root, path));
    let entries = entries(folder).map_err(|error| one(place(folder), format!("cannot be read: {error}")))?;
    for entry in entries {
        let path = entry.path();
        let kind = entry.file_type().map_err(|error| one(place(&path), format!("cannot be read: {error}")))?;
        if kind.is_dir() && depth < MAX_FILE_DEPTH {
            read_files(root, &path, depth + 1, total, files)?;
        } else if kind.is_file() {
            if files.len() > MAX_FILES {
                return Err(one(FILES, format!("must hold at most {MAX_FILES} files")));
            }
            let bytes = limited(&path, MAX_FILE).map_err(|why| one(place(&path), why))?;
            *total += bytes.len();
            if *total > MAX_TOTAL {
                return Err(one(FILES, format!("must have at most {MAX_TOTAL} bytes together, and has more")));
            }
            files.insert(relative(root, &path), bytes);
        } else {
            let message = "is a link, a device or too deep; a template holds files and folders only";
            return Err(one(place(&path), message));
        }
    }
    Ok(())
}

/// In the order of their names, so that every machine says the same.
pub(super) fn entries(folder: &Path) -> std::io::Result<Vec<DirEntry>> {
    let mut entries: Vec<DirEntry> = fs::read_dir(folder)?.take(MAX_FOLDERS + 1).collect::<Result<_, _>>()?;
    if entries.len() > MAX_FOLDERS {
        return Err(std::io::Error::other(format!("holds more than {MAX_FOLDERS} files and folders")));
    }
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

fn limited(path: &PathBuf, most: usize) -> Result<Vec<u8>, String> {
    let file = fs::File::open(path).map_err(|error| format!("cannot be read: {error}"))?;
    let mut bytes = Vec::new();
    let limit = u64::try_from(most).unwrap_or(u64::MAX) + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| format!("cannot be read: {error}"))?;
    if bytes.len() > most { Err(format!("must have at most {most} bytes, and has more")) } else { Ok(bytes) }
}

fn is_file(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|found| found.is_file())
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().to_string_lossy().starts_with('.')
}

fn relative(root: &Path, path: &Path) -> String {
    path.strip_prefix(root).unwrap_or(path).to_string_lossy().into_owned()
}
