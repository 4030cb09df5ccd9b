//! Memories of finished steps. A record of an exchange is a row and nothing else. A fact may be there already: it is merged with what
//! says the same, and then the event and the hint, which name a memory, name the one that was kept.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::sql_types::{Array, Binary, Bool, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::json;
use uuid::Uuid;

use super::save::col;
use super::story::{NewMemory, Story};
use crate::Result;
use crate::db::Prepare as _;
use crate::memories::{Embedding, Form, MERGE, Trust, fingerprint};
use crate::queue::Hint;

pub(super) fn save(connection: &mut PgConnection, story: &mut Story) -> Result<()> {
    let now = story.world.now;
    let (facts, records): (Vec<_>, Vec<_>) =
        std::mem::take(&mut story.changes.memories).into_iter().partition(|new| new.remembered.form == Form::Fact);
    insert_records(connection, &records, now)?;
    for (new, kept) in merge_facts(connection, facts, now)? {
        rename(story, new, kept);
    }
    Ok(())
}

fn insert_records(connection: &mut PgConnection, rows: &[NewMemory], now: DateTime<Utc>) -> Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    sql_query(
        "INSERT INTO memories (id, project_id, source_task_id, source_run_id, content, confidence, expires_at, words, scope, agent, \
         trust, person) \
         SELECT id, project_id, task_id, run_id, content, confidence, expires_at, \
           CASE WHEN is_indexed THEN to_tsvector('simple', content) END, scope, agent, trust, person \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) AS m (id, project_id, task_id, run_id, content, confidence, \
         expires_at, is_indexed, scope, agent, trust, person)",
    )
    .bind::<Array<SqlUuid>, _>(col(rows, |m| m.id))
    .bind::<Array<SqlUuid>, _>(col(rows, |m| m.project_id))
    .bind::<Array<SqlUuid>, _>(col(rows, |m| m.task_id))
    .bind::<Array<SqlUuid>, _>(col(rows, |m| m.run_id))
    .bind::<Array<Text>, _>(col(rows, |m| m.remembered.content.as_str()))
    .bind::<Array<Double>, _>(col(rows, |m| m.remembered.confidence))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(rows, |m| expiry(m, now)))
    .bind::<Array<Bool>, _>(col(rows, |m| m.remembered.form == Form::Record))
    .bind::<Array<Text>, _>(col(rows, |m| m.remembered.scope.as_str()))
    .bind::<Array<Nullable<Text>>, _>(col(rows, |m| m.remembered.agent.as_deref()))
    .bind::<Array<Text>, _>(col(rows, |m| m.remembered.trust.as_str()))
    .bind::<Array<Nullable<Text>>, _>(col(rows, |m| m.remembered.person.as_deref()))
    .prepared()
    .run(connection)?;
    Ok(())
}

/// What is one memory: project, scope, agent and words.
type Place = (Uuid, &'static str, String, Vec<u8>);

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    project_id: Uuid,
    #[diesel(sql_type = Text)]
    scope: crate::memories::MemoryScope,
    #[diesel(sql_type = Text)]
    agent: String,
    #[diesel(sql_type = Binary)]
    fingerprint: Vec<u8>,
}

/// Writes each fact once, in one order everywhere, so that no two batches wait for each other. Returns the ids that were given in vain,
/// with those of the memories that were kept instead.
fn merge_facts(connection: &mut PgConnection, facts: Vec<NewMemory>, now: DateTime<Utc>) -> Result<Vec<(Uuid, Uuid)>> {
    if facts.is_empty() {
        return Ok(Vec::new());
    }
    let mut places: BTreeMap<Place, NewMemory> = BTreeMap::new();
    let mut given: Vec<(Place, Uuid)> = Vec::new();
    for fact in facts {
        let agent = fact.remembered.agent.clone().unwrap_or_default();
        let place = (fact.project_id, fact.remembered.scope.as_str(), agent, fingerprint(&fact.remembered.content));
        given.push((place.clone(), fact.id));
        match places.get_mut(&place) {
            Some(same) => combine(same, fact),
            None => drop(places.insert(place, fact)),
        }
    }
    let rows: Vec<(&Place, &NewMemory)> = places.iter().collect();
    let embedding = |m: &NewMemory| m.remembered.embedding.clone();
    let embeddings: Vec<Option<Embedding>> = rows.iter().map(|(_, m)| embedding(m)).collect();
    let kept: Vec<Kept> = sql_query(format!(
        "INSERT INTO memories (id, project_id, source_task_id, source_run_id, content, confidence, expires_at, fingerprint, words, scope, \
         agent, trust, person, embedding, embedding_model) \
         SELECT id, project_id, task_id, run_id, content, confidence, expires_at, fingerprint, to_tsvector('simple', content), scope, \
           agent, trust, person, embedding, embedding_model \
         FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) AS m (id, project_id, task_id, run_id, content, \
         confidence, expires_at, fingerprint, scope, agent, trust, person, embedding, embedding_model) \
         ORDER BY project_id, scope, coalesce(agent, ''), fingerprint {MERGE} \
         RETURNING id, project_id, scope, coalesce(agent, '') AS agent, fingerprint"
    ))
    .bind::<Array<SqlUuid>, _>(col(&rows, |(_, m)| m.id))
    .bind::<Array<SqlUuid>, _>(col(&rows, |(_, m)| m.project_id))
    .bind::<Array<SqlUuid>, _>(col(&rows, |(_, m)| m.task_id))
    .bind::<Array<SqlUuid>, _>(col(&rows, |(_, m)| m.run_id))
    .bind::<Array<Text>, _>(col(&rows, |(_, m)| m.remembered.content.as_str()))
    .bind::<Array<Double>, _>(col(&rows, |(_, m)| m.remembered.confidence))
    .bind::<Array<Nullable<Timestamptz>>, _>(col(&rows, |(_, m)| expiry(m, now)))
    .bind::<Array<Binary>, _>(col(&rows, |((_, _, _, fingerprint), _)| fingerprint.as_slice()))
    .bind::<Array<Text>, _>(col(&rows, |(_, m)| m.remembered.scope.as_str()))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |(_, m)| m.remembered.agent.as_deref()))
    .bind::<Array<Text>, _>(col(&rows, |(_, m)| m.remembered.trust.as_str()))
    .bind::<Array<Nullable<Text>>, _>(col(&rows, |(_, m)| m.remembered.person.as_deref()))
    .bind::<Array<Nullable<Binary>>, _>(col(&embeddings, |e| e.as_ref().map(|e| e.bytes.as_slice())))
    .bind::<Array<Nullable<Text>>, _>(col(&embeddings, |e| e.as_ref().map(|e| e.model.as_str())))
    .prepared()
    .load(connection)?;
    let place = |kept: Kept| ((kept.project_id, kept.scope.as_str(), kept.agent, kept.fingerprint), kept.id);
    let kept: HashMap<Place, Uuid> = kept.into_iter().map(place).collect();
    let other = |(place, new): (Place, Uuid)| kept.get(&place).filter(|kept| **kept != new).map(|kept| (new, *kept));
    Ok(given.into_iter().filter_map(other).collect())
}

/// What [`MERGE`] does, for two in one batch.
fn combine(kept: &mut NewMemory, other: NewMemory) {
    let (a, b) = (&mut kept.remembered, other.remembered);
    a.confidence = a.confidence.max(b.confidence);
    a.expires_in_days = a.expires_in_days.zip(b.expires_in_days).map(|(a, b)| a.max(b));
    a.person = a.person.take().or(b.person);
    a.embedding = b.embedding.or_else(|| a.embedding.take());
    let either = |trust: Trust| a.trust == trust || b.trust == trust;
    a.trust = [Trust::Person, Trust::Outside].into_iter().find(|trust| either(*trust)).unwrap_or(Trust::Agent);
}

fn expiry(memory: &NewMemory, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    memory.remembered.expires_in_days.map(|days| now + TimeDelta::days(i64::from(days)))
}

/// What was to be told of a new memory is told of the one that was kept.
fn rename(story: &mut Story, new: Uuid, kept: Uuid) {
    let said = json!({"memory_id": new});
    for event in story.changes.events.iter_mut().filter(|event| event.kind == "memory.created" && event.data == said) {
        event.data = json!({"memory_id": kept});
        event.message = Some("Remembered once more".to_owned());
    }
    for hint in &mut story.hints {
        match hint {
            Hint::Change { id, .. } if *id == new => *id = kept,
            _ => {}
        }
    }
}
