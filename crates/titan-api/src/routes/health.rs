//! Whether it lives, whether it can work, and how it is.

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, web};
use serde::Serialize;
use titan_core::daemon;
use titan_core::workers::{self, Depth};
use utoipa::ToSchema;

use super::State;
use crate::access::{Access, Public, SystemRead};

#[derive(Debug, Serialize, ToSchema)]
pub struct Alive {
    status: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Ready {
    /// `ready` or `unavailable`.
    status: String,
    /// `ok` or `unavailable`.
    database: String,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Health {
    /// `ok`, or `degraded` while the database is away.
    status: String,
    uptime_seconds: u64,
    version: String,
    commit: String,
    /// `ok` or `unavailable`.
    database: String,
    /// Null while the database is away.
    queue: Option<Depth>,
}

/// Whether the process lives
#[utoipa::path(get, path = "/healthz", tag = "system", responses((status = 200, body = Alive)))]
pub async fn healthz(_: Access<Public>) -> web::Json<Alive> {
    web::Json(Alive { status: "ok".to_owned() })
}

/// Whether it can work: the database answers
#[utoipa::path(get, path = "/readyz", tag = "system",
    responses((status = 200, body = Ready), (status = 503, description = "The database does not answer", body = Ready)))]
pub async fn readyz(_: Access<Public>, state: State) -> HttpResponse {
    // A connection is tried when it is taken from the pool; that is the whole question.
    let (code, status, database) = match state.db.run(|_| Ok(())).await {
        Ok(()) => (StatusCode::OK, "ready", "ok"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "unavailable", "unavailable"),
    };
    HttpResponse::build(code).json(Ready { status: status.to_owned(), database: database.to_owned() })
}

/// How the API and its queue are
#[utoipa::path(get, path = "/api/health", tag = "system", responses((status = 200, body = Health)))]
pub async fn get_health(_: Access<SystemRead>, state: State) -> web::Json<Health> {
    let queue = state.db.run(workers::depth).await.ok();
    let (status, database) = if queue.is_some() { ("ok", "ok") } else { ("degraded", "unavailable") };
    web::Json(Health {
        status: status.to_owned(),
        uptime_seconds: state.started.elapsed().as_secs(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        commit: daemon::commit(state.config.commit.as_deref()),
        database: database.to_owned(),
        queue,
    })
}
