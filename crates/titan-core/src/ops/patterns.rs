//! Lists of patterns for paths, as operators write them: `*` stands for a part of a name, `**` for any folders, `{a,b}` for either,
//! `?` for one byte. Which list is read exactly and which is widened is said in `policy`.

use std::fmt;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use unicode_normalization::is_nfc;

use super::fault::quoted;
use crate::filename::folded;

/// Bytes of a pattern.
const MAX_PATTERN: usize = 240;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Case {
    Exact,
    Any,
}

/// Patterns as they were written, and a set that finds them.
#[derive(Debug, Clone)]
pub(super) struct Patterns {
    written: Vec<String>,
    set: GlobSet,
    /// Which pattern each glob of the set was made from.
    origin: Vec<usize>,
}

impl Patterns {
    pub(super) fn read(variable: &str, written: Vec<String>, case: Case) -> Result<Self, String> {
        check_list(variable, &written)?;
        let mut set = GlobSetBuilder::new();
        let mut origin = Vec::new();
        for (at, pattern) in written.iter().enumerate() {
            let globs = match case {
                Case::Exact => vec![exact(pattern)],
                Case::Any => widened(pattern),
            };
            for glob in globs {
                let glob = GlobBuilder::new(&glob).literal_separator(true).case_insensitive(case == Case::Any).build();
                set.add(glob.map_err(|error| {
                    format!("{variable}: {} is not a pattern such as docs/**: {}", quoted(pattern), error.kind())
                })?);
                origin.push(at);
            }
        }
        let set = set.build().map_err(|error| format!("{variable}: cannot be matched together: {}", error.kind()))?;
        Ok(Patterns { written, set, origin })
    }

    /// The first pattern that matches one of these spellings.
    pub(super) fn first(&self, spellings: &[&str]) -> Option<&str> {
        let globs = spellings.iter().flat_map(|path| self.set.matches(path));
        let first = globs.filter_map(|glob| self.origin.get(glob)).min()?;
        self.written.get(*first).map(String::as_str)
    }
}

impl fmt::Display for Patterns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const MOST: usize = 12;
        let shown: Vec<&str> = self.written.iter().take(MOST).map(String::as_str).collect();
        f.write_str(&shown.join(", "))?;
        if self.written.len() > MOST { write!(f, " and {} more", self.written.len() - MOST) } else { Ok(()) }
    }
}

/// Patterns that cannot be, by what stands in them. What globs themselves refuse comes later.
fn check_list(variable: &str, patterns: &[String]) -> Result<(), String> {
    for pattern in patterns {
        if let Some(why) = pattern_fault(pattern) {
            return Err(format!("{variable}: {} {why}", quoted(pattern)));
        }
    }
    Ok(())
}

fn pattern_fault(pattern: &str) -> Option<&'static str> {
    let mut names = pattern.trim_end_matches('/').split('/');
    if pattern.trim() != pattern || pattern.is_empty() {
        return Some("must not be empty, nor begin or end with a space");
    }
    if pattern.len() > MAX_PATTERN {
        return Some("is too long: a pattern has at most 240 bytes");
    }
    if pattern.starts_with('!') {
        return Some("must not begin with !: what is not to be changed stands in PROTECTED_PATHS");
    }
    if pattern.starts_with('/') {
        return Some("must not begin with /: patterns begin at the repository's root");
    }
    if pattern.contains('\\') || pattern.chars().any(char::is_control) {
        return Some("must not hold backslashes or control characters: names are parted by /");
    }
    if names.any(|name| matches!(name, "" | "." | "..")) {
        return Some("must not hold \".\", \"..\" or two slashes in a row");
    }
    (!is_nfc(pattern)).then_some("must be in Unicode's composed form (NFC), as paths are")
}

/// As it is; `docs/` is all of that folder.
fn exact(pattern: &str) -> String {
    if pattern.ends_with('/') { format!("{pattern}**") } else { pattern.to_owned() }
}

/// What a protected pattern stands for: itself, what lies beneath, and the folder's own name.
fn widened(pattern: &str) -> Vec<String> {
    let plain = pattern.trim_end_matches('/');
    let core = plain.trim_end_matches("/**");
    let anywhere = if plain.contains('/') { "" } else { "**/" };
    let mut globs = vec![format!("{anywhere}{core}"), format!("{anywhere}{core}/**")];
    globs.extend(core.strip_suffix("/*").map(str::to_owned));
    // Matching looks at ASCII letters only; for all others both sides are folded.
    let folded: Vec<String> = globs.iter().filter(|glob| !glob.is_ascii()).map(|glob| folded(glob)).collect();
    globs.extend(folded);
    globs
}
