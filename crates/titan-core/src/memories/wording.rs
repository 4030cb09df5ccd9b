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

/// Words that turn a sentence into its opposite, in the languages that are heard here most.
const NEGATIONS: [&str; 33] = [
    "not", "no", "never", "none", "nobody", "nothing", "neither", "nor", "without", "cannot", "nicht", "nie",
    "niemals", "nichts", "niemand", "ohne", "weder", "ne", "pas", "jamais", "rien", "sans", "aucun", "aucune", "ni",
    "nunca", "nada", "sin", "non", "mai", "senza", "niet", "geen",
];

/// Whether the numbers and the negations of two texts are the same, one after the other.
pub(super) fn tells_the_same(a: &str, b: &str) -> bool {
    fn telling(text: &str) -> Vec<String> {
        let words = text.split(|c: char| !c.is_alphanumeric() && !"'’".contains(c)).map(str::to_lowercase);
        let negates = |word: &str| {
            NEGATIONS.contains(&word) || word.starts_with("kein") || word.ends_with("n't") || word.ends_with("n’t")
        };
        let negation = |word: String| if negates(&word) { "not".to_owned() } else { word };
        words.filter(|word| word.chars().any(char::is_numeric) || negates(word)).map(negation).collect()
    }
    telling(a) == telling(b)
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

    /// Each as a `tsquery`.
    pub(super) fn each(&self) -> &[String] {
        &self.0
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
    fn another_number_or_a_negation_is_another_fact() {
        let deadline = "The deadline is 3 March";
        assert!(tells_the_same(deadline, "The deadline: the 3 of March."));
        for other in
            ["The deadline is 10 March", "The deadline is not 3 March", "The deadline isn't 3 March", "The deadline"]
        {
            assert!(!tells_the_same(deadline, other), "{other}");
        }
        assert!(tells_the_same("It does not open", "It doesn't open"));
        assert!(!tells_the_same("Es gibt Parkplätze", "Es gibt keine Parkplätze"));
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
