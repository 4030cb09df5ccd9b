//! The words of a question, as they are looked for in what is stored.

use std::collections::HashSet;

use crate::{Error, Result};

/// Characters of a question.
const MAX_QUESTION: usize = 8000;
/// Distinct words of a question that are looked for.
const MAX_WORDS: usize = 32;

/// The words that somebody looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words(Vec<String>);

impl Words {
    /// # Errors
    /// Without a single letter or digit there is nothing to look for.
    pub(crate) fn of(text: &str) -> Result<Self> {
        if text.chars().count() > MAX_QUESTION {
            return Err(Error::invalid("q", format!("must have at most {MAX_QUESTION} characters")));
        }
        let words = Words::in_text(text);
        if words.0.is_empty() {
            return Err(Error::invalid("q", format!("must hold a letter or a digit, and is {text:?}")));
        }
        Ok(words)
    }

    pub(crate) fn in_text(text: &str) -> Self {
        let mut seen = HashSet::new();
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase);
        Words(words.filter(|word| seen.insert(word.clone())).take(MAX_WORDS).collect())
    }

    /// Those that say something by themselves: short Latin ones are mostly articles and the like.
    pub(crate) fn telling(self) -> Self {
        Words(self.0.into_iter().filter(|word| word.chars().count() > 2 || !word.is_ascii()).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a `tsquery`: all of them, each perhaps only begun. Letters and digits need no quotes.
    pub(crate) fn all(&self) -> String {
        self.0.iter().map(|word| format!("{word}:*")).collect::<Vec<_>>().join(" & ")
    }

    /// As a `tsquery`: any of them.
    pub(crate) fn any(&self) -> String {
        self.0.join(" | ")
    }

    /// Each as a `tsquery`.
    pub(crate) fn each(&self) -> &[String] {
        &self.0
    }

    /// For LIKE, where there is no index of words.
    pub(crate) fn patterns(&self) -> Vec<String> {
        self.0.iter().map(|word| format!("%{word}%")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_letters_and_digits_once_each() {
        let words = Words::of("Who's Ida? ida@example.com & 'x' |").unwrap();
        assert_eq!(words.all(), "who:* & s:* & ida:* & example:* & com:* & x:*");
        assert_eq!(words.telling().any(), "who | ida | example | com");
        assert_eq!(Words::of("茶 tea").unwrap().telling().any(), "茶 | tea");
        assert!(Words::of(" !? ").is_err());
    }
}
