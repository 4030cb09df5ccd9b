//! The words of a memory: when two say the same.

use sha2::{Digest, Sha256};

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
}
