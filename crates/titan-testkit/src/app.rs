//! Titan in one process: a database of its own, the real router on a real socket, and a real worker when one is wanted.

use std::collections::HashMap;
use std::time::Duration;

use secrecy::ExposeSecret as _;
use tempfile::TempDir;
use titan_api::{AppState, Running};
use titan_core::config::Config;
use titan_worker::worker::WorkerHandle;
use titan_worker::{Worker, handlers};

use crate::client::Client;
use crate::db::TestDb;

/// What a test wants of it. Nothing is read from the environment.
#[derive(Default)]
pub struct Plan {
    settings: HashMap<String, String>,
    worker: bool,
}

pub struct TestApp {
    pub client: Client,
    pub config: Config,
    running: Running,
    worker: Option<WorkerHandle>,
    // For copies of files; shared by both daemons, as on one machine.
    _data: TempDir,
    // The last one to go.
    pub db: TestDb,
}

impl Plan {
    /// Sets a variable of the configuration.
    #[must_use]
    pub fn set(mut self, variable: &str, value: &str) -> Self {
        self.settings.insert(variable.to_owned(), value.to_owned());
        self
    }

    /// With a worker, whose offline model answers without a pause unless the plan says otherwise.
    #[must_use]
    pub fn worker(mut self) -> Self {
        self.worker = true;
        self
    }

    /// # Panics
    /// When something does not start.
    pub async fn start(self) -> TestApp {
        // Making a database blocks, and may first have to start a cluster.
        let db = tokio::task::spawn_blocking(TestDb::new).await.expect("a database");
        let data = tempfile::tempdir().expect("a directory");
        let mut settings = HashMap::from([
            ("DATABASE_URL".to_owned(), db.url.expose_secret().to_owned()),
            ("TITAN_BIND".to_owned(), "127.0.0.1:0".to_owned()),
            ("TITAN_OFFLINE_DELAY".to_owned(), "0ms".to_owned()),
            ("TITAN_GRACE".to_owned(), "2s".to_owned()),
            ("TITAN_WORKER_NAME".to_owned(), "test-worker".to_owned()),
            ("TITAN_DATA_DIR".to_owned(), data.path().display().to_string()),
        ]);
        settings.extend(self.settings);
        let config = Config::from_map(&settings).expect("settings that can be read");
        let running = titan_api::start(config.clone(), db.db.clone(), Some(2)).expect("a server");
        let client = Client::new(&running.address.to_string());
        let mut app = TestApp { client, config, running, worker: None, _data: data, db };
        if self.worker {
            app.start_worker().await;
        }
        app
    }
}

impl TestApp {
    #[must_use]
    pub fn plan() -> Plan {
        Plan::default()
    }

    /// The API without a worker.
    pub async fn start() -> Self {
        Self::plan().start().await
    }

    /// The API with a worker.
    pub async fn with_worker() -> Self {
        Self::plan().worker().start().await
    }

    /// # Panics
    /// When it does not start.
    pub async fn start_worker(&mut self) {
        let handlers = handlers::all(&self.config).expect("handlers");
        self.worker = Some(Worker::start(&self.config, handlers).await.expect("a worker"));
    }

    /// The address that the server listens on.
    #[must_use]
    pub fn address(&self) -> String {
        self.running.address.to_string()
    }

    /// What the handlers share, for tests that reach behind them.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.running.state
    }

    /// Stops everything; all work must be done.
    ///
    /// # Panics
    /// When jobs are left over.
    pub async fn finish(self) {
        self.stop(true).await;
    }

    /// Stops everything although work may be left, which is what a test without a worker leaves.
    pub async fn abandon(self) {
        self.stop(false).await;
    }

    async fn stop(self, finished: bool) {
        let TestApp { running, worker, db, .. } = self;
        if let Some(worker) = worker {
            worker.stop(Duration::from_secs(10)).await;
        }
        running.stop(false).await.expect("a server that ended in order");
        tokio::task::spawn_blocking(move || {
            if finished {
                db.assert_no_jobs_left();
            }
            drop(db);
        })
        .await
        .expect("no jobs left over");
    }
}
