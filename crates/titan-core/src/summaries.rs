//! Summaries that stand in for the older messages of a conversation. They are a cache: each is made from what is stored, so
//! writing one needs no claim, and of two for the same place the first stays.

use diesel::sql_types::{BigInt, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::Result;
use crate::db::Prepare as _;

#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Summary {
    /// The place of the last message that it covers.
    #[diesel(sql_type = BigInt)]
    pub up_to_ordinal: i64,
    #[diesel(sql_type = Text)]
    pub content: String,
}

/// The one that covers most.
///
/// # Errors
/// When the database does not answer.
pub fn latest(connection: &mut PgConnection, project_id: Uuid) -> Result<Option<Summary>> {
    let rows: Vec<Summary> = sql_query(
        "SELECT up_to_ordinal, content FROM conversation_summaries WHERE project_id = $1 \
         ORDER BY up_to_ordinal DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(project_id)
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().next())
}

/// # Errors
/// When the database does not answer.
pub fn store(
    connection: &mut PgConnection,
    project_id: Uuid,
    summary: &Summary,
    tokens: i64,
    model: &str,
) -> Result<()> {
    sql_query(
        "INSERT INTO conversation_summaries (project_id, up_to_ordinal, content, tokens, model) \
         VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<BigInt, _>(summary.up_to_ordinal)
    .bind::<Text, _>(&summary.content)
    .bind::<BigInt, _>(tokens)
    .bind::<Text, _>(model)
    .execute(connection)?;
    Ok(())
}
