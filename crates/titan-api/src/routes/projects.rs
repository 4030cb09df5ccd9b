//! Projects: create, list, read, change, delete, count.

use actix_web::{HttpResponse, web};
use futures_util::StreamExt as _;
use serde::Deserialize;
use serde_json::Value;
use titan_core::counters::{self, Stats};
use titan_core::db::PgConnection;
use titan_core::engine::{CancelRun, Committer, Transition};
use titan_core::page::Page;
use titan_core::pipelines::{self, Target, Wanted};
use titan_core::projects::{self, NewProject, Project, ProjectPatch};
use titan_core::queue::Hint;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Answer, Paging, State};
use crate::access::{Access, ProjectsRead, ProjectsWrite};
use crate::http::body::{Body, required};
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::ApiError;

/// Runs that are stopped together: the committer writes them in few transactions.
const AT_ONCE: usize = 500;

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewProjectBody {
    #[schema(required, nullable = false, max_length = 200, example = "My Web App")]
    name: Option<String>,
    /// Any word; `general` when it is not given.
    #[serde(rename = "type")]
    #[schema(max_length = 100, example = "web-app")]
    project_type: Option<String>,
    /// Also accepted as `templateRef`.
    #[serde(alias = "templateRef")]
    #[schema(max_length = 200)]
    template_ref: Option<String>,
    /// An object; `description` is shown.
    #[schema(value_type = Option<Object>)]
    spec: Option<Value>,
    /// What the template wants to know, before what the spec says.
    #[schema(value_type = Option<Object>)]
    inputs: Option<Value>,
    /// Where it is deployed; the first that the template offers when it is not given.
    target: Option<Target>,
    /// For the target `hook`: SHOP, whose address the worker has as `TITAN_HOOK_SHOP`.
    #[schema(max_length = 40)]
    hook: Option<String>,
}

/// What is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ProjectPatchBody {
    #[schema(max_length = 200)]
    name: Option<String>,
    #[serde(rename = "type")]
    #[schema(max_length = 100)]
    project_type: Option<String>,
    /// Also accepted as `templateRef`.
    #[serde(alias = "templateRef")]
    #[schema(max_length = 200)]
    template_ref: Option<String>,
    /// Replaces the whole spec.
    #[schema(value_type = Option<Object>)]
    spec: Option<Value>,
}

/// Create a project; with a template, the pipeline that makes it of that begins at once
#[utoipa::path(post, path = "/api/projects", tag = "projects", request_body = NewProjectBody,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one project")),
    responses((status = 201, body = Project)))]
pub async fn create_project(
    _: Access<ProjectsWrite>,
    state: State,
    key: Key,
    body: Body<NewProjectBody>,
) -> Result<Created<Project>, ApiError> {
    let key = key.scoped("POST /api/projects".to_owned(), &body.raw);
    let new = NewProject {
        name: required("name", body.value.name)?,
        project_type: body.value.project_type,
        template_ref: body.value.template_ref,
        spec: body.value.spec,
    };
    let wanted = Wanted { template: None, inputs: body.value.inputs, target: body.value.target, hook: body.value.hook };
    let templates_dir = state.config.templates_dir.clone();
    let create = move |connection: &mut PgConnection| {
        pipelines::create_project(connection, templates_dir.as_deref(), &new, &wanted, key.as_ref())
    };
    let (project, replayed, hints) = state.db.run(create).await?;
    state.notifier.send(hints);
    Ok(Created { location: format!("/api/projects/{}", project.id), body: project, replayed })
}

/// List projects, the newest first
#[utoipa::path(get, path = "/api/projects", tag = "projects", params(Paging), responses((status = 200, body = Page<Project>)))]
pub async fn list_projects(_: Access<ProjectsRead>, state: State, query: Query<Paging>) -> Answer<Page<Project>> {
    let Paging { limit, cursor } = query.0;
    Ok(web::Json(state.db.run(move |connection| projects::list(connection, limit, cursor.as_deref())).await?))
}

/// Read a project
#[utoipa::path(get, path = "/api/projects/{id}", tag = "projects", params(("id" = Uuid, Path)),
    responses((status = 200, body = Project)))]
pub async fn get_project(_: Access<ProjectsRead>, state: State, id: web::Path<Uuid>) -> Answer<Project> {
    Ok(web::Json(state.db.run(move |connection| projects::get(connection, *id)).await?))
}

/// Change a project
#[utoipa::path(patch, path = "/api/projects/{id}", tag = "projects", params(("id" = Uuid, Path)),
    request_body = ProjectPatchBody, responses((status = 200, body = Project)))]
pub async fn update_project(
    _: Access<ProjectsWrite>,
    state: State,
    id: web::Path<Uuid>,
    body: Body<ProjectPatchBody>,
) -> Answer<Project> {
    let id = id.into_inner();
    let patch = ProjectPatch {
        name: body.value.name,
        project_type: body.value.project_type,
        template_ref: body.value.template_ref,
        spec: body.value.spec,
    };
    let project = state.db.run(move |connection| projects::update(connection, id, &patch)).await?;
    tell(&state, id);
    Ok(web::Json(project))
}

/// Delete a project and stop its runs
#[utoipa::path(delete, path = "/api/projects/{id}", tag = "projects", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_project(
    _: Access<ProjectsWrite>,
    state: State,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let id = id.into_inner();
    let runs = state.db.run(move |connection| projects::delete(connection, id)).await?;
    tell(&state, id);
    // Apart from the request: a client that goes away must not leave half of them running.
    let stopped = tokio::spawn(stop_runs(state.committer.clone(), runs)).await;
    stopped.map_err(|error| ApiError::internal(format!("stopping the runs of a project failed: {error}")))?;
    Ok(HttpResponse::NoContent().finish())
}

async fn stop_runs(committer: Committer, runs: Vec<Uuid>) {
    let stop = async |run_id: Uuid| {
        let cancel = CancelRun { run_id, reason: "the project was deleted".to_owned() };
        // The project is gone whatever happens here; a run that goes on ends by itself.
        if let Err(error) = committer.cancel(Transition::CancelRun(cancel)).await {
            tracing::warn!(run.id = %run_id, %error, "a run of a deleted project was not stopped");
        }
    };
    futures_util::stream::iter(runs).for_each_concurrent(AT_ONCE, stop).await;
}

/// Count what a project has
#[utoipa::path(get, path = "/api/projects/{id}/stats", tag = "projects", params(("id" = Uuid, Path)),
    responses((status = 200, body = Stats)))]
pub async fn get_project_stats(_: Access<ProjectsRead>, state: State, id: web::Path<Uuid>) -> Answer<Stats> {
    let count = move |connection: &mut PgConnection| {
        projects::exists(connection, *id)?;
        counters::of_project(connection, *id)
    };
    Ok(web::Json(state.db.run(count).await?))
}

fn tell(state: &State, id: Uuid) {
    state.notifier.send(vec![Hint::change("project", id, id)]);
}
