//! The handlers, one file per area. Each holds what its requests and answers look like, their description for OpenAPI, and
//! short functions that make one call of the core.

pub mod agents;
pub mod attachments;
pub mod budgets;
pub mod changes;
pub mod contacts;
pub mod documents;
pub mod events;
pub mod execute;
pub mod files;
pub mod git;
pub mod health;
pub mod jobs;
pub mod limits;
pub mod logs;
pub mod memories;
pub mod messages;
pub mod metrics;
pub mod models;
pub mod ops;
pub mod ops_rollouts;
pub mod outputs;
pub mod pipelines;
pub mod plans;
pub mod projects;
pub mod queues;
pub mod runs;
pub mod sales;
pub mod system;
pub mod tasks;
pub mod templates;
pub mod webhooks;
pub mod workflows;

use actix_web::web;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::http::problem::ApiError;
use crate::state::AppState;

/// What handlers share.
pub type State = web::Data<AppState>;
/// An answer as JSON.
pub type Answer<T> = Result<web::Json<T>, ApiError>;

/// Which page of a list.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct Paging {
    /// 1 to 200; 50 when it is not given.
    pub limit: Option<i64>,
    /// The `next_cursor` of the page before.
    pub cursor: Option<String>,
}
