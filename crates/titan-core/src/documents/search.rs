//! Finding passages by their words: for a person who looks for something, and for a model that is to answer a message.

use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::Result;
use crate::db::Prepare as _;
use crate::words::Words;

/// Hits of one search.
pub const MAX_HITS: i64 = 100;

/// A passage that was found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Found {
    #[diesel(sql_type = SqlUuid)]
    pub document_id: Uuid,
    /// What the document is called.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// Which passage of it, from 0.
    #[diesel(sql_type = Integer)]
    pub passage: i32,
    #[diesel(sql_type = Text)]
    pub excerpt: String,
    /// How well it matches; comparable within one answer only.
    #[diesel(sql_type = Double)]
    pub score: f64,
}

/// Passages that have all of the words, each perhaps only begun. The best first.
///
/// # Errors
/// [`crate::Error::NotFound`] for the project; a question without words; a limit outside of 1 to [`MAX_HITS`].
pub fn search(connection: &mut PgConnection, project_id: Uuid, q: &str, limit: Option<i64>) -> Result<Vec<Found>> {
    let limit = crate::page::limit_up_to(limit, MAX_HITS)?;
    let words = Words::of(q)?;
    crate::projects::exists(connection, project_id)?;
    find(connection, project_id, &words.all(), words.each(), false, limit)
}

/// Passages that have any telling word of a message, those with most of them first.
///
/// # Errors
/// When the database does not answer.
pub fn matching(connection: &mut PgConnection, project_id: Uuid, message: &str, limit: i64) -> Result<Vec<Found>> {
    let words = Words::in_text(message).telling();
    if words.is_empty() {
        return Ok(Vec::new());
    }
    find(connection, project_id, &words.any(), words.each(), true, limit)
}

fn find(
    connection: &mut PgConnection,
    project_id: Uuid,
    query: &str,
    each: &[String],
    counted: bool,
    limit: i64,
) -> Result<Vec<Found>> {
    Ok(sql_query(
        "WITH wanted AS (SELECT to_tsquery('simple', $2) AS q, ARRAY(SELECT to_tsquery('simple', word) FROM unnest($3) AS word) AS each) \
         SELECT d.id AS document_id, d.name, s.passage, s.content AS excerpt, \
           ((CASE WHEN $4 THEN (SELECT count(*) FROM unnest(wanted.each) AS word WHERE s.words @@ word) ELSE 0 END) \
             + ts_rank(s.words, wanted.q))::float8 AS score \
         FROM wanted, document_passages s JOIN documents d ON d.id = s.document_id \
         WHERE d.project_id = $1 AND d.state = 'ready' AND s.words @@ wanted.q \
         ORDER BY score DESC, d.id DESC, s.passage LIMIT $5",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<Text, _>(query)
    .bind::<Array<Text>, _>(each)
    .bind::<Bool, _>(counted)
    .bind::<BigInt, _>(limit)
    .prepared()
    .load(connection)?)
}
