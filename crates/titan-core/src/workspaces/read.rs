//! What stands in a workspace: its files, one file, its history, and what differs between two commits.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use super::Workspace;
use crate::git::{Call, NO_FILES, id};
use crate::{Error, Result};

/// Bytes of a difference that are shown.
const MAX_PATCH: u64 = 1 << 20;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileEntry {
    pub path: String,
    /// Bytes.
    pub size: u64,
    pub executable: bool,
    /// Of the content: the same bytes have the same, whatever they are called.
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileContent {
    pub id: String,
    pub bytes: Vec<u8>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Commit {
    pub id: String,
    pub author: String,
    pub at: DateTime<Utc>,
    /// The first line of the message.
    pub title: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub files: Vec<FileDifference>,
    /// A unified diff.
    pub patch: String,
    /// Whether the diff goes on.
    pub truncated: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct FileDifference {
    pub path: String,
    /// Lines; null for a file that is not text.
    pub added: Option<u64>,
    pub removed: Option<u64>,
}

impl Workspace {
    /// The files of a commit, by their paths.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn entries(&self, commit: &str) -> Result<Vec<FileEntry>> {
        let said = self.git.run(&["ls-tree", "-r", "-l", "-z", "--full-tree", commit], b"")?;
        said.split(|byte| *byte == 0).filter(|line| !line.is_empty()).map(entry).collect()
    }

    /// A file of a commit, if it is there.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn file(&self, commit: &str, path: &str) -> Result<Option<FileContent>> {
        let path = super::path::checked(path)?;
        let said = self.git.run(&["cat-file", "--batch"], format!("{commit}:{path}\n").as_bytes())?;
        let Some(end) = said.iter().position(|byte| *byte == b'\n') else { return Ok(None) };
        let (head, rest) = said.split_at(end);
        let head = String::from_utf8_lossy(head);
        // Of what is not there git says the name, which may look like anything but an id, and a word more.
        let words: Vec<&str> = head.split(' ').collect();
        let [id, "blob", size] = words.as_slice() else { return Ok(None) };
        let Ok(id) = crate::git::id(id.as_bytes()) else { return Ok(None) };
        let size: usize = size.parse().map_err(|_| strange(&head))?;
        let bytes = rest.get(1..=size).ok_or_else(|| strange(&head))?;
        Ok(Some(FileContent { id, bytes: bytes.to_vec() }))
    }

    /// The newest commits from this one on, at most so many, of one path or of all.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn log(&self, commit: &str, path: Option<&str>, skip: usize, most: usize) -> Result<Vec<Commit>> {
        let (skip, count) = (format!("--skip={skip}"), format!("--max-count={most}"));
        let mut arguments = vec!["log", "-z", "--format=%H%n%an%n%ct%n%s", &skip, &count, commit];
        if let Some(path) = path {
            arguments.extend(["--", super::path::checked(path)?]);
        }
        let said = self.git.run(&arguments, b"")?;
        let said = String::from_utf8_lossy(&said);
        said.split('\0').filter(|text| !text.is_empty()).map(logged).collect()
    }

    /// What changed from one commit to another; from nothing when there is none.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn difference(&self, from: Option<&str>, to: &str) -> Result<Difference> {
        let from = from.unwrap_or(NO_FILES);
        let plain = ["--no-ext-diff", "--no-textconv", "--no-color", "--no-renames"];
        let counted = self.git.run(&[&["diff", "--numstat", "-z"], &plain[..], &[from, to]].concat(), b"")?;
        let counted = String::from_utf8_lossy(&counted);
        let files = counted.split('\0').filter(|line| !line.is_empty()).map(counts).collect::<Result<_>>()?;
        let arguments = [&["diff"], &plain[..], &[from, to]].concat();
        let (mut patch, truncated) = self.git.beginning(&Call::new(&arguments).most(MAX_PATCH))?;
        if truncated && let Some(line) = patch.iter().rposition(|byte| *byte == b'\n') {
            patch.truncate(line + 1);
        }
        Ok(Difference { files, patch: String::from_utf8_lossy(&patch).into_owned(), truncated })
    }

    /// The commit before another one: of a merge the one that was merged into.
    ///
    /// # Errors
    /// When git does not answer.
    pub fn parent(&self, commit: &str) -> Result<Option<String>> {
        let answer = self.git.ask(&Call::new(&["rev-parse", "--verify", "--quiet", &format!("{commit}^")]))?;
        Ok(if answer.code == Some(0) { Some(id(&answer.said)?) } else { None })
    }

    /// Whether a commit is known here, as somebody outside may name it.
    ///
    /// # Errors
    /// [`Error::Invalid`] when it is not.
    pub fn known(&self, commit: &str) -> Result<String> {
        let is_id = (7..=40).contains(&commit.len()) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
        let asked = format!("{commit}^{{commit}}");
        let answer = match is_id {
            true => self.git.ask(&Call::new(&["rev-parse", "--verify", "--quiet", &asked]))?,
            false => return Err(Error::invalid("commit", "must be the id of a commit, 7 to 40 hexadecimal digits")),
        };
        match answer.code {
            Some(0) => Ok(id(&answer.said)?),
            _ => Err(Error::invalid("commit", format!("there is no commit {commit} in this project"))),
        }
    }
}

/// `100644 blob 8f2c...    1234\tpath`
fn entry(line: &[u8]) -> Result<FileEntry> {
    let line = String::from_utf8_lossy(line);
    let (head, path) = line.split_once('\t').ok_or_else(|| strange(&line))?;
    let words: Vec<&str> = head.split_whitespace().collect();
    let [mode, "blob", id, size] = words.as_slice() else { return Err(strange(&line)) };
    let size = size.parse().map_err(|_| strange(&line))?;
    Ok(FileEntry { path: path.to_owned(), size, executable: *mode == "100755", id: (*id).to_owned() })
}

fn logged(text: &str) -> Result<Commit> {
    let mut lines = text.splitn(4, '\n');
    let (Some(id), Some(author), Some(at)) = (lines.next(), lines.next(), lines.next()) else {
        return Err(strange(text));
    };
    let at = at.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0)).ok_or_else(|| strange(text))?;
    let title = lines.next().unwrap_or_default();
    Ok(Commit { id: id.to_owned(), author: author.to_owned(), at, title: title.to_owned() })
}

/// `3\t1\tpath`, with dashes for what is not text.
fn counts(line: &str) -> Result<FileDifference> {
    let mut parts = line.splitn(3, '\t');
    let (Some(added), Some(removed), Some(path)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(strange(line));
    };
    Ok(FileDifference { path: path.to_owned(), added: added.parse().ok(), removed: removed.parse().ok() })
}

fn strange(said: &str) -> Error {
    Error::Internal(format!("git says {:?}", crate::text::head(said, 200)))
}
