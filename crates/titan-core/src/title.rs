//! What something is called when nobody says: the first sentence of its text, without what Markdown adds to it.

use crate::text::head;

/// Characters of a title. A line that is longer is cut after a sentence, or else after a word.
const LONGEST: usize = 80;

/// Never empty unless the message is.
#[must_use]
pub fn title_of(content: &str) -> String {
    let lines = || content.lines().map(str::trim).filter(|line| !line.is_empty());
    let line = lines().map(plain).find(|line| line.chars().any(char::is_alphanumeric));
    let line = line.or_else(|| lines().next().map(str::to_owned)).unwrap_or_default();
    if line.chars().count() <= LONGEST {
        return line;
    }
    let short = head(&line, LONGEST);
    if let Some(sentence) = first_sentence(short) {
        return sentence.to_owned();
    }
    let whole_words = short.rsplit_once(char::is_whitespace).map_or(short, |(words, _)| words);
    // One word that is longer than a title is cut all the same.
    let kept = if whole_words.chars().count() * 2 < LONGEST { short } else { whole_words };
    format!("{}...", kept.trim_end_matches(|c: char| c.is_whitespace() || ",;:-".contains(c)))
}

/// A line without the marks before it, emphasis, and the addresses of links. A fence of code is no line.
fn plain(line: &str) -> String {
    if line.starts_with("```") || line.starts_with("~~~") {
        return String::new();
    }
    let line = line.trim_start_matches(['#', '>', ' ']);
    let line =
        ["- ", "* ", "+ ", "[ ] ", "[x] "].iter().fold(line, |line, mark| line.strip_prefix(mark).unwrap_or(line));
    let mut plain = String::new();
    let mut rest = line;
    // The text of a link stands before its address.
    while let Some((before, link)) = rest.split_once('[') {
        let Some((text, after)) =
            link.split_once("](").and_then(|(text, after)| Some((text, after.split_once(')')?.1)))
        else {
            break;
        };
        plain.push_str(before);
        plain.push_str(text);
        rest = after;
    }
    plain.push_str(rest);
    plain.replace("**", "").replace('`', "").trim().to_owned()
}

/// Up to and with its mark, when it is no abbreviation of a word or two.
fn first_sentence(text: &str) -> Option<&str> {
    const LEAST: usize = 15;
    let ends = |(at, c): (usize, char)| {
        let end = at + c.len_utf8();
        let next = text.get(end..)?.chars().next()?;
        (".!?".contains(c) && next.is_whitespace() && end >= LEAST || c == '。').then_some(end)
    };
    text.char_indices().find_map(ends).and_then(|end| text.get(..end))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_short_first_line_is_the_title() {
        assert_eq!(title_of("hello"), "hello");
        assert_eq!(title_of("\n  What is this?  \nMore of it."), "What is this?");
        assert_eq!(title_of("[echo] message 3"), "[echo] message 3");
        assert_eq!(title_of("1. e.g. this"), "1. e.g. this");
        assert_eq!(title_of("---"), "---");
    }

    #[test]
    fn markdown_is_left_out() {
        assert_eq!(title_of("## **Plan** for `May`"), "Plan for May");
        assert_eq!(title_of("> - see [the shop](https://example.org/a) now"), "see the shop now");
        assert_eq!(title_of("```rust\nfn main() {}\n```"), "fn main() {}");
        assert_eq!(title_of("- [ ] call Ida"), "call Ida");
    }

    #[test]
    fn a_long_line_ends_after_a_sentence_or_a_word() {
        let more = "and so on and so forth ".repeat(10);
        assert_eq!(title_of(&format!("Please write the imprint. Then {more}")), "Please write the imprint.");
        assert_eq!(
            title_of(&format!("Write to every farmer that we know, {more}")),
            "Write to every farmer that we know, and so on and so forth and so on and so..."
        );
        assert_eq!(title_of(&"x".repeat(200)), format!("{}...", "x".repeat(80)));
    }

    proptest! {
        #[test]
        fn of_whatever_is_said_there_is_a_short_title(content in "\\PC{0,300}|[a-z#*`\\[\\]() .\\n]{0,300}") {
            let title = title_of(&content);
            prop_assert!(title.chars().count() <= LONGEST + 3);
            prop_assert!(!title.contains('\n'));
            prop_assert_eq!(title.is_empty(), content.trim().is_empty());
        }
    }
}
