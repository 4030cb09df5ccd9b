//! What a project offers, and for how much.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use titan_core::db::PgConnection;
use titan_core::page::Page;
use titan_core::sales::{self, NewOffer, Offer, OfferEdit, OfferState};
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
pub struct OfferFilter {
    state: Option<OfferState>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewOfferBody {
    #[schema(required, nullable = false, min_length = 1, max_length = 200, example = "Website")]
    title: Option<String>,
    #[schema(max_length = 8000)]
    description: Option<String>,
    /// In the smallest unit of the currency: 4900 is 49 euros.
    #[schema(required, nullable = false, minimum = 0, example = 4900)]
    price: Option<i64>,
    /// ISO 4217.
    #[schema(required, nullable = false, min_length = 3, max_length = 3, example = "EUR")]
    currency: Option<String>,
    /// For what the price is; `once` when it is not given.
    #[schema(max_length = 50, example = "month")]
    unit: Option<String>,
    /// The output of the project that is sold.
    output_id: Option<Uuid>,
}

/// Fields that are not there stay as they are; null takes away what may be missing.
#[derive(Debug, Deserialize, ToSchema)]
pub struct OfferPatchBody {
    title: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<String>)]
    description: Option<Option<String>>,
    price: Option<i64>,
    currency: Option<String>,
    unit: Option<String>,
    /// `draft`, `published` or `withdrawn`: draft to published, published to withdrawn, and back from there to either.
    state: Option<String>,
    #[serde(default, deserialize_with = "nullable")]
    #[schema(value_type = Option<Uuid>)]
    output_id: Option<Option<Uuid>>,
}

/// List the offers of a project, the newest first
#[utoipa::path(get, path = "/api/projects/{id}/offers", tag = "sales", params(("id" = Uuid, Path), OfferFilter),
    responses((status = 200, body = Page<Offer>)))]
pub async fn list_offers(
    _: Access<SalesRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<OfferFilter>,
) -> Answer<Page<Offer>> {
    let OfferFilter { state: at, limit, cursor } = query.0;
    let list =
        move |connection: &mut PgConnection| sales::offers(connection, *project_id, at, limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}

/// Draft an offer
#[utoipa::path(post, path = "/api/projects/{id}/offers", tag = "sales", request_body = NewOfferBody,
    params(("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one offer")),
    responses((status = 201, body = Offer)))]
pub async fn create_offer(
    _: Access<SalesWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    key: Key,
    body: Body<NewOfferBody>,
) -> Result<Created<Offer>, ApiError> {
    let project_id = project_id.into_inner();
    let key = key.scoped(format!("POST /api/projects/{project_id}/offers"), &body.raw);
    let given = body.value;
    let new = NewOffer {
        title: required("title", given.title)?,
        description: given.description,
        price: required("price", given.price)?,
        currency: required("currency", given.currency)?,
        unit: given.unit.unwrap_or_else(|| "once".to_owned()),
        output_id: given.output_id,
    };
    let create = move |connection: &mut PgConnection| sales::create_offer(connection, project_id, &new, key.as_ref());
    let (offer, replayed) = state.db.run(create).await?;
    tell(&state, "offer", offer.id, project_id);
    Ok(Created { location: format!("/api/offers/{}", offer.id), body: offer, replayed })
}

/// Read an offer
#[utoipa::path(get, path = "/api/offers/{id}", tag = "sales", params(("id" = Uuid, Path)),
    responses((status = 200, body = Offer)))]
pub async fn get_offer(_: Access<SalesRead>, state: State, id: web::Path<Uuid>) -> Answer<Offer> {
    Ok(web::Json(state.db.run(move |connection| sales::offer(connection, *id)).await?))
}

/// Change an offer, publish or withdraw it
#[utoipa::path(patch, path = "/api/offers/{id}", tag = "sales", params(("id" = Uuid, Path)),
    request_body = OfferPatchBody, responses((status = 200, body = Offer)))]
pub async fn update_offer(
    _: Access<SalesWrite>,
    state: State,
    id: web::Path<Uuid>,
    body: Body<OfferPatchBody>,
) -> Answer<Offer> {
    let given = body.value;
    let edit = OfferEdit {
        title: given.title,
        description: given.description,
        price: given.price,
        currency: given.currency,
        unit: given.unit,
        state: given.state,
        output_id: given.output_id,
    };
    let offer = state.db.run(move |connection| sales::update_offer(connection, *id, edit)).await?;
    tell(&state, "offer", offer.id, offer.project_id);
    Ok(web::Json(offer))
}

/// Delete an offer; its leads stay, without an offer
#[utoipa::path(delete, path = "/api/offers/{id}", tag = "sales", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_offer(_: Access<SalesWrite>, state: State, id: web::Path<Uuid>) -> Result<HttpResponse, ApiError> {
    let id = id.into_inner();
    let project_id = state.db.run(move |connection| sales::delete_offer(connection, id)).await?;
    tell(&state, "offer", id, project_id);
    Ok(HttpResponse::NoContent().finish())
}
