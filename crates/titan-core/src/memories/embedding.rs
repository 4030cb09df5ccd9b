//! Embeddings: the direction of a text's meaning, stored as one signed byte for each dimension, and compared here in Rust, since
//! Titan needs nothing but Postgres. What makes them is a worker's business.

use diesel::sql_types::{Array, BigInt, Binary, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::wording::tells_the_same;
use super::{Remembered, THERE};
use crate::Result;
use crate::db::Prepare as _;

/// The newest embeddings that a project may see and a question is compared with: about 8 MB of rows, some milliseconds.
pub const MAX_COMPARED: i64 = 5_000;
/// Dimensions that are stored; no model known has more than 4096.
const MAX_DIMENSIONS: usize = 16_384;
/// Two facts that are closer than this say the same, when [`tells_the_same`] finds no difference either.
const SAME: f32 = 0.98;
const FULL: f32 = 127.0;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Embedding {
    /// As the settings name it: `provider:model`. Directions of different models have nothing in common.
    pub(crate) model: String,
    pub(crate) bytes: Vec<u8>,
}

impl Embedding {
    /// None for a vector that has no direction, or too many dimensions.
    #[must_use]
    pub fn of(model: &str, vector: &[f32]) -> Option<Self> {
        let most = vector.iter().fold(0.0_f32, |most, value| most.max(value.abs()));
        if vector.len() > MAX_DIMENSIONS || most <= 0.0 || vector.iter().any(|value| !value.is_finite()) {
            return None;
        }
        // The length says nothing about the direction, so the whole range of a byte is used.
        #[allow(clippy::cast_possible_truncation)]
        let byte = |value: &f32| (value / most * FULL).round() as i8;
        Some(Embedding {
            model: model.to_owned(),
            bytes: vector.iter().map(|value| byte(value).to_ne_bytes()[0]).collect(),
        })
    }

    /// The model that made it, as the settings name it.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The cosine of the angle between two directions: 1 for the same. None when they cannot be compared.
    #[must_use]
    pub fn closeness(&self, other: &Self) -> Option<f32> {
        (self.model == other.model).then(|| cosine(&self.bytes, &other.bytes)).flatten()
    }

    pub(super) fn closeness_of(&self, bytes: &[u8]) -> Option<f32> {
        cosine(&self.bytes, bytes)
    }
}

fn cosine(a: &[u8], b: &[u8]) -> Option<f32> {
    if a.len() != b.len() {
        return None;
    }
    let (mut dot, mut of_a, mut of_b) = (0_i64, 0_i64, 0_i64);
    for (a, b) in a.iter().zip(b) {
        let (a, b) = (i64::from(i8::from_ne_bytes([*a])), i64::from(i8::from_ne_bytes([*b])));
        dot += a * b;
        of_a += a * a;
        of_b += b * b;
    }
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)]
    let cosine = (dot as f64 / ((of_a as f64).sqrt() * (of_b as f64).sqrt())) as f32;
    cosine.is_finite().then_some(cosine)
}

#[derive(QueryableByName)]
struct Near {
    #[diesel(sql_type = Text)]
    content: String,
    #[diesel(sql_type = Nullable<Text>)]
    person: Option<String>,
    #[diesel(sql_type = Binary)]
    embedding: Vec<u8>,
}

/// The words in which a project remembers the same fact already, in the same scope. Whoever writes it in these words has it
/// merged. Closeness alone does not make two the same: that a date or a sum has changed is news, and turns no direction by much.
///
/// # Errors
/// When the database does not answer.
pub fn similar(
    connection: &mut PgConnection,
    project_id: Uuid,
    fact: &Remembered,
    embedding: &Embedding,
) -> Result<Option<String>> {
    let rows: Vec<Near> = sql_query(format!(
        "SELECT m.content, m.person, m.embedding {THERE} AND m.project_id = $1 AND m.scope = $2 \
         AND coalesce(m.agent, '') = coalesce($3, '') \
         AND m.fingerprint IS NOT NULL AND m.embedding IS NOT NULL AND m.embedding_model = $4 ORDER BY m.id DESC LIMIT $5"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Text, _>(fact.scope)
    .bind::<Nullable<Text>, _>(fact.agent.as_deref())
    .bind::<Text, _>(&embedding.model)
    .bind::<BigInt, _>(MAX_COMPARED)
    .prepared()
    .load(connection)?;
    let same = |near: &Near| {
        let person = |name: &Option<String>| name.as_deref().map(str::to_lowercase);
        person(&near.person) == person(&fact.person) && tells_the_same(&near.content, &fact.content)
    };
    let near = rows.into_iter().filter_map(|near| Some((embedding.closeness_of(&near.embedding)?, near)));
    let near = near.filter(|(closeness, near)| *closeness > SAME && same(near));
    Ok(near.max_by(|(a, _), (b, _)| a.total_cmp(b)).map(|(_, near)| near.content))
}

/// A memory that has no embedding of the model in use.
#[derive(Debug, Clone, QueryableByName)]
pub struct Unembedded {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = Text)]
    pub content: String,
}

/// Up to `limit` of them, the newest first, and only those that are older than `before`. What is in no index of words is in none
/// of embeddings either.
///
/// # Errors
/// When the database does not answer.
pub fn unembedded(
    connection: &mut PgConnection,
    model: &str,
    before: Option<Uuid>,
    limit: i64,
) -> Result<Vec<Unembedded>> {
    // Each half has an index in which there is nothing but what it looks for.
    let half = |which: &str| {
        format!(
            "(SELECT m.id, m.content {THERE} AND m.words IS NOT NULL AND {which} AND ($2 IS NULL OR m.id < $2) \
             ORDER BY m.id DESC LIMIT $3)"
        )
    };
    let none = half("m.embedding IS NULL");
    let other = half("m.embedding IS NOT NULL AND (m.embedding_model < $1 OR m.embedding_model > $1)");
    Ok(sql_query(format!("{none} UNION ALL {other} ORDER BY id DESC LIMIT $3"))
        .bind::<Text, _>(model)
        .bind::<Nullable<SqlUuid>, _>(before)
        .bind::<BigInt, _>(limit)
        .load(connection)?)
}

/// Stores embeddings of memories, unless their words have changed since. Returns how many were stored. What somebody else is
/// writing just now is not waited for: that could be a batch that waits for another of them.
///
/// # Errors
/// When the database does not answer.
pub fn embed(connection: &mut PgConnection, embedded: &[(Unembedded, Embedding)]) -> Result<usize> {
    Ok(sql_query(
        "UPDATE memories m SET embedding = n.embedding, embedding_model = n.model \
         FROM unnest($1, $2, $3, $4) AS n (id, content, embedding, model) WHERE m.id = n.id AND m.content = n.content \
           AND m.id IN (SELECT id FROM memories WHERE id = ANY ($1) FOR UPDATE SKIP LOCKED)",
    )
    .bind::<Array<SqlUuid>, _>(embedded.iter().map(|(memory, _)| memory.id).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(embedded.iter().map(|(memory, _)| memory.content.as_str()).collect::<Vec<_>>())
    .bind::<Array<Binary>, _>(embedded.iter().map(|(_, embedding)| embedding.bytes.as_slice()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(embedded.iter().map(|(_, embedding)| embedding.model.as_str()).collect::<Vec<_>>())
    .execute(connection)?)
}

fn key(query: &str) -> Vec<u8> {
    Sha256::digest(query.trim()).to_vec()
}

/// Keeps the embedding of a question for whoever asked it. The question itself is not kept.
///
/// # Errors
/// When the database does not answer.
pub fn keep_query(connection: &mut PgConnection, query: &str, embedding: &Embedding) -> Result<()> {
    sql_query(
        "INSERT INTO query_embeddings (query, embedding, embedding_model) VALUES ($1, $2, $3) \
         ON CONFLICT (query) DO UPDATE SET embedding = excluded.embedding, embedding_model = excluded.embedding_model, made_at = now()",
    )
    .bind::<Binary, _>(key(query))
    .bind::<Binary, _>(&embedding.bytes)
    .bind::<Text, _>(&embedding.model)
    .execute(connection)?;
    Ok(())
}

/// Of whatever model: those of another one than the one in use are deleted when a worker with an embedder begins.
///
/// # Errors
/// When the database does not answer.
pub fn embedding_of_query(connection: &mut PgConnection, query: &str) -> Result<Option<Embedding>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Binary)]
        embedding: Vec<u8>,
        #[diesel(sql_type = Text)]
        embedding_model: String,
    }
    let rows: Vec<Row> = sql_query("SELECT embedding, embedding_model FROM query_embeddings WHERE query = $1")
        .bind::<Binary, _>(key(query))
        .load(connection)?;
    Ok(rows.into_iter().next().map(|row| Embedding { model: row.embedding_model, bytes: row.embedding }))
}

/// Embeddings of questions by another model find nothing any more.
///
/// # Errors
/// When the database does not answer.
pub fn forget_queries_of_others(connection: &mut PgConnection, model: &str) -> Result<usize> {
    Ok(sql_query("DELETE FROM query_embeddings WHERE embedding_model <> $1")
        .bind::<Text, _>(model)
        .execute(connection)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(vector: &[f32]) -> Embedding {
        Embedding::of("m", vector).unwrap()
    }

    #[test]
    fn directions_are_compared_whatever_their_length() {
        let close = |a: &[f32], b: &[f32]| of(a).closeness(&of(b)).unwrap();
        assert!((close(&[0.1, 0.2], &[10.0, 20.0]) - 1.0).abs() < 0.001);
        assert!(close(&[1.0, 0.0], &[0.0, 1.0]).abs() < 0.001);
        assert!((close(&[1.0, 0.0], &[-1.0, 0.0]) + 1.0).abs() < 0.001);
    }

    #[test]
    fn what_has_no_direction_is_no_embedding_and_models_do_not_mix() {
        for wrong in [&[][..], &[0.0], &[f32::NAN, 1.0], &[f32::INFINITY]] {
            assert_eq!(Embedding::of("m", wrong), None);
        }
        assert_eq!(of(&[1.0]).closeness(&Embedding::of("other", &[1.0]).unwrap()), None);
        assert_eq!(of(&[1.0]).closeness(&of(&[1.0, 1.0])), None);
    }
}
