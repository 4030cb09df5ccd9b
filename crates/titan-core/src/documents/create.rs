//! A person gives a project a file. One transaction stores it and has it read.

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Binary, Text, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::format::DocumentFormat;
use super::reading::read_later;
use super::{Document, MOST, get};
use crate::engine::IdempotencyKey;
use crate::outputs::blobs;
use crate::text::file_name;
use crate::{Error, Result, idempotency, owned, queue};

#[derive(Debug, Clone)]
pub struct NewDocument {
    pub name: String,
    /// As the sender says; it must agree with the bytes.
    pub media_type: Option<String>,
    pub bytes: Vec<u8>,
}

/// The flag says whether the key had been seen before.
///
/// # Errors
/// [`Error::NotFound`] for the project, a file that is not taken, too many of them, the key's misuse.
pub fn create(
    connection: &mut PgConnection,
    project_id: Uuid,
    new: NewDocument,
    key: Option<&IdempotencyKey>,
) -> Result<(Document, bool)> {
    let name = file_name(&new.name)?;
    let format = DocumentFormat::of(&name, new.media_type.as_deref(), &new.bytes)?;
    let size = i64::try_from(new.bytes.len()).unwrap_or(i64::MAX);
    let sha256 = Sha256::digest(&new.bytes).to_vec();
    let (id, replayed) = connection.transaction(|connection| {
        crate::projects::exists(connection, project_id)?;
        let (id, replayed) = idempotency::claim_one(connection, key)?;
        if replayed {
            return Ok((id, true));
        }
        owned::refuse_more(connection, "documents", project_id, 1, MOST)?;
        blobs::store(connection, &BTreeMap::from([(sha256.clone(), new.bytes)]))?;
        sql_query(
            "INSERT INTO documents (id, project_id, name, format, media_type, size, sha256) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(project_id)
        .bind::<Text, _>(&name)
        .bind::<Text, _>(format)
        .bind::<Text, _>(format.media_type())
        .bind::<BigInt, _>(size)
        .bind::<Binary, _>(&sha256)
        .execute(connection)?;
        queue::enqueue(connection, &[read_later(id, project_id)])?;
        Ok::<_, Error>((id, false))
    })?;
    Ok((get(connection, id)?, replayed))
}
