//! Looking for memories, and why each was found.

use std::time::Duration;

use actix_web::web;
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::engine::Transition;
use titan_core::memories::{self, Embedding, Hit, MAX_QUERY};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::super::{Answer, State};
use crate::access::{Access, MemoriesRead};
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};

/// How long the embedding of a question is waited for, and how often it is looked for.
const PATIENCE: Duration = Duration::from_millis(1500);
const LOOK: Duration = Duration::from_millis(40);

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
    let project_id = *project_id;
    let SearchParams { q, limit } = query.0;
    let missing = || ApiError::field(Code::InvalidRequest, "q", "is required: the words to look for");
    let q = q.ok_or_else(missing)?;
    let words = q.clone();
    // A model is asked only for what can be answered.
    state.db.run(move |connection| memories::check(connection, project_id, &words, limit)).await?;
    let embedding = embedding(&state, &q).await;
    let search = move |connection: &mut PgConnection| {
        let by = if embedding.is_some() { FoundBy::TextAndMeaning } else { FoundBy::Text };
        let items = memories::search(connection, project_id, &q, embedding.as_ref(), limit)?;
        Ok(MemorySearch { items, by })
    };
    Ok(web::Json(state.db.run(search).await?))
}

/// What a worker makes of the question, when one does and in time. The words alone will do.
async fn embedding(state: &State, q: &str) -> Option<Embedding> {
    if q.chars().count() > MAX_QUERY {
        return None;
    }
    let kept = async || {
        let q = q.to_owned();
        state.db.run(move |connection| memories::embedding_of_query(connection, &q)).await.ok().flatten()
    };
    if let Some(kept) = kept().await {
        return Some(kept);
    }
    if !matches!(state.db.run(memories::embedder_is_there).await, Ok(true)) {
        return None;
    }
    let wait = async {
        state.committer.apply(Transition::Enqueue(vec![memories::embed_query(q)])).await.ok()?;
        loop {
            tokio::time::sleep(LOOK).await;
            if let Some(kept) = kept().await {
                return Some(kept);
            }
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.ok().flatten()
}
