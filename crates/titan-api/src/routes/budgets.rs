//! Budgets: what calls of models have cost, and the limits on what they may.
//!
//! Four scopes and three methods each: the handlers differ in their address alone.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use titan_core::budgets::{self, Period, Rule, Scope, Spending};
use titan_core::engine::Wake;
use titan_core::queue::Hint;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Answer, State};
use crate::access::{Access, BudgetsRead, BudgetsWrite};
use crate::http::body::Body;
use crate::http::problem::{ApiError, Code};

/// The whole budget: what is left out is not limited. At least one of the three must be there.
#[derive(Debug, Deserialize, ToSchema)]
pub struct BudgetBody {
    /// US dollars.
    #[schema(minimum = 0, maximum = 1000000000)]
    cost: Option<f64>,
    /// Tokens of input and output together.
    #[schema(minimum = 0)]
    tokens: Option<i64>,
    /// Calls of models, whether or not they were answered.
    #[schema(minimum = 0)]
    calls: Option<i64>,
    /// `total` when it is not given.
    period: Option<Period>,
}

async fn read(state: &State, scope: Scope, id: Uuid) -> Answer<Spending> {
    Ok(web::Json(state.db.run(move |connection| budgets::get(connection, scope, id)).await?))
}

async fn write(state: &State, scope: Scope, id: Uuid, body: BudgetBody) -> Answer<Spending> {
    let BudgetBody { cost, tokens, calls, period } = body;
    let rule = Rule { cost, tokens, calls, period: period.unwrap_or(Period::Total) };
    state.db.run(move |connection| budgets::set(connection, scope, id, &rule)).await?;
    wake(state, scope, id).await?;
    read(state, scope, id).await
}

async fn take_away(state: &State, scope: Scope, id: Uuid) -> Result<HttpResponse, ApiError> {
    if !state.db.run(move |connection| budgets::remove(connection, scope, id)).await? {
        return Err(ApiError::new(Code::BudgetNotFound, format!("Nothing limits this {scope}.")));
    }
    wake(state, scope, id).await?;
    Ok(HttpResponse::NoContent().finish())
}

/// Who waits for a budget looks again; whether there is room now is the engine's to say.
async fn wake(state: &State, scope: Scope, id: Uuid) -> Result<(), ApiError> {
    for run_id in state.db.run(move |connection| budgets::waiting(connection, scope, id)).await? {
        match state.committer.wake_run(Wake::for_budget(run_id)).await {
            Ok(_) | Err(titan_core::Error::NotFound(..)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    state.notifier.send(vec![Hint::Jobs]);
    Ok(())
}

/// Read what all calls of models have cost, and the limit on it
#[utoipa::path(get, path = "/api/budget", tag = "budgets", responses((status = 200, body = Spending)))]
pub async fn get_budget(_: Access<BudgetsRead>, state: State) -> Answer<Spending> {
    read(&state, Scope::Installation, Uuid::nil()).await
}

/// Limit what all calls of models may cost; runs that wait for it look again
#[utoipa::path(put, path = "/api/budget", tag = "budgets", request_body = BudgetBody,
    responses((status = 200, body = Spending)))]
pub async fn put_budget(_: Access<BudgetsWrite>, state: State, body: Body<BudgetBody>) -> Answer<Spending> {
    write(&state, Scope::Installation, Uuid::nil(), body.value).await
}

/// Take the limit away
#[utoipa::path(delete, path = "/api/budget", tag = "budgets", responses((status = 204, description = "It is gone")))]
pub async fn delete_budget(_: Access<BudgetsWrite>, state: State) -> Result<HttpResponse, ApiError> {
    take_away(&state, Scope::Installation, Uuid::nil()).await
}

/// Read what a project's calls of models have cost, the limit on it, and what its open tasks will cost
#[utoipa::path(get, path = "/api/projects/{id}/budget", tag = "budgets", params(("id" = Uuid, Path)),
    responses((status = 200, body = Spending)))]
pub async fn get_project_budget(_: Access<BudgetsRead>, state: State, id: web::Path<Uuid>) -> Answer<Spending> {
    read(&state, Scope::Project, *id).await
}

/// Limit what a project's calls of models may cost; runs that wait for it look again
#[utoipa::path(put, path = "/api/projects/{id}/budget", tag = "budgets", params(("id" = Uuid, Path)),
    request_body = BudgetBody, responses((status = 200, body = Spending)))]
pub async fn put_project_budget(
    _: Access<BudgetsWrite>,
    state: State,
    id: web::Path<Uuid>,
    body: Body<BudgetBody>,
) -> Answer<Spending> {
    write(&state, Scope::Project, *id, body.value).await
}

/// Take the limit away
#[utoipa::path(delete, path = "/api/projects/{id}/budget", tag = "budgets", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_project_budget(
    _: Access<BudgetsWrite>,
    state: State,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    take_away(&state, Scope::Project, *id).await
}

/// Read what a task's calls of models have cost, and the limit on it
#[utoipa::path(get, path = "/api/tasks/{id}/budget", tag = "budgets", params(("id" = Uuid, Path)),
    responses((status = 200, body = Spending)))]
pub async fn get_task_budget(_: Access<BudgetsRead>, state: State, id: web::Path<Uuid>) -> Answer<Spending> {
    read(&state, Scope::Task, *id).await
}

/// Limit what a task's calls of models may cost
#[utoipa::path(put, path = "/api/tasks/{id}/budget", tag = "budgets", params(("id" = Uuid, Path)),
    request_body = BudgetBody, responses((status = 200, body = Spending)))]
pub async fn put_task_budget(
    _: Access<BudgetsWrite>,
    state: State,
    id: web::Path<Uuid>,
    body: Body<BudgetBody>,
) -> Answer<Spending> {
    write(&state, Scope::Task, *id, body.value).await
}

/// Take the limit away
#[utoipa::path(delete, path = "/api/tasks/{id}/budget", tag = "budgets", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_task_budget(
    _: Access<BudgetsWrite>,
    state: State,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    take_away(&state, Scope::Task, *id).await
}

/// Read what a run's calls of models have cost, and the limit on it
#[utoipa::path(get, path = "/api/runs/{id}/budget", tag = "budgets", params(("id" = Uuid, Path)),
    responses((status = 200, body = Spending)))]
pub async fn get_run_budget(_: Access<BudgetsRead>, state: State, id: web::Path<Uuid>) -> Answer<Spending> {
    read(&state, Scope::Run, *id).await
}

/// Limit what a run's calls of models may cost
#[utoipa::path(put, path = "/api/runs/{id}/budget", tag = "budgets", params(("id" = Uuid, Path)),
    request_body = BudgetBody, responses((status = 200, body = Spending)))]
pub async fn put_run_budget(
    _: Access<BudgetsWrite>,
    state: State,
    id: web::Path<Uuid>,
    body: Body<BudgetBody>,
) -> Answer<Spending> {
    write(&state, Scope::Run, *id, body.value).await
}

/// Take the limit away
#[utoipa::path(delete, path = "/api/runs/{id}/budget", tag = "budgets", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_run_budget(
    _: Access<BudgetsWrite>,
    state: State,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    take_away(&state, Scope::Run, *id).await
}
