//! Templates as tar archives: read from whatever somebody sends, written in one form only, so that the same template has the same
//! checksum everywhere.

use std::collections::BTreeMap;
use std::io::Read;

use flate2::read::GzDecoder;
use tar::{Archive, Builder, EntryType, Header};

use super::parse::MANIFEST;
use super::problem::{Problem, Problems, one};
use super::template::{FILES, Template};
use super::{MAX_FILES, MAX_MANIFEST, MAX_TOTAL};

/// What an archive is called where it has a problem as a whole.
const ARCHIVE: &str = "archive";
/// Bytes of an archive, packed or not: the largest template with the headers of its entries. A long path has an entry of its own
/// before that of its file: two headers, and up to a block each of its bytes and of what fills the file's last block.
pub(super) const MAX_ARCHIVE: usize = MAX_TOTAL + MAX_MANIFEST + (MAX_FILES + 8) * 2048;
const MAX_ENTRIES: usize = 4 * MAX_FILES;

/// Reads a `.tar` or `.tar.gz` with a template at its top, or in the one folder that is all it holds.
///
/// # Errors
/// What keeps it from being a template.
pub fn unpack(bytes: &[u8]) -> Result<Template, Vec<Problem>> {
    let limit = u64::try_from(MAX_ARCHIVE).unwrap_or(u64::MAX) + 1;
    let mut tar = Vec::new();
    let read = if bytes.starts_with(&[0x1f, 0x8b]) {
        GzDecoder::new(bytes).take(limit).read_to_end(&mut tar)
    } else {
        bytes.take(limit).read_to_end(&mut tar)
    };
    read.map_err(|error| one(ARCHIVE, format!("is not a whole .tar.gz: {error}")))?;
    if tar.len() > MAX_ARCHIVE {
        return Err(one(ARCHIVE, format!("must have at most {MAX_ARCHIVE} bytes when it is unpacked")));
    }
    let entries = entries(&tar)?;
    let top = top(&entries);
    let mut problems = Problems::default();
    let mut manifest = None;
    let mut files = BTreeMap::new();
    for (path, bytes) in entries {
        // What else its author keeps beside the manifest is none of Titan's.
        match path.strip_prefix(top.as_str()) {
            Some(MANIFEST) => manifest = Some(bytes),
            Some(path) => {
                if let Some(path) = path.strip_prefix(FILES)
                    && files.insert(path.to_owned(), bytes).is_some()
                {
                    problems.add(format!("{FILES}{path}"), "is in the archive twice");
                }
            }
            None => {}
        }
    }
    let Some(manifest) = manifest else {
        return Err(one(ARCHIVE, format!("has no {MANIFEST} at its top or in the one folder that it holds")));
    };
    let text = String::from_utf8(manifest).map_err(|_| one(MANIFEST, "is not text in UTF-8"))?;
    match Template::new(text, files) {
        Ok(template) => problems.or(template),
        Err(found) => {
            problems.extend(found);
            Err(problems.into_inner())
        }
    }
}

/// Regular files by path. Anything that is neither that nor a folder is refused, before anything is believed of it.
fn entries(tar: &[u8]) -> Result<Vec<(String, Vec<u8>)>, Vec<Problem>> {
    let broken = |error: std::io::Error| one(ARCHIVE, format!("is not a .tar or .tar.gz: {error}"));
    let mut archive = Archive::new(tar);
    let mut found = Vec::new();
    let mut problems = Problems::default();
    for (number, entry) in archive.entries().map_err(broken)?.enumerate() {
        let mut entry = entry.map_err(broken)?;
        if number == MAX_ENTRIES {
            return Err(one(ARCHIVE, format!("must hold at most {MAX_ENTRIES} entries")));
        }
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = path.strip_prefix("./").unwrap_or(&path).to_owned();
        match entry.header().entry_type() {
            EntryType::Regular | EntryType::Continuous => {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).map_err(broken)?;
                found.push((path, bytes));
            }
            EntryType::Directory | EntryType::XGlobalHeader => {}
            EntryType::Symlink | EntryType::Link => {
                problems.add(path, "is a link; a template holds files and folders only");
            }
            _ => problems.add(path, "is neither a file nor a folder"),
        }
    }
    problems.or(found)
}

/// The folder that everything lies in, with its slash; nothing, when the manifest lies at the top.
fn top(entries: &[(String, Vec<u8>)]) -> String {
    let mut tops = entries.iter().map(|(path, _)| path.split_once('/').map(|(top, _)| top));
    match tops.next().flatten() {
        Some(first) if tops.all(|top| top == Some(first)) && !entries.iter().any(|(path, _)| path == MANIFEST) => {
            format!("{first}/")
        }
        _ => String::new(),
    }
}

/// The one form: the manifest, then the files by path, with nothing of who packed it and when.
pub(super) fn pack(manifest: &str, files: &BTreeMap<String, Vec<u8>>) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    let mut append = |path: &str, bytes: &[u8]| {
        let mut header = Header::new_gnu();
        header.set_mode(0o644);
        header.set_size(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        // A vector takes whatever is written, and the paths have been checked.
        let _ = builder.append_data(&mut header, path, bytes);
    };
    append(MANIFEST, manifest.as_bytes());
    for (path, bytes) in files {
        append(&format!("{FILES}{path}"), bytes);
    }
    builder.into_inner().unwrap_or_default()
}
