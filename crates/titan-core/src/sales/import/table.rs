//! A table as it was sent, read into leads, each with what is wrong with it.

use csv::{ReaderBuilder, StringRecord, Trim};

use super::super::currency::parsed;
use super::super::export::bare;
use super::super::leads::NO_CURRENCY;
use super::super::notes::MAX_NOTE;
use super::super::{LeadStage, NewLead};
use super::columns::{ImportColumn, LeadField, Mapping, columns};
use super::{ImportAction, ImportedRow, MAX_IMPORT, MAX_ROWS};
use crate::people::optional;
use crate::text::{delimiter, head};
use crate::{Error, Result};

/// Characters of what is shown of a row.
const SHOWN: usize = 200;

pub(super) struct Table {
    pub(super) columns: Vec<ImportColumn>,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    line: u64,
    name: String,
    email: Option<String>,
    pub(super) lead: std::result::Result<NewLead, String>,
    pub(super) note: Option<String>,
}

impl Row {
    /// By which it is known again.
    pub(super) fn address(&self) -> Option<String> {
        self.lead.as_ref().ok()?.email.as_deref().map(str::to_lowercase)
    }

    /// What is told of it as long as nothing else is known.
    pub(super) fn told(&self) -> ImportedRow {
        let (line, name, email) = (self.line, self.name.clone(), self.email.clone());
        ImportedRow { line, action: ImportAction::Refused, name, email, detail: None, lead_id: None }
    }
}

impl Table {
    /// # Errors
    /// [`Error::Invalid`] when it is no table with a header, or is too long.
    pub(super) fn read(csv: &[u8], mapping: &Mapping) -> Result<Self> {
        if csv.len() > MAX_IMPORT {
            let message = format!("must have at most {MAX_IMPORT} bytes, and has {}", csv.len());
            return Err(Error::invalid("body", message));
        }
        let text = std::str::from_utf8(csv.strip_prefix(b"\xef\xbb\xbf").unwrap_or(csv));
        let text = text.ok().filter(|text| !text.contains('\0'));
        let text = text.ok_or_else(|| {
            Error::invalid("body", "must be a table in UTF-8; a spreadsheet saves it as \"CSV UTF-8\"")
        })?;
        let mut reader =
            ReaderBuilder::new().delimiter(delimiter(text)).flexible(true).trim(Trim::All).from_reader(text.as_bytes());
        let wrong = |error: csv::Error| Error::invalid("body", format!("is not a table: {error}"));
        let headers: Vec<String> = reader.headers().map_err(wrong)?.iter().map(str::to_owned).collect();
        if headers.iter().all(String::is_empty) {
            return Err(Error::invalid("body", "must begin with a line that names the columns"));
        }
        let columns = columns(&headers, mapping)?;
        let mut rows = Vec::new();
        for record in reader.records() {
            let record = record.map_err(wrong)?;
            if rows.len() == MAX_ROWS {
                return Err(Error::invalid(
                    "body",
                    format!("must have at most {MAX_ROWS} rows; import the rest as another table"),
                ));
            }
            if !record.iter().all(str::is_empty) {
                rows.push(row(line(&record, text), &record, &columns));
            }
        }
        if rows.is_empty() {
            return Err(Error::invalid("body", "must have a row beneath the line that names the columns"));
        }
        Ok(Table { columns, rows })
    }
}

/// The line that a record begins on. The reader tells where it was before it passed over ends of lines.
fn line(record: &StringRecord, text: &str) -> u64 {
    let Some(position) = record.position() else { return 0 };
    let from = usize::try_from(position.byte()).ok().and_then(|at| text.as_bytes().get(at..)).unwrap_or_default();
    let passed = from.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).filter(|byte| **byte == b'\n').count();
    position.line() + passed as u64
}

fn row(line: u64, record: &StringRecord, columns: &[ImportColumn]) -> Row {
    let cell = |field: LeadField| {
        let place = columns.iter().position(|column| column.field == Some(field))?;
        record.get(place).map(bare).filter(|text| !text.is_empty())
    };
    let name = cell(LeadField::Name)
        .or_else(|| cell(LeadField::Company))
        .or_else(|| cell(LeadField::Email))
        .unwrap_or_default();
    let read = read(record, columns, name, &cell).map_err(|error| error.to_string());
    let (lead, note) = match read {
        Ok((lead, note)) => (Ok(lead), note),
        Err(why) => (Err(why), None),
    };
    let shown = |text: &str| head(text, SHOWN).to_owned();
    Row { line, name: shown(name), email: cell(LeadField::Email).map(shown), lead, note }
}

fn read<'r>(
    record: &StringRecord,
    columns: &[ImportColumn],
    name: &str,
    cell: &impl Fn(LeadField) -> Option<&'r str>,
) -> Result<(NewLead, Option<String>)> {
    if record.len() != columns.len() {
        let message = format!("it has {} cells, and the header has {}", record.len(), columns.len());
        return Err(Error::invalid("row", message));
    }
    if name.is_empty() {
        return Err(Error::invalid("name", "there is no name, company or e-mail"));
    }
    let owned = |field| cell(field).map(str::to_owned);
    let currency = owned(LeadField::Currency).map(|code| code.to_uppercase());
    let value = match (cell(LeadField::Value), currency.as_deref()) {
        // How many digits it may have is the currency's to say.
        (Some(_), None) => return Err(Error::invalid("currency", NO_CURRENCY)),
        (value, currency) => value.map(|value| parsed(value, currency.unwrap_or_default())).transpose()?,
    };
    let stage = cell(LeadField::Stage).map(|stage| stage.to_lowercase().parse::<LeadStage>()).transpose();
    let lead = NewLead {
        name: name.to_owned(),
        company: owned(LeadField::Company),
        email: owned(LeadField::Email),
        phone: owned(LeadField::Phone),
        source: owned(LeadField::Source),
        stage: stage.map_err(|why| Error::invalid("stage", why))?,
        offer_id: None,
        value,
        currency,
    };
    Ok((lead.checked()?, optional("note", cell(LeadField::Note), MAX_NOTE)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(csv: &str) -> Table {
        Table::read(csv.as_bytes(), &Mapping::new()).unwrap()
    }

    #[test]
    fn a_table_is_read_whatever_its_marks_are() {
        for csv in [
            "name,email,value,currency\nIda,ida@example.com,\"1,234.50\",eur\n",
            "\u{feff}Name;E-Mail;Wert;Währung\r\n Ida ;ida@example.com;1.234,50;EUR\r\n;;;\r\n",
            "name\temail\tvalue\tcurrency\nIda\tida@example.com\t1234.5\tEUR",
        ] {
            let table = table(csv);
            let lead = table.rows[0].lead.as_ref().unwrap();
            assert_eq!((lead.name.as_str(), lead.value, lead.currency.as_deref()), ("Ida", Some(123_450), Some("EUR")));
            assert_eq!((table.rows.len(), table.rows[0].line), (1, 2));
        }
    }

    #[test]
    fn each_row_says_what_is_wrong_with_it() {
        let csv = "name,email,stage,value,currency\nA,no address,,,\nB,,asleep,,\nC,,,12.50,\nD,,,12,XYZ\nE,,,1.234,EUR,more\n,,new,,\nF,,Won,,\n";
        let said: Vec<String> =
            table(csv).rows.iter().map(|row| row.lead.as_ref().err().cloned().unwrap_or_default()).collect();
        for (said, says) in said.iter().zip([
            "email: must be one address",
            "stage: must be one of new, contacted",
            "currency: is required with a value",
            "currency: must be a currency",
            "row: it has 6 cells, and the header has 5",
            "name: there is no name",
            "",
        ]) {
            assert!(said.starts_with(says), "{said}");
        }
        assert_eq!(said.len(), 7);
    }

    #[test]
    fn what_is_no_table_is_refused() {
        let refused = |csv: &[u8]| Table::read(csv, &Mapping::new()).err().unwrap().to_string();
        assert!(refused(b"").contains("must begin with a line that names the columns"));
        assert!(refused(b"name\n").contains("must have a row"));
        assert!(refused(b"n\xe4me\nx").contains("CSV UTF-8"));
        let long = format!("name\n{}", "x\n".repeat(MAX_ROWS + 1));
        assert!(refused(long.as_bytes()).contains("at most 5000 rows"));
        assert!(refused(&vec![b'x'; MAX_IMPORT + 1]).contains("at most 5242880 bytes"));
    }
}
