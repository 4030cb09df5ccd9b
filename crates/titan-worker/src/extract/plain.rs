//! Files that are text already: as they are, or a table row by row.

use csv::ReaderBuilder;
use titan_core::text::delimiter;

use super::{Kept, Unreadable};

pub(super) fn utf8(bytes: &[u8]) -> Result<&str, Unreadable> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    std::str::from_utf8(bytes).map_err(|_| Unreadable::because("it is not text in UTF-8"))
}

pub(super) fn text(bytes: &[u8], kept: &mut Kept) -> Result<(), Unreadable> {
    kept.push(utf8(bytes)?);
    Ok(())
}

/// A line for each row, its cells apart.
pub(super) fn csv(bytes: &[u8], kept: &mut Kept) -> Result<(), Unreadable> {
    let text = utf8(bytes)?;
    let mut reader =
        ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).has_headers(false).from_reader(text.as_bytes());
    for record in reader.records() {
        let record = record.map_err(|error| Unreadable::because(format!("it is not a table: {error}")))?;
        kept.push(&record.iter().map(str::trim).collect::<Vec<_>>().join(" | "));
        kept.push("\n");
        if kept.is_full() {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_read_row_by_row() {
        let mut kept = Kept::default();
        csv("\u{feff}name;price\nTea;\"3,50\"\n".as_bytes(), &mut kept).unwrap();
        assert_eq!(kept.text().text, "name | price\nTea | 3,50\n");
    }
}
