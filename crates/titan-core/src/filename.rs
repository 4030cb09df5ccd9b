//! What every system has to say about names of files: those that it keeps for itself, and those that it takes for one and the same.
//! Which of it matters is decided where a path comes from: a project's files, a template, a change to Titan's own code.

use std::collections::BTreeMap;

use unicase::UniCase;
use unicode_normalization::UnicodeNormalization as _;

/// Names that Windows keeps for devices, with any ending.
/// <https://learn.microsoft.com/windows/win32/fileio/naming-a-file>
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

/// Whether it is a device on Windows, which looks at a name up to its first dot, and takes raised digits for digits.
pub(crate) fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end_matches(' ').to_ascii_lowercase();
    let port = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    let mut number = port.unwrap_or_default().chars();
    let digit = number.next().is_some_and(|c| c.is_ascii_digit() || "¹²³".contains(c));
    DEVICES.contains(&stem.as_str()) || digit && number.next().is_none()
}

/// Characters that show nothing, or turn the direction of what follows: two names could look the same, and some file systems leave
/// them out of a name, so that `.g\u{200c}it` is `.git` there.
pub fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// One spelling for all that some file system takes for one: without regard to letter case and to how letters are composed.
/// <https://www.unicode.org/reports/tr15/>, "canonical caseless match" of the Unicode standard (D145).
pub(crate) fn folded(path: &str) -> String {
    if path.is_ascii() {
        return path.to_ascii_lowercase();
    }
    let composed: String = path.nfd().collect();
    UniCase::unicode(composed).to_folded_case().nfd().collect()
}

/// The paths of one tree, taken one after the other. None of them is a folder and a file at once, and no two differ only by capital
/// letters, which some file systems do not tell apart.
#[derive(Debug, Default)]
pub struct Tree {
    /// Files, and the folders that they are in, by their folded spelling.
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
    pub fn take(&mut self, path: &str) -> Result<(), String> {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let parts: Vec<(&str, String)> =
            ends.filter_map(|end| path.get(..end)).map(|part| (part, folded(part))).collect();
        for (part, folded) in &parts {
            let is_file = part.len() == path.len();
            match self.known.get(folded) {
                Some(known) if known.path != *part => {
                    let known = &known.path;
                    let only_case = known.to_lowercase() == part.to_lowercase();
                    let more = if only_case { "" } else { ", or by how its letters are composed" };
                    return Err(format!("{part:?} differs from {known:?} only by capital letters{more}"));
                }
                Some(known) if known.is_file && !is_file => {
                    return Err(format!("{part:?} is a file, so that nothing can stand beneath it"));
                }
                Some(known) if is_file && !known.is_file => return Err(format!("{path:?} is a folder")),
                _ => {}
            }
        }
        for (part, folded) in parts {
            let known = Known { path: part.to_owned(), is_file: part.len() == path.len() };
            self.known.entry(folded).or_insert(known);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_takes_what_can_stand_beside_the_rest() {
        let mut tree = Tree::default();
        for path in ["SRC/a", "README.md", "SRC/sub/x", "b/c", "straße/é"] {
            assert_eq!(tree.take(path), Ok(()), "{path}");
        }
        for (path, says) in [
            ("src/b", "\"src\" differs from \"SRC\" only"),
            ("readme.md", "only by capital letters"),
            ("src", "only by capital letters"),
            ("README.md/x", "is a file"),
            ("SRC", "is a folder"),
            ("SRC/Sub/y", "\"SRC/Sub\" differs"),
            ("STRASSE/x", "\"STRASSE\" differs from \"straße\" only"),
            ("straße/e\u{301}", "only by capital letters"),
            ("\u{17f}RC/a", "differs from \"SRC\""),
        ] {
            assert!(tree.take(path).is_err_and(|why| why.contains(says)), "{path}");
        }
        assert_eq!(tree.take("src2/b"), Ok(()), "what was refused is not remembered");
    }

    #[test]
    fn devices() {
        for name in ["CON", "nul.txt", "aux .md", "com1", "LPT9.log", "com²", "CONOUT$", "com0"] {
            assert!(is_device(name), "{name}");
        }
        for name in ["console", "com10", "com", "lpta", "nule", "x.con"] {
            assert!(!is_device(name), "{name}");
        }
    }
}
