//! What holds for people wherever they are written down, as contacts or as leads: how they are reached, and that they can be
//! erased.

use diesel::sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::memories::{MAX_NAME, as_words};
use crate::projects::checked_text;
use crate::{Error, Result};

/// Bytes of an e-mail address (RFC 5321, 4.5.3.1) and of the part before the `@`.
const MAX_EMAIL: usize = 254;
const MAX_LOCAL: usize = 64;
const MAX_PHONE: usize = 50;

/// A text that may be missing; an empty one is.
pub(crate) fn optional(field: &'static str, text: Option<&str>, most: usize) -> Result<Option<String>> {
    let text = text.map(str::trim).filter(|text| !text.is_empty());
    text.map(|text| checked_text(field, text, most)).transpose()
}

/// An address that mail could go to; whether somebody reads it is known to nobody.
pub(crate) fn email(given: Option<&str>) -> Result<Option<String>> {
    let Some(email) = optional("email", given, MAX_EMAIL)? else { return Ok(None) };
    let wrong = |c: char| c.is_whitespace() || c.is_control() || "<>()[]\\,;:\"".contains(c);
    let fits = email.split_once('@').is_some_and(|(local, domain)| {
        let dotted = |part: &str| !part.starts_with('.') && !part.ends_with('.') && !part.contains("..");
        let filled = !local.is_empty() && !domain.is_empty() && !domain.contains('@');
        filled && local.len() <= MAX_LOCAL && dotted(local) && dotted(domain)
    });
    if !fits || email.len() > MAX_EMAIL || email.contains(wrong) {
        return Err(Error::invalid("email", "must be one address such as ida@example.com"));
    }
    Ok(Some(email))
}

/// Digits, and what people write between them.
pub(crate) fn phone(given: Option<&str>) -> Result<Option<String>> {
    let Some(phone) = optional("phone", given, MAX_PHONE)? else { return Ok(None) };
    let known = |c: char| c.is_ascii_digit() || " +-./()#*x".contains(c);
    if !phone.chars().all(known) || !phone.contains(|c: char| c.is_ascii_digit()) {
        return Err(Error::invalid("phone", "must be a number such as +49 30 1234567"));
    }
    Ok(Some(phone))
}

/// How many were erased.
#[derive(Debug, Clone, Copy, PartialEq, Eq, QueryableByName)]
pub struct ErasedPeople {
    #[diesel(sql_type = BigInt)]
    pub contacts: i64,
    #[diesel(sql_type = BigInt)]
    pub leads: i64,
}

/// Erases the contacts and leads with this name, as a word or words of its own and in any case, in one project or in all,
/// deleted ones included. Notes of others that name the person go too: the whole note of a lead, and the notes of a contact.
///
/// # Errors
/// A name that is wrong, or when the database does not answer.
pub fn erase(connection: &mut PgConnection, project_id: Option<Uuid>, person: &str) -> Result<ErasedPeople> {
    let pattern = as_words(&checked_text("person", person, MAX_NAME)?);
    connection.transaction(|connection| {
        for sql in [
            "UPDATE contacts SET notes = NULL, updated_at = now() WHERE ($1 IS NULL OR project_id = $1) AND notes ~* $2",
            "DELETE FROM lead_notes n USING leads l WHERE l.id = n.lead_id AND ($1 IS NULL OR l.project_id = $1) \
             AND n.content ~* $2",
        ] {
            sql_query(sql)
                .bind::<Nullable<SqlUuid>, _>(project_id)
                .bind::<Text, _>(&pattern)
                .execute(connection)?;
        }
        Ok(sql_query(
            "WITH c AS (DELETE FROM contacts WHERE ($1 IS NULL OR project_id = $1) AND name ~* $2 RETURNING id), \
             l AS (DELETE FROM leads WHERE ($1 IS NULL OR project_id = $1) AND name ~* $2 RETURNING id) \
             SELECT (SELECT count(*) FROM c) AS contacts, (SELECT count(*) FROM l) AS leads",
        )
        .bind::<Nullable<SqlUuid>, _>(project_id)
        .bind::<Text, _>(&pattern)
        .get_result(connection)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_two_parts_and_nothing_around_it() {
        for right in ["ida@example.com", "i.d+a@sub.example.co", "ïda@exämple.de", "a@b"] {
            assert_eq!(email(Some(right)).unwrap().as_deref(), Some(right));
        }
        let long = format!("{}@example.com", "x".repeat(65));
        for wrong in
            ["ida", "@example.com", "ida@", "a@b@c", "Ida <ida@example.com>", "a b@c", "a@b,c@d", ".a@b", &long]
        {
            assert!(email(Some(wrong)).is_err(), "{wrong}");
        }
        assert_eq!(email(Some("  ")).unwrap(), None);
    }

    #[test]
    fn a_number_has_digits() {
        assert_eq!(phone(Some(" +49 (30) 12-34/56 ")).unwrap().as_deref(), Some("+49 (30) 12-34/56"));
        for wrong in ["call me", "+", "12; 34"] {
            assert!(phone(Some(wrong)).is_err(), "{wrong}");
        }
    }
}
