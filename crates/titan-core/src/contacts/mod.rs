//! Contacts: the people around a project, written down by a person. They are read and searched here, and written in `write`.

mod named;
mod write;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::page::Page;
use crate::words::Words;
use crate::{Error, Result};

pub use named::named;
pub use write::{ContactEdit, NewContact, create, delete, update};

/// Contacts of a project.
pub const MOST: i64 = 5_000;
pub const MAX_TAGS: usize = 20;
pub const MAX_TAG: usize = 50;
pub const MAX_NOTES: usize = 8_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, QueryableByName)]
pub struct Contact {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub project_id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    /// What the person is to the project.
    #[diesel(sql_type = Nullable<Text>)]
    pub role: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub email: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub phone: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub organisation: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    pub notes: Option<String>,
    /// Lowercase, each once.
    #[diesel(sql_type = Array<Text>)]
    pub tags: Vec<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

/// Which of them are listed; all, unless something is said.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Only those that have all of these words, or parts of words, anywhere.
    pub q: Option<String>,
    pub tag: Option<String>,
}

const SELECT: &str = "SELECT c.id, c.project_id, c.name, c.role, c.email, c.phone, c.organisation, c.notes, c.tags, c.created_at, \
     c.updated_at FROM contacts c JOIN projects p ON p.id = c.project_id AND p.deleted_at IS NULL";

/// # Errors
/// [`Error::NotFound`] also when its project was deleted.
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Contact> {
    let rows: Vec<Contact> = sql_query(format!("{SELECT} WHERE c.id = $1")).bind::<SqlUuid, _>(id).load(connection)?;
    rows.into_iter().next().ok_or(Error::NotFound("contact", id))
}

/// The newest first. A project has few enough of them to be read through for a search.
///
/// # Errors
/// [`Error::NotFound`] for the project; a filter, cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    project_id: Uuid,
    filter: &Filter,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Contact>> {
    let limit = crate::page::limit(limit)?;
    if filter.tag.as_deref().is_some_and(|tag| tag.contains('\0')) {
        return Err(Error::invalid("tag", "must not contain NUL characters"));
    }
    let words = filter.q.as_deref().map(Words::of).transpose()?;
    crate::projects::exists(connection, project_id)?;
    let rows: Vec<Contact> = sql_query(format!(
        "{SELECT} WHERE c.project_id = $1 AND ($2 IS NULL OR c.id < $2) AND ($3 IS NULL OR $3 = ANY (c.tags)) \
         AND ($4 IS NULL OR concat_ws(' ', c.name, c.role, c.email, c.phone, c.organisation, c.notes, \
           array_to_string(c.tags, ' ')) ILIKE ALL ($4)) \
         ORDER BY c.id DESC LIMIT $5"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
    .bind::<Nullable<Text>, _>(filter.tag.as_deref().map(|tag| tag.trim().to_lowercase()))
    .bind::<Nullable<Array<Text>>, _>(words.as_ref().map(Words::patterns))
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(rows, limit, |contact| contact.id.to_string()))
}
