//! A path of the repository, as a proposal may name it: one file, by one spelling, on every system where the repository is checked
//! out. What is not that is refused with a sentence that says what would be right.
//!
//! Only what cannot be meant otherwise is put right: `./` and `/./` are left out, and slashes in a row are one. All else is refused
//! and not mended, because a mended path could be that of another file than the one whose author and reviewer thought of: `..`, a
//! slash at the end (that is a folder), letters that are composed otherwise, spaces and dots that Windows drops.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use super::fault::quoted;
use crate::filename::{folded, is_device, is_invisible};

/// Bytes of a path, as it was given.
const MAX_BYTES: usize = 240;
/// Names between slashes.
const MAX_DEPTH: usize = 32;

/// A path that has been checked. Those that are equal are the same file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct RepoPath(String);

impl RepoPath {
    /// Reads one, and leaves out what means nothing.
    ///
    /// # Errors
    /// Why it cannot be the path of a file, and what would be right.
    pub fn parse(path: &str) -> Result<Self, PathFault> {
        if path.is_empty() {
            return Err(PathFault::Empty);
        }
        if path.len() > MAX_BYTES {
            return Err(PathFault::TooLong { bytes: path.len() });
        }
        // First what may stand nowhere: it decides what the rest would mean.
        if let Some(fault) = path.chars().find_map(forbidden) {
            return Err(fault);
        }
        if path.starts_with('/') {
            return Err(PathFault::Absolute);
        }
        if path.ends_with('/') {
            return Err(PathFault::Folder);
        }
        let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty() && *name != ".").collect();
        if names.is_empty() || path.ends_with("/.") {
            return Err(PathFault::Folder);
        }
        if names.len() > MAX_DEPTH {
            return Err(PathFault::TooDeep { names: names.len() });
        }
        names.iter().try_for_each(|name| check_name(name))?;
        let path = names.join("/");
        // Last, so that a name that would be git's own in the right spelling is called that.
        let composed: String = path.nfc().collect();
        if composed == path { Ok(RepoPath(path)) } else { Err(PathFault::NotComposed { right: composed }) }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The last of its names.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.rsplit('/').next().unwrap_or(&self.0)
    }

    /// One spelling for all paths that some file system takes for this one.
    #[must_use]
    pub fn folded(&self) -> String {
        folded(&self.0)
    }
}

/// Why a path cannot be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PathFault {
    #[error("must not be empty: write the path of a file from the repository's root, such as docs/OPS.md")]
    Empty,
    #[error("must have at most {} bytes, and has {bytes}", MAX_BYTES)]
    TooLong { bytes: usize },
    #[error("must have at most {} names between slashes, and has {names}", MAX_DEPTH)]
    TooDeep { names: usize },
    #[error("must be relative to the repository's root, without / at its beginning")]
    Absolute,
    #[error("must name a file and not a folder, so that it ends in the file's name")]
    Folder,
    #[error("must not hold \"..\": write the path from the repository's root to the file")]
    Parent,
    #[error("must not hold a backslash: names are parted by /")]
    Backslash,
    #[error("must not hold ':', which stands for a drive or a second stream of a file on Windows")]
    Colon,
    #[error("must not hold the control character {0:?}")]
    Control(char),
    #[error("must not hold {0:?}, which cannot be seen or turns the direction of what follows")]
    Unseen(char),
    #[error("must not hold {0:?}, which no name on Windows can have")]
    NotOnWindows(char),
    #[error("must be UTF-8, and was not")]
    NotUtf8,
    #[error("must not hold {}, which is git's own or is taken for it somewhere", quoted(.0))]
    GitsOwn(String),
    #[error("must not hold {}: a submodule would bring in code that nobody has seen here", quoted(.0))]
    Submodules(String),
    #[error("must not hold {}, which Windows takes for the short name of another file; write the whole name", quoted(.0))]
    ShortName(String),
    #[error("must not hold {}: a space at either end or a dot at the end gets lost on some systems", quoted(.0))]
    EdgeGetsLost(String),
    #[error("must not hold {}, which is a device on Windows", quoted(.0))]
    Device(String),
    #[error("must be in Unicode's composed form (NFC), which is {}", quoted(.right))]
    NotComposed { right: String },
}

/// Why a character may not stand in a path.
fn forbidden(c: char) -> Option<PathFault> {
    match c {
        '\\' => Some(PathFault::Backslash),
        ':' => Some(PathFault::Colon),
        '*' | '?' | '"' | '<' | '>' | '|' => Some(PathFault::NotOnWindows(c)),
        ' '..='~' => None,
        // What stands where bytes were that are no text.
        char::REPLACEMENT_CHARACTER => Some(PathFault::NotUtf8),
        c if c.is_control() => Some(PathFault::Control(c)),
        c if is_invisible(c) || is_ignorable(c) => Some(PathFault::Unseen(c)),
        _ => None,
    }
}

/// More that shows nothing: fillers, selectors of variants, tags. Property Default_Ignorable_Code_Point of
/// <https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt>, without what [`is_invisible`] knows. A project's files
/// may have some of them in the name of an emoji; Titan's own have none.
fn is_ignorable(c: char) -> bool {
    matches!(
        c,
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}'
    )
}

fn check_name(name: &str) -> Result<(), PathFault> {
    if name == ".." {
        return Err(PathFault::Parent);
    }
    // Windows drops dots and spaces at the end.
    match folded(name.trim_end_matches([' ', '.'])).as_str() {
        ".git" => return Err(PathFault::GitsOwn(name.to_owned())),
        ".gitmodules" => return Err(PathFault::Submodules(name.to_owned())),
        _ => {}
    }
    if name.starts_with(' ') || name.ends_with([' ', '.']) {
        return Err(PathFault::EdgeGetsLost(name.to_owned()));
    }
    if is_short_name(name) {
        return Err(PathFault::ShortName(name.to_owned()));
    }
    if is_device(name) {
        return Err(PathFault::Device(name.to_owned()));
    }
    Ok(())
}

/// Whether it has the form of a name that Windows makes for a longer one: `MAKEFI~1`, `GIT~1`, `OPENAP~1.JSO`.
fn is_short_name(name: &str) -> bool {
    let (stem, ending) = name.split_once('.').unwrap_or((name, ""));
    let number = stem.split_once('~').map(|(_, number)| number);
    stem.len() <= 8
        && ending.len() <= 3
        && number.is_some_and(|number| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()))
}

impl fmt::Display for RepoPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for RepoPath {
    type Err = PathFault;

    fn from_str(path: &str) -> Result<Self, PathFault> {
        Self::parse(path)
    }
}

impl TryFrom<String> for RepoPath {
    type Error = PathFault;

    fn try_from(path: String) -> Result<Self, PathFault> {
        Self::parse(&path)
    }
}

impl From<RepoPath> for String {
    fn from(path: RepoPath) -> String {
        path.0
    }
}

impl AsRef<str> for RepoPath {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ordinary_paths_stay_as_they_are() {
        for path in [
            "README.md",
            "crates/titan-core/src/ops/path.rs",
            "docs/größe.md",
            "日本/茶.txt",
            "a..b",
            "...a",
            "gitter/x",
            "a.git",
            "foo~",
            "notes~1979.draft.txt",
            "console.log",
            "a b.txt",
            "@types/x+y=z.ts",
        ] {
            assert_eq!(RepoPath::parse(path).map(String::from), Ok(path.to_owned()));
        }
    }

    #[test]
    fn what_means_nothing_is_left_out() {
        for path in ["./a/b", "a//b", "a/./b", "././a///./b"] {
            assert_eq!(RepoPath::parse(path).unwrap().as_str(), "a/b", "{path}");
        }
    }

    #[test]
    fn a_stored_path_is_checked_when_it_is_read_again() {
        let path: RepoPath = serde_json::from_str("\"./docs/a.md\"").unwrap();
        assert_eq!(serde_json::to_string(&path).unwrap(), "\"docs/a.md\"");
        let error = serde_json::from_str::<RepoPath>("\"../a\"").unwrap_err().to_string();
        assert!(error.contains("must not hold \"..\""), "{error}");
    }
}
