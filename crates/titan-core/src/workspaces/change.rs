//! A commit, made without files: what is to change is told to git in one stream.
//! The stream's form: <https://git-scm.com/docs/git-fast-import>.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::write::MAX_TOTAL;
use crate::git::{Git, id};
use crate::{Error, Result, ids};

/// Bytes of a bundle: of files that cannot be made smaller, and what git says around them.
const MAX_BUNDLE: u64 = MAX_TOTAL + (32 << 20);
/// Bytes of one that holds everything. What is larger stays in many: it would have to be in memory as a whole.
const MAX_HISTORY: u64 = 512 << 20;

/// A file as it is to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Put { path: String, bytes: Vec<u8>, executable: bool },
    Delete { path: String },
}

impl Change {
    #[must_use]
    pub fn path(&self) -> &str {
        match self {
            Change::Put { path, .. } | Change::Delete { path } => path,
        }
    }
}

/// Who changed something, why and when.
#[derive(Debug, Clone)]
pub struct Said<'a> {
    pub author: &'a str,
    pub message: &'a str,
    pub at: DateTime<Utc>,
}

/// A commit that only this process knows yet, under a name of its own until it is published.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    git: &'a Git,
    name: String,
    pub(super) commit: String,
}

impl Drop for Draft<'_> {
    fn drop(&mut self) {
        // A name too many does no harm.
        let _ = self.git.run(&["update-ref", "-d", &self.name], b"");
    }
}

impl<'a> Draft<'a> {
    /// The changes on top of a commit.
    pub(super) fn of(git: &'a Git, base: Option<&str>, changes: &[Change], said: &Said<'_>) -> Result<Self> {
        let name = format!("refs/titan/{}", Uuid::simple(ids::new()));
        let mut stream = Vec::new();
        tell(&mut stream, &format!("commit {name}\nmark :1\n{}", signed(said)));
        if let Some(base) = base {
            tell(&mut stream, &format!("from {base}\n"));
        }
        for change in changes {
            match change {
                Change::Put { path, bytes, executable } => {
                    let mode = if *executable { "100755" } else { "100644" };
                    tell(&mut stream, &format!("M {mode} inline {}\ndata {}\n", quoted(path), bytes.len()));
                    stream.extend_from_slice(bytes);
                    tell(&mut stream, "\n");
                }
                Change::Delete { path } => tell(&mut stream, &format!("D {}\n", quoted(path))),
            }
        }
        tell(&mut stream, "get-mark :1\ndone\n");
        let said = git.run(&["fast-import", "--quiet", "--done", "--force"], &stream)?;
        Ok(Draft { git, name, commit: id(&said)? })
    }

    /// A commit of a tree that is there already.
    pub(super) fn of_tree(git: &'a Git, tree: &str, parents: &[&str], said: &Said<'_>) -> Result<Self> {
        let name = format!("refs/titan/{}", Uuid::simple(ids::new()));
        let mut stream = Vec::new();
        tell(&mut stream, &format!("commit {name}\nmark :1\n{}", signed(said)));
        for (place, parent) in parents.iter().enumerate() {
            tell(&mut stream, &format!("{} {parent}\n", if place == 0 { "from" } else { "merge" }));
        }
        // An empty path is the whole tree.
        tell(&mut stream, &format!("M 040000 {tree} \"\"\nget-mark :1\ndone\n"));
        let said = git.run(&["fast-import", "--quiet", "--done", "--force"], &stream)?;
        Ok(Draft { git, name, commit: id(&said)? })
    }

    /// What somebody needs who has these commits already; all of it when there are none.
    pub(super) fn bundle(&self, known: &[&str]) -> Result<Vec<u8>> {
        let mut wanted = vec![self.name.as_str()];
        if !known.is_empty() {
            wanted.push("--not");
            wanted.extend(known);
        }
        let bundle = self.git.file(&["bundle", "create", "--quiet"], &wanted, MAX_BUNDLE)?;
        bundle.ok_or_else(|| Error::invalid("files", format!("must have at most {MAX_TOTAL} bytes together")))
    }
}

/// A bundle of everything that these commits stand on.
pub(super) fn whole(git: &Git, commits: &[&str]) -> Result<Vec<u8>> {
    let names: Vec<String> = commits.iter().map(|_| format!("refs/titan/{}", Uuid::simple(ids::new()))).collect();
    let orders = |order: fn(&str, &str) -> String| -> String {
        names.iter().zip(commits).map(|(name, commit)| order(name, commit)).collect()
    };
    git.run(&["update-ref", "--stdin"], orders(|name, commit| format!("create {name} {commit}\n")).as_bytes())?;
    let wanted: Vec<&str> = names.iter().map(String::as_str).collect();
    let bundle = git.file(&["bundle", "create", "--quiet"], &wanted, MAX_HISTORY);
    git.run(&["update-ref", "--stdin"], orders(|name, _| format!("delete {name}\n")).as_bytes())?;
    bundle?.ok_or_else(|| Error::Internal(format!("their history has more than {MAX_HISTORY} bytes")))
}

fn signed(Said { author, message, at }: &Said<'_>) -> String {
    // Neither may end its line.
    let author: String = author.chars().filter(|c| !c.is_control() && !"<>".contains(*c)).take(200).collect();
    let author = if author.trim().is_empty() { "Titan" } else { author.trim() };
    let message: String = message.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
    let message = if message.trim().is_empty() { "A change" } else { message.trim() };
    let seconds = at.timestamp();
    format!("committer {author} <titan@localhost> {seconds} +0000\ndata {}\n{message}\n", message.len())
}

/// As C writes it: what is not a letter is told by its bytes.
fn quoted(path: &str) -> String {
    let mut quoted = String::from("\"");
    for byte in path.bytes() {
        match byte {
            b'"' | b'\\' => quoted.extend(['\\', char::from(byte)]),
            b' '..=b'~' => quoted.push(char::from(byte)),
            byte => quoted.push_str(&format!("\\{byte:03o}")),
        }
    }
    quoted.push('"');
    quoted
}

fn tell(stream: &mut Vec<u8>, words: &str) {
    stream.extend_from_slice(words.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_path_ends_its_line() {
        assert_eq!(quoted("a b/\"c\"\\d"), r#""a b/\"c\"\\d""#);
        assert_eq!(quoted("é\n"), r#""\303\251\012""#);
    }

    #[test]
    fn an_author_and_a_message_cannot_write_more_than_themselves() {
        let said = Said { author: "Ida <x>\ncommitter Eve", message: "\n", at: DateTime::UNIX_EPOCH };
        assert_eq!(signed(&said), "committer Ida xcommitter Eve <titan@localhost> 0 +0000\ndata 8\nA change\n");
    }
}
