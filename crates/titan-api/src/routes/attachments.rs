//! Files for messages: sent one by one, then named by the message. JSON like every other write, since no HTML form can send that.

use actix_web::http::header::DispositionType;
use actix_web::{HttpResponse, web};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use titan_core::attachments::{self, Attachment, MAX_SIZE, NewAttachment};
use titan_core::db::PgConnection;
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use crate::access::{Access, TasksRead, TasksWrite};
use crate::http::body::{Body, required};
use crate::http::created::Created;
use crate::http::file::file;
use crate::http::idempotency::Key;
use crate::http::problem::{ApiError, Code};

/// A file in base64, and some room for the rest.
const MOST: usize = MAX_SIZE / 3 * 4 + (1 << 20);

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewAttachmentBody {
    #[schema(required, nullable = false, min_length = 1, max_length = 200, example = "notes.md")]
    name: Option<String>,
    /// `text/*`, `application/json`, `image/png`, `image/jpeg`, `image/webp` or `image/gif`; found out from the bytes when it is
    /// not given.
    media_type: Option<String>,
    /// The bytes in base64, 5 MiB of them at most.
    #[schema(required, nullable = false, format = Byte)]
    data: Option<String>,
}

/// Send a file that a message is to bring along; one that no message names within a day is forgotten
#[utoipa::path(post, path = "/api/projects/{id}/attachments", tag = "messages", request_body = NewAttachmentBody,
    params(("id" = Uuid, Path),
        ("Idempotency-Key" = Option<String>, Header, description = "The same key and body make one attachment")),
    responses((status = 201, body = Attachment)))]
pub async fn create_attachment(
    _: Access<TasksWrite>,
    state: State,
    project_id: web::Path<Uuid>,
    key: Key,
    body: Body<NewAttachmentBody, MOST>,
) -> Result<Created<Attachment>, ApiError> {
    let project_id = project_id.into_inner();
    let key = key.scoped(format!("POST /api/projects/{project_id}/attachments"), &body.raw);
    let data = required("data", body.value.data)?;
    let bytes = STANDARD
        .decode(data.trim())
        .map_err(|error| ApiError::field(Code::ValidationFailed, "data", format!("must be base64: {error}")))?;
    let new = NewAttachment { name: required("name", body.value.name)?, media_type: body.value.media_type, bytes };
    let create = move |connection: &mut PgConnection| attachments::create(connection, project_id, &new, key.as_ref());
    let (attachment, replayed) = state.db.run(create).await?;
    Ok(Created { location: format!("/api/attachments/{}/content", attachment.id), body: attachment, replayed })
}

/// Fetch the bytes of an attachment, to be shown
#[utoipa::path(get, path = "/api/attachments/{id}/content", tag = "messages", params(("id" = Uuid, Path)),
    responses((status = 200, description = "In the attachment's own media type", body = Vec<u8>, content_type = "application/octet-stream")))]
pub async fn get_attachment_content(
    _: Access<TasksRead>,
    state: State,
    id: web::Path<Uuid>,
) -> Result<HttpResponse, ApiError> {
    let read = move |connection: &mut PgConnection| {
        let attachment = attachments::get(connection, *id)?;
        let bytes = attachments::content(connection, *id)?;
        Ok((attachment, bytes))
    };
    let (attachment, bytes) = state.db.run(read).await?;
    Ok(file(&attachment.name, &attachment.media_type, bytes, DispositionType::Inline))
}
