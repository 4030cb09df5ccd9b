//! Paths within a workspace: what a client, a template or a program may call a file. They are checked here before git or a file system
//! sees them; both have rules of their own, and this is stricter than either, so that a workspace can be checked out on any system.

use std::collections::BTreeMap;

use crate::{Error, Result};

/// Bytes of a path, and of one name in it.
const MAX_PATH: usize = 1000;
const MAX_NAME: usize = 200;
const MAX_DEPTH: usize = 32;

/// Characters that cannot be seen, which some file systems leave out of a name: `.g\u{200c}it` is `.git` there.
const UNSEEN: [char; 16] = [
    '\u{200b}', '\u{200c}', '\u{200d}', '\u{200e}', '\u{200f}', '\u{202a}', '\u{202b}', '\u{202c}', '\u{202d}',
    '\u{202e}', '\u{206a}', '\u{206b}', '\u{206c}', '\u{206d}', '\u{206e}', '\u{feff}',
];

/// Names that are devices on Windows, with any ending.
const DEVICES: [&str; 22] = [
    "con", "prn", "aux", "nul", "com1", "com2", "com3", "com4", "com5", "com6", "com7", "com8", "com9", "lpt1", "lpt2",
    "lpt3", "lpt4", "lpt5", "lpt6", "lpt7", "lpt8", "lpt9",
];

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
    if let Some(c) = name.chars().find(|c| c.is_control() || UNSEEN.contains(c) || "\\:*?\"<>|".contains(*c)) {
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
    let stem = small.split('.').next().unwrap_or_default();
    if DEVICES.contains(&stem) {
        return say("is a device on Windows, and not a name for a file");
    }
    None
}

/// The paths of one tree, taken one after the other. None of them is a folder and a file at once, and no two differ only by capital
/// letters, which some file systems do not tell apart.
#[derive(Debug, Default)]
pub struct Tree {
    /// Files, and the folders that they are in, by how they are spelled without capital letters.
    known: BTreeMap<String, Known>,
}

#[derive(Debug)]
struct Known {
    path: String,
    is_file: bool,
}

impl Tree {
    /// Takes a path, unless it cannot stand beside those before it.
    ///
    /// # Errors
    /// Why.
    pub fn take(&mut self, path: &str) -> std::result::Result<(), String> {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let parts: Vec<&str> = ends.filter_map(|end| path.get(..end)).collect();
        for part in &parts {
            let is_file = part.len() == path.len();
            match self.known.get(&part.to_lowercase()) {
                Some(known) if known.path != *part => {
                    return Err(format!("{part:?} differs from {:?} only by capital letters", known.path));
                }
                Some(known) if known.is_file && !is_file => {
                    return Err(format!("{part:?} is a file, so that nothing can stand beneath it"));
                }
                Some(known) if is_file && !known.is_file => return Err(format!("{path:?} is a folder")),
                _ => {}
            }
        }
        for part in parts {
            let known = Known { path: part.to_owned(), is_file: part.len() == path.len() };
            self.known.entry(part.to_lowercase()).or_insert(known);
        }
        Ok(())
    }
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

    #[test]
    fn a_tree_takes_what_can_stand_beside_the_rest() {
        let mut tree = Tree::default();
        for path in ["SRC/a", "README.md", "SRC/sub/x", "b/c"] {
            assert_eq!(tree.take(path), Ok(()), "{path}");
        }
        for (path, says) in [
            ("src/b", "\"src\" differs from \"SRC\" only"),
            ("readme.md", "only by capital letters"),
            ("src", "only by capital letters"),
            ("README.md/x", "is a file"),
            ("SRC", "is a folder"),
            ("SRC/Sub/y", "\"SRC/Sub\" differs"),
        ] {
            assert!(tree.take(path).is_err_and(|why| why.contains(says)), "{path}");
        }
        assert_eq!(tree.take("src2/b"), Ok(()), "what was refused is not remembered");
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
