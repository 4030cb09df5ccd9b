//! A unified diff of one file, read strictly: whatever git, a library and a person could understand differently is refused and not
//! guessed at. In reading order: what stands before the hunks (`header`), the hunks (`hunks`), and what they make of a file (`apply`).
//!
//! The crate diffy reads the same form, and tests hold the two against each other. It is not what reads here: it passes over what
//! stands before, between and after hunks, gives no line with its errors, and puts a hunk at the nearest place that fits, where this
//! wants the stated place or the only one. The form: <https://git-scm.com/docs/diff-format>.

mod apply;
mod header;
mod hunks;

pub use apply::{Applied, ApplyFault, Shift};

use hunks::Hunk;

use super::RepoPath;

/// Hunks of one diff.
const MOST_HUNKS: usize = 500;
/// What a line is followed by that has no newline in the file.
const NO_NEWLINE: &str = "\\ No newline at end of file";

/// A diff that has been checked; it holds texts of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unified {
    kind: Kind,
    executable: Option<bool>,
    hunks: Vec<Hunk>,
}

/// What a diff does to its file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Make,
    Change,
    Delete,
}

/// Why a diff cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct DiffFault {
    /// Of the diff, from 1.
    pub line: usize,
    pub message: String,
}

impl Unified {
    /// Reads the diff of this one file.
    ///
    /// # Errors
    /// The first line that is wrong, and what would be right.
    pub fn parse(diff: &str, path: &RepoPath) -> Result<Self, DiffFault> {
        let mut lines = Lines::of(diff)?;
        let header = header::read(&mut lines, path)?;
        let hunks = hunks::read(&mut lines)?;
        let whole = |old: usize, new: usize| hunks.len() == 1 && hunks.iter().all(|hunk| hunk.is_whole(old, new));
        match header.kind {
            Kind::Make if !whole(0, 1) => Err(lines.fault_at(
                header.line,
                "a diff from /dev/null makes a file: it has one hunk, @@ -0,0 +1,N @@, of lines with + alone",
            )),
            Kind::Delete if !whole(1, 0) => Err(lines.fault_at(
                header.line,
                "a diff to /dev/null deletes a file: it has one hunk, @@ -1,N +0,0 @@, of lines with - alone",
            )),
            kind => Ok(Unified { kind, executable: header.executable, hunks }),
        }
    }

    /// Whether it makes the file, so that there must not be one.
    #[must_use]
    pub fn makes(&self) -> bool {
        self.kind == Kind::Make
    }

    /// Whether it deletes the file.
    #[must_use]
    pub fn deletes(&self) -> bool {
        self.kind == Kind::Delete
    }

    /// Whether the file is to be a program; none when that stays as it is.
    #[must_use]
    pub fn executable(&self) -> Option<bool> {
        self.executable
    }

    /// The same diff, that says so of the file's mode.
    #[must_use]
    pub fn with_executable(self, executable: Option<bool>) -> Self {
        Unified { executable, ..self }
    }

    /// Lines that are added and taken away.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        self.hunks.iter().fold((0, 0), |(added, removed), hunk| (added + hunk.added, removed + hunk.removed))
    }
}

/// The lines of a diff, taken one after the other, without what ends them.
struct Lines<'d> {
    lines: Vec<&'d str>,
    next: usize,
}

impl<'d> Lines<'d> {
    /// What no line may hold is refused here.
    fn of(diff: &'d str) -> Result<Self, DiffFault> {
        let lines: Vec<&str> = diff.strip_suffix('\n').unwrap_or(diff).split('\n').collect();
        let all = Lines { next: 0, lines };
        if diff.is_empty() {
            return Err(all.fault_at(1, "the diff is empty; it begins with --- a/PATH or diff --git"));
        }
        for (at, line) in all.lines.iter().enumerate() {
            if line.contains('\0') {
                return Err(all.fault_at(at + 1, "holds a NUL character; give a binary file as content, in base64"));
            }
            // What a terminal shows of such a line is only its end.
            if line.strip_suffix('\r').unwrap_or(line).contains('\r') {
                return Err(all.fault_at(
                    at + 1,
                    "holds a carriage return in its middle, which hides what stands before it; give the file as content",
                ));
            }
        }
        if !diff.ends_with('\n') {
            let message = format!(
                "the diff must end with a newline; of a file without one its last line is followed by {NO_NEWLINE:?}"
            );
            return Err(all.fault_at(all.lines.len(), message));
        }
        Ok(all)
    }

    fn peek(&self) -> Option<&'d str> {
        self.lines.get(self.next).copied()
    }

    fn take(&mut self) -> Option<&'d str> {
        let line = self.peek()?;
        self.next += 1;
        Some(line)
    }

    /// The number of the line that comes next.
    fn number(&self) -> usize {
        self.next + 1
    }

    /// What is wrong with the line that comes next.
    fn fault(&self, message: impl Into<String>) -> DiffFault {
        self.fault_at(self.number(), message)
    }

    fn fault_at(&self, line: usize, message: impl Into<String>) -> DiffFault {
        DiffFault { line, message: message.into() }
    }
}
