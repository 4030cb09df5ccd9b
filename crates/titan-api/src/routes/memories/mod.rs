//! Memories: what a project remembers, read here, written in `write`, and taken along or erased in `export` and `erase`.

mod erase;
mod export;
mod search;
mod write;

use actix_web::web;
use serde::Deserialize;
use titan_core::db::PgConnection;
use titan_core::memories::{self, Filter, Memory, MemoryScope};
use titan_core::page::Page;
use titan_core::queue::Hint;
use utoipa::IntoParams;
use uuid::Uuid;

use super::{Answer, State};
use crate::access::{Access, MemoriesRead};
use crate::http::params::Query;

// The description that OpenAPI is made from stands beside each handler.
pub use erase::*;
pub use export::*;
pub use search::*;
pub use write::*;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct MemoryFilter {
    scope: Option<MemoryScope>,
    /// Only what has all of these words, or words that begin so.
    q: Option<String>,
    pinned: Option<bool>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    /// The `next_cursor` of the page before.
    cursor: Option<String>,
}

/// List what the runs of a project may be shown, the newest first: its own memories and the global ones of all projects
#[utoipa::path(get, path = "/api/projects/{id}/memories", tag = "memories", params(("id" = Uuid, Path), MemoryFilter),
    responses((status = 200, body = Page<Memory>)))]
pub async fn list_memories(
    _: Access<MemoriesRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<MemoryFilter>,
) -> Answer<Page<Memory>> {
    let MemoryFilter { scope, q, pinned, limit, cursor } = query.0;
    let filter = Filter { scope, q, pinned };
    let list =
        move |connection: &mut PgConnection| memories::list(connection, *project_id, &filter, limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}

/// Read a memory
#[utoipa::path(get, path = "/api/memories/{id}", tag = "memories", params(("id" = Uuid, Path)),
    responses((status = 200, body = Memory)))]
pub async fn get_memory(_: Access<MemoriesRead>, state: State, id: web::Path<Uuid>) -> Answer<Memory> {
    Ok(web::Json(state.db.run(move |connection| memories::get(connection, *id)).await?))
}

fn tell(state: &State, id: Uuid, project_id: Uuid) {
    state.notifier.send(vec![Hint::change("memory", id, project_id)]);
}
