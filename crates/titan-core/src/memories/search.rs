//! Finding memories: by their words, by their meaning where embeddings exist, and by both. The two orders are merged by reciprocal rank
//! fusion (Cormack, Clarke and Büttcher, SIGIR 2009): each adds 1 / (60 + rank), so that neither scale has to be known.

use std::collections::HashMap;

use diesel::sql_types::{Array, BigInt, Binary, Bool, Nullable, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{COLUMNS, Embedding, MAX_COMPARED, Memory, THERE};
use crate::Result;
use crate::db::Prepare as _;
use crate::words::Words;

/// Hits that each order brings, and answers at most.
pub const MAX_HITS: usize = 100;
/// What is further away than this has nothing to do with the question.
const FAR: f32 = 0.3;
/// Memories among which records without an index are looked for: a hundredth of a second.
pub(super) const READ_THROUGH: i64 = 5_000;
const FUSION: f64 = 60.0;

/// A memory that was found, and why: its place in the order by words, in the order by meaning, or in both.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Hit {
    pub memory: Memory,
    /// From 1; null when its words do not match.
    pub text_rank: Option<u32>,
    /// From 1; null when its meaning was not compared, or is far from the question.
    pub vector_rank: Option<u32>,
    /// The sum of 1 / (60 + rank).
    pub score: f64,
}

/// Who looks: a person sees the memories of all agents, a run those of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reach<'a> {
    pub(super) project_id: Uuid,
    pub(super) agent: Option<&'a str>,
}

/// What a reach comes to; $1 is the project and $2 the agent.
pub(super) const REACHED: &str =
    "AND (m.project_id = $1 OR m.scope = 'global') AND (m.scope <> 'agent' OR $2 IS NULL OR m.agent = $2)";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Match {
    /// Every word, each perhaps only begun.
    All,
    /// Any word.
    Any,
}

/// Whether [`search`] would take it, before a model is asked for anything.
///
/// # Errors
/// [`crate::Error::NotFound`] for the project; a question without words; a limit outside of 1 to [`MAX_HITS`].
pub fn check(connection: &mut PgConnection, project_id: Uuid, q: &str, limit: Option<i64>) -> Result<()> {
    checked(connection, project_id, q, limit).map(drop)
}

fn checked(connection: &mut PgConnection, project_id: Uuid, q: &str, limit: Option<i64>) -> Result<(Words, usize)> {
    let most = i64::try_from(MAX_HITS).unwrap_or(i64::MAX);
    let limit = usize::try_from(crate::page::limit_up_to(limit, most)?).unwrap_or(MAX_HITS);
    let words = Words::of(q)?;
    crate::projects::exists(connection, project_id)?;
    Ok((words, limit))
}

/// What a person looks for, in what a project's runs may be shown. The best first.
///
/// # Errors
/// As those of [`check`].
pub fn search(
    connection: &mut PgConnection,
    project_id: Uuid,
    q: &str,
    embedding: Option<&Embedding>,
    limit: Option<i64>,
) -> Result<Vec<Hit>> {
    let (words, limit) = checked(connection, project_id, q, limit)?;
    let reach = Reach { project_id, agent: None };
    let by_words = by_words(connection, reach, q, &words, Match::All)?;
    let by_meaning = embedding.map_or(Ok(Vec::new()), |embedding| by_meaning(connection, reach, embedding))?;
    let mut fused = fuse(&by_words, &by_meaning);
    fused.truncate(limit);
    let mut memories = of_ids(connection, fused.iter().map(|found| found.id).collect())?;
    let hit = |found: Fused| {
        let Fused { text_rank, vector_rank, score, .. } = found;
        Some(Hit { memory: memories.remove(&found.id)?, text_rank, vector_rank, score })
    };
    Ok(fused.into_iter().filter_map(hit).collect())
}

pub(super) struct Fused {
    pub(super) id: Uuid,
    text_rank: Option<u32>,
    vector_rank: Option<u32>,
    score: f64,
}

/// One order out of two. Of equals, the newer first.
pub(super) fn fuse(by_words: &[Uuid], by_meaning: &[Uuid]) -> Vec<Fused> {
    let mut found: HashMap<Uuid, (Option<u32>, Option<u32>)> = HashMap::new();
    for (rank, id) in (1..).zip(by_words) {
        found.entry(*id).or_default().0 = Some(rank);
    }
    for (rank, id) in (1..).zip(by_meaning) {
        found.entry(*id).or_default().1 = Some(rank);
    }
    let worth = |rank: Option<u32>| rank.map_or(0.0, |rank| 1.0 / (FUSION + f64::from(rank)));
    let fused = |(id, (text_rank, vector_rank))| Fused {
        id,
        text_rank,
        vector_rank,
        score: worth(text_rank) + worth(vector_rank),
    };
    let mut fused: Vec<Fused> = found.into_iter().map(fused).collect();
    fused.sort_by(|a, b| b.score.total_cmp(&a.score).then(b.id.cmp(&a.id)));
    fused
}

#[derive(QueryableByName)]
struct Id {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Those with the words, the best first: by how many of them they have, then by how they stand there. For a person, records that are in no index are read through: the project's own, and newest.
pub(super) fn by_words(
    connection: &mut PgConnection,
    reach: Reach<'_>,
    question: &str,
    words: &Words,
    how: Match,
) -> Result<Vec<Uuid>> {
    if words.is_empty() {
        return Ok(Vec::new());
    }
    let query = if how == Match::All { words.all() } else { words.any() };
    let rows: Vec<Id> = sql_query(format!(
        "WITH wanted AS (SELECT CASE WHEN $3 THEN plainto_tsquery('simple', $4) || to_tsquery('simple', $5) \
           ELSE to_tsquery('simple', $5) END AS q, ARRAY(SELECT to_tsquery('simple', word) FROM unnest($9) AS word) AS each), \
         indexed AS (SELECT m.id, CASE WHEN $3 THEN 0 ELSE (SELECT count(*) FROM unnest(wanted.each) AS word WHERE m.words @@ word) END \
             + ts_rank(m.words, wanted.q) AS rank FROM wanted, memories m \
           JOIN projects p ON p.id = m.project_id AND p.deleted_at IS NULL \
           WHERE (m.expires_at IS NULL OR m.expires_at > now()) {REACHED} AND m.words IS NOT NULL AND m.words @@ wanted.q \
           ORDER BY rank DESC, m.id DESC LIMIT $7), \
         read AS (SELECT id, 0::float8 AS rank FROM (SELECT m.id, m.words, m.content {THERE} AND m.project_id = $1 AND $3 \
             ORDER BY m.id DESC LIMIT $8) AS newest \
           WHERE words IS NULL AND content ILIKE ALL ($6) ORDER BY id DESC LIMIT $7) \
         SELECT id FROM (SELECT * FROM indexed UNION ALL SELECT * FROM read) AS found ORDER BY rank DESC, id DESC LIMIT $7"
    ))
    .bind::<SqlUuid, _>(reach.project_id)
    .bind::<Nullable<Text>, _>(reach.agent)
    .bind::<Bool, _>(how == Match::All)
    .bind::<Text, _>(question)
    .bind::<Text, _>(query)
    .bind::<Array<Text>, _>(words.patterns())
    .bind::<BigInt, _>(i64::try_from(MAX_HITS).unwrap_or(i64::MAX))
    .bind::<BigInt, _>(READ_THROUGH)
    .bind::<Array<Text>, _>(words.each())
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

#[derive(QueryableByName)]
struct Direction {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Binary)]
    embedding: Vec<u8>,
}

/// Those that mean something close to it, the closest first, out of the newest [`MAX_COMPARED`].
pub(super) fn by_meaning(connection: &mut PgConnection, reach: Reach<'_>, embedding: &Embedding) -> Result<Vec<Uuid>> {
    let half = |which: &str| {
        format!(
            "(SELECT m.id, m.embedding {THERE} AND {which} AND (m.scope <> 'agent' OR $2 IS NULL OR m.agent = $2) \
             AND m.embedding IS NOT NULL AND m.embedding_model = $3 ORDER BY m.id DESC LIMIT $4)"
        )
    };
    let (own, global) = (half("m.project_id = $1"), half("m.scope = 'global' AND m.project_id <> $1"));
    let rows: Vec<Direction> = sql_query(format!("{own} UNION ALL {global} ORDER BY id DESC LIMIT $4"))
        .bind::<SqlUuid, _>(reach.project_id)
        .bind::<Nullable<Text>, _>(reach.agent)
        .bind::<Text, _>(&embedding.model)
        .bind::<BigInt, _>(MAX_COMPARED)
        .prepared()
        .load(connection)?;
    let close = |row: Direction| Some((embedding.closeness_of(&row.embedding).filter(|close| *close > FAR)?, row.id));
    let mut near: Vec<(f32, Uuid)> = rows.into_iter().filter_map(close).collect();
    near.sort_by(|(a, a_id), (b, b_id)| b.total_cmp(a).then(b_id.cmp(a_id)));
    near.truncate(MAX_HITS);
    Ok(near.into_iter().map(|(_, id)| id).collect())
}

pub(super) fn of_ids(connection: &mut PgConnection, ids: Vec<Uuid>) -> Result<HashMap<Uuid, Memory>> {
    let rows: Vec<Memory> = sql_query(format!("SELECT {COLUMNS} {THERE} AND m.id = ANY ($1)"))
        .bind::<Array<SqlUuid>, _>(ids)
        .prepared()
        .load(connection)?;
    Ok(rows.into_iter().map(|memory| (memory.id, memory)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_found_by_both_comes_first_and_ties_go_to_the_newer() {
        let [a, b, c] = [1, 2, 3].map(Uuid::from_u128);
        let order = |words: &[Uuid], meaning: &[Uuid]| fuse(words, meaning).iter().map(|f| f.id).collect::<Vec<_>>();
        assert_eq!(order(&[a, b], &[c, b]), [b, c, a]);
        assert_eq!(order(&[a, c], &[]), [a, c]);
        let both = fuse(&[a], &[a]).remove(0);
        assert_eq!((both.text_rank, both.vector_rank), (Some(1), Some(1)));
        assert!((both.score - 2.0 / 61.0).abs() < 1e-9);
    }
}
