//! The conversation of a project, read. Messages are written by the engine: the question when a task is submitted, the
//! answer when its step is done.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Result;
use crate::db::Prepare as _;
use crate::page::Page;

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Message {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub project_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub task_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub run_id: Option<Uuid>,
    /// `user` or `assistant`.
    #[diesel(sql_type = Text)]
    pub role: String,
    #[diesel(sql_type = Text)]
    pub content: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[serde(skip)]
    #[diesel(sql_type = BigInt)]
    ordinal: i64,
}

/// The latest messages, oldest first within the page; the cursor leads to the page before it.
///
/// # Errors
/// [`crate::Error::NotFound`] for the project; a cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    project_id: Uuid,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Message>> {
    let limit = crate::page::limit(limit)?;
    crate::projects::exists(connection, project_id)?;
    let rows = before(connection, project_id, crate::page::parse_cursor::<i64>(cursor)?, limit + 1)?;
    let mut page = Page::of(rows, limit, |message| message.ordinal.to_string());
    page.items.reverse();
    Ok(page)
}

/// The last messages of a project that do not belong to this task, oldest first: what a model is shown as history.
///
/// # Errors
/// When the database does not answer.
pub fn history(connection: &mut PgConnection, project_id: Uuid, task_id: Uuid, limit: i64) -> Result<Vec<Message>> {
    let mut rows: Vec<Message> = sql_query(
        "SELECT id, project_id, task_id, run_id, role, content, created_at, ordinal FROM messages \
         WHERE project_id = $1 AND task_id <> $2 ORDER BY ordinal DESC LIMIT $3",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<SqlUuid, _>(task_id)
    .bind::<BigInt, _>(limit)
    .prepared()
    .load(connection)?;
    rows.reverse();
    Ok(rows)
}

/// The answer that a run gave, if it has.
///
/// # Errors
/// When the database does not answer.
pub fn answer(connection: &mut PgConnection, run_id: Uuid) -> Result<Option<Message>> {
    let rows: Vec<Message> = sql_query(
        "SELECT id, project_id, task_id, run_id, role, content, created_at, ordinal FROM messages \
         WHERE run_id = $1 AND role = 'assistant'",
    )
    .bind::<SqlUuid, _>(run_id)
    .load(connection)?;
    Ok(rows.into_iter().next())
}

fn before(connection: &mut PgConnection, project_id: Uuid, ordinal: Option<i64>, limit: i64) -> Result<Vec<Message>> {
    Ok(sql_query(
        "SELECT id, project_id, task_id, run_id, role, content, created_at, ordinal FROM messages \
         WHERE project_id = $1 AND ($2 IS NULL OR ordinal < $2) ORDER BY ordinal DESC LIMIT $3",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<BigInt>, _>(ordinal)
    .bind::<BigInt, _>(limit)
    .load(connection)?)
}
