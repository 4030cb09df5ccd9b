//! An API and workers on a database of their own, and what is asked of them.

use std::net::ToSocketAddrs as _;
use std::path::Path;
use std::time::{Duration, Instant};

use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tempfile::TempDir;
use titan_testkit::client::{Client, id, run_of, text};
use titan_testkit::daemon::{Api, Daemon, Env};
use titan_testkit::db::TestDb;
use titan_worker::workshop::registries;

/// A compiler may take its time.
const PATIENCE: Duration = Duration::from_secs(900);
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) struct Kit {
    pub(crate) db: TestDb,
    pub(crate) client: Client,
    pub(crate) data: TempDir,
    pub(crate) env: Env,
    _api: Api,
}

impl Kit {
    pub(crate) fn new() -> Self {
        Self::with(&[])
    }

    pub(crate) fn with(more: &[(&str, &str)]) -> Self {
        Self::with_api(more, |env, _| Api::start(env))
    }

    /// With an API that is started elsewhere, which is given its variables and its data folder.
    pub(crate) fn with_api(more: &[(&str, &str)], start: impl FnOnce(&Env, &Path) -> Api) -> Self {
        let (db, data) = (TestDb::new(), tempfile::tempdir().unwrap());
        let mut env: Env = ["PATH", "HOME", "CARGO_HOME", "RUSTUP_HOME", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"]
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?)))
            .collect();
        let own = [
            ("DATABASE_URL", db.url.expose_secret()),
            ("TITAN_DATA_DIR", &data.path().display().to_string()),
            ("TITAN_EGRESS_INNER", &mirrors()),
            ("TITAN_OFFLINE_DELAY", "0ms"),
            ("TITAN_LEASE", "5s"),
            ("TITAN_GRACE", "5s"),
        ];
        env.extend(own.iter().chain(more).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let api = start(&env, data.path());
        let client = Client::new(api.url.trim_start_matches("http://"));
        Kit { db, client, data, env, _api: api }
    }

    pub(crate) fn worker(&self) -> Daemon {
        Daemon::worker(&self.env)
    }

    pub(crate) fn worker_with(&self, more: &[(&str, &str)]) -> Daemon {
        let mut env = self.env.clone();
        env.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        Daemon::worker(&env)
    }

    /// A worker that lies elsewhere.
    pub(crate) fn worker_at(&self, program: &Path) -> Daemon {
        let worker = Daemon::spawn(&program.display().to_string(), &[], &self.env);
        worker.wait_for_line("titan-worker ready");
        worker
    }

    /// A project of a template; its id and the run of its pipeline.
    pub(crate) async fn project(&self, template: &str, inputs: &Value) -> (String, String) {
        let body = json!({"name": "Tea & Co", "template_ref": template, "inputs": inputs});
        let project = id(&self.client.post("/api/projects", &body).await.expect(201));
        let run = run_of(&self.tasks(&project).await[0]);
        (project, run)
    }

    pub(crate) async fn tasks(&self, project: &str) -> Vec<Value> {
        self.items(&format!("/api/projects/{project}/tasks")).await
    }

    pub(crate) async fn items(&self, path: &str) -> Vec<Value> {
        self.client.get(path).await.expect(200)["items"].as_array().unwrap().clone()
    }

    /// The run, once it has ended.
    pub(crate) async fn ended(&self, run: &str) -> Value {
        let path = format!("/api/runs/{run}");
        self.until("the run to end", async || {
            let run = self.client.get(&path).await.expect(200);
            matches!(text(&run["status"]), "completed" | "failed" | "canceled").then_some(run)
        })
        .await
    }

    pub(crate) async fn completed(&self, run: &str) -> Value {
        let ended = self.ended(run).await;
        if text(&ended["status"]) != "completed" {
            panic!("{ended:#}\n{}", self.log(run).await.join("\n"));
        }
        ended
    }

    pub(crate) async fn until<T>(&self, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
        let began = Instant::now();
        loop {
            if let Some(answer) = ask().await {
                return answer;
            }
            assert!(began.elapsed() < patience(), "waited in vain for {what}");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The lines of a run's log.
    pub(crate) async fn log(&self, run: &str) -> Vec<String> {
        let lines = self.items(&format!("/api/runs/{run}/logs?limit=200")).await;
        lines.iter().map(|line| text(&line["message"]).to_owned()).collect()
    }

    pub(crate) async fn preview(&self, project: &str) -> Value {
        self.client.get(&format!("/api/projects/{project}/preview")).await.expect(200)["preview"].clone()
    }

    /// What a page of the preview shows, if it does.
    pub(crate) async fn page(&self, project: &str, path: &str) -> Option<String> {
        let address = self.preview(project).await["address"].as_str()?.to_owned();
        let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
        let answer = http.get(format!("{}{path}", address.trim_end_matches('/'))).send().await.ok()?;
        answer.error_for_status().ok()?.text().await.ok()
    }

    pub(crate) async fn write(&self, project: &str, path: &str, content: &str) {
        let reply =
            self.client.put(&format!("/api/projects/{project}/files/{path}"), &json!({"content": content})).await;
        assert!((200..300).contains(&reply.status), "{}", reply.text);
    }

    pub(crate) async fn read(&self, project: &str, path: &str) -> String {
        self.client.get(&format!("/api/projects/{project}/files/{path}")).await.text
    }

    pub(crate) fn folder(&self, name: &str) -> std::path::PathBuf {
        self.data.path().join(name)
    }
}

/// `PATIENCE` in seconds is for whoever looks for the cause of a test that hangs.
fn patience() -> Duration {
    let given = std::env::var("PATIENCE").ok().and_then(|seconds| seconds.parse().ok());
    given.map_or(PATIENCE, Duration::from_secs)
}

/// Where the registries of this machine are mirrors that lie inside, builds may go there.
fn mirrors() -> String {
    let addresses = registries().into_iter().flat_map(|host| {
        let host = if host.contains(':') { host } else { format!("{host}:443") };
        host.to_socket_addrs().map(Iterator::collect::<Vec<_>>).unwrap_or_default()
    });
    let networks = addresses.filter(std::net::SocketAddr::is_ipv4).map(|address| format!("{}/32", address.ip()));
    networks.collect::<std::collections::BTreeSet<_>>().into_iter().collect::<Vec<_>>().join(",")
}

/// Whether a folder holds nothing.
pub(crate) fn is_clear(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |entries| entries.count() == 0)
}
