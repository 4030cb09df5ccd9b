//! The text of a file, whatever its format. Files come from anybody: what reads them is guarded by limits of its own, and by
//! a process of its own (`process`), which can be ended when it takes too long or too much.

mod docx;
mod html;
mod kept;
mod pdf;
mod plain;
pub mod process;

use std::panic::{AssertUnwindSafe, catch_unwind};

use serde::{Deserialize, Serialize};
use titan_core::documents::DocumentFormat;

pub use kept::Kept;

/// What became of a file.
pub type Read = Result<Text, Unreadable>;

/// A text, as much of it as is kept.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Text {
    pub text: String,
    /// Bytes that are not there, because it is too long.
    pub left_out: u64,
}

/// Why there is no text, in words for whoever gave the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{0}")]
pub struct Unreadable(pub String);

impl Unreadable {
    fn because(reason: impl Into<String>) -> Self {
        Unreadable(reason.into())
    }
}

/// Reads a file, here and now. It may take long and panic inside of a library, which is an answer like any other.
///
/// # Errors
/// Why there is no text.
pub fn extract(format: DocumentFormat, bytes: &[u8]) -> Read {
    let read = || {
        let mut kept = Kept::default();
        match format {
            DocumentFormat::Text | DocumentFormat::Markdown => plain::text(bytes, &mut kept)?,
            DocumentFormat::Csv => plain::csv(bytes, &mut kept)?,
            DocumentFormat::Html => html::html(bytes, &mut kept)?,
            DocumentFormat::Pdf => pdf::pdf(bytes, &mut kept)?,
            DocumentFormat::Docx => docx::docx(bytes, &mut kept)?,
        }
        Ok(kept.text())
    };
    let text = catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_| {
        Err(Unreadable::because("the file is damaged in a way that its reader does not survive"))
    })?;
    if text.text.trim().is_empty() {
        let why = match format {
            DocumentFormat::Pdf => {
                "there is no text in it; if its pages are pictures, have their text recognised first"
            }
            _ => "there is no text in it",
        };
        return Err(Unreadable::because(why));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_text_says_so() {
        assert_eq!(extract(DocumentFormat::Text, b" \n ").unwrap_err().0, "there is no text in it");
        assert!(extract(DocumentFormat::Html, b"<script>x()</script>").unwrap_err().0.contains("no text"));
    }
}
