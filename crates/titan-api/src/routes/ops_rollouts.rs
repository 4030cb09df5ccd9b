//! What people decide about proposals, and how their rollouts stand. Who proposed does not approve.

use actix_web::web;
use serde::{Deserialize, Serialize};
use titan_core::Error;
use titan_core::db::PgConnection;
use titan_core::engine::Wake;
use titan_core::ops::decisions::{self, NewDecision, Verdict};
use titan_core::ops::proposals::{self, Proposal};
use titan_core::ops::rollbacks::{self, Ordered};
use titan_core::ops::rollouts::{self, Rollout};
use titan_core::ops::targets::{self, Target};
use titan_core::page::Page;
use titan_core::state::WaitingOn;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Answer, Paging, State};
use crate::access::{Access, OpsDecide, OpsRead};
use crate::http::body::{Body, required};
use crate::http::params::Query;
use crate::http::problem::ApiError;

#[derive(Debug, Deserialize, ToSchema)]
pub struct DecisionBody {
    /// What was shown: the `subject` of what the proposal asks. Another one by now is 412, so that nobody approves what they did not see.
    #[schema(required, nullable = false)]
    subject: Option<String>,
    #[schema(max_length = 4000)]
    comment: Option<String>,
}

/// Approve what a proposal asks; who proposed it cannot
#[utoipa::path(post, path = "/api/ops/proposals/{id}/approve", tag = "ops", params(("id" = Uuid, Path)),
    request_body = DecisionBody, responses((status = 200, body = Proposal)))]
pub async fn approve_proposal(
    access: Access<OpsDecide>,
    state: State,
    id: web::Path<Uuid>,
    body: Body<DecisionBody>,
) -> Answer<Proposal> {
    let (id, by) = (*id, access.actor().name());
    let (subject, comment) = (required("subject", body.value.subject)?, body.value.comment);
    let approve = move |connection: &mut PgConnection| {
        let new = NewDecision { subject: &subject, verdict: Verdict::Approved, by, comment: comment.as_deref() };
        decisions::decide(connection, id, &new)
    };
    state.db.run(approve).await?;
    state.notifier.send(vec![rollouts::told(id)]);
    wake(&state, id).await?;
    read(&state, id).await
}

/// Reject what a proposal asks: it ends, and what was rolled out is taken back
#[utoipa::path(post, path = "/api/ops/proposals/{id}/reject", tag = "ops", params(("id" = Uuid, Path)),
    request_body = DecisionBody, responses((status = 200, body = Proposal)))]
pub async fn reject_proposal(
    access: Access<OpsDecide>,
    state: State,
    id: web::Path<Uuid>,
    body: Body<DecisionBody>,
) -> Answer<Proposal> {
    let (id, by) = (*id, access.actor().name());
    let (subject, comment) = (required("subject", body.value.subject)?, body.value.comment);
    let reject = move |connection: &mut PgConnection| {
        let new = NewDecision { subject: &subject, verdict: Verdict::Rejected, by, comment: comment.as_deref() };
        rollbacks::reject(connection, id, &new)
    };
    let hints = state.db.run(reject).await?;
    state.notifier.send(hints);
    read(&state, id).await
}

/// Have the rollout of a proposal stand still before its merge
#[utoipa::path(post, path = "/api/ops/proposals/{id}/pause", tag = "ops", params(("id" = Uuid, Path)),
    responses((status = 200, body = Proposal)))]
pub async fn pause_proposal(access: Access<OpsDecide>, state: State, id: web::Path<Uuid>) -> Answer<Proposal> {
    pause(&state, *id, Some(access.actor().name())).await
}

/// Have it go on; an analysis that found nothing out is made again
#[utoipa::path(post, path = "/api/ops/proposals/{id}/resume", tag = "ops", params(("id" = Uuid, Path)),
    responses((status = 200, body = Proposal)))]
pub async fn resume_proposal(_: Access<OpsDecide>, state: State, id: web::Path<Uuid>) -> Answer<Proposal> {
    pause(&state, *id, None).await
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct RollbackBody {
    /// For whoever reads it later; stands on the pull request too.
    #[schema(max_length = 1900)]
    reason: Option<String>,
}

/// Take a change back: before its merge the pull request is closed, after it the commit before is deployed and the opposite proposed
#[utoipa::path(post, path = "/api/ops/proposals/{id}/rollback", tag = "ops", params(("id" = Uuid, Path)),
    request_body = RollbackBody, responses((status = 200, body = Ordered)))]
pub async fn roll_back_proposal(
    access: Access<OpsDecide>,
    state: State,
    id: web::Path<Uuid>,
    body: Body<RollbackBody>,
) -> Answer<Ordered> {
    let by = access.actor().name();
    let given = body.value.reason.map(|reason| reason.trim().to_owned()).filter(|reason| !reason.is_empty());
    let reason = given.map_or_else(|| format!("{by} ordered it"), |given| format!("{by} ordered it: {given}"));
    let order = move |connection: &mut PgConnection| rollbacks::order(connection, *id, &reason, by);
    let (ordered, hints) = state.db.run(order).await?;
    state.notifier.send(hints);
    Ok(web::Json(ordered))
}

/// List the rollouts, the newest first
#[utoipa::path(get, path = "/api/ops/rollouts", tag = "ops", params(Paging),
    responses((status = 200, body = Page<Rollout>)))]
pub async fn list_rollouts(_: Access<OpsRead>, state: State, query: Query<Paging>) -> Answer<Page<Rollout>> {
    let Paging { limit, cursor } = query.0;
    Ok(web::Json(state.db.run(move |connection| rollouts::list(connection, limit, cursor.as_deref())).await?))
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Targets {
    items: Vec<Target>,
}

/// List where changes are rolled out, and what production answered when it was last asked, and since when
#[utoipa::path(get, path = "/api/ops/targets", tag = "ops", responses((status = 200, body = Targets)))]
pub async fn list_targets(_: Access<OpsRead>, state: State) -> Answer<Targets> {
    Ok(web::Json(Targets { items: state.db.run(targets::list).await? }))
}

async fn pause(state: &State, id: Uuid, by: Option<&'static str>) -> Answer<Proposal> {
    let (_, hints) = state.db.run(move |connection| rollouts::pause(connection, id, by)).await?;
    state.notifier.send(hints);
    wake(state, id).await?;
    read(state, id).await
}

/// Who waits for a person looks again at once; the leader sees to those that nobody woke.
async fn wake(state: &State, id: Uuid) -> Result<(), ApiError> {
    let Some(run_id) = state.db.run(move |connection| proposals::get(connection, id)).await?.run_id else {
        return Ok(());
    };
    for on in [WaitingOn::Approval, WaitingOn::Input] {
        match state.committer.wake_run(Wake::for_person(run_id, on)).await {
            Ok(_) | Err(Error::NotFound(..)) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

async fn read(state: &State, id: Uuid) -> Answer<Proposal> {
    Ok(web::Json(state.db.run(move |connection| proposals::get(connection, id)).await?))
}
