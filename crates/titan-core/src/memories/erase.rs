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

/// Without a project, in all of them; without a person, everything. About a person is what names them as such, and what has their name
/// in its text as a word or words of its own, in any case. What was searched for goes too, and
/// the summaries of conversations that tell of it; the messages stay.
///
/// # Errors
/// [`Error::NotFound`] for the project; a name that is wrong; neither a project nor a person.
pub fn erase(connection: &mut PgConnection, project_id: Option<Uuid>, person: Option<&str>) -> Result<Erased> {
    let person = person.map(|person| checked_text("person", person, MAX_NAME)).transpose()?;
    match project_id {
        Some(id) => crate::projects::exists(connection, id)?,
        None if person.is_none() => return Err(Error::invalid("person", "must name whose memories are to be erased")),
        None => {}
    }
    let pattern = person.as_deref().map(as_words);
    let mut erased = Erased::new();
    loop {
        // In the order in which runs write them, so that neither waits for the other in a circle.
        let rows: Vec<Row> = sql_query(
            "DELETE FROM memories WHERE id IN (SELECT id FROM memories WHERE ($1 IS NULL OR project_id = $1) \
               AND ($2 IS NULL OR lower(person) = lower($2) OR content ~* $3) \
               ORDER BY project_id, scope, coalesce(agent, ''), fingerprint LIMIT $4 FOR UPDATE) RETURNING project_id",
        )
        .bind::<Nullable<SqlUuid>, _>(project_id)
        .bind::<Nullable<Text>, _>(person.as_deref())
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
    // Notes of a conversation, made again from its messages when they are needed.
    sql_query(
        "DELETE FROM conversation_summaries WHERE ($1 IS NULL OR project_id = $1) AND ($2 IS NULL OR content ~* $2)",
    )
    .bind::<Nullable<SqlUuid>, _>(project_id)
    .bind::<Nullable<Text>, _>(pattern.as_deref())
    .execute(connection)?;
    Ok(erased)
}

/// A regular expression of Postgres for the name between the ends of words. Whatever is no letter or digit stands for itself.
fn as_words(name: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || c.is_whitespace() || !c.is_ascii();
    let escaped: String = name.chars().map(|c| if plain(c) { c.to_string() } else { format!("\\{c}") }).collect();
    let spaced = escaped.split_whitespace().collect::<Vec<_>>().join("\\s+");
    format!("(^|[^[:alnum:]]){spaced}($|[^[:alnum:]])")
}
