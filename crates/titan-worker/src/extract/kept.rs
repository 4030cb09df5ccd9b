//! A text that grows while a file is read, and stops growing at its limit.

use std::fmt::{self, Write};

use titan_core::documents::MAX_TEXT;

use super::Text;

/// Bytes that are counted beyond the limit before a reader is told to stop: nobody needs to know it more exactly.
const COUNTED: u64 = 64 << 20;

#[derive(Debug, Default)]
pub struct Kept {
    text: String,
    left_out: u64,
}

impl Kept {
    pub(super) fn push(&mut self, more: &str) {
        let room = MAX_TEXT.saturating_sub(self.text.len());
        let fits = if more.len() <= room { more.len() } else { floor_boundary(more, room) };
        // What came after a cut does not belong behind it.
        let fits = if self.left_out > 0 { 0 } else { fits };
        let (kept, left_out) = more.split_at(fits);
        self.text.push_str(kept);
        self.left_out += left_out.len() as u64;
    }

    /// Whether it is worth reading on.
    pub(super) fn is_full(&self) -> bool {
        self.left_out > COUNTED
    }

    pub(super) fn text(self) -> Text {
        Text { text: self.text, left_out: self.left_out }
    }
}

fn floor_boundary(text: &str, most: usize) -> usize {
    (0..=most).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

impl Write for Kept {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.push(more);
        if self.is_full() { Err(fmt::Error) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_cut_between_characters_and_says_how_much_is_gone() {
        let mut kept = Kept::default();
        kept.push(&"a".repeat(MAX_TEXT - 1));
        kept.push("é");
        kept.push("b");
        let text = kept.text();
        assert_eq!((text.text.len(), text.left_out), (MAX_TEXT - 1, 3));
    }
}
