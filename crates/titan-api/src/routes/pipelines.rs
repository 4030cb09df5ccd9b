//! Pipelines: a project made of its template once more, where it can be seen, and the versions that were published.

use actix_web::web;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use titan_core::db::PgConnection;
use titan_core::engine::Submission;
use titan_core::idempotency;
use titan_core::page::Page;
use titan_core::pipelines::previews::{self, Preview};
use titan_core::pipelines::publications::{self, Publication};
use titan_core::pipelines::{self, Target, Wanted};
use titan_core::queue::Hint;
use titan_core::tasks::Task;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Answer, Paging, State, tasks};
use crate::access::{Access, FilesRead, TasksWrite};
use crate::http::body::Body;
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::ApiError;

/// What is left out is chosen: the project's own template, its spec, the first target that the template offers.
#[derive(Debug, Default, Deserialize, ToSchema)]
pub struct PipelineBody {
    /// Also accepted as `template_ref` and `templateRef`.
    #[serde(alias = "template_ref", alias = "templateRef")]
    #[schema(max_length = 200, example = "static-site")]
    pub(super) template: Option<String>,
    /// What the template wants to know, before what the project's spec says.
    #[schema(value_type = Option<Object>)]
    pub(super) inputs: Option<Value>,
    pub(super) target: Option<Target>,
    /// For the target `hook`: SHOP, whose address the worker has as `TITAN_HOOK_SHOP`.
    #[schema(max_length = 40)]
    pub(super) hook: Option<String>,
}

impl From<PipelineBody> for Wanted {
    fn from(body: PipelineBody) -> Self {
        Wanted { template: body.template, inputs: body.inputs, target: body.target, hook: body.hook }
    }
}

#[derive(Debug, Serialize, ToSchema)]
pub struct PreviewState {
    /// Null when nothing was ever to be seen.
    preview: Option<Preview>,
}

/// Make a project of its template: scaffold, build, deploy, verify, publish
#[utoipa::path(post, path = "/api/projects/{id}/pipelines", tag = "pipelines", request_body = PipelineBody,
    params(("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one task")),
    responses((status = 201, body = Task)))]
pub async fn start_pipeline(
    _: Access<TasksWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    key: Key,
    body: Body<PipelineBody>,
) -> Result<Created<Task>, ApiError> {
    let project_id = project_id.into_inner();
    let key = key.scoped(format!("POST /api/projects/{project_id}/pipelines"), &body.raw);
    let asked = key.clone();
    let refuse_second = move |connection: &mut PgConnection| {
        // Who asks again for what was ordered before hears what became of it.
        if idempotency::was_used(connection, asked.as_ref())? {
            Ok(())
        } else {
            pipelines::refuse_second(connection, project_id)
        }
    };
    state.db.run(refuse_second).await?;
    let task = ordered(&state, project_id, body.value.into()).await?;
    tasks::submit(&state, Submission { task, key, trace_id: None }).await
}

/// The task with an order in which nothing is left open.
pub(in crate::routes) async fn ordered(
    state: &State,
    project_id: Uuid,
    wanted: Wanted,
) -> Result<titan_core::engine::NewTask, ApiError> {
    let templates_dir = state.config.templates_dir.clone();
    let task =
        move |connection: &mut PgConnection| pipelines::task(connection, templates_dir.as_deref(), project_id, &wanted);
    Ok(state.db.run(task).await?)
}

/// Read where a project can be seen
#[utoipa::path(get, path = "/api/projects/{id}/preview", tag = "pipelines", params(("id" = Uuid, Path)),
    responses((status = 200, body = PreviewState)))]
pub async fn get_preview(_: Access<FilesRead>, state: State, id: web::Path<Uuid>) -> Answer<PreviewState> {
    let preview = state.db.run(move |connection| previews::get(connection, *id)).await?;
    Ok(web::Json(PreviewState { preview }))
}

/// Serve the preview again, with what it showed last
#[utoipa::path(post, path = "/api/projects/{id}/preview/start", tag = "pipelines", params(("id" = Uuid, Path)),
    responses((status = 200, body = Preview)))]
pub async fn start_preview(_: Access<TasksWrite>, state: State, id: web::Path<Uuid>) -> Answer<Preview> {
    change(&state, *id, previews::start).await
}

/// Stop the preview
#[utoipa::path(post, path = "/api/projects/{id}/preview/stop", tag = "pipelines", params(("id" = Uuid, Path)),
    responses((status = 200, body = Preview)))]
pub async fn stop_preview(_: Access<TasksWrite>, state: State, id: web::Path<Uuid>) -> Answer<Preview> {
    change(&state, *id, previews::stop).await
}

async fn change(
    state: &State,
    id: Uuid,
    change: fn(&mut PgConnection, Uuid) -> titan_core::Result<Preview>,
) -> Answer<Preview> {
    let preview = state.db.run(move |connection| change(connection, id)).await?;
    state.notifier.send(vec![Hint::Jobs, Hint::change("preview", id, id)]);
    Ok(web::Json(preview))
}

/// List the published versions of a project, the newest first
#[utoipa::path(get, path = "/api/projects/{id}/publications", tag = "pipelines", params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = Page<Publication>)))]
pub async fn list_publications(
    _: Access<FilesRead>,
    state: State,
    id: web::Path<Uuid>,
    query: Query<Paging>,
) -> Answer<Page<Publication>> {
    let Paging { limit, cursor } = query.0;
    let list = move |connection: &mut PgConnection| publications::list(connection, *id, limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}
