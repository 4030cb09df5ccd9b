//! How many tokens a text is, without any model's vocabulary: a guess for budgets on screen and for providers that do not
//! report usage, and a bound for deciding what fits. Real counts come from the provider.

/// Four ASCII characters are about one token, two of any other script.
#[must_use]
pub fn estimate_tokens(text: &str) -> u64 {
    let quarters: u64 = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    quarters.div_ceil(4)
}

/// Letters of a word after which it is no word of a language: a key, an address, base64. Vocabularies hold no pieces of those.
const LONG_WORD: u32 = 16;

/// What a text takes at most, as far as usual texts go: never less than a third of its bytes. It is on purpose too much for
/// English prose (by about a half), because the same count must hold for code, numbers, other scripts and small vocabularies.
#[must_use]
pub fn most_tokens(text: &str) -> u64 {
    let mut weigher = Weigher::default();
    text.chars().map(|c| weigher.sixths(c)).sum::<u64>().div_ceil(SIXTHS)
}

/// The parts of a token that are counted.
pub(crate) const SIXTHS: u64 = 6;

/// Weighs the characters of a text, one after the other.
#[derive(Debug, Default)]
pub(crate) struct Weigher {
    letters: u32,
}

impl Weigher {
    pub(crate) fn sixths(&mut self, c: char) -> u64 {
        self.letters = if c.is_ascii_alphanumeric() { self.letters.saturating_add(1) } else { 0 };
        match c {
            'a'..='z' | 'A'..='Z' if self.letters <= LONG_WORD => 2,
            'a'..='z' | 'A'..='Z' => 5,
            ' ' | '\n' | '\t' | '\r' => 2,
            // Several vocabularies take each digit by itself.
            '0'..='9' => 6,
            _ if c.is_ascii() => 4,
            // Accents, Cyrillic, Greek, Arabic; then nearly everything else; then emoji and rare scripts.
            _ if c.len_utf8() == 2 => 6,
            _ if c.len_utf8() == 3 => 8,
            _ => 18,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nothing_is_no_token_and_anything_is_at_least_one() {
        assert_eq!(estimate_tokens(""), 0);
        assert_eq!(estimate_tokens("a"), 1);
        assert_eq!(estimate_tokens("four"), 1);
        assert_eq!(estimate_tokens("fives"), 2);
        assert_eq!(estimate_tokens("日本語で"), 2);
        assert_eq!((most_tokens(""), most_tokens("a")), (0, 1));
    }

    #[test]
    fn keys_and_numbers_count_more_than_words() {
        let words = "the quick brown fox jumps over the lazy dog and runs away".repeat(4);
        let key = "QWxhZGRpbjpvcGVuIHNlc2FtZUFsYWRkaW46b3BlbiBzZXNhbWU".repeat(4);
        assert!(most_tokens(&key) > most_tokens(&words) * key.len() as u64 / words.len() as u64);
        assert_eq!(most_tokens("1234567890"), 10);
    }

    proptest! {
        #[test]
        fn the_bound_is_above_the_guess_and_above_a_third_of_the_bytes(text in "\\PC{0,400}|[a-zé日🙂 \\n]{0,2000}") {
            prop_assert!(most_tokens(&text) >= estimate_tokens(&text));
            prop_assert!(most_tokens(&text) >= (text.len() as u64).div_ceil(3));
        }

        #[test]
        fn parts_on_lines_of_their_own_are_never_less_than_the_whole(a in "\\PC{0,200}", b in "\\PC{0,200}") {
            let both = most_tokens(&format!("{a}\n{b}"));
            prop_assert!(both <= most_tokens(&a) + most_tokens("\n") + most_tokens(&b));
        }
    }
}
