//! A guess at how many tokens a text is, for budgets on screen and for providers that do not report usage. Real counts
//! come from the provider; this knows no model's vocabulary.

/// Four ASCII characters are about one token, two of any other script.
#[must_use]
pub fn estimate_tokens(text: &str) -> u64 {
    let quarters: u64 = text.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    quarters.div_ceil(4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_no_token_and_anything_is_at_least_one() {
        assert_eq!(estimate_tokens(""), 0);
        assert_eq!(estimate_tokens("a"), 1);
        assert_eq!(estimate_tokens("four"), 1);
        assert_eq!(estimate_tokens("fives"), 2);
        assert_eq!(estimate_tokens("日本語で"), 2);
    }
}
