//! Who called what of `/api/ops`, and what they were answered. A call is written down before anything is done for it.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::page::{self, Page};
use crate::text::head;
use crate::{Error, Result};

/// Characters of an address that are kept.
const LONGEST_PATH: usize = 500;

/// A call that has come in.
#[derive(Debug, Clone)]
pub struct NewCall {
    pub request_id: Uuid,
    pub actor: Option<String>,
    pub method: String,
    pub path: String,
    pub peer: Option<String>,
}

/// A call and its answer. Without a status it was not answered: its server ended before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, QueryableByName)]
pub struct AuditEntry {
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    #[diesel(sql_type = SqlUuid)]
    pub request_id: Uuid,
    /// `token`, `local`, or null for somebody who is not known.
    #[diesel(sql_type = Nullable<Text>)]
    pub actor: Option<String>,
    #[diesel(sql_type = Text)]
    pub method: String,
    #[diesel(sql_type = Text)]
    pub path: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub peer: Option<String>,
    #[diesel(sql_type = Nullable<SmallInt>)]
    pub status: Option<i16>,
    /// That of the error, if it was one.
    #[diesel(sql_type = Nullable<Text>)]
    pub code: Option<String>,
}

/// Writes down a call and gives its number, for the answer.
///
/// # Errors
/// When the database does not answer; nothing is to be done for the call then.
pub fn called(connection: &mut PgConnection, call: &NewCall) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let row: Row = sql_query(
        "INSERT INTO ops_audit (request_id, actor, method, path, peer) VALUES ($1, $2, $3, $4, $5) RETURNING id",
    )
    .bind::<SqlUuid, _>(call.request_id)
    .bind::<Nullable<Text>, _>(call.actor.as_deref())
    .bind::<Text, _>(head(&call.method, 20))
    .bind::<Text, _>(head(&call.path, LONGEST_PATH))
    .bind::<Nullable<Text>, _>(call.peer.as_deref().map(|peer| head(peer, 100)))
    .get_result(connection)?;
    Ok(row.id)
}

/// Writes down the answer to a call, once.
///
/// # Errors
/// When the database does not answer.
pub fn answered(connection: &mut PgConnection, id: i64, status: u16, code: Option<&str>) -> Result<()> {
    let status = i16::try_from(status).map_err(|_| Error::Internal(format!("{status} is no status")))?;
    sql_query(
        "INSERT INTO ops_audit (call_id, request_id, actor, method, path, peer, status, code) \
         SELECT id, request_id, actor, method, path, peer, $2, $3 FROM ops_audit WHERE id = $1 ON CONFLICT DO NOTHING",
    )
    .bind::<BigInt, _>(id)
    .bind::<SmallInt, _>(status)
    .bind::<Nullable<Text>, _>(code)
    .execute(connection)?;
    Ok(())
}

/// The newest first.
///
/// # Errors
/// A cursor or limit that is wrong.
pub fn list(connection: &mut PgConnection, limit: Option<i64>, cursor: Option<&str>) -> Result<Page<AuditEntry>> {
    let limit = page::limit(limit)?;
    let wrong = |_| Error::invalid("cursor", "must be the next_cursor of an earlier answer");
    let before: Option<i64> = cursor.map(|cursor| cursor.parse().map_err(wrong)).transpose()?;
    let rows: Vec<AuditEntry> = sql_query(
        "SELECT c.id, c.at, c.request_id, c.actor, c.method, c.path, c.peer, a.status, a.code \
         FROM ops_audit c LEFT JOIN ops_audit a ON a.call_id = c.id \
         WHERE c.call_id IS NULL AND ($1 IS NULL OR c.id < $1) ORDER BY c.id DESC LIMIT $2",
    )
    .bind::<Nullable<BigInt>, _>(before)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(rows, limit, |row| row.id.to_string()))
}
