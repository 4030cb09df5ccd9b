//! A text in passages: short enough to be shown as they are when they are found, cut where the text makes a pause.

/// Characters of a passage at most: about 200 tokens.
const LONGEST: usize = 800;
/// Not cut before so many.
const SHORTEST: usize = 400;

/// The text without what is only space, in passages of at most [`LONGEST`] characters. Nothing is lost between them but space.
pub(super) fn passages(text: &str) -> Vec<&str> {
    let mut passages = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (passage, more) = rest.split_at(end(rest));
        passages.push(passage.trim_end());
        rest = more.trim_start();
    }
    passages
}

/// Where the first passage ends: at its last empty line, line, sentence or word, in that order.
fn end(text: &str) -> usize {
    let Some((longest, _)) = text.char_indices().nth(LONGEST) else { return text.len() };
    let shortest = text.char_indices().nth(SHORTEST).map_or(0, |(at, _)| at);
    let within = text.get(shortest..longest).unwrap_or_default();
    let after = |mark: &str| within.rfind(mark).map(|at| shortest + at + mark.len());
    after("\n\n").or_else(|| after("\n")).or_else(|| after(". ")).or_else(|| after(" ")).unwrap_or(longest)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_cut_comes_where_the_text_makes_a_pause() {
        let text = format!("{}\n\n{} end", "First part. ".repeat(50).trim(), "second ".repeat(80).trim());
        let cut = passages(&text);
        assert_eq!(cut.len(), 2);
        assert!(cut[0].ends_with("First part.") && cut[1].starts_with("second"));
        assert_eq!(passages("  short \n"), ["short"]);
        assert!(passages(" \n ").is_empty());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_nothing_too_long(text in "([a-zé日]{0,30}[ .\n]{0,3}){0,200}") {
            let cut = passages(&text);
            prop_assert!(cut.iter().all(|passage| !passage.is_empty() && passage.chars().count() <= LONGEST));
            let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(bare(&cut.concat()), bare(&text));
        }
    }
}
