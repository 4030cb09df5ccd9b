//! Who may buy, and how far they are.

use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::page::Page;
use titan_core::sales::{self, Lead, LeadEdit, LeadFilter, LeadStage, NewLead, StageSum};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::{Answer, State};
use super::tell;
use crate::access::{Access, SalesRead, SalesWrite};
use crate::http::body::{Body, nullable, required};
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::ApiError;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LeadQuery {
    stage: Option<LeadStage>,
    offer_id: Option<Uuid>,
    /// Only those that have all of these words, or parts of words, anywhere but in their notes.
    q: Option<String>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewLeadBody {
    #[schema(required, nullable = false, min_length = 1, max_length = 200, example = "Ida Holm")]
    name: Option<String>,
    #[schema(max_length = 200)]
    company: Option<String>,
    /// No other lead of the project may have it.
    #[schema(max_length = 254, example = "ida@example.com")]
    email: Option<String>,
    #[schema(max_length = 50)]
    phone: Option<String>,
    /// Where it came from.
    #[schema(max_length = 200)]
    source: Option<String>,
    /// `new` when it is not given.
    stage: Option<LeadStage>,
    /// An offer of the same project.
    offer_id: Option<Uuid>,
    /// What it may bring, in the smallest unit of the currency.
    #[schema(minimum = 0)]
    value: Option<i64>,
    /// ISO 4217; that of the offer when it is not given.
    currency: Option<String>,
}

/// Fields that are not there stay as they are; null takes away what may be missing.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LeadPatchBody {
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    company: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    phone: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    source: Option<Option<String>>,
    /// Forward past any open stage, back by one; won from qualified or proposal, lost from any that is open.
    stage: Option<LeadStage>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Uuid>)]
    offer_id: Option<Option<Uuid>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<i64>)]
    value: Option<Option<i64>>,
    currency: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct LeadsSummary {
    /// All stages, in their order.
    stages: Vec<StageSum>,
}

/// List the leads of a project, the newest first
#[utoipa::path(get, path = "/api/projects/{id}/leads", tag = "sales", params(("id" = Uuid, Path), LeadQuery),
    responses((status = 200, body = Page<Lead>)))]
pub async fn list_leads(
    _: Access<SalesRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<LeadQuery>,
) -> Answer<Page<Lead>> {
    let LeadQuery { stage, offer_id, q, limit, cursor } = query.0;
    let filter = LeadFilter { stage, offer_id, q };
    let list =
        move |connection: &mut PgConnection| sales::leads(connection, *project_id, &filter, limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}

/// Count the leads of each stage, and what they may bring
#[utoipa::path(get, path = "/api/projects/{id}/leads/summary", tag = "sales", params(("id" = Uuid, Path)),
    responses((status = 200, body = LeadsSummary)))]
pub async fn get_leads_summary(
    _: Access<SalesRead>,
    state: State,
    project_id: web::Path<Uuid>,
) -> Answer<LeadsSummary> {
    let stages = state.db.run(move |connection| sales::summary(connection, *project_id)).await?;
    Ok(web::Json(LeadsSummary { stages }))
}

/// Write a lead down
#[utoipa::path(post, path = "/api/projects/{id}/leads", tag = "sales", request_body = NewLeadBody,
    params(("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one lead")),
    responses((status = 201, body = Lead)))]
pub async fn create_lead(
    _: Access<SalesWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    key: Key,
    body: Body<NewLeadBody>,
) -> Result<Created<Lead>, ApiError> {
    let project_id = project_id.into_inner();
    let key = key.scoped(format!("POST /api/projects/{project_id}/leads"), &body.raw);
    let given = body.value;
    let new = NewLead {
        name: required("name", given.name)?,
        company: given.company,
        email: given.email,
        phone: given.phone,
        source: given.source,
        stage: given.stage,
        offer_id: given.offer_id,
        value: given.value,
        currency: given.currency,
    };
    let create = move |connection: &mut PgConnection| sales::create_lead(connection, project_id, &new, key.as_ref());
    let (lead, replayed) = state.db.run(create).await?;
    tell(&state, "lead", lead.id, project_id);
    Ok(Created { location: format!("/api/leads/{}", lead.id), body: lead, replayed })
}

/// Read a lead
#[utoipa::path(get, path = "/api/leads/{id}", tag = "sales", params(("id" = Uuid, Path)),
    responses((status = 200, body = Lead)))]
pub async fn get_lead(_: Access<SalesRead>, state: State, id: web::Path<Uuid>) -> Answer<Lead> {
    Ok(web::Json(state.db.run(move |connection| sales::lead(connection, *id)).await?))
}

/// Change a lead, or move it to another stage
#[utoipa::path(patch, path = "/api/leads/{id}", tag = "sales", params(("id" = Uuid, Path)),
    request_body = LeadPatchBody, responses((status = 200, body = Lead)))]
pub async fn update_lead(
    _: Access<SalesWrite>,
    state: State,
    id: web::Path<Uuid>,
    body: Body<LeadPatchBody>,
) -> Answer<Lead> {
    let given = body.value;
    let edit = LeadEdit {
        name: given.name,
        company: given.company,
        email: given.email,
        phone: given.phone,
        source: given.source,
        stage: given.stage,
        offer_id: given.offer_id,
        value: given.value,
        currency: given.currency,
    };
    let lead = state.db.run(move |connection| sales::update_lead(connection, *id, edit)).await?;
    tell(&state, "lead", lead.id, lead.project_id);
    Ok(web::Json(lead))
}

/// Delete a lead, and its notes with it
#[utoipa::path(delete, path = "/api/leads/{id}", tag = "sales", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_lead(_: Access<SalesWrite>, state: State, id: web::Path<Uuid>) -> Result<HttpResponse, ApiError> {
    let id = id.into_inner();
    let project_id = state.db.run(move |connection| sales::delete_lead(connection, id)).await?;
    tell(&state, "lead", id, project_id);
    Ok(HttpResponse::NoContent().finish())
}
