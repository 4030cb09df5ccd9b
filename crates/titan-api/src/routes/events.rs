//! The events of a run: a page of them as JSON, or all of them as they come, as server-sent events.

use actix_web::http::header::HeaderName;
use actix_web::{HttpRequest, HttpResponse, web};
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::events::{self, RunEvent};
use titan_core::{page, runs};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Answer, State};
use crate::access::{Access, RunsRead};
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};
use crate::live::{self, sse};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Events are small and many; a page may hold more of them than of other things.
const MAX_LIMIT: i64 = 1000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct EventFilter {
    /// Only events after this number.
    #[param(minimum = 0)]
    after: Option<i64>,
    /// 1 to 1000; 50 when it is not given. A stream has no limit.
    limit: Option<i64>,
    /// The same as `after`: the `next_cursor` of the page before.
    cursor: Option<i64>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct EventPage {
    items: Vec<RunEvent>,
    /// The number to go on after; null when this was the last page.
    next_cursor: Option<String>,
    /// The number of the run's last event so far.
    last_seq: i64,
}

/// Read the events of a run, or follow them
///
/// With `Accept: text/event-stream` the answer is a stream: `run_event` (data: RunEvent, id: its number), `heartbeat`
/// (data: Heartbeat) while a model is at work, and `end` (data: StreamEnd) when the run has ended and all was sent. It
/// begins after the number in `Last-Event-ID` or in `after`.
#[utoipa::path(get, path = "/api/runs/{id}/events", tag = "runs",
    params(("id" = Uuid, Path), EventFilter,
        ("Last-Event-ID" = Option<i64>, Header, description = "For streams: the number of the last event that was seen")),
    responses((status = 200, content((EventPage = "application/json"), (String = "text/event-stream")))))]
pub async fn list_run_events(
    _: Access<RunsRead>,
    state: State,
    id: web::Path<Uuid>,
    query: Query<EventFilter>,
) -> Answer<EventPage> {
    let after = after(&query.0)?;
    let limit = page::limit_up_to(query.0.limit, MAX_LIMIT)?;
    let read = move |connection: &mut PgConnection| {
        let last_seq = runs::position(connection, *id)?.last_seq;
        Ok((last_seq, events::after(connection, *id, after, limit)?))
    };
    let (last_seq, items) = state.db.run(read).await?;
    let seen = items.last().map_or(after, |event| event.seq);
    let next_cursor = (seen < last_seq).then(|| seen.to_string());
    Ok(web::Json(EventPage { items, next_cursor, last_seq: last_seq.max(seen) }))
}

/// The same address when the client asks for a stream.
pub async fn follow_run_events(
    _: Access<RunsRead>,
    state: State,
    id: web::Path<Uuid>,
    query: Query<EventFilter>,
    request: HttpRequest,
) -> Result<HttpResponse, ApiError> {
    let after = match last_event_id(&request)? {
        Some(seq) => seq,
        None => after(&query.0)?,
    };
    let id = id.into_inner();
    state.db.run(move |connection| runs::position(connection, id)).await?;
    let permit = state.hub.run_stream().ok_or_else(too_many)?;
    let state = state.into_inner();
    Ok(sse::respond(live::run::stream(state, id, after, permit)))
}

pub(super) fn too_many() -> ApiError {
    ApiError::new(Code::TooManyStreams, "Close some, or try again in a moment.")
}

fn after(filter: &EventFilter) -> Result<i64, ApiError> {
    match filter.after.or(filter.cursor).unwrap_or(0) {
        seq if seq >= 0 => Ok(seq),
        seq => Err(ApiError::field(Code::InvalidRequest, "after", format!("must be 0 or more, and is {seq}"))),
    }
}

/// A browser that reconnects sends the number of the last event that it has seen; nothing seen is sent as nothing.
fn last_event_id(request: &HttpRequest) -> Result<Option<i64>, ApiError> {
    let Some(value) = request.headers().get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else { return Ok(None) };
    match value.to_str().ok().and_then(|text| text.trim().parse::<i64>().ok()) {
        Some(seq) if seq >= 0 => Ok(Some(seq)),
        _ => Err(ApiError::field(Code::InvalidRequest, "Last-Event-ID", "must be the number of an event")),
    }
}
