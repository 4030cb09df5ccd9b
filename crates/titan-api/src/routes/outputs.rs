//! Outputs, also called the artifacts of a run: list, read, fetch their bytes, decide on them.

use actix_web::http::header::DispositionType;
use actix_web::{HttpResponse, web};
use serde::{Deserialize, Serialize};
use titan_core::Error;
use titan_core::db::PgConnection;
use titan_core::outputs::{self, Approval, Comparison, Decision, MOST_COMPARED, Output, Reviewed};
use titan_core::page::Page;
use titan_core::runs;
use titan_core::state::Review;
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Answer, State};
use crate::access::{Access, OutputsRead, OutputsReview};
use crate::http::body::OptionalBody;
use crate::http::file::Stored;
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code, FieldError};
use crate::http::range::Wanted;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct OutputFilter {
    review: Option<Review>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct ReviewBody {
    #[schema(max_length = 4000)]
    comment: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct RejectBody {
    /// What is wrong with it.
    #[schema(max_length = 4000)]
    comment: Option<String>,
    /// Has the task done again, by a new run that is shown the comment.
    run_again: Option<bool>,
}

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ComparedWith {
    /// The output that it is compared with: the older one.
    #[param(required, nullable = false)]
    from: Option<Uuid>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Artifacts {
    items: Vec<Output>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Versions {
    /// The oldest first; the newest hundred when there are more.
    items: Vec<Output>,
}

/// List the outputs of a project, the newest first
#[utoipa::path(get, path = "/api/projects/{id}/outputs", tag = "outputs", params(("id" = Uuid, Path), OutputFilter),
    responses((status = 200, body = Page<Output>)))]
pub async fn list_outputs(
    _: Access<OutputsRead>,
    state: State,
    project_id: web::Path<Uuid>,
    query: Query<OutputFilter>,
) -> Answer<Page<Output>> {
    let OutputFilter { review, limit, cursor } = query.0;
    let list =
        move |connection: &mut PgConnection| outputs::list(connection, *project_id, review, limit, cursor.as_deref());
    Ok(web::Json(state.db.run(list).await?))
}

/// Read an output
#[utoipa::path(get, path = "/api/outputs/{id}", tag = "outputs", params(("id" = Uuid, Path)),
    responses((status = 200, body = Output)))]
pub async fn get_output(_: Access<OutputsRead>, state: State, id: web::Path<Uuid>) -> Answer<Output> {
    Ok(web::Json(state.db.run(move |connection| outputs::get(connection, *id)).await?))
}

/// Fetch the bytes of an output, to be shown
#[utoipa::path(get, path = "/api/outputs/{id}/content", tag = "outputs", params(("id" = Uuid, Path)),
    responses((status = 200, description = "In the output's own media type", body = Vec<u8>, content_type = "application/octet-stream")))]
pub async fn get_output_content(
    _: Access<OutputsRead>,
    state: State,
    id: web::Path<Uuid>,
    wanted: Wanted,
) -> Result<HttpResponse, ApiError> {
    let output = state.db.run(move |connection| outputs::get(connection, *id)).await?;
    bytes(&state, &output, &wanted, DispositionType::Inline).await
}

/// Download what a run made, or a part of it
///
/// Its ETag is its SHA-256. A download that breaks off before it is complete can be gone on with by `Range` and `If-Range`.
#[utoipa::path(get, path = "/api/artifacts/{id}/content", tag = "outputs",
    params(("id" = Uuid, Path), ("Range" = Option<String>, Header, description = "One range of bytes, such as bytes=0-1023"),
        ("If-Range" = Option<String>, Header, description = "The ETag of what the client has a part of")),
    responses((status = 200, description = "In the artifact's own media type", body = Vec<u8>, content_type = "application/octet-stream"),
        (status = 206, description = "The part", body = Vec<u8>, content_type = "application/octet-stream")))]
pub async fn get_artifact_content(
    _: Access<OutputsRead>,
    state: State,
    id: web::Path<Uuid>,
    wanted: Wanted,
) -> Result<HttpResponse, ApiError> {
    let artifact = state.db.run(move |connection| artifact(connection, *id)).await?;
    bytes(&state, &artifact, &wanted, DispositionType::Attachment).await
}

/// Approve an output; approving it again changes nothing
///
/// What its run changed in the project's files comes into the project with it.
#[utoipa::path(post, path = "/api/outputs/{id}/approve", tag = "outputs", params(("id" = Uuid, Path)),
    request_body = Option<ReviewBody>, responses((status = 200, body = Output)))]
pub async fn approve_output(
    _: Access<OutputsReview>,
    state: State,
    id: web::Path<Uuid>,
    body: OptionalBody<ReviewBody>,
) -> Answer<Output> {
    match outputs::approve(&state.db, &state.workspaces, *id, body.0.comment).await? {
        Approval::Yes(reviewed, hints) => {
            state.notifier.send(hints);
            Ok(web::Json(reviewed.output))
        }
        Approval::Conflicts(paths) => Err(does_not_fit(paths)),
    }
}

/// Reject an output, and have its task done again if that is wanted
///
/// Rejecting it again changes nothing; with `run_again` no second run is started either. What its run changed in the project's files is
/// not merged any more.
#[utoipa::path(post, path = "/api/outputs/{id}/reject", tag = "outputs", params(("id" = Uuid, Path)),
    request_body = Option<RejectBody>, responses((status = 200, body = Reviewed)))]
pub async fn reject_output(
    _: Access<OutputsReview>,
    state: State,
    id: web::Path<Uuid>,
    body: OptionalBody<RejectBody>,
) -> Answer<Reviewed> {
    let RejectBody { comment, run_again } = body.0;
    let review = move |connection: &mut PgConnection| {
        let run_again = run_again.unwrap_or(false);
        outputs::review(connection, *id, &Decision { review: Review::Rejected, comment: comment.as_deref(), run_again })
    };
    let (reviewed, hints) = state.db.run(review).await?;
    state.notifier.send(hints);
    Ok(web::Json(reviewed))
}

/// List the versions of an output: those of its name that runs of its task made
#[utoipa::path(get, path = "/api/outputs/{id}/versions", tag = "outputs", params(("id" = Uuid, Path)),
    responses((status = 200, body = Versions)))]
pub async fn list_output_versions(_: Access<OutputsRead>, state: State, id: web::Path<Uuid>) -> Answer<Versions> {
    let items = state.db.run(move |connection| outputs::versions(connection, *id)).await?;
    Ok(web::Json(Versions { items }))
}

/// Compare two texts of a project, usually two versions of an output
#[utoipa::path(get, path = "/api/outputs/{id}/diff", tag = "outputs", params(("id" = Uuid, Path), ComparedWith),
    responses((status = 200, body = Comparison)))]
pub async fn compare_outputs(
    _: Access<OutputsRead>,
    state: State,
    id: web::Path<Uuid>,
    query: Query<ComparedWith>,
) -> Answer<Comparison> {
    let missing = || ApiError::field(Code::InvalidRequest, "from", "is required: the id of the older output");
    let from = query.0.from.ok_or_else(missing)?;
    let read = move |connection: &mut PgConnection| {
        let (older, newer) = (outputs::get(connection, from)?, outputs::get(connection, *id)?);
        // Who may see one project need not see another.
        if older.project_id == newer.project_id { Ok((older, newer)) } else { Err(Error::NotFound("output", from)) }
    };
    let (from, to) = state.db.run(read).await?;
    let (from, to) = (text(&state, &from).await?, text(&state, &to).await?);
    let compared = web::block(move || outputs::compare(&from, &to)).await;
    Ok(web::Json(compared.map_err(|error| ApiError::internal(error.to_string()))??))
}

/// The bytes of an output that is short enough to be compared.
async fn text(state: &State, output: &Output) -> Result<Vec<u8>, ApiError> {
    let sha256 = output.sha256.as_ref().filter(|_| output.size <= MOST_COMPARED);
    let sha256 = sha256.ok_or_else(|| {
        let name = &output.name;
        ApiError::new(
            Code::Conflict,
            format!("Only texts of at most {MOST_COMPARED} bytes are compared; {name:?} is none."),
        )
    })?;
    Ok(state.blobs.read(sha256).await?)
}

fn does_not_fit(paths: Vec<String>) -> ApiError {
    let mut refused = ApiError::new(
        Code::MergeConflict,
        format!("The project's files were changed since: {}. Reject it and run it again.", paths.join(", ")),
    );
    refused.errors = paths
        .into_iter()
        .map(|path| FieldError { field: path, message: "does not fit to what others changed".to_owned() })
        .collect();
    refused
}

/// List what a run made, in order
#[utoipa::path(get, path = "/api/runs/{id}/artifacts", tag = "runs", params(("id" = Uuid, Path)),
    responses((status = 200, body = Artifacts)))]
pub async fn list_run_artifacts(_: Access<OutputsRead>, state: State, run_id: web::Path<Uuid>) -> Answer<Artifacts> {
    let read = move |connection: &mut PgConnection| {
        runs::position(connection, *run_id)?;
        outputs::of_run(connection, *run_id)
    };
    Ok(web::Json(Artifacts { items: state.db.run(read).await? }))
}

/// Download what a run made
#[utoipa::path(get, path = "/api/runs/{id}/artifacts/{artifact_id}/download", tag = "runs",
    params(("id" = Uuid, Path), ("artifact_id" = Uuid, Path)),
    responses((status = 200, description = "In the artifact's own media type", body = Vec<u8>, content_type = "application/octet-stream")))]
pub async fn download_artifact(
    _: Access<OutputsRead>,
    state: State,
    ids: web::Path<(Uuid, Uuid)>,
    wanted: Wanted,
) -> Result<HttpResponse, ApiError> {
    let (run_id, artifact_id) = ids.into_inner();
    let read = move |connection: &mut PgConnection| {
        runs::position(connection, run_id)?;
        let artifact = artifact(connection, artifact_id)?;
        if artifact.run_id == run_id { Ok(artifact) } else { Err(Error::NotFound("artifact", artifact_id)) }
    };
    bytes(&state, &state.db.run(read).await?, &wanted, DispositionType::Attachment).await
}

/// An output under its other name.
fn artifact(connection: &mut PgConnection, id: Uuid) -> titan_core::Result<Output> {
    outputs::get(connection, id).map_err(|error| match error {
        Error::NotFound("output", id) => Error::NotFound("artifact", id),
        error => error,
    })
}

async fn bytes(
    state: &State,
    output: &Output,
    wanted: &Wanted,
    disposition: DispositionType,
) -> Result<HttpResponse, ApiError> {
    let Some(sha256) = &output.sha256 else {
        let at = output.uri.as_deref().unwrap_or("somewhere else");
        return Err(ApiError::new(
            Code::Conflict,
            format!("The output is a link and has no bytes here; it is at {at}."),
        ));
    };
    let stored = Stored { name: &output.name, media_type: &output.media_type, sha256, disposition };
    stored.respond(&state.blobs, wanted).await
}
