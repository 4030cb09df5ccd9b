//! Notes on a lead: what was said, and when.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Lead, MOST_NOTES, lead};
use crate::engine::IdempotencyKey;
use crate::page::Page;
use crate::projects::checked_text;
use crate::{Error, Result, idempotency};

pub(super) const MAX_NOTE: usize = 4000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, QueryableByName)]
pub struct LeadNote {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub lead_id: Uuid,
    #[diesel(sql_type = Text)]
    pub content: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// The newest first.
///
/// # Errors
/// [`Error::NotFound`] for the lead; a cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    lead_id: Uuid,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<LeadNote>> {
    let limit = crate::page::limit(limit)?;
    lead(connection, lead_id)?;
    let rows: Vec<LeadNote> = sql_query(
        "SELECT id, lead_id, content, created_at FROM lead_notes WHERE lead_id = $1 AND ($2 IS NULL OR id < $2) \
         ORDER BY id DESC LIMIT $3",
    )
    .bind::<SqlUuid, _>(lead_id)
    .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(rows, limit, |note| note.id.to_string()))
}

/// Answers the note, the lead that it is about, and whether the key had been seen before.
///
/// # Errors
/// [`Error::NotFound`] for the lead, a text that is wrong, too many of them, the key's misuse.
pub fn add(
    connection: &mut PgConnection,
    lead_id: Uuid,
    content: &str,
    key: Option<&IdempotencyKey>,
) -> Result<(LeadNote, Lead, bool)> {
    let content = checked_text("content", content, MAX_NOTE)?;
    connection.transaction(|connection| {
        let had = lead(connection, lead_id)?;
        let (id, replayed) = idempotency::claim_one(connection, key)?;
        if !replayed {
            if had.notes >= MOST_NOTES {
                return Err(Error::Conflict(too_many()));
            }
            insert(connection, &[(id, lead_id, content)])?;
        }
        let note: Option<LeadNote> = sql_query("SELECT id, lead_id, content, created_at FROM lead_notes WHERE id = $1")
            .bind::<SqlUuid, _>(id)
            .get_result(connection)
            .optional()?;
        let note = note.ok_or(Error::NotFound("note", id))?;
        Ok((note, lead(connection, lead_id)?, replayed))
    })
}

pub(super) fn too_many() -> String {
    format!("a lead has at most {MOST_NOTES} notes; delete some first")
}

/// New ones, each with its id and its lead; they were checked.
pub(super) fn insert(connection: &mut PgConnection, new: &[(Uuid, Uuid, String)]) -> Result<()> {
    use diesel::sql_types::Array;
    sql_query("INSERT INTO lead_notes (id, lead_id, content) SELECT * FROM unnest($1, $2, $3)")
        .bind::<Array<SqlUuid>, _>(new.iter().map(|note| note.0).collect::<Vec<_>>())
        .bind::<Array<SqlUuid>, _>(new.iter().map(|note| note.1).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(new.iter().map(|note| note.2.as_str()).collect::<Vec<_>>())
        .execute(connection)?;
    Ok(())
}

/// Takes it away and tells of which lead it was.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(connection: &mut PgConnection, id: Uuid) -> Result<Lead> {
    #[derive(QueryableByName)]
    struct Gone {
        #[diesel(sql_type = SqlUuid)]
        lead_id: Uuid,
    }
    connection.transaction(|connection| {
        let gone: Option<Gone> = sql_query("DELETE FROM lead_notes WHERE id = $1 RETURNING lead_id")
            .bind::<SqlUuid, _>(id)
            .get_result(connection)
            .optional()?;
        let gone = gone.ok_or(Error::NotFound("note", id))?;
        lead(connection, gone.lead_id)
    })
}
