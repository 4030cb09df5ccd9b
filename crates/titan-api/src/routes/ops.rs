//! Changes to Titan's own code: proposing one, and following it through its stages. `docs/OPS.md` says what a stage is.

use actix_web::web;
use serde::{Deserialize, Serialize};
use titan_core::blobs::Blob;
use titan_core::db::PgConnection;
use titan_core::engine::IdempotencyKey;
use titan_core::ops::audit::{self, AuditEntry};
use titan_core::ops::intents::{self, Intent};
use titan_core::ops::proposals::{self, NewProposal, Proposal, Same};
use titan_core::ops::{Fault, PatchInput, Policy};
use titan_core::page::Page;
use titan_core::{Error, ops};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Answer, Paging, State};
use crate::access::{Access, OpsPropose, OpsRead};
use crate::http::body::{Body, required};
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code, FieldError};

/// Bytes: all patches, as JSON has them.
const MOST: usize = 16 << 20;

#[derive(Debug, Deserialize, ToSchema)]
pub struct ProposeBody {
    #[schema(required, nullable = false, max_length = 200, example = "Update README")]
    title: Option<String>,
    /// Why, for whoever reviews it.
    #[schema(max_length = 20_000)]
    description: Option<String>,
    /// Each changes one file.
    #[schema(required, nullable = false, min_items = 1, max_items = 200)]
    patches: Option<Vec<PatchInput>>,
    /// The heading under "Now" in TASKS.md that it belongs to; the one that the title is when it is not given.
    #[schema(max_length = 300)]
    now: Option<String>,
    /// The commit that the patches are for: 40 hex digits; wherever the branch stands when it is not given.
    base: Option<String>,
}

/// Propose a change to Titan's own code; the same call twice makes one proposal
#[utoipa::path(post, path = "/api/ops/propose", tag = "ops", request_body = ProposeBody,
    params(("X-OPS-TOKEN" = String, Header, description = "The token of OPS_TOKEN"),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one proposal; without one the body is the key, until what it made has come to nothing")),
    responses((status = 201, body = Proposal)))]
pub async fn propose(
    access: Access<OpsPropose>,
    state: State,
    key: Key,
    body: Body<ProposeBody, MOST>,
) -> Result<Created<Proposal>, ApiError> {
    const SCOPE: &str = "POST /api/ops/propose";
    // Who sends the very same again means the same.
    let by_body = || IdempotencyKey::new(format!("{SCOPE} body"), &String::from_utf8_lossy(&body.raw), &body.raw);
    let same = key.scoped(SCOPE.to_owned(), &body.raw).map_or_else(|| Same::Body(by_body()), Same::Key);
    let ProposeBody { title, description, patches, now, base } = body.value;
    let patches = required("patches", patches)?;
    let settings = &state.config.ops;
    let policy = Policy::of(settings.allowed_paths.as_deref(), settings.protected_paths.as_deref())
        .map_err(ApiError::internal)?;
    let read = ops::patch::read(&patches, &policy).map_err(refused)?;
    let json = serde_json::to_vec(&patches).map_err(|error| ApiError::internal(error.to_string()))?;
    let mut blob: Blob = json.into();
    state.blobs.put(&mut blob).await?;
    let new = NewProposal {
        title: required("title", title)?,
        description: description.unwrap_or_default(),
        author: access.actor().name().to_owned(),
        now_item: now.map(|now| now.trim().to_owned()).filter(|now| !now.is_empty()),
        base_commit: base.map(|base| commit(&base)).transpose()?,
        patches: blob,
        paths: read.iter().map(|patch| patch.path.to_string()).collect(),
    };
    let create = move |connection: &mut PgConnection| proposals::create(connection, &new, same.clone());
    let (proposal, replayed, hints) = state.db.run(create).await?;
    state.notifier.send(hints);
    Ok(Created { location: format!("/api/ops/proposals/{}", proposal.id), body: proposal, replayed })
}

fn commit(given: &str) -> Result<String, ApiError> {
    let is_commit =
        given.len() == 40 && given.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if is_commit {
        return Ok(given.to_owned());
    }
    Err(ApiError::field(Code::ValidationFailed, "base", "must be a whole commit id: 40 lowercase hex digits"))
}

/// Every fault at once, so that nobody has to ask again for each.
fn refused(faults: Vec<Fault>) -> ApiError {
    let detail = match faults.as_slice() {
        [only] => format!("{}: {}", only.field, only.message),
        many => format!("{} things are wrong with the patches; nothing was stored.", many.len()),
    };
    let errors = faults.into_iter().map(|fault| FieldError { field: fault.field, message: fault.message }).collect();
    ApiError { errors, ..ApiError::new(Code::ValidationFailed, detail) }
}

/// List the proposals, the newest first
#[utoipa::path(get, path = "/api/ops/proposals", tag = "ops", params(Paging),
    responses((status = 200, body = Page<Proposal>)))]
pub async fn list_proposals(_: Access<OpsRead>, state: State, query: Query<Paging>) -> Answer<Page<Proposal>> {
    let Paging { limit, cursor } = query.0;
    Ok(web::Json(state.db.run(move |connection| proposals::list(connection, limit, cursor.as_deref())).await?))
}

/// Read a proposal with its stages and what they found
#[utoipa::path(get, path = "/api/ops/proposals/{id}", tag = "ops", params(("id" = Uuid, Path)),
    responses((status = 200, body = Proposal)))]
pub async fn get_proposal(_: Access<OpsRead>, state: State, id: web::Path<Uuid>) -> Answer<Proposal> {
    Ok(web::Json(state.db.run(move |connection| proposals::get(connection, *id)).await?))
}

/// A proposal as it was proposed.
#[derive(Debug, Serialize, ToSchema)]
pub struct ProposedPatches {
    items: Vec<PatchInput>,
}

/// Read the patches of a proposal, word for word
#[utoipa::path(get, path = "/api/ops/proposals/{id}/patches", tag = "ops", params(("id" = Uuid, Path)),
    responses((status = 200, body = ProposedPatches)))]
pub async fn get_patches(_: Access<OpsRead>, state: State, id: web::Path<Uuid>) -> Answer<ProposedPatches> {
    let proposed = state.db.run(move |connection| proposals::proposed(connection, *id)).await?;
    let bytes = state.blobs.read(&proposed.patches).await?;
    let items = serde_json::from_slice(&bytes).map_err(|error| ApiError::internal(error.to_string()))?;
    Ok(web::Json(ProposedPatches { items }))
}

/// What a proposal has done outside.
#[derive(Debug, Serialize, ToSchema)]
pub struct Effects {
    items: Vec<Intent>,
}

/// List what was done outside for a proposal, in the order in which it was meant; one without a receipt may not have been done
#[utoipa::path(get, path = "/api/ops/proposals/{id}/effects", tag = "ops", params(("id" = Uuid, Path)),
    responses((status = 200, body = Effects)))]
pub async fn list_effects(_: Access<OpsRead>, state: State, id: web::Path<Uuid>) -> Answer<Effects> {
    let read = move |connection: &mut PgConnection| {
        proposals::proposed(connection, *id)?;
        Ok::<_, Error>(Effects { items: intents::of(connection, *id)? })
    };
    Ok(web::Json(state.db.run(read).await?))
}

/// List the calls of /api/ops, the newest first
#[utoipa::path(get, path = "/api/ops/audit", tag = "ops", params(Paging),
    responses((status = 200, body = Page<AuditEntry>)))]
pub async fn list_audit(_: Access<OpsRead>, state: State, query: Query<Paging>) -> Answer<Page<AuditEntry>> {
    let Paging { limit, cursor } = query.0;
    Ok(web::Json(state.db.run(move |connection| audit::list(connection, limit, cursor.as_deref())).await?))
}
