//! A person gives a project a file. One transaction stores it and has it read.

use diesel::sql_types::{BigInt, Binary, Text, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::format::DocumentFormat;
use super::reading::read_later;
use super::{Document, MOST, get};
use crate::blobs::{self, Blob};
use crate::engine::IdempotencyKey;
use crate::text::file_name;
use crate::{Error, Result, idempotency, owned, queue};

/// A file that may be taken.
#[derive(Debug, Clone)]
pub struct NewDocument {
    name: String,
    format: DocumentFormat,
    /// To be put where blobs are kept before it is created.
    pub content: Blob,
}

impl NewDocument {
    /// What is said of its media type must agree with the bytes.
    ///
    /// # Errors
    /// [`Error::Invalid`] for a file that is not taken.
    pub fn checked(name: &str, media_type: Option<&str>, content: Blob) -> Result<Self> {
        let name = file_name(name)?;
        let format = DocumentFormat::of(&name, media_type, content.bytes())?;
        Ok(NewDocument { name, format, content })
    }
}

/// The flag says whether the key had been seen before.
///
/// # Errors
/// [`Error::NotFound`] for the project, too many of them, the key's misuse.
pub fn create(
    connection: &mut PgConnection,
    project_id: Uuid,
    new: &NewDocument,
    key: Option<&IdempotencyKey>,
) -> Result<(Document, bool)> {
    let (id, replayed) = connection.transaction(|connection| {
        crate::projects::exists(connection, project_id)?;
        let (id, replayed) = idempotency::claim_one(connection, key)?;
        if replayed {
            return Ok((id, true));
        }
        owned::refuse_more(connection, "documents", project_id, 1, MOST)?;
        blobs::store(connection, &[&new.content])?;
        sql_query(
            "INSERT INTO documents (id, project_id, name, format, media_type, size, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(project_id)
        .bind::<Text, _>(&new.name)
        .bind::<Text, _>(new.format)
        .bind::<Text, _>(new.format.media_type())
        .bind::<BigInt, _>(new.content.size())
        .bind::<Binary, _>(new.content.sha256())
        .execute(connection)?;
        queue::enqueue(connection, &[read_later(id, project_id)])?;
        Ok::<_, Error>((id, false))
    })?;
    Ok((get(connection, id)?, replayed))
}
