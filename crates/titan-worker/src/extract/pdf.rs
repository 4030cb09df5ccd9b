//! The text of a PDF, as far as it holds one: pictures of pages have none.

use pdf_extract::{ConvertToFmt, Document, PlainTextOutput, output_doc};

use super::{Kept, Unreadable};

/// Pages that are looked at.
const MOST_PAGES: usize = 5_000;

impl<'k> ConvertToFmt for &'k mut Kept {
    type Writer = &'k mut Kept;

    fn convert(self) -> Self::Writer {
        self
    }
}

pub(super) fn pdf(bytes: &[u8], kept: &mut Kept) -> Result<(), Unreadable> {
    let damaged = |why: &dyn std::fmt::Display| Unreadable::because(format!("it is damaged, or no PDF: {why}"));
    let mut document = Document::load_mem(bytes).map_err(|error| damaged(&error))?;
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err(Unreadable::because("it is locked with a password; give it without one"));
    }
    let pages = document.get_pages().len();
    if pages > MOST_PAGES {
        return Err(Unreadable::because(format!("it has {pages} pages, and at most {MOST_PAGES} are read")));
    }
    let read = output_doc(&document, &mut PlainTextOutput::new(&mut *kept));
    match read {
        Ok(()) => Ok(()),
        // The reader was told to stop.
        Err(_) if kept.is_full() => Ok(()),
        Err(error) => Err(damaged(&error)),
    }
}
