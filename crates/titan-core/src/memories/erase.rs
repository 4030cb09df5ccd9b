//! Erasing: what a project remembers, or what is remembered about a person, there or everywhere.

use std::collections::BTreeMap;

use diesel::sql_types::{BigInt, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::MAX_NAME;
use crate::projects::checked_text;
use crate::{Error, Result};

/// Rows of one statement, so that none runs into its timeout.
const BATCH: i64 = 5_000;

/// How many there were, by their projects.
pub type Erased = BTreeMap<Uuid, usize>;

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    project_id: Uuid,
}

/// Without a project, in all of them, deleted ones included; without a person, everything. About a person is what has their name,
/// as a word or words of its own and in any case, in its text or in what it says it is about. What was searched for goes too, and
/// so do the summaries of the conversations that it came from, whatever they call the person: they are made again from the
/// messages, which stay.
///
/// # Errors
/// [`Error::NotFound`] for a project that never was; a name that is wrong; neither a project nor a person.
pub fn erase(connection: &mut PgConnection, project_id: Option<Uuid>, person: Option<&str>) -> Result<Erased> {
    let person = person.map(|person| checked_text("person", person, MAX_NAME)).transpose()?;
    match project_id {
        Some(id) => crate::projects::was_created(connection, id)?,
        None if person.is_none() => return Err(Error::invalid("person", "must name whose memories are to be erased")),
        None => {}
    }
    let pattern = person.as_deref().map(as_words);
    let mut erased = Erased::new();
    loop {
        // In the order in which runs write them, so that neither waits for the other in a circle. One statement, so that no
        // summary outlives what it tells of.
        let rows: Vec<Row> = sql_query(
            "WITH gone AS (DELETE FROM memories WHERE id IN (SELECT id FROM memories WHERE ($1 IS NULL OR project_id = $1) \
               AND ($2 IS NULL OR person ~* $2 OR content ~* $2) \
               ORDER BY project_id, scope, coalesce(agent, ''), fingerprint LIMIT $3 FOR UPDATE) RETURNING project_id), \
             untold AS (DELETE FROM conversation_summaries WHERE project_id IN (SELECT project_id FROM gone) \
               OR CASE WHEN $1 IS NULL THEN content ~* $2 ELSE project_id = $1 END) \
             SELECT project_id FROM gone",
        )
        .bind::<Nullable<SqlUuid>, _>(project_id)
        .bind::<Nullable<Text>, _>(pattern.as_deref())
        .bind::<BigInt, _>(BATCH)
        .load(connection)?;
        for row in &rows {
            *erased.entry(row.project_id).or_default() += 1;
        }
        if i64::try_from(rows.len()).unwrap_or(0) < BATCH {
            break;
        }
    }
    sql_query("DELETE FROM query_embeddings").execute(connection)?;
    Ok(erased)
}

/// A regular expression of Postgres for the name between the ends of words. Whatever is no letter or digit stands for itself.
pub(crate) fn as_words(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || c.is_whitespace() || !c.is_ascii();
    let escaped: String = name.chars().map(|c| if plain(c) { c.to_string() } else { format!("\\{c}") }).collect();
    let spaced = escaped.split_whitespace().collect::<Vec<_>>().join("\\s+");
    format!("(^|[^[:alnum:]]){spaced}($|[^[:alnum:]])")
}
