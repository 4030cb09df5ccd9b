//! Documents: files that people give a project, so that what stands in them is known. A file is taken in by `create`, read by
//! a worker (`reading`), and from then on found by its words (`search`).

mod create;
mod format;
mod passages;
mod reading;
mod search;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::page::Page;
use crate::state::text_enum;
use crate::{Error, Result, owned};

pub use create::{NewDocument, create};
pub use format::DocumentFormat;
pub use reading::{Begun, EXTRACT, MOST_ATTEMPTS, begin, failed, ready, try_again};
pub use search::{Found, MAX_HITS, matching, search};

/// Bytes of a file.
pub const MAX_SIZE: usize = 25 << 20;
/// Documents of a project.
pub const MOST: i64 = 500;
/// Bytes of the text that are kept.
pub const MAX_TEXT: usize = 2 << 20;
/// Characters of the preview.
const PREVIEW: i64 = 600;

text_enum! {
    /// How far it is read.
    DocumentState { Waiting = "waiting", Reading = "reading", Ready = "ready", Failed = "failed" }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Document {
    pub id: Uuid,
    pub project_id: Uuid,
    pub name: String,
    pub format: DocumentFormat,
    pub media_type: String,
    /// Bytes of the file.
    pub size: i64,
    /// Of the file, in lowercase hex.
    pub sha256: String,
    pub state: DocumentState,
    /// Why it could not be read; set when it has failed.
    pub reason: Option<String>,
    /// Bytes of the text that is searched; set when it is ready.
    pub text_size: Option<i64>,
    /// Bytes of the text that are not searched, because it is longer than 2 MiB.
    pub left_out: Option<i64>,
    /// How the text begins.
    pub preview: Option<String>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    project_id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    format: DocumentFormat,
    #[diesel(sql_type = Text)]
    media_type: String,
    #[diesel(sql_type = BigInt)]
    size: i64,
    #[diesel(sql_type = Binary)]
    sha256: Vec<u8>,
    #[diesel(sql_type = Text)]
    state: DocumentState,
    #[diesel(sql_type = Nullable<Text>)]
    reason: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    text_size: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    left_out: Option<i64>,
    #[diesel(sql_type = Nullable<Text>)]
    preview: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

impl From<Row> for Document {
    fn from(row: Row) -> Self {
        Document {
            id: row.id,
            project_id: row.project_id,
            name: row.name,
            format: row.format,
            media_type: row.media_type,
            size: row.size,
            sha256: crate::text::hex(&row.sha256),
            state: row.state,
            reason: row.reason,
            text_size: row.text_size,
            left_out: row.left_out,
            preview: row.preview,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

fn select() -> String {
    format!(
        "SELECT d.id, d.project_id, d.name, d.format, d.media_type, d.size, d.sha256, d.state, d.reason, d.text_size, d.left_out, \
         (SELECT left(content, {PREVIEW}) FROM document_passages WHERE document_id = d.id AND passage = 0) AS preview, \
         d.created_at, d.updated_at FROM documents d JOIN projects p ON p.id = d.project_id AND p.deleted_at IS NULL"
    )
}

/// # Errors
/// [`Error::NotFound`] also when its project was deleted.
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Document> {
    let rows: Vec<Row> = sql_query(format!("{} WHERE d.id = $1", select())).bind::<SqlUuid, _>(id).load(connection)?;
    rows.into_iter().next().map(Document::from).ok_or(Error::NotFound("document", id))
}

/// The newest first.
///
/// # Errors
/// [`Error::NotFound`] for the project; a cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    project_id: Uuid,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Document>> {
    let limit = crate::page::limit(limit)?;
    crate::projects::exists(connection, project_id)?;
    let rows: Vec<Row> = sql_query(format!(
        "{} WHERE d.project_id = $1 AND ($2 IS NULL OR d.id < $2) ORDER BY d.id DESC LIMIT $3",
        select()
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(rows, limit, |row| row.id.to_string()).map(Document::from))
}

/// Takes it away with its text, and tells whose it was. Its bytes stay among the blobs until those that nobody names are
/// collected.
///
/// # Errors
/// [`Error::NotFound`].
pub fn delete(connection: &mut PgConnection, id: Uuid) -> Result<Uuid> {
    owned::delete(connection, "documents", id)?.ok_or(Error::NotFound("document", id))
}
