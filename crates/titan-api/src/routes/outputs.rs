//! Outputs, also called the artifacts of a run: list, read, fetch their bytes, decide on them.

use actix_web::http::header::DispositionType;
use actix_web::{HttpResponse, web};
use chrono::Utc;
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::outputs::{self, Output};
use titan_core::page::Page;
use titan_core::queue::Hint;
use titan_core::runs;
use titan_core::state::Review;
use titan_core::workspaces::{Branch, Merged, Said};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Answer, State};
use crate::access::{Access, OutputsRead, OutputsReview};
use crate::http::body::OptionalBody;
use crate::http::file::file;
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code, FieldError};

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

#[derive(Debug, Serialize, ToSchema)]
pub struct Artifacts {
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
) -> Result<HttpResponse, ApiError> {
    let read = move |connection: &mut PgConnection| {
        let output = outputs::get(connection, *id)?;
        let bytes = outputs::content(connection, &output)?;
        Ok((output, bytes))
    };
    let (output, bytes) = state.db.run(read).await?;
    raw(&output, bytes, DispositionType::Inline)
}

/// Approve an output; approving it again changes nothing
#[utoipa::path(post, path = "/api/outputs/{id}/approve", tag = "outputs", params(("id" = Uuid, Path)),
    request_body = Option<ReviewBody>, responses((status = 200, body = Output)))]
pub async fn approve_output(
    _: Access<OutputsReview>,
    state: State,
    id: web::Path<Uuid>,
    body: OptionalBody<ReviewBody>,
) -> Answer<Output> {
    decide(&state, *id, Review::Approved, body.0).await
}

/// Reject an output; rejecting it again changes nothing
#[utoipa::path(post, path = "/api/outputs/{id}/reject", tag = "outputs", params(("id" = Uuid, Path)),
    request_body = Option<ReviewBody>, responses((status = 200, body = Output)))]
pub async fn reject_output(
    _: Access<OutputsReview>,
    state: State,
    id: web::Path<Uuid>,
    body: OptionalBody<ReviewBody>,
) -> Answer<Output> {
    decide(&state, *id, Review::Rejected, body.0).await
}

async fn decide(state: &State, id: Uuid, decision: Review, body: ReviewBody) -> Answer<Output> {
    if decision == Review::Approved {
        merge(state, id).await?;
    }
    let review =
        move |connection: &mut PgConnection| outputs::review(connection, id, decision, body.comment.as_deref());
    let (output, hints) = state.db.run(review).await?;
    state.notifier.send(hints);
    Ok(web::Json(output))
}

/// What a run changed in the project's files comes into the project with the first approval of something that it made. Before the
/// decision is written: when it does not fit, nothing was decided; and what was merged already is merged by the next try.
async fn merge(state: &State, id: Uuid) -> Result<(), ApiError> {
    let output = state.db.run(move |connection| outputs::get(connection, id)).await?;
    let branch = Branch::OfRun(output.run_id);
    if output.review != Review::Pending {
        return Ok(());
    }
    let message = format!("Approve {}", output.name);
    let merged = state
        .workspaces
        .with(output.project_id, move |workspace| match workspace.head(branch) {
            None => Ok(None),
            Some(_) => workspace.merge(branch, &Said { author: "Titan", message: &message, at: Utc::now() }),
        })
        .await?;
    match merged {
        Some(Merged::Conflicts(paths)) => {
            let mut refused = ApiError::new(
                Code::MergeConflict,
                format!("The project's files were changed since: {}. Reject it and run it again.", paths.join(", ")),
            );
            refused.errors = paths
                .into_iter()
                .map(|path| FieldError { field: path, message: "was changed on both sides".to_owned() })
                .collect();
            Err(refused)
        }
        Some(Merged::Yes(_)) => {
            state.notifier.send(vec![Hint::change("files", output.project_id, output.project_id)]);
            Ok(())
        }
        None => Ok(()),
    }
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
) -> Result<HttpResponse, ApiError> {
    let (run_id, artifact_id) = ids.into_inner();
    let read = move |connection: &mut PgConnection| {
        runs::position(connection, run_id)?;
        let missing = titan_core::Error::NotFound("artifact", artifact_id);
        let output = match outputs::get(connection, artifact_id) {
            Ok(output) if output.run_id == run_id => output,
            Ok(_) | Err(titan_core::Error::NotFound(..)) => return Err(missing),
            Err(error) => return Err(error),
        };
        let bytes = outputs::content(connection, &output)?;
        Ok((output, bytes))
    };
    let (output, bytes) = state.db.run(read).await?;
    raw(&output, bytes, DispositionType::Attachment)
}

fn raw(output: &Output, bytes: Option<Vec<u8>>, disposition: DispositionType) -> Result<HttpResponse, ApiError> {
    let Some(bytes) = bytes else {
        let at = output.uri.as_deref().unwrap_or("somewhere else");
        return Err(ApiError::new(
            Code::Conflict,
            format!("The output is a link and has no bytes here; it is at {at}."),
        ));
    };
    Ok(file(&output.name, &output.media_type, bytes, disposition))
}
