//! Documents: files that a project is given, so that what stands in them is known. A worker reads them; here they are taken
//! in, looked for and given back.

use actix_web::http::header::DispositionType;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::documents::{self, Document, Found, MAX_SIZE, NewDocument};
use titan_core::page::Page;
use titan_core::queue::Hint;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Answer, Paging, State};
use crate::access::{Access, DocumentsRead, DocumentsWrite};
use crate::http::body::Upload;
use crate::http::created::Created;
use crate::http::file::Stored;
use crate::http::idempotency::Key;
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};
use crate::http::range::Wanted;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DocumentName {
    /// What the file is called; its ending tells texts, tables and pages apart.
    #[param(required, nullable = false, min_length = 1, max_length = 200, example = "prices.pdf")]
    name: Option<String>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DocumentQuestion {
    /// Words, each perhaps only begun. A passage that has all of them is found.
    #[param(required, nullable = false)]
    q: Option<String>,
    /// 1 to 100; 50 when it is not given.
    limit: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct DocumentSearch {
    /// The best first.
    items: Vec<Found>,
}

/// List the documents of a project, the newest first
#[utoipa::path(get, path = "/api/projects/{id}/documents", tag = "documents", params(("id" = Uuid, Path), Paging),
    responses((status = 200, body = Page<Document>)))]
pub async fn list_documents(
    _: Access<DocumentsRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<Paging>,
) -> Answer<Page<Document>> {
    let Paging { limit, cursor } = query.0;
    let list = move |connection: &mut PgConnection| documents::list(connection, *project_id, limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}

/// Give a project a document
///
/// The body is the file, of at most 25 MiB: a text in UTF-8 (txt, md, html, csv), a PDF or a Word document (docx). A worker
/// reads it; `state` says how far it is. The Content-Type may be the file's own or application/octet-stream, but none that a
/// web form can send.
#[utoipa::path(post, path = "/api/projects/{id}/documents", tag = "documents",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"),
    params(("id" = Uuid, Path), DocumentName,
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and file make one document")),
    responses((status = 201, body = Document)))]
pub async fn upload_document(
    _: Access<DocumentsWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<DocumentName>,
    key: Key,
    upload: Upload<MAX_SIZE>,
) -> Result<Created<Document>, ApiError> {
    let project_id = project_id.into_inner();
    let missing = || ApiError::field(Code::InvalidRequest, "name", "is required: what the file is called, as ?name=");
    let name = query.0.name.ok_or_else(missing)?;
    let key = key.scoped(format!("POST /api/projects/{project_id}/documents?name={name}"), &upload.bytes);
    let mut new = NewDocument::checked(&name, upload.media_type.as_deref(), upload.bytes.into())?;
    state.blobs.put(&mut new.content).await?;
    let create = move |connection: &mut PgConnection| documents::create(connection, project_id, &new, key.as_ref());
    let (document, replayed) = state.db.run(create).await?;
    state.notifier.send(vec![Hint::Jobs, Hint::change("document", document.id, project_id)]);
    Ok(Created { location: format!("/api/documents/{}", document.id), body: document, replayed })
}

/// Search the texts of a project's documents
#[utoipa::path(get, path = "/api/projects/{id}/documents/search", tag = "documents",
    params(("id" = Uuid, Path), DocumentQuestion), responses((status = 200, body = DocumentSearch)))]
pub async fn search_documents(
    _: Access<DocumentsRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<DocumentQuestion>,
) -> Answer<DocumentSearch> {
    let DocumentQuestion { q, limit } = query.0;
    let missing = || ApiError::field(Code::InvalidRequest, "q", "is required: the words to look for");
    let q = q.ok_or_else(missing)?;
    let search = move |connection: &mut PgConnection| documents::search(connection, *project_id, &q, limit);
    Ok(web::Json(DocumentSearch { items: state.db.run(search).await? }))
}

/// Read what is known of a document
#[utoipa::path(get, path = "/api/documents/{id}", tag = "documents", params(("id" = Uuid, Path)),
    responses((status = 200, body = Document)))]
pub async fn get_document(_: Access<DocumentsRead>, state: State, id: web::Path<Uuid>) -> Answer<Document> {
    Ok(web::Json(state.db.run(move |connection| documents::get(connection, *id)).await?))
}

/// Delete a document, and its text with it
#[utoipa::path(delete, path = "/api/documents/{id}", tag = "documents", params(("id" = Uuid, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_document(
    _: Access<DocumentsWrite>,
    state: State,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let id = id.into_inner();
    let project_id = state.db.run(move |connection| documents::delete(connection, id)).await?;
    state.notifier.send(vec![Hint::change("document", id, project_id)]);
    Ok(HttpResponse::NoContent().finish())
}

/// Download the file of a document, or a part of it
#[utoipa::path(get, path = "/api/documents/{id}/download", tag = "documents",
    params(("id" = Uuid, Path), ("Range" = Option<String>, Header, description = "One range of bytes, such as bytes=0-1023"),
        ("If-Range" = Option<String>, Header, description = "The ETag of what the client has a part of")),
    responses((status = 200, description = "In the document's own media type", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "The part", body = Vec<u8>, content_type = "application/octet-stream")))]
pub async fn download_document(
    _: Access<DocumentsRead>,
    state: State,
    id: web::Path<Uuid>,
    wanted: Wanted,
) -> Result<HttpResponse, ApiError> {
    let Document { name, media_type, sha256, .. } =
        state.db.run(move |connection| documents::get(connection, *id)).await?;
    let disposition = DispositionType::Attachment;
    let stored = Stored { name: &name, media_type: &media_type, sha256: &sha256, disposition };
    stored.respond(&state.blobs, &wanted).await
}
