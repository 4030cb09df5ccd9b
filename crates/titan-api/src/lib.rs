//! The HTTP API: what a client may ask, and how each question becomes one call of the core.
//!
//! A map, in reading order. No query and no rule of the domain stands here; those are titan-core's.
//!
//! - [`router`]: the whole URL table.
//! - [`routes`]: one file per area; parameters, request, response, OpenAPI and handler stand together.
//! - [`http`]: what every request goes through: guards, limits, ids, problem documents, extractors.
//! - [`access`]: the permission that stands in each handler's signature.
//! - [`live`]: server-sent events, fed by the database's hints.
//! - [`dashboard`]: the embedded pages.
//! - [`metrics`]: what this process counts about its requests, and the text that Prometheus reads.
//! - [`openapi`]: the document that describes all of it.
//! - [`state`], [`server`]: what handlers share, and how the server starts and stops.

pub mod access;
pub mod dashboard;
pub mod http;
pub mod live;
pub mod metrics;
pub mod openapi;
pub mod router;
pub mod routes;
pub mod server;
pub mod state;

pub use server::{Running, start};
pub use state::{AppState, build_state};
