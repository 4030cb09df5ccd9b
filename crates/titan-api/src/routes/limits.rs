//! Limits per key: how many jobs with it may run at once, and how many may begin per period.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use titan_core::db::PgConnection;
use titan_core::page::Page;
use titan_core::queue::{
    Hint,
    admin::{self, Limit, LimitRule},
};
use utoipa::ToSchema;

use super::{Answer, Paging, State};
use crate::access::{Access, QueueRead, QueueWrite};
use crate::http::body::Body;
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};

/// The whole limit: what is left out does not limit. At least one of the two must be there.
#[derive(Debug, Deserialize, ToSchema)]
pub struct LimitBody {
    /// How many jobs may be ready or running at once.
    #[schema(minimum = 1, maximum = 100000)]
    max_running: Option<i32>,
    /// How many may come in per period; together with `rate_period_ms`.
    #[schema(minimum = 1, maximum = 1000000)]
    rate_count: Option<i32>,
    #[schema(minimum = 1, maximum = 86400000)]
    rate_period_ms: Option<i64>,
}

/// List the limits by key
#[utoipa::path(get, path = "/api/limits", tag = "queue", params(Paging), responses((status = 200, body = Page<Limit>)))]
pub async fn list_limits(_: Access<QueueRead>, state: State, query: Query<Paging>) -> Answer<Page<Limit>> {
    let Paging { limit, cursor } = query.0;
    Ok(web::Json(state.db.run(move |connection| admin::list_limits(connection, limit, cursor.as_deref())).await?))
}

/// Make or replace a limit; jobs that wait come in as far as it allows
#[utoipa::path(put, path = "/api/limits/{key}", tag = "queue",
    params(("key" = String, Path, description = "1 to 200 characters")),
    request_body = LimitBody, responses((status = 200, body = Limit)))]
pub async fn put_limit(
    _: Access<QueueWrite>,
    state: State,
    key: web::Path<String>,
    body: Body<LimitBody>,
) -> Answer<Limit> {
    let LimitBody { max_running, rate_count, rate_period_ms } = body.value;
    let rule = LimitRule { max_running, rate_count, rate_period_ms };
    let (limit, let_in) = state.db.run(move |connection| admin::put_limit(connection, &key, &rule)).await?;
    let mut hints = vec![Hint::queue_change()];
    if let_in > 0 {
        hints.push(Hint::Jobs);
    }
    state.notifier.send(hints);
    Ok(web::Json(limit))
}

/// Take a limit away for which nothing waits
#[utoipa::path(delete, path = "/api/limits/{key}", tag = "queue", params(("key" = String, Path)),
    responses((status = 204, description = "It is gone")))]
pub async fn delete_limit(
    _: Access<QueueWrite>,
    state: State,
    key: web::Path<String>,
) -> Result<HttpResponse, ApiError> {
    let key = key.into_inner();
    let of = key.clone();
    let gone = state.db.run(move |connection: &mut PgConnection| admin::delete_limit(connection, &of)).await?;
    if !gone {
        let detail = format!("There is no limit {key:?}; GET /api/limits lists them.");
        return Err(ApiError::new(Code::LimitNotFound, detail));
    }
    state.notifier.send(vec![Hint::queue_change()]);
    Ok(HttpResponse::NoContent().finish())
}
