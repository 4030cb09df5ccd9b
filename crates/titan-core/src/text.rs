//! Texts that are cut to a length, what a file may be called, and bytes as text.

use crate::Result;
use crate::projects::checked_text;

/// The first so many characters of a text.
#[must_use]
pub fn head(text: &str, chars: usize) -> &str {
    // No more characters than bytes.
    if text.len() <= chars {
        return text;
    }
    text.char_indices().nth(chars).and_then(|(end, _)| text.get(..end)).unwrap_or(text)
}

/// The last part of a path, without what no file is called.
///
/// # Errors
/// When nothing is left, or more than 200 characters.
pub(crate) fn file_name(name: &str) -> Result<String> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = name.chars().filter(|c| !c.is_control()).collect();
    checked_text("name", &name, 200)
}

/// What stands between the cells of a table: whichever mark its first line has most of, a comma before others.
#[must_use]
pub fn delimiter(table: &str) -> u8 {
    let first = table.lines().next().unwrap_or_default();
    let times = |mark: &u8| first.bytes().filter(|byte| byte == mark).count();
    // Of equals the last one.
    [b'\t', b';', b','].into_iter().max_by_key(times).unwrap_or(b',')
}

/// Bytes as lowercase hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The bytes that hexadecimal digits stand for, if they do.
#[must_use]
pub fn unhex(digits: &str) -> Option<Vec<u8>> {
    let value = |digit: &u8| char::from(*digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let pair = |pair: &[u8]| match pair {
        [high, low] => Some(value(high)? * 16 + value(low)?),
        _ => None,
    };
    digits.as_bytes().chunks(2).map(pair).collect()
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

        #[test]
        fn what_is_written_in_hex_is_read_again(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        }
    }
}
