//! Memories: facts that a project keeps.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Prepare as _;
use crate::engine::IdempotencyKey;
use crate::idempotency::{self, Claimed};
use crate::page::Page;
use crate::{Error, Result, ids};

pub const MAX_CONTENT: usize = 8000;

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Memory {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub project_id: Uuid,
    #[diesel(sql_type = Text)]
    pub scope: String,
    #[diesel(sql_type = Text)]
    pub content: String,
    /// The run that it came from; null when a person wrote it.
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub source_run_id: Option<Uuid>,
    #[diesel(sql_type = Double)]
    pub confidence: f64,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

const SELECT: &str = "SELECT m.id, m.project_id, m.scope, m.content, m.source_run_id, m.confidence, m.created_at \
     FROM memories m JOIN projects p ON p.id = m.project_id AND p.deleted_at IS NULL";

/// # Errors
/// [`Error::NotFound`] also when its project was deleted.
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Memory> {
    let rows: Vec<Memory> = sql_query(format!("{SELECT} WHERE m.id = $1")).bind::<SqlUuid, _>(id).load(connection)?;
    rows.into_iter().next().ok_or(Error::NotFound("memory", id))
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
) -> Result<Page<Memory>> {
    let limit = crate::page::limit(limit)?;
    crate::projects::exists(connection, project_id)?;
    let rows = sql_query(format!(
        "{SELECT} WHERE m.project_id = $1 AND ($2 IS NULL OR m.id < $2) ORDER BY m.id DESC LIMIT $3"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
    .bind::<BigInt, _>(limit + 1)
    .prepared()
    .load(connection)?;
    Ok(Page::of(rows, limit, |memory: &Memory| memory.id.to_string()))
}

/// A person writes one down. The flag says whether the key had been seen before.
///
/// # Errors
/// [`Error::NotFound`] for the project, a field that is wrong, the key's misuse.
pub fn create(
    connection: &mut PgConnection,
    project_id: Uuid,
    content: &str,
    scope: Option<&str>,
    key: Option<&IdempotencyKey>,
) -> Result<(Memory, bool)> {
    let content = crate::projects::checked_text("content", content, MAX_CONTENT)?;
    let scope = scope.unwrap_or("project");
    if !["project", "agent", "global"].contains(&scope) {
        return Err(Error::invalid("scope", format!("must be one of project, agent, global, and is {scope:?}")));
    }
    let (id, replayed) = connection.transaction(|connection| {
        crate::projects::exists(connection, project_id)?;
        let id = match key {
            None => ids::new(),
            Some(key) => match idempotency::claim(connection, &[(0, key)])?.remove(&0) {
                Some(Claimed::First { id }) => id,
                Some(Claimed::Replay { id }) => return Ok((id, true)),
                Some(Claimed::Reused) => return Err(Error::KeyReused),
                None => return Err(Error::Internal("the idempotency key was not written".to_owned())),
            },
        };
        sql_query("INSERT INTO memories (id, project_id, scope, content) VALUES ($1, $2, $3, $4)")
            .bind::<SqlUuid, _>(id)
            .bind::<SqlUuid, _>(project_id)
            .bind::<Text, _>(scope)
            .bind::<Text, _>(&content)
            .execute(connection)?;
        Ok::<_, Error>((id, false))
    })?;
    Ok((get(connection, id)?, replayed))
}

/// Forgets one, and says of which project it was.
///
/// # Errors
/// [`Error::NotFound`] when it is not there.
pub fn delete(connection: &mut PgConnection, id: Uuid) -> Result<Uuid> {
    let memory = get(connection, id)?;
    sql_query("DELETE FROM memories WHERE id = $1").bind::<SqlUuid, _>(id).execute(connection)?;
    Ok(memory.project_id)
}
