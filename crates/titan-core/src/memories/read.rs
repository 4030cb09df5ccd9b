//! One memory, and the list that people see.

use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::search::READ_THROUGH;
use super::{COLUMNS, Memory, MemoryScope, THERE};
use crate::db::Prepare as _;
use crate::page::Page;
use crate::words::Words;
use crate::{Error, Result};

/// Which of them are listed; all, unless something is said.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    pub scope: Option<MemoryScope>,
    /// Only what has all of these words, or words that begin so.
    pub q: Option<String>,
    pub pinned: Option<bool>,
}

/// # Errors
/// [`Error::NotFound`] also when it has expired or its project was deleted.
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Memory> {
    let rows: Vec<Memory> =
        sql_query(format!("SELECT {COLUMNS} {THERE} AND m.id = $1")).bind::<SqlUuid, _>(id).load(connection)?;
    rows.into_iter().next().ok_or(Error::NotFound("memory", id))
}

/// What the runs of a project may be shown, whatever their agent: its own and the global ones of all projects. The newest first.
///
/// # Errors
/// [`Error::NotFound`] for the project; a filter, cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    project_id: Uuid,
    filter: &Filter,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Memory>> {
    let limit = crate::page::limit(limit)?;
    let words = filter.q.as_deref().map(Words::of).transpose()?;
    crate::projects::exists(connection, project_id)?;
    // Each half walks an index backwards and stops at the limit.
    let half = |which: &str| {
        format!(
            "(SELECT {COLUMNS} {THERE} AND {which} AND ($2 IS NULL OR m.id < $2) AND ($4 IS NULL OR m.scope = $4) \
             AND ($5 IS NULL OR m.pinned = $5) AND ($6 IS NULL OR CASE WHEN m.words IS NOT NULL \
               THEN m.words @@ (plainto_tsquery('simple', $6) || to_tsquery('simple', $7)) \
               ELSE m.id > (SELECT id FROM oldest) AND m.content ILIKE ALL ($8) END) \
             ORDER BY m.id DESC LIMIT $3)"
        )
    };
    let (own, global) = (half("m.project_id = $1"), half("m.scope = 'global' AND m.project_id <> $1"));
    // What is in no index is read through among the newest only.
    let oldest = "WITH oldest AS (SELECT coalesce((SELECT id FROM memories WHERE project_id = $1 AND $6 IS NOT NULL ORDER BY id DESC \
         OFFSET $9 LIMIT 1), '00000000-0000-0000-0000-000000000000') AS id)";
    let rows = sql_query(format!("{oldest} {own} UNION ALL {global} ORDER BY id DESC LIMIT $3"))
        .bind::<SqlUuid, _>(project_id)
        .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
        .bind::<BigInt, _>(limit + 1)
        .bind::<Nullable<Text>, _>(filter.scope)
        .bind::<Nullable<Bool>, _>(filter.pinned)
        .bind::<Nullable<Text>, _>(filter.q.as_deref())
        .bind::<Text, _>(words.as_ref().map(Words::all).unwrap_or_default())
        .bind::<Array<Text>, _>(words.as_ref().map(Words::patterns).unwrap_or_default())
        .bind::<BigInt, _>(READ_THROUGH)
        .prepared()
        .load(connection)?;
    Ok(Page::of(rows, limit, |memory: &Memory| memory.id.to_string()))
}
