//! The server as a thing that starts and stops: the socket, the application on it, and what runs beside it.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use titan_core::config::Config;
use titan_core::db::Db;
use titan_core::engine::Canceled;
use titan_core::queue;
use tokio::task::JoinHandle;

use crate::http::envelope::envelope;
use crate::metrics::traffic;
use crate::router;
use crate::state::{AppState, build_state};

/// How often what must happen from time to time is looked after.
const TENDING: Duration = Duration::from_secs(5);

/// Longer than clients and proxies keep an idle connection. Who closes first must be the client: it would otherwise send a
/// request into a connection that is just being closed, and could not know whether it was done.
const KEEP_ALIVE: Duration = Duration::from_secs(100);

/// A server that is up.
pub struct Running {
    pub address: SocketAddr,
    pub state: Arc<AppState>,
    handle: ServerHandle,
    server: JoinHandle<std::io::Result<()>>,
}

/// Binds and serves. The schema must be in place already.
///
/// # Errors
/// When the address cannot be had or the operating system refuses a thread.
pub fn start(config: Config, db: Db, threads: Option<usize>) -> anyhow::Result<Running> {
    let (bind, grace) = (config.bind, config.grace);
    let listener = std::net::TcpListener::bind(bind)?;
    let address = listener.local_addr()?;
    let state = build_state(config, db)?;
    let shared = web::Data::from(Arc::clone(&state));
    let mut server = HttpServer::new(move || {
        App::new().app_data(shared.clone()).configure(router::configure).wrap(from_fn(envelope)).wrap(from_fn(traffic))
    })
    .disable_signals()
    .shutdown_timeout(grace.as_secs().max(1))
    .keep_alive(KEEP_ALIVE)
    .client_request_timeout(Duration::from_secs(30));
    if let Some(threads) = threads {
        server = server.workers(threads);
    }
    let server = server.listen(listener)?.run();
    let handle = server.handle();
    tokio::spawn(tend(Arc::clone(&state)));
    Ok(Running { address, state, handle, server: tokio::spawn(server) })
}

impl Running {
    /// Ends the streams, lets the requests that are under way finish within the grace time, and stops. When not graceful,
    /// it stops at once.
    ///
    /// # Errors
    /// When the server had ended with an error.
    pub async fn stop(self, graceful: bool) -> std::io::Result<()> {
        self.state.stopping.cancel();
        self.handle.stop(graceful).await;
        self.server.await.map_err(std::io::Error::other)?
    }
}

/// Ends what was asked to end and did not, and folds counters. A worker does the same; it may be away.
async fn tend(state: Arc<AppState>) {
    loop {
        tokio::select! {
            () = state.stopping.cancelled() => return,
            () = tokio::time::sleep(TENDING) => {}
        }
        if let Err(error) = tend_once(&state).await {
            tracing::debug!(%error, "tending has to wait");
        }
    }
}

async fn tend_once(state: &AppState) -> titan_core::Result<()> {
    let grace_ms = i64::try_from(state.config.grace.as_millis()).unwrap_or(i64::MAX);
    for overdue in state.db.run(move |connection| queue::overdue_cancels(connection, grace_ms)).await? {
        let run_id = overdue.run_id;
        match state.committer.cancel(overdue.into()).await {
            Ok(Canceled::Now) => tracing::warn!(run.id = %run_id, "a run did not stop in time and was ended"),
            // A worker's upkeep was faster.
            Ok(_) => {}
            Err(error) => tracing::debug!(run.id = %run_id, %error, "a run could not be ended yet"),
        }
    }
    state.db.run(queue::fold_counters).await.map(|_| ())
}
