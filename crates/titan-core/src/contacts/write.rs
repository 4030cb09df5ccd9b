//! A person writes a contact down, changes it, or takes it away.

use diesel::sql_types::{Array, Nullable, Text, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::{Contact, MAX_NOTES, MAX_TAG, MAX_TAGS, MOST, get};
use crate::engine::IdempotencyKey;
use crate::people::{email, optional, phone};
use crate::projects::checked_text;
use crate::{Error, Result, idempotency, owned};

const MAX: usize = 200;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct NewContact {
    pub name: String,
    pub role: Option<String>,
    pub email: Option<String>,
    pub phone: Option<String>,
    pub organisation: Option<String>,
    pub notes: Option<String>,
    pub tags: Vec<String>,
}

/// What is not given stays. The inner `None` takes away what may be missing.
#[derive(Debug, Clone, Default)]
pub struct ContactEdit {
    pub name: Option<String>,
    pub role: Option<Option<String>>,
    pub email: Option<Option<String>>,
    pub phone: Option<Option<String>>,
    pub organisation: Option<Option<String>>,
    pub notes: Option<Option<String>>,
    pub tags: Option<Vec<String>>,
}

impl NewContact {
    fn checked(&self) -> Result<Self> {
        Ok(NewContact {
            name: checked_text("name", &self.name, MAX)?,
            role: optional("role", self.role.as_deref(), MAX)?,
            email: email(self.email.as_deref())?,
            phone: phone(self.phone.as_deref())?,
            organisation: optional("organisation", self.organisation.as_deref(), MAX)?,
            notes: optional("notes", self.notes.as_deref(), MAX_NOTES)?,
            tags: checked_tags(&self.tags)?,
        })
    }

    fn edited(now: Contact, edit: ContactEdit) -> Self {
        NewContact {
            name: edit.name.unwrap_or(now.name),
            role: edit.role.unwrap_or(now.role),
            email: edit.email.unwrap_or(now.email),
            phone: edit.phone.unwrap_or(now.phone),
            organisation: edit.organisation.unwrap_or(now.organisation),
            notes: edit.notes.unwrap_or(now.notes),
            tags: edit.tags.unwrap_or(now.tags),
        }
    }
}

/// Lowercase, each once, in their order.
fn checked_tags(tags: &[String]) -> Result<Vec<String>> {
    let mut kept: Vec<String> = Vec::new();
    for tag in tags {
        let tag = checked_text("tags", tag, MAX_TAG)?.to_lowercase();
        if !kept.contains(&tag) {
            kept.push(tag);
        }
        // At once, since each is compared with all before it.
        if kept.len() > MAX_TAGS {
            return Err(Error::invalid("tags", format!("must be at most {MAX_TAGS} different ones")));
        }
    }
    Ok(kept)
}

/// The flag says whether the key had been seen before.
///
/// # Errors
/// [`Error::NotFound`] for the project, a field that is wrong, too many of them, the key's misuse.
pub fn create(
    connection: &mut PgConnection,
    project_id: Uuid,
    new: &NewContact,
    key: Option<&IdempotencyKey>,
) -> Result<(Contact, bool)> {
    let new = new.checked()?;
    let (id, replayed) = connection.transaction(|connection| {
        crate::projects::exists(connection, project_id)?;
        let (id, replayed) = idempotency::claim_one(connection, key)?;
        if replayed {
            return Ok((id, true));
        }
        owned::refuse_more(connection, "contacts", project_id, 1, MOST)?;
        sql_query(
            "INSERT INTO contacts (id, project_id, name, role, email, phone, organisation, notes, tags) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(project_id)
        .bind::<Text, _>(&new.name)
        .bind::<Nullable<Text>, _>(&new.role)
        .bind::<Nullable<Text>, _>(&new.email)
        .bind::<Nullable<Text>, _>(&new.phone)
        .bind::<Nullable<Text>, _>(&new.organisation)
        .bind::<Nullable<Text>, _>(&new.notes)
        .bind::<Array<Text>, _>(&new.tags)
        .execute(connection)?;
        Ok::<_, Error>((id, false))
    })?;
    Ok((get(connection, id)?, replayed))
}

/// # Errors
/// [`Error::NotFound`], or a field that is wrong.
pub fn update(connection: &mut PgConnection, id: Uuid, edit: ContactEdit) -> Result<Contact> {
    connection.transaction(|connection| {
        // Nobody changes it in between.
        sql_query("SELECT FROM contacts WHERE id = $1 FOR UPDATE").bind::<SqlUuid, _>(id).execute(connection)?;
        let contact = NewContact::edited(get(connection, id)?, edit).checked()?;
        sql_query(
            "UPDATE contacts SET name = $2, role = $3, email = $4, phone = $5, organisation = $6, notes = $7, tags = $8, \
             updated_at = now() WHERE id = $1",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(&contact.name)
        .bind::<Nullable<Text>, _>(&contact.role)
        .bind::<Nullable<Text>, _>(&contact.email)
        .bind::<Nullable<Text>, _>(&contact.phone)
        .bind::<Nullable<Text>, _>(&contact.organisation)
        .bind::<Nullable<Text>, _>(&contact.notes)
        .bind::<Array<Text>, _>(&contact.tags)
        .execute(connection)?;
        get(connection, id)
    })
}

/// Tells whose it was.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(connection: &mut PgConnection, id: Uuid) -> Result<Uuid> {
    owned::delete(connection, "contacts", id)?.ok_or(Error::NotFound("contact", id))
}
