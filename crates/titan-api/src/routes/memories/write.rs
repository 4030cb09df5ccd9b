//! A person writes a memory, changes it or forgets it.

use actix_web::{HttpResponse, web};
use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;
use titan_core::db::PgConnection;
use titan_core::engine::Transition;
use titan_core::memories::{self, Edit, Memory, NewMemory};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::{Answer, State};
use super::tell;
use crate::access::{Access, MemoriesWrite};
use crate::http::body::{Body, nullable, required, time};
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::problem::ApiError;

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewMemoryBody {
    #[schema(required, nullable = false, min_length = 1, max_length = 8000)]
    content: Option<String>,
    /// `project` (when it is not given), `agent` or `global`.
    scope: Option<String>,
    /// The agent of the scope `agent`.
    agent: Option<String>,
    /// Whom it is about, so that all about her or him can be erased.
    person: Option<String>,
    /// From 0 to 1; 1 when it is not given.
    confidence: Option<f64>,
    /// Pinned memories are shown to a model first, and kept whatever their age.
    pinned: Option<bool>,
    /// From then on it is not shown to anybody.
    #[serde(default, deserialize_with = "time")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    expires_at: Option<Option<DateTime<Utc>>>,
}

/// Fields that are not there stay as they are.
#[derive(Debug, Deserialize, ToSchema)]
pub struct MemoryPatchBody {
    /// New words are the word of the person who wrote them.
    #[schema(min_length = 1, max_length = 8000)]
    content: Option<String>,
    scope: Option<String>,
    agent: Option<String>,
    /// Null for nobody.
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    person: Option<Option<String>>,
    confidence: Option<f64>,
    pinned: Option<bool>,
    /// Null for never.
    #[serde(default, deserialize_with = "time")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    expires_at: Option<Option<DateTime<Utc>>>,
}

/// Have a project remember something
///
/// Secrets are taken out. What it remembers already in the same words is not written twice: the answer is the one memory.
#[utoipa::path(post, path = "/api/projects/{id}/memories", tag = "memories", request_body = NewMemoryBody,
    params(("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one memory")),
    responses((status = 201, body = Memory)))]
pub async fn create_memory(
    _: Access<MemoriesWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    key: Key,
    body: Body<NewMemoryBody>,
) -> Result<Created<Memory>, ApiError> {
    let project_id = project_id.into_inner();
    let key = key.scoped(format!("POST /api/projects/{project_id}/memories"), &body.raw);
    let given = body.value;
    let new = NewMemory {
        content: required("content", given.content)?,
        scope: given.scope,
        agent: given.agent,
        person: given.person,
        confidence: given.confidence,
        pinned: given.pinned.unwrap_or(false),
        expires_at: given.expires_at.flatten(),
    };
    let create = move |connection: &mut PgConnection| memories::create(connection, project_id, &new, key.as_ref());
    let (memory, replayed) = state.db.run(create).await?;
    written(&state, &memory);
    Ok(Created { location: format!("/api/memories/{}", memory.id), body: memory, replayed })
}

/// Change a memory
#[utoipa::path(patch, path = "/api/memories/{id}", tag = "memories", params(("id" = Uuid, Path)),
    request_body = MemoryPatchBody, responses((status = 200, body = Memory)))]
pub async fn update_memory(
    _: Access<MemoriesWrite>,
    state: State,
    id: web::Path<Uuid>,
    body: Body<MemoryPatchBody>,
) -> Answer<Memory> {
    let given = body.value;
    let edit = Edit {
        content: given.content,
        scope: given.scope,
        agent: given.agent,
        person: given.person,
        confidence: given.confidence,
        pinned: given.pinned,
        expires_at: given.expires_at,
    };
    let memory = state.db.run(move |connection| memories::update(connection, *id, &edit)).await?;
    written(&state, &memory);
    Ok(web::Json(memory))
}

/// Says that it changed, and has its new words embedded where somebody does that. Nobody waits for it.
fn written(state: &State, memory: &Memory) {
    tell(state, memory.id, memory.project_id);
    let state = state.clone();
    tokio::spawn(async move {
        if let Ok(true) = state.db.run(memories::embedder_is_there).await
            && let Err(error) =
                state.committer.apply(Transition::Enqueue(vec![memories::embed_missing(TimeDelta::zero())])).await
        {
            tracing::debug!(%error, "a memory is without an embedding until the next one is written");
        }
    });
}

/// Forget something
#[utoipa::path(delete, path = "/api/memories/{id}", tag = "memories", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is forgotten")))]
pub async fn delete_memory(
    _: Access<MemoriesWrite>,
    state: State,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let id = id.into_inner();
    let project_id = state.db.run(move |connection| memories::delete(connection, id)).await?;
    tell(&state, id, project_id);
    Ok(HttpResponse::NoContent().finish())
}
