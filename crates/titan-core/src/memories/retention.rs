//! What is not kept for ever: memories that have expired or are older than the installation keeps them, and what was searched for.

use diesel::sql_types::{BigInt, Integer};
use diesel::{PgConnection, RunQueryDsl, sql_query};

use crate::Result;

/// How long the embedding of a question is of use.
const QUERY_HOURS: i32 = 24;

/// At most `limit` of those that have expired, pinned ones too: somebody has said until when.
///
/// # Errors
/// When the database does not answer.
pub(crate) fn forget_expired(connection: &mut PgConnection, limit: i64) -> Result<usize> {
    Ok(sql_query(
        "DELETE FROM memories WHERE id IN (SELECT id FROM memories WHERE expires_at < now() ORDER BY expires_at LIMIT $1 \
         FOR UPDATE SKIP LOCKED)",
    )
    .bind::<BigInt, _>(limit)
    .execute(connection)?)
}

/// At most `limit` of those that were last written more than `days` ago. Pinned ones stay.
///
/// # Errors
/// When the database does not answer.
pub(crate) fn forget_older(connection: &mut PgConnection, days: i32, limit: i64) -> Result<usize> {
    Ok(sql_query(
        "DELETE FROM memories WHERE id IN (SELECT id FROM memories WHERE updated_at < now() - $1 * interval '1 day' AND NOT pinned \
         ORDER BY id LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Integer, _>(days)
    .bind::<BigInt, _>(limit)
    .execute(connection)?)
}

/// # Errors
/// When the database does not answer.
pub(crate) fn forget_queries(connection: &mut PgConnection, limit: i64) -> Result<usize> {
    Ok(sql_query(
        "DELETE FROM query_embeddings WHERE query IN (SELECT query FROM query_embeddings \
         WHERE made_at < now() - $1 * interval '1 hour' ORDER BY made_at LIMIT $2 FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Integer, _>(QUERY_HOURS)
    .bind::<BigInt, _>(limit)
    .execute(connection)?)
}
