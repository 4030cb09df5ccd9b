//! How a file that a message brings along is shown to a model.

use bytes::Bytes;

use crate::provider::{Image, Part};

/// An image as such, a text between fences with its name; without bytes only the name.
#[must_use]
pub fn attached(name: &str, media_type: &str, bytes: Option<Bytes>) -> Part {
    match bytes {
        Some(bytes) if media_type.starts_with("image/") => {
            Part::Image(Image { media_type: media_type.to_owned(), bytes })
        }
        Some(bytes) => {
            let text = String::from_utf8_lossy(&bytes);
            let fence = fence(&text);
            Part::Text(format!("\n\nAttached file {name:?} ({media_type}):\n{fence}\n{}\n{fence}\n", text.trim_end()))
        }
        None => Part::Text(format!("\n\n(A file was attached, {name:?}, {media_type}; it is not shown here.)")),
    }
}

/// Longer than any in the text, so that the text cannot end it.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    "`".repeat(longest.max(2) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_leave_its_fence() {
        let shown = |bytes: Option<&'static str>| match attached("a\"b.md", "text/markdown", bytes.map(Bytes::from)) {
            Part::Text(text) => text,
            other => panic!("{other:?}"),
        };
        let fenced = "\n\nAttached file \"a\\\"b.md\" (text/markdown):\n````\n```\ncode\n```\n````\n";
        assert_eq!(shown(Some("```\ncode\n```\n")), fenced);
        assert!(shown(Some("plain")).contains("\n```\nplain\n```\n"));
        assert!(shown(None).contains("it is not shown here"));
    }
}
