//! Jobs: list them wherever they are, and cancel, hurry or redrive many at once.

use actix_web::web;
use serde::Deserialize;
use titan_core::page::Page;
use titan_core::queue::admin::{self, Action, Bulk, BulkResult, Job, JobState};
use utoipa::{IntoParams, ToSchema};
use uuid::Uuid;

use super::{Answer, State};
use crate::access::{Access, QueueRead, QueueWrite};
use crate::http::body::{Body, required};
use crate::http::params::Query;
use crate::http::problem::{ApiError, Code};

/// Jobs that one call takes on when it does not say how many.
const USUAL: i64 = 1_000;
const MOST: i64 = 10_000;

#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct JobFilter {
    /// All that is to be done when it is not given.
    state: Option<JobState>,
    queue: Option<String>,
    kind: Option<String>,
    project_id: Option<Uuid>,
    /// 1 to 200; 50 when it is not given.
    limit: Option<i64>,
    cursor: Option<String>,
}

#[derive(Debug, Deserialize, ToSchema)]
pub struct BulkBody {
    /// `cancel`: jobs that are to be done end, and of a job of a run, the run. `retry`: scheduled jobs run now. `redrive`:
    /// dead letters are tried again, a task as a new run, a job without a run as a new job.
    #[schema(required, nullable = false)]
    action: Option<Action>,
    #[schema(required, nullable = false)]
    filter: Option<BulkFilterBody>,
    /// Change nothing and only say how many are meant.
    preview: Option<bool>,
    /// Jobs that are taken on at most: 1 to 10000, and 1000 when it is not given.
    #[schema(minimum = 1, maximum = 10000)]
    limit: Option<i64>,
}

/// All that is said must fit. Nothing said means nothing, unless `all` is true. Unlike elsewhere a field that is not known is
/// refused: ignored, it would mean more jobs than was said.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BulkFilterBody {
    #[schema(min_items = 1, max_items = 10000)]
    ids: Option<Vec<i64>>,
    state: Option<JobState>,
    queue: Option<String>,
    kind: Option<String>,
    project_id: Option<Uuid>,
    /// There for longer than this: since it was created, or as a dead letter since it failed.
    #[schema(minimum = 0)]
    older_than_seconds: Option<i64>,
    all: Option<bool>,
}

/// List jobs: without a state all that is to be done by id; what is over comes with the newest first
#[utoipa::path(get, path = "/api/jobs", tag = "queue", params(JobFilter), responses((status = 200, body = Page<Job>)))]
pub async fn list_jobs(_: Access<QueueRead>, state: State, query: Query<JobFilter>) -> Answer<Page<Job>> {
    let JobFilter { state: place, queue, kind, project_id, limit, cursor } = query.0;
    let filter = admin::JobFilter { state: place, queue, kind, project_id, ..admin::JobFilter::default() };
    let list = move |connection: &mut titan_core::db::PgConnection| {
        admin::list_jobs(connection, &filter, limit, cursor.as_deref())
    };
    Ok(web::Json(state.db.run(list).await?))
}

/// Cancel, hurry or redrive the jobs that a filter means, or only count them
#[utoipa::path(post, path = "/api/jobs/bulk", tag = "queue", request_body = BulkBody,
    responses((status = 200, body = BulkResult)))]
pub async fn change_jobs(_: Access<QueueWrite>, state: State, body: Body<BulkBody>) -> Answer<BulkResult> {
    let BulkBody { action, filter, preview, limit } = body.value;
    let bulk = Bulk {
        action: required("action", action)?,
        filter: meant(required("filter", filter)?)?,
        preview: preview.unwrap_or(false),
        limit: limit.unwrap_or(USUAL),
    };
    if !(1..=MOST).contains(&bulk.limit) {
        let message = format!("must be between 1 and {MOST}, and is {}", bulk.limit);
        return Err(ApiError::field(Code::ValidationFailed, "limit", message));
    }
    // Apart from the request: a client that goes away must not leave a batch between its two halves.
    let (db, committer, notifier) = (state.db.clone(), state.committer.clone(), state.notifier.clone());
    let done = tokio::spawn(async move { admin::bulk(&db, &committer, &notifier, bulk).await }).await;
    let done = done.map_err(|error| ApiError::internal(format!("changing jobs ended early: {error}")))?;
    Ok(web::Json(done?))
}

fn meant(body: BulkFilterBody) -> Result<admin::JobFilter, ApiError> {
    let BulkFilterBody { ids, state, queue, kind, project_id, older_than_seconds, all } = body;
    let filter = admin::JobFilter { ids, state, queue, kind, project_id, older_than_seconds };
    if filter.is_empty() && all != Some(true) {
        let message = "must say which jobs are meant; for all of them, send {\"all\": true}";
        return Err(ApiError::field(Code::ValidationFailed, "filter", message));
    }
    Ok(filter)
}
