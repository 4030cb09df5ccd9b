//! What was said to a lead, and when.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use titan_core::db::PgConnection;
use titan_core::page::Page;
use titan_core::sales::{self, LeadNote};
use utoipa::ToSchema;
use uuid::Uuid;

use super::super::{Answer, Paging, State};
use super::tell;
use crate::access::{Access, SalesRead, SalesWrite};
use crate::http::body::{Body, required};
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::ApiError;

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewNoteBody {
    #[schema(required, nullable = false, min_length = 1, max_length = 4000)]
    content: Option<String>,
}

/// List the notes on a lead, the newest first
#[utoipa::path(get, path = "/api/leads/{id}/notes", tag = "sales", params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = Page<LeadNote>)))]
pub async fn list_notes(
    _: Access<SalesRead>,
    state: State,
    lead_id: web::Path<Uuid>,
    query: Query<Paging>,
) -> Answer<Page<LeadNote>> {
    let Paging { limit, cursor } = query.0;
    let list = move |connection: &mut PgConnection| sales::notes(connection, *lead_id, limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}

/// Note something on a lead
#[utoipa::path(post, path = "/api/leads/{id}/notes", tag = "sales", request_body = NewNoteBody,
    params(("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one note")),
    responses((status = 201, body = LeadNote)))]
pub async fn add_note(
    _: Access<SalesWrite>,
    state: State,
    lead_id: web::Path<Uuid>,
    key: Key,
    body: Body<NewNoteBody>,
) -> Result<Created<LeadNote>, ApiError> {
    let lead_id = lead_id.into_inner();
    let key = key.scoped(format!("POST /api/leads/{lead_id}/notes"), &body.raw);
    let content = required("content", body.value.content)?;
    let add = move |connection: &mut PgConnection| sales::add_note(connection, lead_id, &content, key.as_ref());
    let (note, lead, replayed) = state.db.run(add).await?;
    tell(&state, "lead", lead.id, lead.project_id);
    Ok(Created { location: format!("/api/leads/{lead_id}/notes"), body: note, replayed })
}

/// Delete a note
#[utoipa::path(delete, path = "/api/lead-notes/{id}", tag = "sales", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_note(_: Access<SalesWrite>, state: State, id: web::Path<Uuid>) -> Result<HttpResponse, ApiError> {
    let lead = state.db.run(move |connection| sales::delete_note(connection, *id)).await?;
    tell(&state, "lead", lead.id, lead.project_id);
    Ok(HttpResponse::NoContent().finish())
}
