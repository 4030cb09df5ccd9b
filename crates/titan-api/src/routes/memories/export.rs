//! All that a project remembers, to be taken along: a line of JSON for each memory, streamed.

use actix_web::http::header;
use actix_web::{HttpResponse, web};
use bytes::Bytes;
use futures_util::Stream;
use titan_core::db::Db;
use titan_core::memories::{self, EXPORT_BATCH};
use titan_core::projects;
use uuid::Uuid;

use super::super::State;
use crate::access::{Access, MemoriesRead};
use crate::http::problem::ApiError;

/// Download a project's own memories, expired ones included until they are deleted: JSON lines, the oldest first, without a limit
#[utoipa::path(get, path = "/api/projects/{id}/memories/export", tag = "memories", params(("id" = Uuid, Path)),
    responses((status = 200, description = "A memory in each line", body = String, content_type = "application/jsonl")))]
pub async fn export_memories(
    _: Access<MemoriesRead>,
    state: State,
    project_id: web::Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let id = project_id.into_inner();
    state.db.run(move |connection| projects::was_created(connection, id)).await?;
    Ok(HttpResponse::Ok()
        .content_type("application/jsonl")
        .insert_header((header::CONTENT_DISPOSITION, format!("attachment; filename=\"titan-memories-{id}.jsonl\"")))
        .streaming(chunks(state.db.clone(), id)))
}

/// A chunk is read when the one before was taken. An error in the middle cuts the answer off, so that nobody takes a part for the whole.
fn chunks(db: Db, project_id: Uuid) -> impl Stream<Item = titan_core::Result<Bytes>> {
    futures_util::stream::try_unfold(Some(None), move |position: Option<Option<Uuid>>| {
        let db = db.clone();
        async move {
            let Some(after) = position else { return Ok(None) };
            let batch = db.run(move |connection| memories::export(connection, project_id, after)).await?;
            let mut out = Vec::new();
            for memory in &batch {
                out.extend_from_slice(&serde_json::to_vec(memory).unwrap_or_default());
                out.push(b'\n');
            }
            let last = batch.last().map(|memory| memory.id);
            Ok(Some((out.into(), last.filter(|_| batch.len() == EXPORT_BATCH).map(Some))))
        }
    })
}
