//! Model providers and their models, as the workers publish them.

use actix_web::web;
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::page::Page;
use titan_core::providers::{self, Model, Provider};
use utoipa::{IntoParams, ToSchema};

use super::{Answer, State};
use crate::access::{Access, SystemRead};
use crate::http::params::Query;

#[derive(Debug, Serialize, ToSchema)]
pub struct Providers {
    items: Vec<Provider>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ModelFilter {
    /// Part of the name, in any case.
    q: Option<String>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    cursor: Option<String>,
}

/// List the model providers that the workers offer
#[utoipa::path(get, path = "/api/providers", tag = "models", responses((status = 200, body = Providers)))]
pub async fn list_providers(_: Access<SystemRead>, state: State) -> Answer<Providers> {
    Ok(web::Json(Providers { items: state.db.run(providers::list).await? }))
}

/// List the models that can be asked, by name
#[utoipa::path(get, path = "/api/models", tag = "models", params(ModelFilter), responses((status = 200, body = Page<Model>)))]
pub async fn list_models(_: Access<SystemRead>, state: State, query: Query<ModelFilter>) -> Answer<Page<Model>> {
    let ModelFilter { q, limit, cursor } = query.0;
    let list =
        move |connection: &mut PgConnection| providers::models(connection, q.as_deref(), limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}
