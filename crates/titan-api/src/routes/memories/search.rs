//! Looking for memories, and why each was found.

use actix_web::web;
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::memories::{self, Hit};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::{Answer, State};
use crate::access::{Access, MemoriesRead};
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct SearchParams {
    /// Words, each perhaps only begun; where an embedding model is set up, what they mean counts too.
    #[param(required, nullable = false)]
    q: Option<String>,
    /// 1 to 100; 50 when it is not given.
    limit: Option<i64>,
}

/// By what was searched.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum FoundBy {
    Text,
    TextAndMeaning,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct MemorySearch {
    /// The best first.
    items: Vec<Hit>,
    by: FoundBy,
}

/// Search what the runs of a project may be shown
#[utoipa::path(get, path = "/api/projects/{id}/memories/search", tag = "memories",
    params(("id" = Uuid, Path), SearchParams), responses((status = 200, body = MemorySearch)))]
pub async fn search_memories(
    _: Access<MemoriesRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<SearchParams>,
) -> Answer<MemorySearch> {
    let SearchParams { q, limit } = query.0;
    let missing = || ApiError::field(Code::InvalidRequest, "q", "is required: the words to look for");
    let q = q.ok_or_else(missing)?;
    let search = move |connection: &mut PgConnection| {
        let embedding = memories::embedding_of_query(connection, &q)?;
        let by = if embedding.is_some() { FoundBy::TextAndMeaning } else { FoundBy::Text };
        let items = memories::search(connection, *project_id, &q, embedding.as_ref(), limit)?;
        Ok(MemorySearch { items, by })
    };
    Ok(web::Json(state.db.run(search).await?))
}
