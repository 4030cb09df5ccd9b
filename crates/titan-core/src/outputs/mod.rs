//! Outputs: what runs made, read, and decided on by a person.

pub mod blobs;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::page::Page;
use crate::queue::Hint;
use crate::state::{Level, Review};
use crate::{Error, Result};

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

/// The bytes of an output; `None` for a link.
///
/// # Errors
/// [`Error::NotFound`], or bytes that are not whole.
pub fn content(connection: &mut PgConnection, output: &Output) -> Result<Option<Vec<u8>>> {
    match &output.sha256 {
        None => Ok(None),
        Some(hex) => blobs::read(connection, hex, output.size).map(Some),
    }
}

/// Records what a person decided, once. The same decision again changes nothing; the other one is refused. The event goes
/// to the run, which may long have ended: its events go on, its status does not change.
///
/// # Errors
/// [`Error::NotFound`], [`Error::AlreadyDecided`], or a comment that is too long.
pub fn review(
    connection: &mut PgConnection,
    id: Uuid,
    decision: Review,
    comment: Option<&str>,
) -> Result<(Output, Vec<Hint>)> {
    let comment = comment.map(str::trim).filter(|text| !text.is_empty());
    let comment = comment.map(|text| crate::projects::checked_text("comment", text, 4000)).transpose()?;
    connection.transaction(|connection| {
        let seen = get(connection, id)?;
        // The run first: the one lock order.
        sql_query("SELECT 1 FROM runs WHERE id = $1 FOR NO KEY UPDATE")
            .bind::<SqlUuid, _>(seen.run_id)
            .execute(connection)?;
        let output = get(connection, id)?;
        if output.review == decision {
            return Ok((output, Vec::new()));
        }
        if output.review != Review::Pending {
            return Err(Error::AlreadyDecided(output.review.as_str()));
        }
        sql_query("UPDATE outputs SET review = $2, comment = $3, reviewed_at = clock_timestamp() WHERE id = $1")
            .bind::<SqlUuid, _>(id)
            .bind::<Text, _>(decision)
            .bind::<Nullable<Text>, _>(&comment)
            .execute(connection)?;
        let seq = append_decision(connection, &output, decision, comment.as_deref())?;
        let hints = vec![
            Hint::Run { id: output.run_id, project_id: output.project_id, seq, ended: true },
            Hint::change("output", id, output.project_id),
        ];
        Ok((get(connection, id)?, hints))
    })
}

fn append_decision(
    connection: &mut PgConnection,
    output: &Output,
    decision: Review,
    comment: Option<&str>,
) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        seq: i64,
    }
    let line = match comment {
        Some(comment) => format!("Output {} {decision}: {comment}", output.name),
        None => format!("Output {} {decision}", output.name),
    };
    let row: Row = sql_query(
        "WITH run AS (UPDATE runs SET last_seq = last_seq + 1 WHERE id = $1 RETURNING id, last_seq, project_id, task_id) \
         INSERT INTO run_events (run_id, seq, project_id, task_id, kind, level, message, data) \
         SELECT id, last_seq, project_id, task_id, $2, $3, $4, $5 FROM run RETURNING seq",
    )
    .bind::<SqlUuid, _>(output.run_id)
    .bind::<Text, _>(format!("output.{decision}"))
    .bind::<Text, _>(Level::Info)
    .bind::<Text, _>(line)
    .bind::<diesel::sql_types::Jsonb, _>(json!({"output_id": output.id, "comment": comment}))
    .get_result(connection)?;
    Ok(row.seq)
}
