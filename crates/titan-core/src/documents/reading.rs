//! How a document is read: by a job without a run, in a worker. What the worker says is believed while the document waits or
//! is being read, and twice the same changes nothing.

use std::time::Duration;

use diesel::sql_types::{Array, BigInt, Integer, SmallInt, Text, Uuid as SqlUuid};
use diesel::{Connection, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::json;
use uuid::Uuid;

use super::passages::passages;
use super::{Document, get};
use crate::queue::NewJob;
use crate::text::head;
use crate::{Error, Result};

/// The kind of the jobs.
pub const EXTRACT: &str = "extract";
/// A file that so many workers have begun and none has ended is not begun again: it may be what ended them.
const MOST_READINGS: i16 = 3;
/// How often a reading may fail through no fault of the file, before the document says so.
pub const MOST_ATTEMPTS: i16 = 3;
const LONGEST_REASON: usize = 1000;

pub(super) fn read_later(id: Uuid, project_id: Uuid) -> NewJob {
    NewJob {
        payload: Some(json!({"document_id": id})),
        key: Some(id.to_string()),
        project_id: Some(project_id),
        max_attempts: MOST_ATTEMPTS,
        timeout: Duration::from_secs(120),
        ..NewJob::new(EXTRACT)
    }
}

/// A document in a worker's hands, or why it is not.
#[derive(Debug, Clone)]
pub enum Begun {
    Read(Document),
    /// It was deleted, or has been read.
    Nothing,
    /// It has ended its workers before.
    GivenUp(Document),
}

/// # Errors
/// When the database does not answer.
pub fn begin(connection: &mut PgConnection, id: Uuid) -> Result<Begun> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SmallInt)]
        readings: i16,
    }
    let row: Option<Row> = sql_query(
        "UPDATE documents SET state = 'reading', readings = readings + 1, updated_at = now() \
         WHERE id = $1 AND state IN ('waiting', 'reading') RETURNING readings",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(connection)
    .optional()?;
    let document = match get(connection, id) {
        Err(Error::NotFound(..)) => return Ok(Begun::Nothing),
        document => document?,
    };
    match row {
        None => Ok(Begun::Nothing),
        Some(row) if row.readings > MOST_READINGS => {
            failed(connection, id, "the workers that began to read it ended before they were through")?;
            Ok(Begun::GivenUp(document))
        }
        Some(_) => Ok(Begun::Read(document)),
    }
}

/// Keeps its text, also when a worker that was taken for dead has said meanwhile that it waits. `left_out` is how many bytes of it are
/// not there.
///
/// # Errors
/// When the database does not answer.
pub fn ready(connection: &mut PgConnection, id: Uuid, text: &str, left_out: i64) -> Result<()> {
    // Postgres stores no NUL.
    let text = text.replace('\0', " ");
    let passages = passages(&text);
    connection.transaction(|connection| {
        let size = i64::try_from(text.len()).unwrap_or(i64::MAX);
        let changed = sql_query(
            "UPDATE documents SET state = 'ready', text_size = $2, left_out = $3, updated_at = now() \
             WHERE id = $1 AND state IN ('waiting', 'reading')",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<BigInt, _>(size)
        .bind::<BigInt, _>(left_out)
        .execute(connection)?;
        if changed == 0 {
            return Ok(());
        }
        sql_query(
            "INSERT INTO document_passages (document_id, passage, content, words) \
             SELECT $1, passage, content, to_tsvector('simple', content) FROM unnest($2, $3) AS new (passage, content)",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<Array<Integer>, _>((0..).take(passages.len()).collect::<Vec<i32>>())
        .bind::<Array<Text>, _>(&passages)
        .execute(connection)?;
        Ok(())
    })
}

/// It cannot be read, and why.
///
/// # Errors
/// When the database does not answer.
pub fn failed(connection: &mut PgConnection, id: Uuid, reason: &str) -> Result<()> {
    let reason = reason.replace('\0', " ");
    sql_query(
        "UPDATE documents SET state = 'failed', reason = $2, updated_at = now() WHERE id = $1 AND state IN ('waiting', 'reading')",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(head(&reason, LONGEST_REASON))
    .execute(connection)?;
    Ok(())
}

/// The worker could not come to it, through no fault of the document: this reading does not count.
///
/// # Errors
/// When the database does not answer.
pub fn try_again(connection: &mut PgConnection, id: Uuid) -> Result<()> {
    sql_query(
        "UPDATE documents SET state = 'waiting', readings = readings - 1, updated_at = now() WHERE id = $1 AND state = 'reading'",
    )
    .bind::<SqlUuid, _>(id)
    .execute(connection)?;
    Ok(())
}
