//! Patterns for paths: `*` stands for a part of a name, `**` for any folders, `{a,b}` for either.

use globset::{Glob, GlobBuilder, GlobMatcher};

use super::place::Place;
use super::problem::Problems;

const MAX_PATTERN: usize = 240;

/// Reads one that stays within its folder.
pub(super) fn read(place: &Place<'_>, problems: &mut Problems) -> String {
    let pattern = place.text(problems, MAX_PATTERN);
    if pattern.is_empty() {
        return pattern;
    }
    if pattern.starts_with('/') || pattern.contains('\\') || pattern.split('/').any(|part| part == "..") {
        place.wrong(
            problems,
            format!("must be a relative path or pattern without \"..\" or \"\\\", and is {pattern:?}"),
        );
    } else if let Err(error) = glob(&pattern) {
        place.wrong(problems, format!("is not a pattern such as src/**/*.ts: {}", error.kind()));
    }
    pattern
}

/// Whether it may name several files.
pub(super) fn is_pattern(text: &str) -> bool {
    text.contains(['*', '?', '[', '{'])
}

fn glob(pattern: &str) -> Result<Glob, globset::Error> {
    GlobBuilder::new(pattern).literal_separator(true).build()
}

/// What it matches; nothing, when it is none.
pub(super) fn matcher(pattern: &str) -> Option<GlobMatcher> {
    glob(pattern).ok().map(|glob| glob.compile_matcher())
}
