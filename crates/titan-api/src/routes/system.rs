//! The installation: its workers, and what is set up.

use actix_web::web;
use chrono::{DateTime, Utc};
use serde::Serialize;
use titan_core::config::{Config, ConfiguredVendor, VENDORS, Wire};
use titan_core::db::PgConnection;
use titan_core::providers;
use titan_core::workers::{self, Worker};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Answer, State};
use crate::access::{Access, Public, SystemRead};
use crate::openapi;

#[derive(Debug, Serialize, ToSchema)]
pub struct WorkerHealth {
    /// Whether a worker is there that takes tasks.
    running: bool,
    last_heartbeat: Option<DateTime<Utc>>,
    /// One of the tasks that are being worked on.
    current_task: Option<Uuid>,
    /// Those of the last hour.
    workers: Vec<Worker>,
}

#[derive(Debug, Serialize, ToSchema)]
pub struct Setup {
    items: Vec<SetupItem>,
    worker_running: bool,
    /// The provider that answers when a task names none; null until a worker has started.
    default_provider: Option<String>,
}

/// A variable of the environment. Its value is never told.
#[derive(Debug, Serialize, ToSchema)]
pub struct SetupItem {
    variable: String,
    set: bool,
    needed_for: String,
    /// The provider that it is about, by its title; null for what is about all of them.
    provider: Option<String>,
    /// Whether it is the one to set for that provider to answer. The others are for servers and models of one's own choice.
    main: bool,
}

/// How the workers are
#[utoipa::path(get, path = "/api/worker/health", tag = "system", responses((status = 200, body = WorkerHealth)))]
pub async fn get_worker_health(_: Access<SystemRead>, state: State) -> Answer<WorkerHealth> {
    let workers = state.db.run(workers::list).await?;
    Ok(web::Json(WorkerHealth {
        running: any_running(&workers),
        last_heartbeat: workers.iter().map(|worker| worker.heartbeat_at).max(),
        current_task: workers
            .iter()
            .filter(|worker| matches!(worker.status.as_str(), "running" | "stopping"))
            .find_map(|worker| worker.current_tasks.first().copied()),
        workers,
    }))
}

/// What is set up and what is not
#[utoipa::path(get, path = "/api/setup", tag = "system", responses((status = 200, body = Setup)))]
pub async fn get_setup(_: Access<SystemRead>, state: State) -> Answer<Setup> {
    let read = |connection: &mut PgConnection| Ok((workers::list(connection)?, providers::list(connection)?));
    let (workers, providers) = state.db.run(read).await?;
    Ok(web::Json(Setup {
        items: setup_items(&state.config),
        worker_running: any_running(&workers),
        default_provider: providers.into_iter().find(|provider| provider.is_default).map(|provider| provider.name),
    }))
}

/// Variables by name and what needs them, never their values. It speaks of the environment of the API's process; the worker has
/// its own.
fn setup_items(config: &Config) -> Vec<SetupItem> {
    let (models, memory) = (&config.models, &config.memory);
    let of_vendors = VENDORS.iter().flat_map(|vendor| {
        let configured = models.vendor(vendor.name);
        let has = |what: fn(&ConfiguredVendor) -> bool| configured.is_some_and(what);
        let item = |variable: &str, set, needed_for, main| SetupItem {
            variable: variable.to_owned(),
            set,
            needed_for,
            provider: Some(vendor.title.to_owned()),
            main,
        };
        // Ollama runs at home: where it is must be told, and a key it does not want.
        let by_address = vendor.wire == Wire::Ollama;
        let key = format!("answers from {}", vendor.title);
        let address = format!("answers from a server that speaks like {}, also a local one", vendor.title);
        [
            item(vendor.key_variable, has(|vendor| vendor.api_key.is_some()), key, !by_address),
            item(vendor.base_url_variable, has(|vendor| vendor.base_url.is_some()), address, by_address),
        ]
    });
    let of_all = |variable: &str, set: bool, needed_for: &str| SetupItem {
        variable: variable.to_owned(),
        set,
        needed_for: needed_for.to_owned(),
        provider: None,
        main: false,
    };
    let templates_for = "offering templates of one's own beside the shipped and the installed ones";
    let embedding_for = "finding memories by their meaning as well as by their words";
    let retention_for = "forgetting memories that were not written again for so many days";
    of_vendors
        .chain([
            of_all("TITAN_DEFAULT_MODEL", models.default_model.is_some(), "choosing the model that answers"),
            of_all("TITAN_EMBEDDING_MODEL", memory.embedding_model.is_some(), embedding_for),
            of_all("TITAN_MEMORY_RETENTION", memory.retention_days.is_some(), retention_for),
            of_all("TEMPLATES_DIR", config.templates_dir.is_some(), templates_for),
        ])
        .collect()
}

fn any_running(workers: &[Worker]) -> bool {
    workers.iter().any(|worker| worker.status == "running")
}

/// This description of the API
#[utoipa::path(get, path = "/api/openapi.json", tag = "system", responses((status = 200, body = Object)))]
pub async fn get_openapi(_: Access<Public>) -> web::Json<&'static utoipa::openapi::OpenApi> {
    web::Json(openapi::document())
}
