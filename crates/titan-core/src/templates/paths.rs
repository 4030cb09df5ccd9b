//! Which paths a project's files may have: such as are the same file, and only that, on every system that a project may come to.

use std::collections::HashMap;

use super::problem::Problems;
use crate::filename::{folded, is_device, is_invisible};

/// Bytes of a path.
const MAX_PATH: usize = 240;
/// Folders above a file.
const MAX_DEPTH: usize = 12;

/// Says what is wrong with a path, if anything is.
///
/// # Errors
/// What is wrong, and what would be right.
pub fn check(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("must not be empty".to_owned());
    }
    if path.len() > MAX_PATH {
        return Err(format!("must have at most {MAX_PATH} bytes, and has {}", path.len()));
    }
    if path.starts_with('/') {
        return Err("must be relative to the project's folder, without a slash at its beginning".to_owned());
    }
    let parts: Vec<&str> = path.split('/').collect();
    if parts.len() > MAX_DEPTH + 1 {
        return Err(format!("must lie at most {MAX_DEPTH} folders deep, and lies {} deep", parts.len() - 1));
    }
    parts.iter().try_for_each(|part| check_part(part))
}

fn check_part(part: &str) -> Result<(), String> {
    match part {
        "" => return Err("must not hold two slashes in a row, or one at its end".to_owned()),
        "." | ".." => return Err(format!("must not hold {part:?} as a folder")),
        _ => {}
    }
    if let Some(c) = part.chars().find(|c| c.is_control() || is_invisible(*c) || "<>:\"|?*\\".contains(*c)) {
        return Err(format!("must not hold {c:?}: not every system can store it"));
    }
    if part.ends_with(['.', ' ']) || part.starts_with(' ') {
        return Err(format!(
            "must not hold {part:?}: a space at either end or a dot at the end gets lost on some systems"
        ));
    }
    let lower = part.to_lowercase();
    if lower == ".git" || lower == "git~1" {
        return Err("must not lie in .git, where the history of the project's files is kept".to_owned());
    }
    if is_device(part) {
        return Err(format!("must not hold {part:?}, which is a device on Windows"));
    }
    Ok(())
}

/// Sees to it that no two paths of a project are the same file somewhere, and that none is a file here and a folder there.
pub(super) fn check_together<'p>(paths: impl Iterator<Item = &'p str>, problems: &mut Problems) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    let mut all: Vec<&str> = paths.collect();
    all.sort_unstable();
    for path in &all {
        if let Some(other) = seen.insert(folded(path), path) {
            let message = if other == *path {
                "is there twice; each path can be that of one file only".to_owned()
            } else {
                format!(
                    "differs from {other:?} only in case or in how its letters are composed, which is one file on some systems"
                )
            };
            problems.add(*path, message);
        }
    }
    for path in &all {
        for (end, _) in path.match_indices('/') {
            let folder = path.get(..end).unwrap_or_default();
            if let Some(file) = seen.get(&folded(folder)) {
                problems.add(*path, format!("lies in {folder:?}, but {file:?} is a file"));
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_paths() {
        for path in
            ["a", "a/b.txt", ".gitignore", ".github/workflows/ci.yml", "äöü/日本.md", "console.log", "com10", "a b"]
        {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_or_mean_something_else_somewhere() {
        let long = "x".repeat(241);
        let deep = "d/".repeat(13) + "f";
        for path in [
            "",
            "/etc/passwd",
            "../a",
            "a/../b",
            "./a",
            "a//b",
            "a/",
            "a\\b",
            "C:/x",
            "a\0b",
            "a\nb",
            ".git/config",
            "a/.GIT/x",
            ".git./x",
            ".git /x",
            "git~1/x",
            ".g\u{200c}it/x",
            "con",
            "NUL.txt",
            "a/com1.log",
            "lpt9",
            "a.",
            "a ",
            " a",
            "a?",
            "\u{202e}a",
            &long,
            &deep,
        ] {
            assert!(check(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn paths_that_are_one_file_somewhere() {
        let problems = |paths: &[&str]| {
            let mut problems = Problems::default();
            check_together(paths.iter().copied(), &mut problems);
            problems.into_inner().len()
        };
        assert_eq!(problems(&["a", "b", "a.b/c", "a-b"]), 0);
        assert_eq!(problems(&["a", "a"]), 1);
        assert_eq!(problems(&["README.md", "readme.md"]), 1);
        assert_eq!(problems(&["\u{e9}", "e\u{301}"]), 1);
        assert_eq!(problems(&["a", "a/b"]), 1);
        assert_eq!(problems(&["A", "a/b/c"]), 1);
    }
}
