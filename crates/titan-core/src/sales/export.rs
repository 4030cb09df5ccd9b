//! Leads as a table. A spreadsheet takes a cell that begins with certain signs for a formula and runs it, so such a cell gets
//! an apostrophe in front (OWASP, "CSV Injection"); the import takes it away again.

use diesel::PgConnection;
use uuid::Uuid;

use super::currency::written;
use super::{Lead, leads};
use crate::{Error, Result};

const HEADER: [&str; 9] = ["name", "company", "email", "phone", "source", "stage", "value", "currency", "created_at"];
const FORMULAS: [char; 6] = ['=', '+', '-', '@', '\t', '\r'];

/// All leads of a project, the oldest first, with a header that the import knows.
///
/// # Errors
/// [`Error::NotFound`] for the project.
pub fn export(connection: &mut PgConnection, project_id: Uuid) -> Result<Vec<u8>> {
    crate::projects::exists(connection, project_id)?;
    table(&leads::all(connection, project_id)?)
}

fn table(leads: &[Lead]) -> Result<Vec<u8>> {
    let failed = |why: String| Error::Internal(format!("the table could not be written: {why}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(HEADER).map_err(|error| failed(error.to_string()))?;
    for lead in leads {
        let or_empty = |text: &Option<String>| text.clone().unwrap_or_default();
        let value = lead.value.zip(lead.currency.as_deref()).map(|(value, currency)| written(value, currency));
        let cells = [
            lead.name.clone(),
            or_empty(&lead.company),
            or_empty(&lead.email),
            or_empty(&lead.phone),
            or_empty(&lead.source),
            lead.stage.to_string(),
            value.unwrap_or_default(),
            or_empty(&lead.currency),
            lead.created_at.to_rfc3339_opts(chrono::SecondsFormat::Secs, true),
        ];
        writer.write_record(cells.iter().map(|cell| guarded(cell))).map_err(|error| failed(error.to_string()))?;
    }
    writer.into_inner().map_err(|error| failed(error.to_string()))
}

/// A cell that no spreadsheet runs.
fn guarded(cell: &str) -> String {
    if cell.starts_with(FORMULAS) { format!("'{cell}") } else { cell.to_owned() }
}

/// What stood in a cell before it was guarded.
pub(super) fn bare(cell: &str) -> &str {
    cell.strip_prefix('\'').filter(|rest| rest.starts_with(FORMULAS)).unwrap_or(cell)
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use proptest::prelude::*;

    use super::super::LeadStage;
    use super::*;

    #[test]
    fn what_a_spreadsheet_would_run_is_text() {
        let lead = Lead {
            id: Uuid::nil(),
            project_id: Uuid::nil(),
            name: "=HYPERLINK(\"http://evil.example\",\"x\")".to_owned(),
            company: Some("@SUM(A1)".to_owned()),
            email: None,
            phone: Some("+49 30 1".to_owned()),
            source: Some("-2+3".to_owned()),
            stage: LeadStage::New,
            stage_at: DateTime::UNIX_EPOCH,
            offer_id: None,
            value: Some(123_450),
            currency: Some("EUR".to_owned()),
            notes: 0,
            created_at: DateTime::UNIX_EPOCH,
            updated_at: DateTime::UNIX_EPOCH,
        };
        let table = String::from_utf8(table(&[lead]).unwrap()).unwrap();
        let row = "\"'=HYPERLINK(\"\"http://evil.example\"\",\"\"x\"\")\",'@SUM(A1),,'+49 30 1,'-2+3,new,1234.50,EUR,1970-01-01T00:00:00Z\n";
        assert_eq!(table.lines().nth(1).unwrap(), row.trim_end());
    }

    proptest! {
        #[test]
        fn no_cell_begins_like_a_formula_and_none_is_lost(cell in "[=+@\t\r'a-]{0,6}") {
            let guarded = guarded(&cell);
            prop_assert!(!guarded.starts_with(FORMULAS));
            // A cell that stood there with its apostrophe loses it: nobody can tell the two apart.
            prop_assert!(bare(&guarded) == cell || cell.starts_with('\''));
        }
    }
}
