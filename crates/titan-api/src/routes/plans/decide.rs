//! What is decided about a plan: a version of it is approved and becomes the charter, or is refused.

use actix_web::web;
use serde::Deserialize;
use titan_core::db::PgConnection;
use titan_core::engine::{Approve, NewTask};
use titan_core::pipelines::{self, Wanted};
use titan_core::plans::{self, Charter, Plan, PlanState};
use titan_core::queue::Hint;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::access::{Access, ProjectsRead, ProjectsWrite};
use crate::http::body::{Body, required};
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::ApiError;
use crate::routes::{Answer, State};

#[derive(Debug, Deserialize, ToSchema)]
pub struct ApprovePlanBody {
    /// The version that was read.
    #[schema(required, nullable = false)]
    version: Option<i32>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct RefusePlanBody {
    #[schema(required, nullable = false)]
    version: Option<i32>,
    #[schema(max_length = 2000)]
    reason: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct WhichCharter {
    /// The newest, when it is not given.
    number: Option<i32>,
}

/// Approve a version of the plan: it becomes the charter, and its tasks are made
#[utoipa::path(post, path = "/api/projects/{id}/plan/approve", tag = "plans", request_body = ApprovePlanBody,
    params(("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "A version is approved once, with a key or without")),
    responses((status = 201, body = Charter)))]
pub async fn approve_plan(
    _: Access<ProjectsWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    key: Key,
    body: Body<ApprovePlanBody>,
) -> Result<Created<Charter>, ApiError> {
    let project_id = project_id.into_inner();
    let key = key.scoped(format!("POST /api/projects/{project_id}/plan/approve"), &body.raw);
    let version = required("version", body.value.version)?;
    let pipeline = pipeline(&state, project_id, version).await?;
    let approved = state.committer.approve(Approve { project_id, version, pipeline, key }).await?;
    let read = move |connection: &mut PgConnection| plans::charter_of_plan(connection, project_id, version);
    let charter = state.db.run(read).await?;
    let location = format!("/api/projects/{project_id}/charter?number={}", charter.number);
    Ok(Created { location, body: charter, replayed: approved.replayed })
}

/// The task that makes the project of the template which the version names, if it names one that it was not made of yet. A
/// version that was decided before needs none: who asks for it again hears what became of it, whatever templates there are now.
async fn pipeline(state: &State, project_id: Uuid, version: i32) -> Result<Option<Box<NewTask>>, ApiError> {
    let templates_dir = state.config.templates_dir.clone();
    let find = move |connection: &mut PgConnection| {
        let plan = plans::get(connection, project_id, version)?;
        let Some(template) = plan.content.template.filter(|_| plan.summary.state == PlanState::Draft) else {
            return Ok(None);
        };
        let (template, inputs) = (Some(template.reference), Some(template.inputs));
        let wanted = Wanted { template, inputs, ..Wanted::default() };
        pipelines::task_of_plan(connection, templates_dir.as_deref(), project_id, &wanted)
    };
    Ok(state.db.run(find).await?.map(Box::new))
}

/// Refuse a version of the plan
#[utoipa::path(post, path = "/api/projects/{id}/plan/refuse", tag = "plans", request_body = RefusePlanBody,
    params(("id" = Uuid, Path)), responses((status = 200, body = Plan)))]
pub async fn refuse_plan(
    _: Access<ProjectsWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    body: Body<RefusePlanBody>,
) -> Answer<Plan> {
    let project_id = project_id.into_inner();
    let version = required("version", body.value.version)?;
    let reason = body.value.reason;
    let refuse = move |connection: &mut PgConnection| plans::refuse(connection, project_id, version, reason.as_deref());
    let plan = state.db.run(refuse).await?;
    state.notifier.send(vec![Hint::change("plan", plan.summary.id, project_id)]);
    Ok(web::Json(plan))
}

/// Read the charter of a project: what was approved, and how far its tasks are
#[utoipa::path(get, path = "/api/projects/{id}/charter", tag = "plans", params(("id" = Uuid, Path), WhichCharter),
    responses((status = 200, body = Charter)))]
pub async fn get_charter(
    _: Access<ProjectsRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<WhichCharter>,
) -> Answer<Charter> {
    let number = query.0.number;
    Ok(web::Json(state.db.run(move |connection| plans::charter(connection, *project_id, number)).await?))
}
