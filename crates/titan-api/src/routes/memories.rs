//! Memories: what a project remembers, read, added to and forgotten.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use titan_core::db::PgConnection;
use titan_core::memories::{self, Memory};
use titan_core::page::Page;
use titan_core::queue::Hint;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Answer, Paging, State};
use crate::access::{Access, MemoriesRead, MemoriesWrite};
use crate::http::body::{Body, required};
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::ApiError;

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewMemoryBody {
    #[schema(required, nullable = false, min_length = 1, max_length = 8000)]
    content: Option<String>,
    /// `project` when it is not given.
    scope: Option<String>,
}

/// List what a project remembers, the newest first
#[utoipa::path(get, path = "/api/projects/{id}/memories", tag = "memories", params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = Page<Memory>)))]
pub async fn list_memories(
    _: Access<MemoriesRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<Paging>,
) -> Answer<Page<Memory>> {
    let Paging { limit, cursor } = query.0;
    let list = move |connection: &mut PgConnection| memories::list(connection, *project_id, limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}

/// Have a project remember something
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
    let content = required("content", body.value.content)?;
    let key = key.scoped(format!("POST /api/projects/{project_id}/memories"), &body.raw);
    let scope = body.value.scope;
    let create = move |connection: &mut PgConnection| {
        memories::create(connection, project_id, &content, scope.as_deref(), key.as_ref())
    };
    let (memory, replayed) = state.db.run(create).await?;
    state.notifier.send(vec![Hint::change("memory", memory.id, project_id)]);
    Ok(Created { location: format!("/api/projects/{project_id}/memories"), body: memory, replayed })
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
    state.notifier.send(vec![Hint::change("memory", id, project_id)]);
    Ok(HttpResponse::NoContent().finish())
}
