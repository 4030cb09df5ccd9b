//! Which column of a table is what: as somebody says, else as its header is usually called.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::state::text_enum;
use crate::text::head;
use crate::{Error, Result};

text_enum! {
    /// What a column can be taken for.
    LeadField {
        Name = "name", Company = "company", Email = "email", Phone = "phone", Source = "source", Stage = "stage",
        Value = "value", Currency = "currency", Note = "note",
    }
}

/// Instead of a header: the field is not read at all.
const NOT_READ: &str = "-";

/// The header of the column that a field is to be read from, or `NOT_READ`.
pub type Mapping = BTreeMap<LeadField, String>;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ImportColumn {
    /// Its header.
    pub header: String,
    /// What it is read as; null when it is left out.
    pub field: Option<LeadField>,
}

/// What headers are usually called, without case, spaces and marks.
const USUAL: [(LeadField, &[&str]); 9] = [
    (LeadField::Name, &["name", "fullname", "contact", "contactname", "person", "lead", "leadname", "ansprechpartner"]),
    (
        LeadField::Company,
        &["company", "companyname", "organisation", "organization", "account", "firma", "unternehmen"],
    ),
    (LeadField::Email, &["email", "emailaddress", "mail", "emailadresse"]),
    (LeadField::Phone, &["phone", "phonenumber", "telephone", "tel", "mobile", "telefon", "handy"]),
    (LeadField::Source, &["source", "leadsource", "origin", "channel", "quelle"]),
    (LeadField::Stage, &["stage", "status", "leadstatus", "phase"]),
    (LeadField::Value, &["value", "amount", "dealvalue", "wert", "betrag"]),
    (LeadField::Currency, &["currency", "währung", "waehrung"]),
    (LeadField::Note, &["note", "notes", "comment", "comments", "remark", "notiz", "notizen", "bemerkung"]),
];

/// # Errors
/// [`Error::Invalid`] when a header is named that is not there, or nothing says who a lead is.
pub(super) fn columns(headers: &[String], mapping: &Mapping) -> Result<Vec<ImportColumn>> {
    let mut columns: Vec<ImportColumn> =
        headers.iter().map(|header| ImportColumn { header: header.clone(), field: None }).collect();
    let shown =
        || headers.iter().take(30).map(|header| format!("{:?}", head(header, 50))).collect::<Vec<_>>().join(", ");
    for (field, header) in mapping.iter().filter(|(_, header)| header.as_str() != NOT_READ) {
        let named = columns.iter_mut().find(|column| column.header.trim() == header.trim() && column.field.is_none());
        let Some(column) = named else {
            let message = format!("there is no column {:?} that is free; there are {}", head(header, 50), shown());
            return Err(Error::invalid(field.as_str(), message));
        };
        column.field = Some(*field);
    }
    for (field, usual) in USUAL.into_iter().filter(|(field, _)| !mapping.contains_key(field)) {
        let called =
            |column: &&mut ImportColumn| column.field.is_none() && usual.contains(&plain(&column.header).as_str());
        if let Some(column) = columns.iter_mut().find(called) {
            column.field = Some(field);
        }
    }
    let says_who = [LeadField::Name, LeadField::Company, LeadField::Email];
    if columns.iter().any(|column| column.field.is_some_and(|field| says_who.contains(&field))) {
        return Ok(columns);
    }
    let message = format!(
        "must have a column with a name, a company or an e-mail; say which it is, with ?name= and its header. There are {}",
        shown()
    );
    Err(Error::invalid("body", message))
}

fn plain(header: &str) -> String {
    header.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(headers: &[&str], mapping: &[(LeadField, &str)]) -> Result<Vec<Option<LeadField>>> {
        let headers: Vec<String> = headers.iter().map(|header| (*header).to_owned()).collect();
        let mapping = mapping.iter().map(|(field, header)| (*field, (*header).to_owned())).collect();
        Ok(columns(&headers, &mapping)?.into_iter().map(|column| column.field).collect())
    }

    #[test]
    fn usual_headers_are_known_and_what_is_said_comes_first() {
        let guessed = found(&["Full Name", "E-Mail", "Firma", "Status", "Shoe size"], &[]).unwrap();
        assert_eq!(
            guessed,
            [Some(LeadField::Name), Some(LeadField::Email), Some(LeadField::Company), Some(LeadField::Stage), None]
        );
        let said = found(&["Name", "Who"], &[(LeadField::Name, "Who")]).unwrap();
        assert_eq!(said, [None, Some(LeadField::Name)]);
        assert_eq!(found(&["name", "mail"], &[(LeadField::Email, "-")]).unwrap(), [Some(LeadField::Name), None]);
        assert_eq!(found(&["mail", "mail"], &[]).unwrap(), [Some(LeadField::Email), None]);
    }

    #[test]
    fn what_cannot_be_is_said() {
        let missing = found(&["Name"], &[(LeadField::Email, "Mail")]).unwrap_err().to_string();
        assert_eq!(missing, "email: there is no column \"Mail\" that is free; there are \"Name\"");
        let nobody = found(&["Shoe size"], &[]).unwrap_err().to_string();
        assert!(nobody.starts_with("body: must have a column with a name"), "{nobody}");
    }
}
