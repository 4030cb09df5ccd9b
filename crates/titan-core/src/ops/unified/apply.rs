//! What a diff makes of a file. A hunk belongs where its numbers say. When it does not fit there, it may stand elsewhere only if all its
//! lines are found exactly once in the file, and that is told; a place that is merely near is never taken.

use std::fmt;

use super::super::fault::quoted;
use super::hunks::Hunk;
use super::{Kind, Unified};

/// Bytes of a file that a diff is put to.
const MAX_OLD: usize = 2 << 20;

/// What became of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// None: it is deleted.
    pub content: Option<Vec<u8>>,
    /// Hunks that stand elsewhere than they say.
    pub shifts: Vec<Shift>,
}

/// A hunk that was found at another line of the old file than it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shift {
    /// From 1.
    pub hunk: usize,
    pub said: usize,
    pub found: usize,
}

impl fmt::Display for Shift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Shift { hunk, said, found } = self;
        write!(f, "hunk {hunk} says line {said}, and its lines were found at line {found} and nowhere else")
    }
}

/// Why a diff does not fit a file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyFault {
    #[error("is there already, and the diff makes it; write the diff against the file, or give its content")]
    Exists,
    #[error("is not there, and the diff changes it; a diff that makes a file begins with --- /dev/null")]
    Missing,
    #[error("is no text; give its content in base64")]
    NotText,
    #[error("has {bytes} bytes, and a diff is put to at most {}; give its content", MAX_OLD)]
    TooLarge { bytes: usize },
    #[error(
        "has more lines than the diff takes away, so that it would not be deleted; say \"delete\" instead of a diff"
    )]
    NotWhole,
    #[error("hunk {number} ({title}, line {line} of the diff): {why}")]
    Hunk { number: usize, title: String, line: usize, why: String },
}

impl Unified {
    /// What it makes of the file; `old` is none when there is no such file.
    ///
    /// # Errors
    /// Where it does not fit, and what was found there.
    pub fn apply(&self, old: Option<&[u8]>) -> Result<Applied, ApplyFault> {
        let old: &[u8] = match (self.kind, old) {
            (Kind::Make, None) => &[],
            (Kind::Make, Some(_)) => return Err(ApplyFault::Exists),
            (Kind::Change | Kind::Delete, None) => return Err(ApplyFault::Missing),
            (Kind::Change | Kind::Delete, Some(old)) => old,
        };
        if old.len() > MAX_OLD {
            return Err(ApplyFault::TooLarge { bytes: old.len() });
        }
        let text = std::str::from_utf8(old).ok().filter(|text| !text.contains('\0')).ok_or(ApplyFault::NotText)?;
        let file = File::of(text);
        let mut made = String::with_capacity(text.len());
        let mut shifts = Vec::new();
        let mut done = 0;
        let mut has_moved = false;
        for (at, hunk) in self.hunks.iter().enumerate() {
            let found = file.place(hunk, done, has_moved).map_err(|why| ApplyFault::Hunk {
                number: at + 1,
                title: hunk.title(),
                line: hunk.line,
                why,
            })?;
            if Some(found) != file.offset(hunk.old.skipped()) {
                has_moved = true;
                shifts.push(Shift { hunk: at + 1, said: hunk.old.start, found: file.line_at(found) });
            }
            made.push_str(text.get(done..found).unwrap_or_default());
            made.push_str(&hunk.after);
            done = found + hunk.before.len();
        }
        made.push_str(text.get(done..).unwrap_or_default());
        match self.kind {
            Kind::Delete if !made.is_empty() => Err(ApplyFault::NotWhole),
            Kind::Delete => Ok(Applied { content: None, shifts }),
            Kind::Make | Kind::Change => Ok(Applied { content: Some(made.into_bytes()), shifts }),
        }
    }
}

/// A file, and where its lines begin.
struct File<'t> {
    text: &'t str,
    starts: Vec<usize>,
}

impl<'t> File<'t> {
    fn of(text: &'t str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(at, _)| at + 1).filter(|at| *at < text.len());
        let first = (!text.is_empty()).then_some(0);
        File { text, starts: first.into_iter().chain(after_newlines).collect() }
    }

    /// Where the line begins that so many stand before; the end of the file when there is none.
    fn offset(&self, skipped: usize) -> Option<usize> {
        if skipped == self.starts.len() { Some(self.text.len()) } else { self.starts.get(skipped).copied() }
    }

    /// From 1.
    fn line_at(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start < offset) + 1
    }

    /// A line with its newline, from 1.
    fn line(&self, number: usize) -> Option<&'t str> {
        let start = *self.starts.get(number.checked_sub(1)?)?;
        self.text.get(start..)?.split_inclusive('\n').next()
    }

    /// Where a hunk's lines stand, not before what the hunks above it have taken.
    fn place(&self, hunk: &Hunk, done: usize, has_moved: bool) -> Result<usize, String> {
        if hunk.before.is_empty() {
            let why = "adds lines and says nothing of those around them; a hunk has lines of context unless the file is empty";
            return if self.text.is_empty() { Ok(0) } else { Err(why.to_owned()) };
        }
        let said = self.offset(hunk.old.skipped());
        // Where one was moved, the numbers of those after it may be wrong in the same way, and still fit by chance.
        if !has_moved && let Some(said) = said.filter(|said| self.fits(hunk, *said)) {
            return Ok(said);
        }
        match self.places(hunk).as_slice() {
            [] => Err(format!("{}; nor do its lines stand together anywhere else", self.difference(hunk))),
            [place] if *place >= done => Ok(*place),
            [_] => Err(format!("{}; its lines stand only where the hunk above it has been", self.difference(hunk))),
            _ => Err(format!("{}; its lines stand in several places of the file", self.difference(hunk))),
        }
    }

    fn fits(&self, hunk: &Hunk, at: usize) -> bool {
        let rest = self.text.get(at..).unwrap_or_default();
        if hunk.ends_file { rest == hunk.before } else { rest.starts_with(&hunk.before) }
    }

    /// Where its lines stand; looking ends at the second place. Each look is linear in the file, whatever stands in it.
    fn places(&self, hunk: &Hunk) -> Vec<usize> {
        if hunk.ends_file {
            let at = self.text.len().checked_sub(hunk.before.len());
            let begins_line = |at: &usize| *at == 0 || self.text.as_bytes().get(at - 1) == Some(&b'\n');
            return at.filter(begins_line).filter(|at| self.fits(hunk, *at)).into_iter().collect();
        }
        let mut places: Vec<usize> = self.text.starts_with(&hunk.before).then_some(0).into_iter().collect();
        let needle = format!("\n{}", hunk.before);
        let mut from = 0;
        while places.len() < 2
            && let Some(at) = self.text.get(from..).and_then(|rest| rest.find(&needle))
        {
            places.push(from + at + 1);
            from += at + 1;
        }
        places
    }

    /// The first line that is not what the hunk says, where it says.
    fn difference(&self, hunk: &Hunk) -> String {
        let first = hunk.old.skipped() + 1;
        for (number, wanted) in (first..).zip(hunk.before.split_inclusive('\n')) {
            let wanted_words = in_words(wanted);
            match self.line(number) {
                Some(found) if found == wanted => {}
                Some(found) => return format!("line {number} should be {wanted_words} and is {}", in_words(found)),
                None => {
                    let lines = self.starts.len();
                    return format!("line {number} should be {wanted_words}, and the file has {lines} lines");
                }
            }
        }
        if hunk.ends_file {
            return "its last line should be the last of the file".to_owned();
        }
        "fits where it says, but a hunk above it did not, so that this says little".to_owned()
    }
}

fn in_words(line: &str) -> String {
    match line.strip_suffix('\n') {
        Some(line) => quoted(line),
        None => format!("{} without a newline", quoted(line)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::RepoPath;
    use super::*;

    fn read(hunks: &str) -> Unified {
        let path = RepoPath::parse("f").unwrap();
        Unified::parse(&format!("--- a/f\n+++ b/f\n{hunks}"), &path).unwrap()
    }

    fn apply(hunks: &str, old: &str) -> Result<String, String> {
        let applied = read(hunks).apply(Some(old.as_bytes())).map_err(|fault| fault.to_string())?;
        let mut said = String::from_utf8(applied.content.unwrap()).unwrap();
        for shift in applied.shifts {
            said.push_str(&format!("[{shift}]"));
        }
        Ok(said)
    }

    #[test]
    fn at_the_stated_place_though_it_fits_elsewhere_too() {
        assert_eq!(apply("@@ -3,2 +3,2 @@\n-a\n+c\n b\n", "a\nb\na\nb\na\nb\n").unwrap(), "a\nb\nc\nb\na\nb\n");
    }

    #[test]
    fn elsewhere_only_where_there_is_no_doubt() {
        let hunk = "@@ -1,2 +1,2 @@\n-a\n+c\n b\n";
        let moved = "x\ny\nc\nb\n[hunk 1 says line 1, and its lines were found at line 3 and nowhere else]";
        assert_eq!(apply(hunk, "x\ny\na\nb\n").unwrap(), moved);
        let why = apply(hunk, "x\na\nb\na\nb\n").unwrap_err();
        assert_eq!(
            why,
            "hunk 1 (@@ -1,2 +1,2 @@, line 3 of the diff): line 1 should be \"a\" and is \"x\"; its lines stand in several places of the file"
        );
        let why = apply(hunk, "x\na\nc\n").unwrap_err();
        assert!(
            why.ends_with("line 1 should be \"a\" and is \"x\"; nor do its lines stand together anywhere else"),
            "{why}"
        );
        let why = apply(hunk, "a\n").unwrap_err();
        assert!(why.contains("line 2 should be \"b\", and the file has 1 lines"), "{why}");
    }

    #[test]
    fn parts_of_lines_are_no_lines() {
        assert!(apply("@@ -1 +1 @@\n-b\n+c\n", "ab\n").is_err());
        assert!(apply("@@ -1 +1 @@\n-b\n+c\n", "bc\n").is_err());
        assert!(apply("@@ -1 +1 @@\n-b\n\\ No newline at end of file\n+c\n", "ab").is_err());
        assert!(apply("@@ -1 +1 @@\n-b\n\\ No newline at end of file\n+c\n", "a\nb\nc").is_err());
    }

    #[test]
    fn after_a_hunk_that_moved_numbers_are_not_believed() {
        let hunks = "@@ -1,2 +1,2 @@\n-a\n+A\n b\n@@ -5,1 +5,1 @@\n-z\n+Z\n";
        let why = apply(hunks, "x\na\nb\ny\nz\nz\n").unwrap_err();
        assert!(why.contains("hunk 2") && why.ends_with("several places of the file"), "{why}");
        assert!(apply(hunks, "x\na\nb\ny\nz\n").unwrap().starts_with("x\nA\nb\ny\nZ\n[hunk 1"));
        let why = apply("@@ -1 +1 @@\n-b\n+B\n@@ -3 +3 @@\n-a\n+A\n", "a\nb\n").unwrap_err();
        assert!(why.contains("hunk 2") && why.ends_with("only where the hunk above it has been"), "{why}");
    }

    #[test]
    fn newlines_at_the_end() {
        let none = "\\ No newline at end of file\n";
        assert_eq!(apply(&format!("@@ -1 +1 @@\n-a\n+b\n{none}"), "a\n").unwrap(), "b");
        assert_eq!(apply(&format!("@@ -1 +1 @@\n-a\n{none}+b\n"), "a").unwrap(), "b\n");
        assert_eq!(apply(&format!("@@ -1,2 +1,2 @@\n-a\n+b\n c\n{none}"), "a\nc").unwrap(), "b\nc");
        // The line would run into the next one.
        let why = apply(&format!("@@ -1 +1 @@\n-a\n+b\n{none}"), "a\nc\n").unwrap_err();
        assert!(why.contains("its last line should be the last of the file"), "{why}");
        let why = apply("@@ -1 +1 @@\n-a\n+b\n", "a").unwrap_err();
        assert!(why.contains("line 1 should be \"a\" and is \"a\" without a newline"), "{why}");
    }

    #[test]
    fn an_empty_file_and_lines_without_context() {
        assert_eq!(apply("@@ -0,0 +1 @@\n+a\n", "").unwrap(), "a\n");
        let why = apply("@@ -1,0 +2 @@\n+b\n", "a\n").unwrap_err();
        assert!(why.contains("says nothing of those around them"), "{why}");
        assert_eq!(apply("@@ -1 +0,0 @@\n-a\n", "a\n").unwrap(), "");
    }

    #[test]
    fn files_that_are_made_and_deleted() {
        let path = RepoPath::parse("f").unwrap();
        let make = Unified::parse("--- /dev/null\n+++ b/f\n@@ -0,0 +1 @@\n+a\n", &path).unwrap();
        assert!(make.makes());
        assert_eq!(make.apply(None).unwrap().content.as_deref(), Some(&b"a\n"[..]));
        assert_eq!(make.apply(Some(b"")), Err(ApplyFault::Exists));
        let delete = Unified::parse("--- a/f\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n", &path).unwrap();
        assert!(delete.deletes());
        assert_eq!(delete.apply(Some(b"a\n")).unwrap().content, None);
        assert_eq!(delete.apply(Some(b"a\nb\n")), Err(ApplyFault::NotWhole));
        assert_eq!(delete.apply(None), Err(ApplyFault::Missing));
    }

    #[test]
    fn what_is_no_text_or_too_much() {
        let diff = read("@@ -1 +1 @@\n-a\n+b\n");
        assert_eq!(diff.apply(Some(b"a\n\xff")), Err(ApplyFault::NotText));
        assert_eq!(diff.apply(Some(b"a\n\0")), Err(ApplyFault::NotText));
        let bytes = MAX_OLD + 1;
        assert_eq!(diff.apply(Some(&vec![b'a'; bytes])), Err(ApplyFault::TooLarge { bytes }));
    }

    #[test]
    fn a_file_made_to_be_searched_slowly_is_not() {
        let old = "ab\n".repeat(MAX_OLD / 3);
        let before = 300_000;
        let hunk = format!("@@ -2,{before} +2,{} @@\n{}-c\n", before - 1, " b\n".repeat(before - 1));
        assert!(apply(&hunk, &old).is_err());
    }
}
