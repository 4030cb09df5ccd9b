//! The stream of change hints, for screens that show many things at once.

use actix_web::HttpResponse;
use serde::Deserialize;
use titan_core::projects;
use utoipa::IntoParams;
use uuid::Uuid;

use super::State;
use super::events::too_many;
use crate::access::{Access, RunsRead};
use crate::http::params::Query;
use crate::http::problem::ApiError;
use crate::live::{changes, sse};

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ChangeFilter {
    /// Only changes of this project, and those that belong to none.
    project_id: Option<Uuid>,
}

/// Follow what changes
///
/// A stream of `change` (data: ChangeHint), and `resync` (data: Resync) when something may have been missed and
/// everything on screen should be fetched again. There is no history.
#[utoipa::path(get, path = "/api/events", tag = "system", params(ChangeFilter),
    responses((status = 200, body = String, content_type = "text/event-stream")))]
pub async fn follow_changes(
    _: Access<RunsRead>,
    state: State,
    query: Query<ChangeFilter>,
) -> Result<HttpResponse, ApiError> {
    let project_id = query.0.project_id;
    if let Some(id) = project_id {
        state.db.run(move |connection| projects::exists(connection, id)).await?;
    }
    let permit = state.hub.change_stream().ok_or_else(too_many)?;
    Ok(sse::respond(changes::stream(state.into_inner(), project_id, permit)))
}
