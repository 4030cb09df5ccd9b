//! What handlers share: the database, the committer that makes changes, and the live hub.

use std::sync::Arc;
use std::time::Instant;

use titan_core::blobs::Blobs;
use titan_core::config::Config;
use titan_core::db::Db;
use titan_core::engine::Committer;
use titan_core::queue::{Listener, Notifier};
use titan_core::workspaces::Workspaces;
use tokio_util::sync::CancellationToken;

use crate::live::hub::Hub;
use crate::metrics::Traffic;

/// Connections for reads and short commands. The committer's threads and the notifier have their own.
pub const POOL: u32 = 16;
const COMMITTERS: usize = 2;

pub struct AppState {
    pub config: Config,
    pub db: Db,
    pub blobs: Blobs,
    pub committer: Committer,
    pub notifier: Notifier,
    pub workspaces: Workspaces,
    pub hub: Hub,
    pub traffic: Traffic,
    pub started: Instant,
    /// Cancelled when the server stops: streams end by it.
    pub stopping: CancellationToken,
}

/// Starts what handlers need. The schema must be in place already. To be called on a tokio runtime that lives as long as
/// the server does.
///
/// # Errors
/// When the operating system refuses a thread.
pub fn build_state(config: Config, db: Db) -> titan_core::Result<Arc<AppState>> {
    let notifier = Notifier::start(&db)?;
    let committer = Committer::start(&db, &notifier, COMMITTERS)?;
    let listener = if config.listen { Listener::start(&config.database_direct_url) } else { Listener::deaf() };
    let stopping = CancellationToken::new();
    let hub = Hub::start(listener, stopping.clone());
    let traffic = Traffic::default();
    let blobs = Blobs::of(db.clone(), &config.blobs.store)?;
    let workspaces = Workspaces::new(db.clone(), blobs.clone(), &config.data_dir);
    let started = Instant::now();
    Ok(Arc::new(AppState { config, db, blobs, committer, notifier, workspaces, hub, traffic, started, stopping }))
}
