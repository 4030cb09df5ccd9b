//! Runs: list, read, cancel.

use actix_web::web;
use serde::Deserialize;
use titan_core::calls::{self, Call};
use titan_core::engine::{CancelRun, Transition};
use titan_core::page::Page;
use titan_core::runs::{self, Filter, Run};
use titan_core::state::RunStatus;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Answer, Paging, State};
use crate::access::{Access, RunsRead, RunsWrite};
use crate::http::params::Query;

/// The reason that the log shows.
pub(super) const BY_A_PERSON: &str = "canceled by a person";

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RunFilter {
    project_id: Option<Uuid>,
    task_id: Option<Uuid>,
    status: Option<RunStatus>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct RunOfProjectFilter {
    task_id: Option<Uuid>,
    status: Option<RunStatus>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    cursor: Option<String>,
}

/// List runs, the newest first, without their steps
#[utoipa::path(get, path = "/api/runs", tag = "runs", params(RunFilter), responses((status = 200, body = Page<Run>)))]
pub async fn list_runs(_: Access<RunsRead>, state: State, query: Query<RunFilter>) -> Answer<Page<Run>> {
    let RunFilter { project_id, task_id, status, limit, cursor } = query.0;
    list(&state, Filter { project_id, task_id, status }, limit, cursor).await
}

/// List the runs of a project, the newest first, without their steps
#[utoipa::path(get, path = "/api/projects/{id}/runs", tag = "runs", params(("id" = Uuid, Path), RunOfProjectFilter),
    responses((status = 200, body = Page<Run>)))]
pub async fn list_project_runs(
    _: Access<RunsRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<RunOfProjectFilter>,
) -> Answer<Page<Run>> {
    let RunOfProjectFilter { task_id, status, limit, cursor } = query.0;
    list(&state, Filter { project_id: Some(*project_id), task_id, status }, limit, cursor).await
}

async fn list(state: &State, filter: Filter, limit: Option<i64>, cursor: Option<String>) -> Answer<Page<Run>> {
    let list =
        move |connection: &mut titan_core::db::PgConnection| runs::list(connection, &filter, limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}

/// Read a run with its steps
#[utoipa::path(get, path = "/api/runs/{id}", tag = "runs", params(("id" = Uuid, Path)), responses((status = 200, body = Run)))]
pub async fn get_run(_: Access<RunsRead>, state: State, id: web::Path<Uuid>) -> Answer<Run> {
    Ok(web::Json(state.db.run(move |connection| runs::get(connection, *id)).await?))
}

/// List the calls of models that a run has made, the oldest first
#[utoipa::path(get, path = "/api/runs/{id}/calls", tag = "runs", params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = Page<Call>)))]
pub async fn list_run_calls(
    _: Access<RunsRead>,
    state: State,
    id: web::Path<Uuid>,
    query: Query<Paging>,
) -> Answer<Page<Call>> {
    let Paging { limit, cursor } = query.0;
    Ok(web::Json(state.db.run(move |connection| calls::of_run(connection, *id, limit, cursor.as_deref())).await?))
}

/// Cancel a run; nothing happens when it has ended
///
/// A run that a worker is busy with is asked to stop, and ends a moment later: see `cancel_requested_at`.
#[utoipa::path(post, path = "/api/runs/{id}/cancel", tag = "runs", params(("id" = Uuid, Path)),
    responses((status = 200, body = Run)))]
pub async fn cancel_run(_: Access<RunsWrite>, state: State, id: web::Path<Uuid>) -> Answer<Run> {
    let id = id.into_inner();
    // Also the check that it may be seen at all.
    state.db.run(move |connection| runs::position(connection, id)).await?;
    let cancel = CancelRun { run_id: id, reason: BY_A_PERSON.to_owned() };
    state.committer.cancel(Transition::CancelRun(cancel)).await?;
    Ok(web::Json(state.db.run(move |connection| runs::get(connection, id)).await?))
}
