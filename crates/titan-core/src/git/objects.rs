//! What stands in a tree, and what a file holds.

use super::{Call, Failure, Git, Result};

/// What git calls a tree without files.
pub const NO_FILES: &str = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";

/// What one object is announced with.
const ROOM_FOR_HEAD: u64 = 128;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    File { executable: bool },
    Link,
    Submodule,
    Folder,
}

/// An entry of a tree, by its path from the top.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TreeEntry {
    /// What is no UTF-8 in it stands as U+FFFD.
    pub path: String,
    pub kind: Kind,
    pub id: String,
    /// Bytes of a file or of what a link says; 0 for the others.
    pub size: u64,
}

impl Git {
    /// Everything in a tree or in the tree of a commit, folders included, in git's order; nothing when that is more than so many entries.
    ///
    /// # Errors
    /// When git does not answer, or the tree is none.
    pub fn entries(&self, tree: &str, most: usize) -> Result<Option<Vec<TreeEntry>>> {
        let said = self.run(&["ls-tree", "-r", "-t", "-l", "-z", "--full-tree", tree], b"")?;
        let lines: Vec<&[u8]> =
            said.split(|byte| *byte == 0).filter(|line| !line.is_empty()).take(most.saturating_add(1)).collect();
        (lines.len() <= most).then(|| lines.into_iter().map(entry).collect()).transpose()
    }

    /// The entry of one path, if there is one.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn entry(&self, tree: &str, path: &str) -> Result<Option<TreeEntry>> {
        let said = self.run(&["ls-tree", "-l", "-z", "--full-tree", tree, "--", path], b"")?;
        let line = said.split(|byte| *byte == 0).find(|line| !line.is_empty());
        // A path with a slash at its end would be told of by what is in it.
        Ok(line.map(entry).transpose()?.filter(|entry| entry.path == path))
    }

    /// What files hold, in the order of their ids. As much is heard as they are said to have.
    ///
    /// # Errors
    /// When one is not there, or has another size.
    pub fn contents<'e>(&self, entries: impl Iterator<Item = &'e TreeEntry> + Clone) -> Result<Vec<Vec<u8>>> {
        let told: String = entries.clone().flat_map(|entry| [entry.id.as_str(), "\n"]).collect();
        let most = entries.clone().map(|entry| entry.size + ROOM_FOR_HEAD).sum();
        let said = self.ask(&Call::new(&["cat-file", "--batch"]).told(told.as_bytes()).most(most))?.right()?;
        let mut rest = said.as_slice();
        let mut contents = Vec::new();
        for entry in entries {
            let Some((bytes, next)) = content(rest, entry) else {
                return Err(Failure::strange(&String::from_utf8_lossy(rest)));
            };
            contents.push(bytes.to_vec());
            rest = next;
        }
        Ok(contents)
    }
}

/// `8f2c... blob 1234\n`, the bytes, and a line's end; and what comes after it.
fn content<'a>(said: &'a [u8], entry: &TreeEntry) -> Option<(&'a [u8], &'a [u8])> {
    let rest = said.strip_prefix(format!("{} blob {}\n", entry.id, entry.size).as_bytes())?;
    let (bytes, rest) = rest.split_at_checked(usize::try_from(entry.size).ok()?)?;
    Some((bytes, rest.strip_prefix(b"\n")?))
}

/// `100644 blob 8f2c...    1234\tpath`
fn entry(line: &[u8]) -> Result<TreeEntry> {
    let line = String::from_utf8_lossy(line);
    let strange = || Failure::strange(&line);
    let (head, path) = line.split_once('\t').ok_or_else(strange)?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let [mode, _, id, size] = words.as_slice() else { return Err(strange()) };
    let kind = match *mode {
        "040000" => Kind::Folder,
        "120000" => Kind::Link,
        "160000" => Kind::Submodule,
        // Old versions of git have kept who may write.
        mode if mode.starts_with("100") => {
            Kind::File { executable: matches!(mode.as_bytes().get(3), Some(b'7' | b'5')) }
        }
        _ => return Err(strange()),
    };
    let size = if *size == "-" { 0 } else { size.parse().map_err(|_| strange())? };
    Ok(TreeEntry { path: path.to_owned(), kind, id: (*id).to_owned(), size })
}

/// The name of an object, as git says it.
///
/// # Errors
/// When it is none.
pub fn id(said: &[u8]) -> Result<String> {
    let id = String::from_utf8_lossy(said).trim().to_owned();
    if id.len() == 40 && id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(id)
    } else {
        Err(Failure::Strange(format!("{:?}, which names no object", crate::text::head(&id, 80))))
    }
}
