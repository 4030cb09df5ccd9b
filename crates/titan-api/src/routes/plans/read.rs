//! The versions of a plan, and two of them side by side.

use actix_web::web;
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::page::Page;
use titan_core::plans::{self, Comparison, Drafting, Plan, PlanSummary};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use crate::access::{Access, ProjectsRead};
use crate::http::params::Query;
use crate::routes::{Answer, Paging, State};

#[derive(Debug, Serialize, ToSchema)]
pub struct Plans {
    items: Vec<PlanSummary>,
    next_cursor: Option<String>,
    /// The newest draft, however it stands: under way, done, or failed and why.
    draft: Option<Drafting>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Versions {
    from: i32,
    to: i32,
}

/// List the versions of a project's plan, the newest first
#[utoipa::path(get, path = "/api/projects/{id}/plans", tag = "plans", params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = Plans)))]
pub async fn list_plans(
    _: Access<ProjectsRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<Paging>,
) -> Answer<Plans> {
    let Paging { limit, cursor } = query.0;
    let list = move |connection: &mut PgConnection| {
        let Page { items, next_cursor } = plans::list(connection, *project_id, limit, cursor.as_deref())?;
        Ok(Plans { items, next_cursor, draft: plans::newest_draft(connection, *project_id)? })
    };
    Ok(web::Json(state.db.run(list).await?))
}

/// Read a version of a project's plan
#[utoipa::path(get, path = "/api/projects/{id}/plans/{version}", tag = "plans",
    params(("id" = Uuid, Path), ("version" = i32, Path)), responses((status = 200, body = Plan)))]
pub async fn get_plan(_: Access<ProjectsRead>, state: State, place: web::Path<(Uuid, i32)>) -> Answer<Plan> {
    let (project_id, version) = place.into_inner();
    Ok(web::Json(state.db.run(move |connection| plans::get(connection, project_id, version)).await?))
}

/// Compare two versions of a project's plan, section by section
#[utoipa::path(get, path = "/api/projects/{id}/plans/compare", tag = "plans", params(("id" = Uuid, Path), Versions),
    responses((status = 200, body = Comparison)))]
pub async fn compare_plans(
    _: Access<ProjectsRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<Versions>,
) -> Answer<Comparison> {
    let Versions { from, to } = query.0;
    let read = move |connection: &mut PgConnection| {
        let before = plans::get(connection, *project_id, from)?;
        Ok(plans::compare(&before, &plans::get(connection, *project_id, to)?))
    };
    Ok(web::Json(state.db.run(read).await?))
}
