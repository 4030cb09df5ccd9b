//! A person changes a memory, or forgets it.

use chrono::{DateTime, Utc};
use diesel::result::{DatabaseErrorKind, Error as Diesel};
use diesel::sql_types::{Binary, Bool, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::create::{checked_agent, checked_confidence, checked_content, checked_expiry, checked_scope};
use super::{MAX_NAME, Memory, MemoryScope, Trust, fingerprint, get};
use crate::projects::checked_text;
use crate::{Error, Result};

/// What is not given stays. The inner `None` takes away what may be missing.
#[derive(Debug, Clone, Default)]
pub struct Edit {
    pub content: Option<String>,
    pub scope: Option<String>,
    pub agent: Option<String>,
    pub person: Option<Option<String>>,
    pub confidence: Option<f64>,
    pub pinned: Option<bool>,
    pub expires_at: Option<Option<DateTime<Utc>>>,
}

#[derive(QueryableByName)]
struct Locked {
    #[diesel(sql_type = Bool)]
    is_fact: bool,
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// New words are the word of the person who wrote them.
///
/// # Errors
/// [`Error::NotFound`], a field that is wrong, and [`Error::Conflict`] when the project remembers just this already.
pub fn update(connection: &mut PgConnection, id: Uuid, edit: &Edit) -> Result<Memory> {
    let scope = edit.scope.as_deref().map(checked_scope).transpose()?;
    let content = edit.content.as_deref().map(checked_content).transpose()?;
    let confidence = edit.confidence.map(checked_confidence).transpose()?;
    let expires_at = edit.expires_at.map(|at| at.map(checked_expiry).transpose()).transpose()?;
    let checked_person =
        |person: &Option<String>| person.as_deref().map(|person| checked_text("person", person, MAX_NAME)).transpose();
    let person = edit.person.as_ref().map(checked_person).transpose()?;
    connection.transaction(|connection| {
        // Nobody changes it in between.
        let locked: Option<Locked> =
            sql_query("SELECT fingerprint IS NOT NULL AS is_fact FROM memories WHERE id = $1 FOR UPDATE")
                .bind::<SqlUuid, _>(id)
                .get_result(connection)
                .optional()?;
        let now = get(connection, id)?;
        let scope = scope.unwrap_or(now.scope);
        let agent = match (scope, edit.agent.as_deref()) {
            (MemoryScope::Agent, None) => now.agent.clone(),
            (_, given) => given.map(str::to_owned),
        };
        let agent = checked_agent(scope, agent.as_deref())?;
        let reworded = content.as_ref().is_some_and(|content| *content != now.content);
        let content = content.unwrap_or(now.content);
        let fingerprint = fingerprint(&content);
        // A record that is not reworded stays one.
        let is_fact = reworded || locked.is_some_and(|locked| locked.is_fact);
        if is_fact {
            refuse_twins(connection, &now.id, now.project_id, scope, agent.as_deref(), &fingerprint)?;
        }
        sql_query(
            "UPDATE memories SET content = $2, scope = $3, agent = $4, trust = $5, person = $6, confidence = $7, pinned = $8, \
             expires_at = $9, updated_at = now(), fingerprint = $11, \
             words = CASE WHEN $10 THEN to_tsvector('simple', $2) ELSE words END, \
             embedding = CASE WHEN NOT $10 THEN embedding END, embedding_model = CASE WHEN NOT $10 THEN embedding_model END \
             WHERE id = $1",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(&content)
        .bind::<Text, _>(scope)
        .bind::<Nullable<Text>, _>(agent)
        .bind::<Text, _>(if reworded { Trust::Person } else { now.trust })
        .bind::<Nullable<Text>, _>(person.unwrap_or(now.person))
        .bind::<Double, _>(confidence.unwrap_or(now.confidence))
        .bind::<Bool, _>(edit.pinned.unwrap_or(now.pinned))
        .bind::<Nullable<Timestamptz>, _>(expires_at.unwrap_or(now.expires_at))
        .bind::<Bool, _>(reworded)
        .bind::<Nullable<Binary>, _>(is_fact.then_some(&fingerprint))
        .execute(connection)
        .map_err(of_twins)?;
        get(connection, id)
    })
}

/// Somebody else wrote the same words in the moment between the look and the write.
fn of_twins(error: Diesel) -> Error {
    match &error {
        Diesel::DatabaseError(DatabaseErrorKind::UniqueViolation, info)
            if info.constraint_name() == Some("memories_fingerprint") =>
        {
            Error::Conflict("this is remembered already, since just now; forget one of the two".to_owned())
        }
        _ => error.into(),
    }
}

/// The index would refuse it too, without saying which it is. A twin that has expired makes room.
fn refuse_twins(
    connection: &mut PgConnection,
    id: &Uuid,
    project_id: Uuid,
    scope: MemoryScope,
    agent: Option<&str>,
    fingerprint: &[u8],
) -> Result<()> {
    let twins: Vec<Found> = sql_query(
        "WITH twins AS (SELECT id, expires_at <= now() AS expired FROM memories WHERE project_id = $2 AND scope = $3 \
           AND coalesce(agent, '') = coalesce($4, '') AND fingerprint = $5 AND id <> $1), \
         gone AS (DELETE FROM memories WHERE id IN (SELECT id FROM twins WHERE expired)) \
         SELECT id FROM twins WHERE expired IS NOT TRUE",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(project_id)
    .bind::<Text, _>(scope)
    .bind::<Nullable<Text>, _>(agent)
    .bind::<Binary, _>(fingerprint)
    .load(connection)?;
    match twins.first() {
        None => Ok(()),
        Some(twin) => {
            Err(Error::Conflict(format!("this is remembered already, as memory {}; forget one of the two", twin.id)))
        }
    }
}

/// Forgets one, also one that has expired or whose project was deleted, and says of which project it was.
///
/// # Errors
/// [`Error::NotFound`] when it is not there.
pub fn delete(connection: &mut PgConnection, id: Uuid) -> Result<Uuid> {
    #[derive(QueryableByName)]
    struct Gone {
        #[diesel(sql_type = SqlUuid)]
        project_id: Uuid,
    }
    let gone: Option<Gone> = sql_query("DELETE FROM memories WHERE id = $1 RETURNING project_id")
        .bind::<SqlUuid, _>(id)
        .get_result(connection)
        .optional()?;
    gone.map(|gone| gone.project_id).ok_or(Error::NotFound("memory", id))
}
