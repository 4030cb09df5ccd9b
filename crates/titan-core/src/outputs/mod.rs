//! Outputs: what runs made, read, compared (`versions`), and decided on by a person (`review`), with what comes of a yes (`approval`).

mod approval;
mod review;
mod versions;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::page::Page;
use crate::state::Review;
use crate::{Error, Result};

pub use approval::{Approval, approve};
pub use review::{Decision, Reviewed, review};
pub use versions::{Comparison, MOST_COMPARED, Rejection, compare, rejections, versions};

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Output {
    pub id: Uuid,
    pub project_id: Uuid,
    pub task_id: Uuid,
    pub run_id: Uuid,
    pub name: String,
    /// `text`, `file`, `code`, `image` or `link`.
    pub kind: String,
    pub media_type: String,
    /// Bytes.
    pub size: i64,
    /// Lowercase hex; null for a link.
    pub sha256: Option<String>,
    /// Set for a link.
    pub uri: Option<String>,
    pub review: Review,
    pub comment: Option<String>,
    pub reviewed_at: Option<DateTime<Utc>>,
    pub created_at: DateTime<Utc>,
    /// The first 4000 characters of a text.
    pub preview: Option<String>,
}

impl Output {
    /// Whether it shows what a run changed in the project's files.
    fn is_of_files(&self) -> bool {
        self.media_type.starts_with("text/x-diff")
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    project_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    task_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    media_type: String,
    #[diesel(sql_type = BigInt)]
    size: i64,
    #[diesel(sql_type = Nullable<Binary>)]
    sha256: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Text>)]
    uri: Option<String>,
    #[diesel(sql_type = Text)]
    review: Review,
    #[diesel(sql_type = Nullable<Text>)]
    comment: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    reviewed_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    preview: Option<String>,
}

impl From<Row> for Output {
    fn from(row: Row) -> Self {
        Output {
            id: row.id,
            project_id: row.project_id,
            task_id: row.task_id,
            run_id: row.run_id,
            name: row.name,
            kind: row.kind,
            media_type: row.media_type,
            size: row.size,
            sha256: row.sha256.as_deref().map(crate::text::hex),
            uri: row.uri,
            review: row.review,
            comment: row.comment,
            reviewed_at: row.reviewed_at,
            created_at: row.created_at,
            preview: row.preview,
        }
    }
}

const SELECT: &str = "SELECT o.id, o.project_id, o.task_id, o.run_id, o.name, o.kind, o.media_type, o.size, o.sha256, o.uri, \
     o.review, o.comment, o.reviewed_at, o.created_at, o.preview \
     FROM outputs o JOIN projects p ON p.id = o.project_id AND p.deleted_at IS NULL";

/// # Errors
/// [`Error::NotFound`] also when its project was deleted.
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Output> {
    let rows: Vec<Row> = sql_query(format!("{SELECT} WHERE o.id = $1")).bind::<SqlUuid, _>(id).load(connection)?;
    rows.into_iter().next().map(Output::from).ok_or(Error::NotFound("output", id))
}

/// The outputs of a project, the newest first.
///
/// # Errors
/// [`Error::NotFound`] for the project; a cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    project_id: Uuid,
    review: Option<Review>,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Output>> {
    let limit = crate::page::limit(limit)?;
    crate::projects::exists(connection, project_id)?;
    let rows: Vec<Row> = sql_query(format!(
        "{SELECT} WHERE o.project_id = $1 AND ($2 IS NULL OR o.review = $2) AND ($3 IS NULL OR o.id < $3) \
         ORDER BY o.id DESC LIMIT $4"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<Text>, _>(review)
    .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(rows, limit, |row| row.id.to_string()).map(Output::from))
}

/// What a run made, in order.
///
/// # Errors
/// When the database does not answer.
pub fn of_run(connection: &mut PgConnection, run_id: Uuid) -> Result<Vec<Output>> {
    let rows: Vec<Row> = sql_query(format!("{SELECT} WHERE o.run_id = $1 ORDER BY o.id LIMIT 1000"))
        .bind::<SqlUuid, _>(run_id)
        .load(connection)?;
    Ok(rows.into_iter().map(Output::from).collect())
}
