//! Contacts: the people around a project.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use titan_core::contacts::{self, Contact, ContactEdit, Filter, NewContact};
use titan_core::db::PgConnection;
use titan_core::page::Page;
use titan_core::queue::Hint;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Answer, State};
use crate::access::{Access, ContactsRead, ContactsWrite};
use crate::http::body::{Body, nullable, required};
use crate::http::created::Created;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::ApiError;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ContactFilter {
    /// Only those that have all of these words, or parts of words, anywhere.
    q: Option<String>,
    tag: Option<String>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewContactBody {
    #[schema(required, nullable = false, min_length = 1, max_length = 200, example = "Ida Holm")]
    name: Option<String>,
    /// What the person is to the project.
    #[schema(max_length = 200)]
    role: Option<String>,
    #[schema(max_length = 254, example = "ida@example.com")]
    email: Option<String>,
    #[schema(max_length = 50)]
    phone: Option<String>,
    #[schema(max_length = 200)]
    organisation: Option<String>,
    #[schema(max_length = 8000)]
    notes: Option<String>,
    /// At most 20 of at most 50 characters; kept in lowercase.
    tags: Option<Vec<String>>,
}

/// Fields that are not there stay as they are; null takes away what may be missing.
#[derive(Debug, Deserialize, ToSchema)]
pub struct ContactPatchBody {
    #[schema(min_length = 1, max_length = 200)]
    name: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    role: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    email: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    phone: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    organisation: Option<Option<String>>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    notes: Option<Option<String>>,
    tags: Option<Vec<String>>,
}

/// List the contacts of a project, the newest first
#[utoipa::path(get, path = "/api/projects/{id}/contacts", tag = "people", params(("id" = Uuid, Path), ContactFilter),
    responses((status = 200, body = Page<Contact>)))]
pub async fn list_contacts(
    _: Access<ContactsRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<ContactFilter>,
) -> Answer<Page<Contact>> {
    let ContactFilter { q, tag, limit, cursor } = query.0;
    let filter = Filter { q, tag };
    let list =
        move |connection: &mut PgConnection| contacts::list(connection, *project_id, &filter, limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}

/// Write a contact down
#[utoipa::path(post, path = "/api/projects/{id}/contacts", tag = "people", request_body = NewContactBody,
    params(("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one contact")),
    responses((status = 201, body = Contact)))]
pub async fn create_contact(
    _: Access<ContactsWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    key: Key,
    body: Body<NewContactBody>,
) -> Result<Created<Contact>, ApiError> {
    let project_id = project_id.into_inner();
    let key = key.scoped(format!("POST /api/projects/{project_id}/contacts"), &body.raw);
    let given = body.value;
    let new = NewContact {
        name: required("name", given.name)?,
        role: given.role,
        email: given.email,
        phone: given.phone,
        organisation: given.organisation,
        notes: given.notes,
        tags: given.tags.unwrap_or_default(),
    };
    let create = move |connection: &mut PgConnection| contacts::create(connection, project_id, &new, key.as_ref());
    let (contact, replayed) = state.db.run(create).await?;
    tell(&state, contact.id, project_id);
    Ok(Created { location: format!("/api/contacts/{}", contact.id), body: contact, replayed })
}

/// Read a contact
#[utoipa::path(get, path = "/api/contacts/{id}", tag = "people", params(("id" = Uuid, Path)),
    responses((status = 200, body = Contact)))]
pub async fn get_contact(_: Access<ContactsRead>, state: State, id: web::Path<Uuid>) -> Answer<Contact> {
    Ok(web::Json(state.db.run(move |connection| contacts::get(connection, *id)).await?))
}

/// Change a contact
#[utoipa::path(patch, path = "/api/contacts/{id}", tag = "people", params(("id" = Uuid, Path)),
    request_body = ContactPatchBody, responses((status = 200, body = Contact)))]
pub async fn update_contact(
    _: Access<ContactsWrite>,
    state: State,
    id: web::Path<Uuid>,
    body: Body<ContactPatchBody>,
) -> Answer<Contact> {
    let given = body.value;
    let edit = ContactEdit {
        name: given.name,
        role: given.role,
        email: given.email,
        phone: given.phone,
        organisation: given.organisation,
        notes: given.notes,
        tags: given.tags,
    };
    let contact = state.db.run(move |connection| contacts::update(connection, *id, edit)).await?;
    tell(&state, contact.id, contact.project_id);
    Ok(web::Json(contact))
}

/// Delete a contact
#[utoipa::path(delete, path = "/api/contacts/{id}", tag = "people", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_contact(
    _: Access<ContactsWrite>,
    state: State,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let id = id.into_inner();
    let project_id = state.db.run(move |connection| contacts::delete(connection, id)).await?;
    tell(&state, id, project_id);
    Ok(HttpResponse::NoContent().finish())
}

fn tell(state: &State, id: Uuid, project_id: Uuid) {
    state.notifier.send(vec![Hint::change("contact", id, project_id)]);
}
