//! What a command writes to its terminal, as text: which of it is seen, and which line says why it failed.

use std::str::Chars;

use titan_core::text;

/// Characters of a reason.
const MOST_REASON: usize = 300;

/// What is to be seen of a line: what a carriage return has written over is gone, colours stay, and nothing else that a terminal
/// obeys.
pub(super) fn seen(line: &str) -> String {
    let line = line.trim_end_matches(['\n', '\r']);
    plain(line.rsplit('\r').next().unwrap_or_default(), true)
}

pub(crate) fn without_colours(line: &str) -> String {
    plain(line, false)
}

/// Why a command failed, of the last lines that it wrote: the first one that speaks of an error, else the last.
pub(crate) fn reason(lines: &[String]) -> Option<String> {
    let plain: Vec<String> = lines.iter().map(|line| without_colours(line).trim().to_owned()).collect();
    let mut told = plain.iter().filter(|line| !line.is_empty());
    let first = told.clone().position(|line| speaks_of_an_error(line));
    let reason = match first {
        // Where it only announces what comes, that is told as well.
        Some(at) => {
            let mut from = told.skip(at);
            let line = from.next()?;
            let next = from.next().filter(|_| line.ends_with(':'));
            next.map_or_else(|| line.clone(), |next| format!("{line} {next}"))
        }
        None => told.next_back()?.clone(),
    };
    Some(text::head(&reason, MOST_REASON).to_owned())
}

fn speaks_of_an_error(line: &str) -> bool {
    let line = line.to_lowercase();
    let is_praise = ["0 error", "no error", "0 failed", "without error"].iter().any(|words| line.contains(words));
    !is_praise && ["error", "failed", "panicked", "exception", "not found"].iter().any(|word| line.contains(word))
}

fn plain(line: &str, colours: bool) -> String {
    let (mut rest, mut plain) = (line.chars(), String::new());
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => {
                if let Some(colour) = sequence(&mut rest)
                    && colours
                {
                    plain.push_str("\u{1b}[");
                    plain.push_str(&colour);
                }
            }
            c if c.is_control() && c != '\t' => {}
            c => plain.push(c),
        }
    }
    plain
}

/// Passes over what stands behind an ESC (ECMA-48), and gives what follows its bracket when it is a colour.
fn sequence(rest: &mut Chars<'_>) -> Option<String> {
    match rest.next()? {
        '[' => {
            let mut body = String::new();
            for c in rest {
                body.push(c);
                if ('@'..='~').contains(&c) {
                    return (c == 'm').then_some(body);
                }
            }
            None
        }
        // A title of the window and the like: up to BEL, or to ESC and a backslash.
        ']' | 'P' | 'X' | '^' | '_' => {
            let mut before = ' ';
            let _ = rest.find(|c| {
                let is_end = *c == '\u{7}' || (before == '\u{1b}' && *c == '\\');
                before = *c;
                is_end
            });
            None
        }
        // A character set, which is named by one more.
        '(' | ')' => rest.next().and(None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_what_a_terminal_would_show() {
        for (written, shown) in [
            ("10 %\r50 %\r100 %\r\n", "100 %"),
            ("\u{1b}[32mok\u{1b}[0m\u{7}\0\n", "\u{1b}[32mok\u{1b}[0m"),
            ("\u{1b}]0;a title\u{7}ok", "ok"),
            ("\u{1b}]8;;https://tea.example\u{1b}\\a link\u{1b}]8;;\u{1b}\\", "a link"),
            ("\u{1b}[2K\u{1b}[1Gok\u{1b}(B", "ok"),
            ("a\u{1b}[", "a"),
            ("a\u{1b}", "a"),
            ("a\u{1b}]b", "a"),
        ] {
            assert_eq!(seen(written), shown);
        }
    }

    #[test]
    fn colours_are_left_out() {
        assert_eq!(without_colours("\u{1b}[1;31merror\u{1b}[0m: no"), "error: no");
    }

    #[test]
    fn the_reason_is_the_line_that_says_it() {
        for (lines, why) in [
            (&["> build", "\u{1b}[31merror\u{1b}[0m: no such name", "  at x", "}"][..], "error: no such name"),
            (
                &["error during build:", "", "Could not resolve \"./x\"", "}"],
                "error during build: Could not resolve \"./x\"",
            ),
            (&["Traceback (most recent call last):", "  File \"a.py\"", "ValueError: tea"], "ValueError: tea"),
            (&["0 errors", "this is broken", ""], "this is broken"),
            (&["sh: 1: vite: not found"], "sh: 1: vite: not found"),
        ] {
            let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
            assert_eq!(reason(&lines).as_deref(), Some(why));
        }
        assert_eq!(reason(&[]), None);
        assert_eq!(reason(&[" ".to_owned()]), None);
    }
}
