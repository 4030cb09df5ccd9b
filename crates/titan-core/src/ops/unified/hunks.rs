//! The hunks of a diff: `@@ -10,4 +10,5 @@` and as many lines as that says.

use super::header::refuse_carriage_return;
use super::{DiffFault, Lines, MOST_HUNKS, NO_NEWLINE};

/// Lines of a file that are to be other lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hunk {
    pub(super) old: Range,
    pub(super) new: Range,
    /// What stands there, with its newlines.
    pub(super) before: String,
    /// What is to stand there.
    pub(super) after: String,
    pub(super) added: usize,
    pub(super) removed: usize,
    /// Whether its last line has no newline, before or after, so that it must be the file's last.
    pub(super) ends_file: bool,
    /// Where in the diff it begins.
    pub(super) line: usize,
}

/// Lines of one side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    /// The first of them, from 1; when there are none, the line that they would follow.
    pub(super) start: usize,
    pub(super) lines: usize,
}

impl Range {
    /// Lines of the file before it.
    pub(super) fn skipped(self) -> usize {
        if self.lines == 0 { self.start } else { self.start.saturating_sub(1) }
    }

    fn end(self) -> usize {
        self.skipped() + self.lines
    }
}

impl Hunk {
    /// Whether it is all of a file, from these lines on, with one side empty.
    pub(super) fn is_whole(&self, old: usize, new: usize) -> bool {
        let empty = |range: Range| range.start == 0 && range.lines == 0;
        let (old_fits, new_fits) = (self.old.start == old, self.new.start == new);
        old_fits && new_fits && (if old == 0 { empty(self.old) } else { empty(self.new) })
    }

    /// `@@ -10,4 +10,5 @@`
    pub(super) fn title(&self) -> String {
        format!("@@ -{},{} +{},{} @@", self.old.start, self.old.lines, self.new.start, self.new.lines)
    }
}

pub(super) fn read(lines: &mut Lines<'_>) -> Result<Vec<Hunk>, DiffFault> {
    let mut hunks: Vec<Hunk> = Vec::new();
    while lines.peek().is_some() {
        if hunks.len() == MOST_HUNKS {
            return Err(lines.fault(format!("a diff has at most {MOST_HUNKS} hunks; give the file as content")));
        }
        let first = lines.number();
        if let Some(last) = hunks.last()
            && last.ends_file
        {
            return Err(lines.fault("nothing may follow a line that is the last of the file"));
        }
        let hunk = one(lines, hunks.len() + 1)?;
        if let Some(last) = hunks.last()
            && (hunk.old.skipped() < last.old.end() || hunk.new.skipped() < last.new.end())
        {
            return Err(
                lines.fault_at(first, "begins before the hunk above it ends: hunks stand in order and do not overlap")
            );
        }
        hunks.push(hunk);
    }
    if hunks.is_empty() {
        return Err(lines.fault("must be a hunk, such as \"@@ -1,3 +1,4 @@\": the diff has none"));
    }
    Ok(hunks)
}

fn one(lines: &mut Lines<'_>, number: usize) -> Result<Hunk, DiffFault> {
    refuse_carriage_return(lines)?;
    let line = lines.number();
    let title = lines.peek().unwrap_or_default();
    let Some((old, new)) = ranges(title) else {
        return Err(lines.fault(why_no_hunk(title, number)));
    };
    lines.take();
    let mut hunk =
        Hunk { old, new, before: String::new(), after: String::new(), added: 0, removed: 0, ends_file: false, line };
    let mut sides = Sides { hunk: &mut hunk, old: 0, new: 0, old_ends: false, new_ends: false, last: None };
    while sides.old < old.lines || sides.new < new.lines {
        sides.take(lines)?;
    }
    sides.take_end(lines)?;
    let ends_file = sides.old_ends || sides.new_ends;
    hunk.ends_file = ends_file;
    if hunk.added + hunk.removed == 0 {
        return Err(lines.fault_at(line, "has no line that begins with + or -, so that it changes nothing"));
    }
    Ok(hunk)
}

/// A hunk of which so many lines have been read.
struct Sides<'h> {
    hunk: &'h mut Hunk,
    old: usize,
    new: usize,
    /// The side's last line has no newline.
    old_ends: bool,
    new_ends: bool,
    /// The mark of the line before.
    last: Option<char>,
}

impl Sides<'_> {
    fn take(&mut self, lines: &mut Lines<'_>) -> Result<(), DiffFault> {
        if self.take_end(lines)? {
            return Ok(());
        }
        let line = lines.peek();
        // Editors take the space from a line of context that holds nothing else; git reads that as this does.
        let (mark, text) = match line {
            Some("" | "\r") => (' ', line.unwrap_or_default()),
            Some(line) => match line.chars().next() {
                Some(mark @ (' ' | '+' | '-')) => (mark, line.get(1..).unwrap_or_default()),
                _ => return Err(self.too_few(lines)),
            },
            None => return Err(self.too_few(lines)),
        };
        let (in_old, in_new) = (mark != '+', mark != '-');
        if in_old && self.old == self.hunk.old.lines || in_new && self.new == self.hunk.new.lines {
            return Err(self.too_many(lines));
        }
        if in_old && self.old_ends || in_new && self.new_ends {
            return Err(lines.fault("follows a line without a newline, which is the last of the file"));
        }
        if in_old {
            self.old += 1;
            self.hunk.before.extend([text, "\n"]);
        }
        if in_new {
            self.new += 1;
            self.hunk.after.extend([text, "\n"]);
        }
        self.hunk.removed += usize::from(mark == '-');
        self.hunk.added += usize::from(mark == '+');
        self.last = Some(mark);
        lines.take();
        Ok(())
    }

    /// The mark that the line before has no newline, if it stands here.
    fn take_end(&mut self, lines: &mut Lines<'_>) -> Result<bool, DiffFault> {
        match lines.peek() {
            Some(line) if line.starts_with('\\') && line != NO_NEWLINE => {
                return Err(lines.fault(format!("must be exactly {NO_NEWLINE:?}")));
            }
            Some(NO_NEWLINE) => {}
            _ => return Ok(false),
        }
        let Some(mark) = self.last.take() else {
            return Err(lines.fault("must follow a line of the file, once"));
        };
        let mut is_line = true;
        if mark != '+' {
            is_line &= end(&mut self.hunk.before);
            self.old_ends = true;
        }
        if mark != '-' {
            is_line &= end(&mut self.hunk.after);
            self.new_ends = true;
        }
        if !is_line {
            return Err(lines.fault("follows an empty line: what is empty and has no newline is no line"));
        }
        lines.take();
        Ok(true)
    }

    fn too_few(&self, lines: &Lines<'_>) -> DiffFault {
        lines.fault(format!("the hunk ends too early: {}", self.counted()))
    }

    fn too_many(&self, lines: &Lines<'_>) -> DiffFault {
        lines.fault(format!("the hunk has more lines than it says: {}", self.counted()))
    }

    fn counted(&self) -> String {
        format!(
            "{} says {} lines of the old file and {} of the new one, and until here there are {} and {}",
            self.hunk.title(),
            self.hunk.old.lines,
            self.hunk.new.lines,
            self.old,
            self.new
        )
    }
}

/// Takes the newline from a side's last line, and says whether anything is left of that line.
fn end(side: &mut String) -> bool {
    side.pop();
    !(side.is_empty() || side.ends_with('\n'))
}

/// Both ranges of `@@ -1,2 +3,4 @@ what`.
fn ranges(title: &str) -> Option<(Range, Range)> {
    let (old, rest) = title.strip_prefix("@@ -")?.split_once(" +")?;
    let (new, rest) = rest.split_once(" @@")?;
    (rest.is_empty() || rest.starts_with(' ')).then_some(())?;
    Some((range(old)?, range(new)?))
}

fn range(said: &str) -> Option<Range> {
    let (start, lines) = said.split_once(',').unwrap_or((said, "1"));
    let number = |digits: &str| {
        let plain = (1..=9).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        if plain { digits.parse().ok() } else { None }
    };
    let range = Range { start: number(start)?, lines: number(lines)? };
    // There is no line 0.
    (range.start > 0 || range.lines == 0).then_some(range)
}

fn why_no_hunk(line: &str, number: usize) -> String {
    if line.starts_with("@@@") {
        return "is of a merge; a hunk begins with \"@@ -1,3 +1,4 @@\"".to_owned();
    }
    if line.starts_with("@@") {
        return "must be \"@@ -FIRST,LINES +FIRST,LINES @@\", counted from line 1".to_owned();
    }
    if line.starts_with("diff ") || line.starts_with("--- ") || line.starts_with("Index: ") {
        return "a patch is of one file; a second file is a patch of its own".to_owned();
    }
    if number == 1 {
        return "must be a hunk, such as \"@@ -1,3 +1,4 @@\"".to_owned();
    }
    if line.starts_with(['+', '-', ' ']) {
        return "the hunk above has more lines than it says".to_owned();
    }
    "nothing but hunks may follow a hunk".to_owned()
}
