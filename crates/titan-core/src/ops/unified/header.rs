//! What stands before the hunks: the file's name on both sides, and its mode. There is one file, it keeps its name, and it is a plain
//! file before and after.

use super::super::RepoPath;
use super::super::fault::quoted;
use super::{DiffFault, Kind, Lines};

/// The side that is not there.
const NOTHING: &str = "/dev/null";
const MODES: &str = "a file's mode is 100644, or 100755 for a program";

/// What was read.
pub(super) struct Header {
    pub(super) kind: Kind,
    pub(super) executable: Option<bool>,
    /// Where it names the file.
    pub(super) line: usize,
}

/// What git's own lines said of the mode.
#[derive(Default)]
struct Modes {
    old: Option<bool>,
    new: Option<bool>,
    made: Option<bool>,
    deleted: bool,
}

pub(super) fn read(lines: &mut Lines<'_>, path: &RepoPath) -> Result<Header, DiffFault> {
    refuse_carriage_return(lines)?;
    let modes = match lines.peek() {
        Some(line) if line.starts_with("diff --git ") => git_lines(lines, path)?,
        Some(line) if line.starts_with("diff ") => {
            return Err(
                lines.fault("is of a merge, or no git's; a diff of one file begins with diff --git or --- a/PATH")
            );
        }
        _ => Modes::default(),
    };
    let line = lines.number();
    let old = side(lines, "--- ", "a/", path)?;
    let new = side(lines, "+++ ", "b/", path)?;
    let kind = match (old, new) {
        (Side::File, Side::File) => Kind::Change,
        (Side::Nothing, Side::File) => Kind::Make,
        (Side::File, Side::Nothing) => Kind::Delete,
        (Side::Nothing, Side::Nothing) => return Err(lines.fault_at(line, "names /dev/null on both sides")),
    };
    if modes.made.is_some() && kind != Kind::Make {
        return Err(lines.fault_at(line, "has \"new file mode\", so that the side with --- must be /dev/null"));
    }
    if modes.deleted && kind != Kind::Delete {
        return Err(lines.fault_at(line, "has \"deleted file mode\", so that the side with +++ must be /dev/null"));
    }
    if modes.new.is_some() && kind != Kind::Change {
        return Err(lines.fault_at(line, "has \"new mode\", which only a file has that is there before and after"));
    }
    Ok(Header { kind, executable: modes.made.or(modes.new), line })
}

/// `diff --git` and what follows it.
fn git_lines(lines: &mut Lines<'_>, path: &RepoPath) -> Result<Modes, DiffFault> {
    let names = lines.peek().and_then(|line| line.strip_prefix("diff --git ")).unwrap_or_default();
    if !names_both_sides(names, path) {
        return Err(
            lines.fault(format!("must be \"diff --git a/{path} b/{path}\": the diff is of the patch's own path"))
        );
    }
    lines.take();
    let mut modes = Modes::default();
    while let Some(line) = lines.peek() {
        refuse_carriage_return(lines)?;
        let twice = match line.split_once(' ').unwrap_or((line, "")) {
            ("---", _) => break,
            ("old", mode) => modes.old.replace(read_mode(lines, mode, "mode ")?).is_some(),
            ("new", mode) if mode.starts_with("file ") => {
                modes.made.replace(read_mode(lines, mode, "file mode ")?).is_some()
            }
            ("new", mode) => modes.new.replace(read_mode(lines, mode, "mode ")?).is_some(),
            ("deleted", mode) => {
                read_mode(lines, mode, "file mode ")?;
                std::mem::replace(&mut modes.deleted, true)
            }
            ("index", ids) => {
                read_index(lines, ids)?;
                false
            }
            _ => return Err(lines.fault(why_not(line))),
        };
        if twice {
            return Err(lines.fault("says the mode a second time"));
        }
        lines.take();
    }
    if modes.old.is_some() != modes.new.is_some() {
        return Err(lines.fault("\"old mode\" and \"new mode\" come together"));
    }
    if lines.peek().is_none() {
        return Err(lines.fault(
            "has no hunks: a file that is empty, or whose mode alone changes, is given as content, with \"executable\"",
        ));
    }
    Ok(modes)
}

/// What lines of git's are refused for.
fn why_not(line: &str) -> String {
    let begins = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
    if begins(&["rename ", "copy ", "similarity ", "dissimilarity "]) {
        return "renames and copies are told as two patches: the old path deleted, the new one with its content"
            .to_owned();
    }
    if begins(&["GIT binary patch", "Binary files "]) {
        return "is of a binary file; give its content, in base64".to_owned();
    }
    if begins(&["@@"]) {
        return "the hunks begin after --- a/PATH and +++ b/PATH".to_owned();
    }
    if begins(&["diff "]) {
        return "a patch is of one file; a second file is a patch of its own".to_owned();
    }
    format!("{} is not known; after \"diff --git\" come modes, \"index\", --- and +++", quoted(line))
}

fn read_mode(lines: &Lines<'_>, said: &str, before: &str) -> Result<bool, DiffFault> {
    match said.strip_prefix(before) {
        Some("100644") => Ok(false),
        Some("100755") => Ok(true),
        Some("120000") => Err(lines.fault(format!("symbolic links cannot be proposed; {MODES}"))),
        Some("160000") => Err(lines.fault(format!("submodules cannot be proposed; {MODES}"))),
        _ => Err(lines.fault(format!("{} is not known; {MODES}", quoted(lines.peek().unwrap_or_default())))),
    }
}

/// `1234567..89abcde`, and the mode when that stays.
fn read_index(lines: &Lines<'_>, said: &str) -> Result<(), DiffFault> {
    let (ids, mode) = said.split_once(' ').map_or((said, None), |(ids, mode)| (ids, Some(mode)));
    let is_id = |id: &str| (4..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !ids.split_once("..").is_some_and(|(old, new)| is_id(old) && is_id(new)) {
        return Err(lines.fault("must be \"index OLD..NEW\", with the ids of two blobs"));
    }
    mode.map_or(Ok(()), |mode| read_mode(lines, mode, "").map(drop))
}

enum Side {
    File,
    Nothing,
}

/// One of the two lines that name the file.
fn side(lines: &mut Lines<'_>, mark: &str, prefix: &str, path: &RepoPath) -> Result<Side, DiffFault> {
    refuse_carriage_return(lines)?;
    let Some(named) = lines.peek().and_then(|line| line.strip_prefix(mark)) else {
        return Err(lines
            .fault(format!("must be \"{mark}{prefix}{path}\", or \"{mark}{NOTHING}\" for a file that is not there")));
    };
    // Other programs than git say a time after it.
    let named = named.split('\t').next().unwrap_or_default();
    let side = match unquoted(named).as_deref() {
        Some(NOTHING) => Side::Nothing,
        Some(named) if is_path(named, prefix, path) => Side::File,
        _ => {
            let message = format!("names {}, and the patch is of {path:?}", quoted(named), path = path.as_str());
            return Err(lines.fault(message));
        }
    };
    lines.take();
    Ok(side)
}

fn is_path(named: &str, prefix: &str, path: &RepoPath) -> bool {
    named == path.as_str() || named.strip_prefix(prefix) == Some(path.as_str())
}

/// Whether `a/PATH b/PATH` stands there. A path may hold spaces, so every space is tried.
fn names_both_sides(names: &str, path: &RepoPath) -> bool {
    // Two paths, of which git writes no byte with more than four; what is longer would only take long to look through.
    if names.len() > 2_100 {
        return false;
    }
    let both = |old: &str, new: &str| {
        let (old, new) = (unquoted(old), unquoted(new));
        old.is_some_and(|old| is_path(&old, "a/", path)) && new.is_some_and(|new| is_path(&new, "b/", path))
    };
    names
        .match_indices(' ')
        .any(|(at, _)| names.split_at_checked(at).is_some_and(|(old, new)| both(old, new.trim_start_matches(' '))))
}

/// A name as git quotes it: `"d\303\266cs/x"`. None when that is no text.
fn unquoted(name: &str) -> Option<String> {
    let Some(inner) = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')) else {
        return Some(name.to_owned());
    };
    let mut bytes = Vec::new();
    let mut rest = inner.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            bytes.push(byte);
            continue;
        }
        // Only bytes of letters: a path holds none of the other things that git writes so.
        let digits: Vec<u8> = rest.by_ref().take(3).collect();
        let digits = std::str::from_utf8(&digits).ok().filter(|digits| digits.len() == 3)?;
        bytes.push(u8::from_str_radix(digits, 8).ok()?);
    }
    String::from_utf8(bytes).ok()
}

/// Lines of the header and of hunks' own beginnings end as git ends them.
pub(super) fn refuse_carriage_return(lines: &Lines<'_>) -> Result<(), DiffFault> {
    match lines.peek() {
        Some(line) if line.ends_with('\r') => {
            Err(lines
                .fault("ends in a carriage return: only the lines of a file may, not those of the diff around them"))
        }
        _ => Ok(()),
    }
}
