//! What a file is, told by its bytes and its name: what it is said to be only counts when they agree.

use super::MAX_SIZE;
use crate::state::text_enum;
use crate::text::head;
use crate::{Error, Result};

text_enum! {
    /// How a document is read.
    DocumentFormat { Text = "text", Markdown = "markdown", Html = "html", Csv = "csv", Pdf = "pdf", Docx = "docx" }
}

const TAKEN: &str = "a text in UTF-8 (txt, md, html, csv), a PDF, or a Word document (docx)";
/// What is said of a file by those who do not know: then its name and its bytes decide.
const ANYTHING: [&str; 4] = ["", "application/octet-stream", "application/json", "binary/octet-stream"];
/// Within so many bytes a PDF says that it is one.
const PDF_MARK_WITHIN: usize = 1024;

impl DocumentFormat {
    /// The media type that it is served with.
    #[must_use]
    pub fn media_type(self) -> &'static str {
        match self {
            DocumentFormat::Text => "text/plain",
            DocumentFormat::Markdown => "text/markdown",
            DocumentFormat::Html => "text/html",
            DocumentFormat::Csv => "text/csv",
            DocumentFormat::Pdf => "application/pdf",
            DocumentFormat::Docx => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        }
    }

    /// # Errors
    /// [`Error::Invalid`] with what is wrong and what would be right.
    pub(super) fn of(name: &str, told: Option<&str>, bytes: &[u8]) -> Result<Self> {
        if bytes.is_empty() {
            return Err(Error::invalid("body", "must not be empty: it is the file"));
        }
        if bytes.len() > MAX_SIZE {
            let message = format!("must have at most {MAX_SIZE} bytes, and has {}", bytes.len());
            return Err(Error::invalid("body", message));
        }
        let told = told.unwrap_or_default().split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let format = Self::of_bytes(bytes).or_else(|| Self::of_text(name, &told, bytes));
        let Some(format) = format else {
            return Err(Error::invalid("body", format!("must be {TAKEN}")));
        };
        let is_text = |format| !matches!(format, DocumentFormat::Pdf | DocumentFormat::Docx);
        let agrees = ANYTHING.contains(&&*told)
            || told == format.media_type()
            || (is_text(format) && told.starts_with("text/"))
            || (format == DocumentFormat::Docx && told == "application/zip");
        if !agrees {
            let is = format.media_type();
            let message = format!(
                "says {:?}, and the file is {is}; send application/octet-stream to leave it open",
                head(&told, 100)
            );
            return Err(Error::invalid("Content-Type", message));
        }
        Ok(format)
    }

    /// By the first bytes, as the formats lay them down. Whether an archive is a document is found out when it is opened.
    fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..PDF_MARK_WITHIN).unwrap_or(bytes);
        if head.windows(5).any(|window| window == b"%PDF-") && !is_text(bytes) || head.starts_with(b"%PDF-") {
            return Some(DocumentFormat::Pdf);
        }
        bytes.starts_with(b"PK\x03\x04").then_some(DocumentFormat::Docx)
    }

    fn of_text(name: &str, told: &str, bytes: &[u8]) -> Option<Self> {
        if !is_text(bytes) {
            return None;
        }
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_lowercase()).unwrap_or_default();
        Some(match ending.as_str() {
            "md" | "markdown" => DocumentFormat::Markdown,
            "html" | "htm" | "xhtml" => DocumentFormat::Html,
            "csv" | "tsv" => DocumentFormat::Csv,
            "txt" | "text" | "log" => DocumentFormat::Text,
            _ => match told {
                "text/markdown" => DocumentFormat::Markdown,
                "text/html" | "application/xhtml+xml" => DocumentFormat::Html,
                "text/csv" => DocumentFormat::Csv,
                _ => DocumentFormat::Text,
            },
        })
    }
}

fn is_text(bytes: &[u8]) -> bool {
    !bytes.contains(&0) && std::str::from_utf8(bytes).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bytes_decide_then_the_name_then_what_is_said() {
        let pdf = b"%PDF-1.7\n\xe2\xe3".as_slice();
        for (name, told, bytes, is) in [
            ("a.pdf", None, pdf, DocumentFormat::Pdf),
            ("a.txt", Some("application/octet-stream"), pdf, DocumentFormat::Pdf),
            ("a", Some("application/pdf"), b"\xff junk %PDF-1.4", DocumentFormat::Pdf),
            ("a.docx", None, b"PK\x03\x04...", DocumentFormat::Docx),
            ("A.MD", None, b"# x", DocumentFormat::Markdown),
            ("a.htm", Some("text/plain"), b"<p>x", DocumentFormat::Html),
            ("a", Some("text/csv; charset=utf-8"), b"a,b", DocumentFormat::Csv),
            ("notes", None, "é".as_bytes(), DocumentFormat::Text),
            ("about.txt", None, b"A file begins with %PDF-1.7", DocumentFormat::Text),
        ] {
            assert_eq!(DocumentFormat::of(name, told, bytes).unwrap(), is, "{name} {told:?}");
        }
    }

    #[test]
    fn a_lie_is_refused_with_what_would_be_right() {
        let pdf = b"%PDF-1.7".as_slice();
        let too_large = vec![b'a'; MAX_SIZE + 1];
        for (told, bytes, says) in [
            (Some("image/png"), pdf, "says \"image/png\", and the file is application/pdf"),
            (Some("application/pdf"), b"text".as_slice(), "the file is text/plain"),
            (Some("application/zip"), pdf, "the file is application/pdf"),
            (None, b"\x89PNG\r\n\x1a\n\0", "must be a text in UTF-8 (txt, md, html, csv), a PDF"),
            (None, b"\xff\xfe", "must be a text in UTF-8"),
            (None, b"", "must not be empty"),
            (None, &too_large, "must have at most 26214400 bytes, and has 26214401"),
        ] {
            let error = DocumentFormat::of("a", told, bytes).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
        let long = format!("application/{}", "x".repeat(1000));
        assert!(DocumentFormat::of("a", Some(&long), pdf).unwrap_err().to_string().len() < 300);
    }
}
