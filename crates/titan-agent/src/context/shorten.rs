//! Long texts without their middle: the beginning says what a text is, and the end is often what matters.

use titan_core::text::head;

use crate::provider::{Message, Part};
use crate::tokens::{SIXTHS, Weigher, most_tokens};

use super::limits::size;

/// What is left of a text that may take so many tokens. The mark says how much is gone; a text with no room for one is left out.
pub(super) fn shorten(text: &str, tokens: u64) -> String {
    if most_tokens(text) <= tokens {
        return text.to_owned();
    }
    let total = text.chars().count();
    let mark = |kept: usize| format!("\n[… {} characters are left out here …]\n", total.saturating_sub(kept));
    let mut room = tokens.saturating_sub(most_tokens(&mark(0)));
    while room > 0 {
        let first = fitting(text.chars(), room * 2 / 3);
        let last = fitting(text.chars().rev(), room / 3);
        let begin = head(text, first);
        let end: String = text.chars().skip(total - last).collect();
        let short = format!("{}{}{}", begin.trim_end(), mark(first + last), end.trim_start());
        if most_tokens(&short) <= tokens {
            return short;
        }
        // Words are weighed from their ends in the tail, which may differ a little.
        room -= room.div_ceil(8);
    }
    String::new()
}

/// How many characters take no more than so many tokens.
fn fitting(text: impl Iterator<Item = char>, tokens: u64) -> usize {
    let mut weigher = Weigher::default();
    let mut left = tokens.saturating_mul(SIXTHS);
    let fits = |c: &char| match left.checked_sub(weigher.sixths(*c)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    text.take_while(fits).count()
}

/// The message with its texts shortened and its images named instead of shown, so that it takes about so many tokens. Calls of
/// tools stay whole: half of one means nothing.
pub(super) fn shorten_message(message: &Message, tokens: u64) -> Message {
    if size(message) <= tokens {
        return message.clone();
    }
    let without = |part: &Part| match part {
        Part::Image(image) => Part::Text(format!("[an image, {}, is left out here]", image.media_type)),
        other => other.clone(),
    };
    let mut short = Message { role: message.role, parts: message.parts.iter().map(without).collect() };
    let texts = short.parts.iter().filter(|part| matches!(part, Part::Text(_) | Part::ToolResult(_))).count() as u64;
    let taken = short.parts.iter().map(text_tokens).sum::<u64>();
    let room = tokens.saturating_sub(size(&short) - taken);
    for part in &mut short.parts {
        match part {
            Part::Text(text) => *text = shorten(text, room / texts.max(1)),
            Part::ToolResult(result) => result.content = shorten(&result.content, room / texts.max(1)),
            Part::Image(_) | Part::ToolCall(_) => {}
        }
    }
    short
}

fn text_tokens(part: &Part) -> u64 {
    match part {
        Part::Text(text) => most_tokens(text),
        Part::ToolResult(result) => most_tokens(&result.content),
        Part::Image(_) | Part::ToolCall(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::Role;
    use proptest::prelude::*;

    #[test]
    fn the_beginning_and_the_end_stay() {
        let text = format!("It begins here. {} It ends here.", "And goes on. ".repeat(200));
        let short = shorten(&text, 60);
        assert!(short.starts_with("It begins here.") && short.ends_with("It ends here."), "{short}");
        assert!(short.contains("characters are left out here"), "{short}");
        assert_eq!(shorten("short", 10), "short");
        assert_eq!(shorten(&text, 5), "");
    }

    proptest! {
        #[test]
        fn never_more_than_was_allowed(text in "\\PC{0,400}|[a-zé日🙂 \\n]{0,2000}", tokens in 0u64..300) {
            prop_assert!(most_tokens(&shorten(&text, tokens)) <= tokens);
            let message = Message::new(Role::User, text);
            prop_assert!(size(&shorten_message(&message, tokens + 8)) <= tokens + 8);
        }
    }
}
