//! Files that a message brings along: sent first, then named by the task's payload. The bytes never stand in a payload.

mod media;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Binary, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::engine::IdempotencyKey;
use crate::text::file_name;
use crate::{Error, Result, idempotency};

/// Bytes of one file, and of all files of a message.
pub const MAX_SIZE: usize = 5 << 20;
pub const MAX_TOTAL: i64 = 20 << 20;
/// Files of a message.
pub const MOST: usize = 8;
/// Files of a project that were sent and not used yet.
const MOST_UNUSED: i64 = 64;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema, QueryableByName)]
pub struct Attachment {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub media_type: String,
    /// Bytes.
    #[diesel(sql_type = BigInt)]
    pub size: i64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

#[derive(Debug, Clone)]
pub struct NewAttachment {
    pub name: String,
    /// Found out from the bytes when it is not given.
    pub media_type: Option<String>,
    pub bytes: Vec<u8>,
}

/// Stores a file. The flag says whether the key had been seen before.
///
/// # Errors
/// [`Error::NotFound`] for the project, a file that cannot be attached, too many that wait, the key's misuse.
pub fn create(
    connection: &mut PgConnection,
    project_id: Uuid,
    new: &NewAttachment,
    key: Option<&IdempotencyKey>,
) -> Result<(Attachment, bool)> {
    let name = file_name(&new.name)?;
    let media_type = media::checked(new.media_type.as_deref(), &new.bytes)?;
    let (id, replayed) = connection.transaction(|connection| {
        crate::projects::exists(connection, project_id)?;
        let (id, replayed) = idempotency::claim_one(connection, key)?;
        if replayed {
            return Ok((id, true));
        }
        check_unused(connection, project_id)?;
        sql_query(
            "INSERT INTO attachments (id, project_id, name, media_type, size, data) VALUES ($1, $2, $3, $4, octet_length($5), $5)",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(project_id)
        .bind::<Text, _>(&name)
        .bind::<Text, _>(&media_type)
        .bind::<Binary, _>(&new.bytes)
        .execute(connection)?;
        Ok::<_, Error>((id, false))
    })?;
    Ok((get(connection, id)?, replayed))
}

fn check_unused(connection: &mut PgConnection, project_id: Uuid) -> Result<()> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        unused: i64,
    }
    let row: Row = sql_query("SELECT count(*) AS unused FROM attachments WHERE project_id = $1 AND used_at IS NULL")
        .bind::<SqlUuid, _>(project_id)
        .get_result(connection)?;
    if row.unused >= MOST_UNUSED {
        let reason = format!(
            "{MOST_UNUSED} files of this project wait to be sent with a message; those are forgotten after a day"
        );
        return Err(Error::Conflict(reason));
    }
    Ok(())
}

const SELECT: &str = "SELECT a.id, a.name, a.media_type, a.size, a.created_at \
     FROM attachments a JOIN projects p ON p.id = a.project_id AND p.deleted_at IS NULL";

/// # Errors
/// [`Error::NotFound`] also when its project was deleted.
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Attachment> {
    let rows: Vec<Attachment> =
        sql_query(format!("{SELECT} WHERE a.id = $1")).bind::<SqlUuid, _>(id).load(connection)?;
    rows.into_iter().next().ok_or(Error::NotFound("attachment", id))
}

/// The bytes of one.
///
/// # Errors
/// [`Error::NotFound`].
pub fn content(connection: &mut PgConnection, id: Uuid) -> Result<Vec<u8>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Binary)]
        data: Vec<u8>,
    }
    let rows: Vec<Row> =
        sql_query("SELECT data FROM attachments WHERE id = $1").bind::<SqlUuid, _>(id).load(connection)?;
    rows.into_iter().next().map(|row| row.data).ok_or(Error::NotFound("attachment", id))
}

/// Those that a payload names, in its order, as far as they are of the project.
///
/// # Errors
/// When the database does not answer.
pub fn named(connection: &mut PgConnection, project_id: Uuid, payload: &Value) -> Result<Vec<Attachment>> {
    let ids = ids_in(payload)?;
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut found: Vec<Attachment> = sql_query(format!("{SELECT} WHERE a.project_id = $1 AND a.id = ANY($2)"))
        .bind::<SqlUuid, _>(project_id)
        .bind::<Array<SqlUuid>, _>(&ids)
        .load(connection)?;
    found.sort_by_key(|attachment| ids.iter().position(|id| *id == attachment.id));
    Ok(found)
}

/// Sees to it that a message may bring along those that it names, and that they are not forgotten while it is submitted. Only a
/// message that was taken marks them as used.
///
/// # Errors
/// [`Error::Invalid`] when one is not there, or all together are too large.
pub fn take(connection: &mut PgConnection, project_id: Uuid, payload: &Value) -> Result<()> {
    connection.transaction(|connection| {
        let ids = ids_in(payload)?;
        lock(connection, &ids)?;
        let found = named(connection, project_id, payload)?;
        if let Some(id) = ids.iter().find(|id| !found.iter().any(|attachment| attachment.id == **id)) {
            let message =
                format!("there is no attachment {id} in this project; send it first, and within a day of its use");
            return Err(Error::invalid(FIELD, message));
        }
        let total: i64 = found.iter().map(|attachment| attachment.size).sum();
        if total > MAX_TOTAL {
            let message = format!("must have at most {MAX_TOTAL} bytes together, and have {total}");
            return Err(Error::invalid(FIELD, message));
        }
        sql_query("UPDATE attachments SET asked_at = now() WHERE id = ANY($1) AND used_at IS NULL")
            .bind::<Array<SqlUuid>, _>(&ids)
            .execute(connection)?;
        Ok(())
    })
}

/// In one order everywhere, so that two messages with the same files wait for each other and no more.
fn lock(connection: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sql_query("SELECT FROM attachments WHERE id = ANY($1) AND used_at IS NULL ORDER BY id FOR UPDATE")
        .bind::<Array<SqlUuid>, _>(ids)
        .execute(connection)?;
    Ok(())
}

/// Marks those that the payloads of new tasks name as used, so that they stay.
pub(crate) fn used<'p>(connection: &mut PgConnection, payloads: impl Iterator<Item = &'p Value>) -> Result<()> {
    let ids: Vec<Uuid> = payloads.flat_map(|payload| ids_in(payload).unwrap_or_default()).collect();
    if ids.is_empty() {
        return Ok(());
    }
    lock(connection, &ids)?;
    sql_query("UPDATE attachments SET used_at = now() WHERE id = ANY($1) AND used_at IS NULL")
        .bind::<Array<SqlUuid>, _>(&ids)
        .execute(connection)?;
    Ok(())
}

const FIELD: &str = "payload.attachments";

/// The ids that a payload names.
///
/// # Errors
/// [`Error::Invalid`] when they are no ids, too many, or one is there twice.
pub fn ids_in(payload: &Value) -> Result<Vec<Uuid>> {
    let given = match payload.get("attachments") {
        None | Some(Value::Null) => return Ok(Vec::new()),
        Some(Value::Array(given)) => given,
        Some(_) => return Err(Error::invalid(FIELD, "must be a list of ids")),
    };
    if given.len() > MOST {
        return Err(Error::invalid(FIELD, format!("must be at most {MOST}, and are {}", given.len())));
    }
    let mut ids: Vec<Uuid> = Vec::new();
    for id in given {
        let id = id.as_str().filter(|id| id.len() == 36).and_then(|id| id.parse().ok());
        match id {
            Some(id) if !ids.contains(&id) => ids.push(id),
            Some(_) => return Err(Error::invalid(FIELD, "must not name one twice")),
            None => return Err(Error::invalid(FIELD, "must be ids, as sending a file answers them")),
        }
    }
    Ok(ids)
}
