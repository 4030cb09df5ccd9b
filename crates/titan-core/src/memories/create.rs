//! A person writes a memory down.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Binary, Bool, Double, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::{MAX_CONTENT, MAX_NAME, MERGE, Memory, MemoryScope, fingerprint, get};
use crate::engine::IdempotencyKey;
use crate::idempotency;
use crate::projects::checked_text;
use crate::redact::redact;
use crate::text::head;
use crate::{Error, Result};

#[derive(Debug, Clone, Default)]
pub struct NewMemory {
    pub content: String,
    /// `project` when it is not given.
    pub scope: Option<String>,
    /// Needed for the scope `agent`, and for no other.
    pub agent: Option<String>,
    pub person: Option<String>,
    pub confidence: Option<f64>,
    pub pinned: bool,
    pub expires_at: Option<DateTime<Utc>>,
}

/// Secrets are taken out. What the project remembers already in the same words is merged with it. The flag says whether the key
/// had been seen before.
///
/// # Errors
/// [`Error::NotFound`] for the project, a field that is wrong, the key's misuse.
pub fn create(
    connection: &mut PgConnection,
    project_id: Uuid,
    new: &NewMemory,
    key: Option<&IdempotencyKey>,
) -> Result<(Memory, bool)> {
    let content = checked_content(&new.content)?;
    let scope = new.scope.as_deref().map_or(Ok(MemoryScope::Project), checked_scope)?;
    let agent = checked_agent(scope, new.agent.as_deref())?;
    let person = new.person.as_deref().map(|person| checked_text("person", person, MAX_NAME)).transpose()?;
    let confidence = checked_confidence(new.confidence.unwrap_or(1.0))?;
    let expires_at = new.expires_at.map(checked_expiry).transpose()?;
    let (id, replayed) = connection.transaction(|connection| {
        crate::projects::exists(connection, project_id)?;
        let (id, replayed) = idempotency::claim_one(connection, key)?;
        if replayed {
            return Ok((id, true));
        }
        let kept: Kept = sql_query(format!(
            "INSERT INTO memories (id, project_id, scope, agent, content, trust, person, confidence, pinned, expires_at, fingerprint, \
             words) VALUES ($1, $2, $3, $4, $5, 'person', $6, $7, $8, $9, $10, to_tsvector('simple', $5)) {MERGE} RETURNING id"
        ))
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(project_id)
        .bind::<Text, _>(scope)
        .bind::<Nullable<Text>, _>(agent)
        .bind::<Text, _>(&content)
        .bind::<Nullable<Text>, _>(person)
        .bind::<Double, _>(confidence)
        .bind::<Bool, _>(new.pinned)
        .bind::<Nullable<Timestamptz>, _>(expires_at)
        .bind::<Binary, _>(fingerprint(&content))
        .get_result(connection)?;
        if let Some(key) = key.filter(|_| kept.id != id) {
            idempotency::made(connection, key, kept.id)?;
        }
        Ok::<_, Error>((kept.id, false))
    })?;
    Ok((get(connection, id)?, replayed))
}

#[derive(QueryableByName)]
struct Kept {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
}

/// Without secrets.
pub(super) fn checked_content(content: &str) -> Result<String> {
    checked_text("content", content, MAX_CONTENT).map(|content| head(&redact(&content), MAX_CONTENT).to_owned())
}

pub(super) fn checked_scope(scope: &str) -> Result<MemoryScope> {
    scope.parse().map_err(|why: String| Error::invalid("scope", why))
}

pub(super) fn checked_agent(scope: MemoryScope, agent: Option<&str>) -> Result<Option<String>> {
    match (scope, agent) {
        (MemoryScope::Agent, None) => {
            Err(Error::invalid("agent", "must name the agent when the scope is agent, for example \"jason\""))
        }
        (MemoryScope::Agent, Some(agent)) => checked_text("agent", agent, MAX_NAME).map(Some),
        (_, None) => Ok(None),
        (scope, Some(_)) => {
            Err(Error::invalid("agent", format!("goes with the scope agent only, and the scope is {scope}")))
        }
    }
}

pub(super) fn checked_confidence(confidence: f64) -> Result<f64> {
    if (0.0..=1.0).contains(&confidence) {
        Ok(confidence)
    } else {
        Err(Error::invalid("confidence", format!("must be between 0 and 1, and is {confidence}")))
    }
}

pub(super) fn checked_expiry(at: DateTime<Utc>) -> Result<DateTime<Utc>> {
    if at > Utc::now() {
        Ok(at)
    } else {
        Err(Error::invalid("expires_at", format!("must lie in the future, and is {}", at.to_rfc3339())))
    }
}
