//! Paths within a workspace: what a client, a template or a program may call a file. They are checked here before git or a file system
//! sees them; both have rules of their own, and this is stricter than either, so that a workspace can be checked out on any system.

pub(super) use crate::filename::Tree;
use crate::filename::{is_device, is_invisible};
use crate::{Error, Result};

/// Bytes of a path, and of one name in it.
const MAX_PATH: usize = 1000;
const MAX_NAME: usize = 200;
const MAX_DEPTH: usize = 32;

/// The path as it was given, when it names a file within a workspace.
///
/// # Errors
/// [`Error::Invalid`] with what is wrong with it.
pub fn checked(path: &str) -> Result<&str> {
    let wrong = |message: String| Err(Error::invalid("path", message));
    if path.is_empty() {
        return wrong("must not be empty".to_owned());
    }
    if path.len() > MAX_PATH {
        return wrong(format!("must have at most {MAX_PATH} bytes, and has {}", path.len()));
    }
    if path.starts_with('/') {
        return wrong("must be relative to the project's files, without / at its beginning".to_owned());
    }
    if path.split('/').count() > MAX_DEPTH {
        return wrong(format!("must have at most {MAX_DEPTH} names between slashes"));
    }
    match path.split('/').find_map(fault) {
        None => Ok(path),
        Some((name, fault)) => wrong(format!("{name:?} {fault}")),
    }
}

/// The first name that cannot be, and why.
fn fault(name: &str) -> Option<(&str, String)> {
    let say = |message: &str| Some((name, message.to_owned()));
    if name.is_empty() {
        return say("must not be: a path has no empty names, such as between two slashes or after the last");
    }
    if name == "." || name == ".." {
        return say("is not a name: a path leads to its file without . and ..");
    }
    if name.len() > MAX_NAME {
        return Some((name, format!("must have at most {MAX_NAME} bytes, and has {}", name.len())));
    }
    if let Some(c) = name.chars().find(|c| c.is_control() || is_invisible(*c) || "\\:*?\"<>|".contains(*c)) {
        return Some((name, format!("must not hold {c:?}")));
    }
    if name.ends_with(['.', ' ']) || name.starts_with(' ') {
        return say("must not begin with a space or end in a space or a dot");
    }
    let small = name.to_lowercase();
    // `git~1` is what Windows calls `.git` in short.
    if small == ".git" || small.starts_with("git~") {
        return say("is git's own, and not a name for a file");
    }
    if is_device(name) {
        return say("is a device on Windows, and not a name for a file");
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ordinary_names_are_taken() {
        for path in [
            "README.md",
            "src/main.rs",
            ".gitignore",
            ".github/workflows/ci.yml",
            "ein Bild.png",
            "日本/茶.txt",
            "a..b",
            "gitter",
            "console",
        ] {
            assert_eq!(checked(path).unwrap(), path);
        }
    }

    #[test]
    fn what_leads_elsewhere_or_is_no_name_is_refused() {
        for (path, says) in [
            ("", "empty"),
            ("/etc/passwd", "relative"),
            ("../x", "\"..\" is not a name"),
            ("a/../../x", "\"..\" is not a name"),
            ("./a", "\".\" is not a name"),
            ("a//b", "no empty names"),
            ("a/", "no empty names"),
            ("a\\b", "must not hold '\\\\'"),
            ("c:\\x", "must not hold"),
            ("a\0b", "must not hold '\\0'"),
            ("a\nb", "must not hold '\\n'"),
            (".git/config", "git's own"),
            ("a/.GIT/hooks/x", "git's own"),
            ("GIT~1/x", "git's own"),
            (".g\u{200c}it/x", "must not hold"),
            (".git /x", "end in a space"),
            (".git./x", "end in a space or a dot"),
            ("a/CON", "a device"),
            ("nul.txt", "a device"),
            ("x ", "end in a space"),
        ] {
            let error = checked(path).unwrap_err().to_string();
            assert!(error.contains(says), "{path:?}: {error}");
        }
        assert!(checked(&"x".repeat(1001)).unwrap_err().to_string().contains("at most 1000 bytes"));
        assert!(checked(&format!("a/{}", "x".repeat(201))).unwrap_err().to_string().contains("at most 200 bytes"));
        assert!(checked(&["a"; 33].join("/")).unwrap_err().to_string().contains("at most 32 names"));
    }

    proptest! {
        #[test]
        fn what_is_taken_stays_inside(path in "[a-zA-Z.~/ \\\\\u{200c}\0]{0,12}|\\PC{0,30}") {
            if checked(&path).is_ok() {
                let lies_beneath = std::path::Path::new(&path).components().all(|part| matches!(part, std::path::Component::Normal(_)));
                prop_assert!(lies_beneath);
                prop_assert!(!path.to_lowercase().split('/').any(|name| name == ".git"));
            }
        }
    }
}
