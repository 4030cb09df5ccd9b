//! The words of a memory and of a question: when two say the same, and how words are looked for.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::MAX_CONTENT;
use crate::{Error, Result};

/// Distinct words of a question that are looked for.
const MAX_WORDS: usize = 32;

/// Equal for texts that differ in case, spacing and the marks at their ends only.
pub(crate) fn fingerprint(content: &str) -> Vec<u8> {
    let words: Vec<&str> = content.split_whitespace().collect();
    let line = words.join(" ").to_lowercase();
    let said = line.trim_matches(|c: char| c.is_whitespace() || ".,;:!?…-–—\"'“”‘’*".contains(c));
    // A text of nothing but marks is told apart by them.
    let said = if said.is_empty() { line.as_str() } else { said };
    Sha256::digest(said).iter().take(16).copied().collect()
}

/// The words that somebody looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Words(Vec<String>);

impl Words {
    /// # Errors
    /// Without a single letter or digit there is nothing to look for.
    pub(super) fn of(text: &str) -> Result<Self> {
        if text.chars().count() > MAX_CONTENT {
            return Err(Error::invalid("q", format!("must have at most {MAX_CONTENT} characters")));
        }
        let words = Words::in_text(text);
        if words.0.is_empty() {
            return Err(Error::invalid("q", format!("must hold a letter or a digit, and is {text:?}")));
        }
        Ok(words)
    }

    pub(super) fn in_text(text: &str) -> Self {
        let mut seen = HashSet::new();
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase);
        Words(words.filter(|word| seen.insert(word.clone())).take(MAX_WORDS).collect())
    }

    /// Those that say something by themselves: short Latin ones are mostly articles and the like.
    pub(super) fn telling(self) -> Self {
        Words(self.0.into_iter().filter(|word| word.chars().count() > 2 || !word.is_ascii()).collect())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a `tsquery`: all of them, each perhaps only begun. Letters and digits need no quotes.
    pub(super) fn all(&self) -> String {
        self.0.iter().map(|word| format!("{word}:*")).collect::<Vec<_>>().join(" & ")
    }

    /// As a `tsquery`: any of them.
    pub(super) fn any(&self) -> String {
        self.0.join(" | ")
    }

    /// For LIKE, where there is no index of words.
    pub(super) fn patterns(&self) -> Vec<String> {
        self.0.iter().map(|word| format!("%{word}%")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_said_otherwise_has_the_same_fingerprint() {
        let one = fingerprint("The owner likes TEA.");
        assert_eq!(one.len(), 16);
        assert_eq!(one, fingerprint("  the owner\nlikes tea"));
        assert_ne!(one, fingerprint("The owner likes green tea."));
        assert_ne!(fingerprint("?"), fingerprint("!"));
    }

    #[test]
    fn words_are_letters_and_digits_once_each() {
        let words = Words::of("Who's Ida? ida@example.com & 'x' |").unwrap();
        assert_eq!(words.all(), "who:* & s:* & ida:* & example:* & com:* & x:*");
        assert_eq!(words.telling().any(), "who | ida | example | com");
        assert_eq!(Words::of("茶 tea").unwrap().telling().any(), "茶 | tea");
        assert!(Words::of(" !? ").is_err());
    }
}
