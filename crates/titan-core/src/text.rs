//! Texts that are cut to a length, and bytes as text.

/// The first so many characters of a text.
#[must_use]
pub fn head(text: &str, chars: usize) -> &str {
    // No more characters than bytes.
    if text.len() <= chars {
        return text;
    }
    text.char_indices().nth(chars).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// Bytes as lowercase hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn takes_characters_and_not_bytes(text in "\\PC{0,40}", chars in 0usize..50) {
            prop_assert_eq!(head(&text, chars), text.chars().take(chars).collect::<String>());
        }
    }
}
