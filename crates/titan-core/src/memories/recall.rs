//! What a model is shown of all that is remembered: what is pinned, then what has to do with the question, then the newest.

use std::collections::HashSet;

use diesel::sql_types::{Array, BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::search::{Match, REACHED, Reach, by_meaning, by_words, fuse, of_ids};
use super::{COLUMNS, Embedding, Memory, THERE};
use crate::Result;
use crate::db::Prepare as _;
use crate::words::Words;

/// What a run asks its memory.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    pub project_id: Uuid,
    pub agent: &'a str,
    /// What the run is about.
    pub question: &'a str,
    pub embedding: Option<&'a Embedding>,
}

/// At most `limit` memories, the most important first.
///
/// # Errors
/// When the database does not answer.
pub fn recall(connection: &mut PgConnection, asked: &Asked<'_>, limit: usize) -> Result<Vec<Memory>> {
    let reach = Reach { project_id: asked.project_id, agent: Some(asked.agent) };
    let mut recalled = newest(connection, reach, "m.pinned", limit)?;
    let words = Words::in_text(asked.question).telling();
    let by_words = by_words(connection, reach, asked.question, &words, Match::Any)?;
    let by_meaning = asked.embedding.map_or(Ok(Vec::new()), |embedding| by_meaning(connection, reach, embedding))?;
    let fused: Vec<Uuid> = fuse(&by_words, &by_meaning).iter().take(limit).map(|found| found.id).collect();
    let mut found = of_ids(connection, fused.clone())?;
    recalled.extend(fused.iter().filter_map(|id| found.remove(id)));
    recalled.extend(newest(connection, reach, "true", limit)?);
    let mut seen = HashSet::new();
    recalled.retain(|memory| seen.insert(memory.id));
    recalled.truncate(limit);
    Ok(recalled)
}

/// `condition` is a constant of ours.
fn newest(connection: &mut PgConnection, reach: Reach<'_>, condition: &str, limit: usize) -> Result<Vec<Memory>> {
    let half = |which: &str| {
        format!("(SELECT {COLUMNS} {THERE} {REACHED} AND {which} AND {condition} ORDER BY m.id DESC LIMIT $3)")
    };
    let (own, global) = (half("m.project_id = $1"), half("m.scope = 'global' AND m.project_id <> $1"));
    Ok(sql_query(format!("{own} UNION ALL {global} ORDER BY id DESC LIMIT $3"))
        .bind::<SqlUuid, _>(reach.project_id)
        .bind::<Nullable<Text>, _>(reach.agent)
        .bind::<BigInt, _>(i64::try_from(limit).unwrap_or(i64::MAX))
        .prepared()
        .load(connection)?)
}

/// Counts that a model was shown them. One that somebody else is writing is not waited for, and not counted.
///
/// # Errors
/// When the database does not answer.
pub fn used(connection: &mut PgConnection, ids: &[Uuid]) -> Result<()> {
    sql_query(
        "UPDATE memories SET use_count = use_count + 1, used_at = now() \
         WHERE id IN (SELECT id FROM memories WHERE id = ANY ($1) FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Array<SqlUuid>, _>(ids)
    .execute(connection)?;
    Ok(())
}
