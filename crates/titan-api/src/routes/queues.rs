//! Queues: list them with their depth, make one, hold one up and let it go on.

use actix_web::web;
use serde::{Deserialize, Serialize};
use titan_core::db::PgConnection;
use titan_core::queue::{
    Hint,
    admin::{self, Queue},
};
use utoipa::ToSchema;

use super::{Answer, State};
use crate::access::{Access, QueueRead, QueueWrite};
use crate::http::body::{Body, OptionalBody, required};
use crate::http::created::Created;
use crate::http::problem::{ApiError, Code};

#[derive(Debug, Serialize, ToSchema)]
pub struct Queues {
    items: Vec<Queue>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct NewQueueBody {
    #[schema(required, nullable = false, pattern = "^[a-z][a-z0-9_.-]{0,62}$", example = "mail")]
    name: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct PauseBody {
    /// Shown to whoever wonders why nothing moves.
    #[schema(max_length = 500)]
    reason: Option<String>,
}

/// List the queues with what is in them, and what ended in each of the last 15 minutes
#[utoipa::path(get, path = "/api/queues", tag = "queue", responses((status = 200, body = Queues)))]
pub async fn list_queues(_: Access<QueueRead>, state: State) -> Answer<Queues> {
    Ok(web::Json(Queues { items: state.db.run(admin::list_queues).await? }))
}

/// Make a queue: a task may only name one that there is
#[utoipa::path(post, path = "/api/queues", tag = "queue", request_body = NewQueueBody,
    responses((status = 201, body = Queue)))]
pub async fn create_queue(
    _: Access<QueueWrite>,
    state: State,
    body: Body<NewQueueBody>,
) -> Result<Created<Queue>, ApiError> {
    let name = required("name", body.value.name)?;
    let new = name.clone();
    state.db.run(move |connection| admin::create_queue(connection, &new)).await?;
    let queue = changed(&state, name, true).await?;
    Ok(Created { location: "/api/queues".to_owned(), body: queue, replayed: false })
}

/// Begin nothing more of a queue until it is resumed; what runs goes on
#[utoipa::path(post, path = "/api/queues/{name}/pause", tag = "queue", params(("name" = String, Path)),
    request_body = Option<PauseBody>, responses((status = 200, body = Queue)))]
pub async fn pause_queue(
    _: Access<QueueWrite>,
    state: State,
    name: web::Path<String>,
    body: OptionalBody<PauseBody>,
) -> Answer<Queue> {
    let (name, reason) = (name.into_inner(), body.0.reason);
    let of = name.clone();
    let pause = move |connection: &mut PgConnection| admin::pause_queue(connection, &of, reason.as_deref());
    let there = state.db.run(pause).await?;
    Ok(web::Json(changed(&state, name, there).await?))
}

/// Let a queue go on
#[utoipa::path(post, path = "/api/queues/{name}/resume", tag = "queue", params(("name" = String, Path)),
    responses((status = 200, body = Queue)))]
pub async fn resume_queue(_: Access<QueueWrite>, state: State, name: web::Path<String>) -> Answer<Queue> {
    let name = name.into_inner();
    let of = name.clone();
    let there = state.db.run(move |connection| admin::resume_queue(connection, &of)).await?;
    if there {
        state.notifier.send(vec![Hint::Jobs]);
    }
    Ok(web::Json(changed(&state, name, there).await?))
}

/// Tells of the change, and reads what came of it.
async fn changed(state: &State, name: String, there: bool) -> Result<Queue, ApiError> {
    let of = name.clone();
    let queue = if there { state.db.run(move |connection| admin::get_queue(connection, &of)).await? } else { None };
    state.notifier.send(vec![Hint::queue_change()]);
    queue.ok_or_else(|| {
        let detail = format!("There is no queue {name:?}; GET /api/queues lists them.");
        ApiError::new(Code::QueueNotFound, detail)
    })
}
