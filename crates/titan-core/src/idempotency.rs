//! Idempotency keys: the same request twice makes one thing. The key is written in the command's own transaction and
//! outlives the job.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Binary, Jsonb, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::engine::IdempotencyKey;
use crate::{Error, Result, ids};

/// How long a key is remembered.
pub const KEPT_HOURS: i64 = 24;

/// What a key means to the request that carries it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// First time: the thing is to be made under this id.
    First { id: Uuid },
    /// Seen before with the same body: this is what it made.
    Replay { id: Uuid },
    /// Seen before with another body.
    Reused,
}

impl IdempotencyKey {
    /// A key of a client, in a scope, for a body.
    #[must_use]
    pub fn new(scope: impl Into<String>, key: &str, body: &[u8]) -> Self {
        IdempotencyKey {
            scope: scope.into(),
            key_hash: Sha256::digest(key.as_bytes()).to_vec(),
            body_fingerprint: Sha256::digest(body).to_vec(),
        }
    }
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    scope: String,
    #[diesel(sql_type = Binary)]
    key_hash: Vec<u8>,
    #[diesel(sql_type = Binary)]
    body_fingerprint: Vec<u8>,
    #[diesel(sql_type = Jsonb)]
    result: Value,
}

/// Writes the keys of a batch, or finds what they were used for before. The number is the caller's own for each.
///
/// A request with the same key in another transaction waits here until that one has ended.
///
/// # Errors
/// When the database does not answer.
pub fn claim(connection: &mut PgConnection, keyed: &[(usize, &IdempotencyKey)]) -> Result<HashMap<usize, Claimed>> {
    let mut fresh: Vec<(&IdempotencyKey, Uuid)> = Vec::new();
    for (_, key) in keyed {
        if !fresh.iter().any(|(other, _)| other.scope == key.scope && other.key_hash == key.key_hash) {
            fresh.push((key, ids::new()));
        }
    }
    fresh.sort_by(|(a, _), (b, _)| (&a.scope, &a.key_hash).cmp(&(&b.scope, &b.key_hash)));
    sql_query(
        "INSERT INTO idempotency_keys (scope, key_hash, body_fingerprint, result, expires_at) \
         SELECT scope, key_hash, body, result, now() + $5 * interval '1 hour' \
         FROM unnest($1, $2, $3, $4) AS new (scope, key_hash, body, result) ON CONFLICT DO NOTHING",
    )
    .bind::<Array<Text>, _>(fresh.iter().map(|(key, _)| key.scope.as_str()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(fresh.iter().map(|(key, _)| key.key_hash.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(fresh.iter().map(|(key, _)| key.body_fingerprint.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Jsonb>, _>(fresh.iter().map(|(_, id)| json!({"id": id})).collect::<Vec<_>>())
    .bind::<BigInt, _>(KEPT_HOURS)
    .execute(connection)?;
    let rows: Vec<Row> = sql_query(
        "SELECT k.scope, k.key_hash, k.body_fingerprint, k.result FROM idempotency_keys k \
         JOIN unnest($1, $2) AS wanted (scope, key_hash) USING (scope, key_hash)",
    )
    .bind::<Array<Text>, _>(fresh.iter().map(|(key, _)| key.scope.as_str()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(fresh.iter().map(|(key, _)| key.key_hash.as_slice()).collect::<Vec<_>>())
    .load(connection)?;
    Ok(judge(keyed, &fresh, &rows))
}

/// The id under which a thing is to be made, or the one that its key made before; the flag says which.
///
/// # Errors
/// [`Error::KeyReused`], or when the database does not answer.
pub fn claim_one(connection: &mut PgConnection, key: Option<&IdempotencyKey>) -> Result<(Uuid, bool)> {
    let Some(key) = key else { return Ok((ids::new(), false)) };
    match claim(connection, &[(0, key)])?.remove(&0) {
        Some(Claimed::First { id }) => Ok((id, false)),
        Some(Claimed::Replay { id }) => Ok((id, true)),
        Some(Claimed::Reused) => Err(Error::KeyReused),
        None => Err(Error::Internal("the idempotency key was not written".to_owned())),
    }
}

/// Whether this very request came before.
///
/// # Errors
/// [`Error::KeyReused`] when another one came with its key, or when the database does not answer.
pub fn was_used(connection: &mut PgConnection, key: Option<&IdempotencyKey>) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Used {
        #[diesel(sql_type = Binary)]
        body_fingerprint: Vec<u8>,
    }
    let Some(key) = key else { return Ok(false) };
    let found: Vec<Used> =
        sql_query("SELECT body_fingerprint FROM idempotency_keys WHERE scope = $1 AND key_hash = $2")
            .bind::<Text, _>(&key.scope)
            .bind::<Binary, _>(&key.key_hash)
            .load(connection)?;
    match found.first() {
        None => Ok(false),
        Some(used) if used.body_fingerprint == key.body_fingerprint => Ok(true),
        Some(_) => Err(Error::KeyReused),
    }
}

/// The first carrier of a key whose row is ours makes the thing; every other one is a replay or a misuse.
fn judge(
    keyed: &[(usize, &IdempotencyKey)],
    fresh: &[(&IdempotencyKey, Uuid)],
    rows: &[Row],
) -> HashMap<usize, Claimed> {
    let mut made: Vec<Uuid> = Vec::new();
    keyed
        .iter()
        .filter_map(|(index, key)| {
            let row = rows.iter().find(|row| row.scope == key.scope && row.key_hash == key.key_hash)?;
            let id = row.result.get("id").and_then(Value::as_str).and_then(|text| Uuid::parse_str(text).ok())?;
            let claimed = if row.body_fingerprint != key.body_fingerprint {
                Claimed::Reused
            } else if fresh.iter().any(|(_, ours)| *ours == id) && !made.contains(&id) {
                made.push(id);
                Claimed::First { id }
            } else {
                Claimed::Replay { id }
            };
            Some((*index, claimed))
        })
        .collect()
}

/// Writes down that a key's request came to something that was there already.
///
/// # Errors
/// When the database does not answer.
pub fn made(connection: &mut PgConnection, key: &IdempotencyKey, id: Uuid) -> Result<()> {
    sql_query("UPDATE idempotency_keys SET result = $3 WHERE scope = $1 AND key_hash = $2")
        .bind::<Text, _>(&key.scope)
        .bind::<Binary, _>(&key.key_hash)
        .bind::<Jsonb, _>(json!({"id": id}))
        .execute(connection)?;
    Ok(())
}

/// Forgets keys that are past their time, at most `limit` of them.
///
/// # Errors
/// When the database does not answer.
pub fn forget_expired(connection: &mut PgConnection, limit: i64) -> Result<usize> {
    Ok(sql_query(
        "DELETE FROM idempotency_keys WHERE (scope, key_hash) IN \
         (SELECT scope, key_hash FROM idempotency_keys WHERE expires_at < now() ORDER BY expires_at LIMIT $1)",
    )
    .bind::<BigInt, _>(limit)
    .execute(connection)?)
}
