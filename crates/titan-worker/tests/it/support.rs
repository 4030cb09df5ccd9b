//! What the tests share: a database, a fake model, tasks, and what must be true of every story.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use titan_core::config::Config;
use titan_core::db::Db;
use titan_core::engine::{Committer, NewTask, Submission};
use titan_core::events::RunEvent;
use titan_core::messages::Message;
use titan_core::queue::Notifier;
use titan_core::runs::Run;
use titan_core::state::{ExecutionType, RunStatus};
use titan_core::{db, events, messages, projects, runs};
use titan_testkit::daemon::{Cluster, Env};
use titan_testkit::db::TestDb;
use titan_testkit::fake_model::{FakeModel, MODEL};
use titan_testkit::wait;
use titan_worker::handlers::remember::Remember;
use titan_worker::models::Models;
use titan_worker::{Registry, Worker, WorkerHandle, handlers};
use uuid::Uuid;

pub(crate) struct Stage {
    pub(crate) db: Db,
    pub(crate) model: FakeModel,
    pub(crate) committer: Committer,
    pub(crate) project_id: Uuid,
    url: SecretString,
    pub(crate) own: Option<TestDb>,
    pub(crate) cluster: Option<Cluster>,
}

#[derive(Debug, Clone, Copy)]
pub(crate) struct Ids {
    pub(crate) task_id: Uuid,
    pub(crate) run_id: Uuid,
}

impl Stage {
    /// On the tests' server.
    pub(crate) fn new() -> Self {
        let own = TestDb::new();
        Self::on(own.db.clone(), own.url.clone(), Some(own), None)
    }

    /// On a server of its own, which may be restarted.
    pub(crate) fn on_a_cluster() -> Self {
        let cluster = Cluster::start();
        db::migrate(&mut cluster.db.dedicated().unwrap()).unwrap();
        Self::on(cluster.db.clone(), cluster.url.clone(), None, Some(cluster))
    }

    fn on(db: Db, url: SecretString, own: Option<TestDb>, cluster: Option<Cluster>) -> Self {
        let committer = Committer::start(&db, &Notifier::start(&db).unwrap(), 1).unwrap();
        let new = projects::NewProject {
            name: "Shop".to_owned(),
            project_type: None,
            template_ref: None,
            spec: Some(json!({"description": "A shop for tea."})),
        };
        let (project, _) = db.run_blocking(|connection| projects::create(connection, &new, None)).unwrap();
        Stage { db, model: FakeModel::start().unwrap(), committer, project_id: project.id, url, own, cluster }
    }

    /// Where its database is.
    pub(crate) fn url(&self) -> &str {
        self.url.expose_secret()
    }

    fn variables(&self, more: &[(&str, &str)]) -> HashMap<String, String> {
        let mut map = HashMap::from([
            ("DATABASE_URL".to_owned(), self.url().to_owned()),
            ("OPENAI_BASE_URL".to_owned(), self.model.base_url().to_string()),
            ("TITAN_DEFAULT_MODEL".to_owned(), MODEL.to_owned()),
            // One question for each message, unless a test is about the facts of it.
            ("TITAN_MEMORY".to_owned(), "record".to_owned()),
        ]);
        map.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        map
    }

    /// The environment of a daemon.
    pub(crate) fn env(&self, more: &[(&str, &str)]) -> Env {
        self.variables(more).into_iter().collect()
    }

    pub(crate) fn config(&self, more: &[(&str, &str)]) -> Config {
        Config::from_map(&self.variables(more)).unwrap()
    }

    /// A worker in this process.
    pub(crate) async fn worker(&self, more: &[(&str, &str)]) -> WorkerHandle {
        let config = self.config(more);
        Worker::start(&config, handlers::all(&config).unwrap()).await.unwrap()
    }

    /// The handler of the second step.
    pub(crate) fn remember(&self) -> Remember {
        let config = self.config(&[]);
        Remember::new(Arc::new(Models::from_config(&config.models).unwrap()), config.memory.mode, None)
    }

    pub(crate) async fn worker_with(&self, handlers: Registry) -> WorkerHandle {
        Worker::start(&self.config(&[]), handlers).await.unwrap()
    }

    pub(crate) async fn chat(&self, content: &str) -> Ids {
        self.submit(content, None, ExecutionType::FullyAutomated).await.1.unwrap()
    }

    /// The task, and what it is made of when it begins by itself.
    pub(crate) async fn submit(
        &self,
        content: &str,
        max_retries: Option<i32>,
        how: ExecutionType,
    ) -> (Uuid, Option<Ids>) {
        self.submit_with(json!({"content": content}), max_retries, how).await
    }

    /// The same with a payload of any kind.
    pub(crate) async fn chat_with(&self, payload: Value) -> Ids {
        self.submit_with(payload, None, ExecutionType::FullyAutomated).await.1.unwrap()
    }

    async fn submit_with(&self, payload: Value, max_retries: Option<i32>, how: ExecutionType) -> (Uuid, Option<Ids>) {
        let task = NewTask {
            project_id: self.project_id,
            task_type: "chat".to_owned(),
            title: None,
            payload,
            execution_type: Some(how),
            priority: 0,
            max_retries,
            queue: None,
            limit_key: None,
            run_at: None,
        };
        let submitted = self.committer.submit(Submission { task, key: None, trace_id: None }).await.unwrap();
        let ids = submitted.run_id.map(|run_id| Ids { task_id: submitted.task_id, run_id });
        (submitted.task_id, ids)
    }

    pub(crate) async fn run(&self, id: Uuid) -> Run {
        self.db.run(move |connection| runs::get(connection, id)).await.unwrap()
    }

    pub(crate) async fn events(&self, id: Uuid) -> Vec<RunEvent> {
        self.db.run(move |connection| events::after(connection, id, 0, 10_000)).await.unwrap()
    }

    /// Waits for the end of a run and checks its story.
    pub(crate) async fn ended(&self, id: Uuid) -> Run {
        let run = wait::until("the end of a run", async || {
            // Postgres may be away just now.
            let run = self.db.run(move |connection| runs::get(connection, id)).await.ok()?;
            run.status.is_terminal().then_some(run)
        })
        .await;
        check_story(&run, &self.events(id).await);
        run
    }

    /// Waits until so many deltas of a run are stored.
    pub(crate) async fn deltas(&self, id: Uuid, count: usize) {
        wait::until("deltas", async || (deltas(&self.events(id).await).len() >= count).then_some(())).await;
    }

    /// Everything that was answered in the project.
    pub(crate) async fn answers(&self) -> Vec<Message> {
        let id = self.project_id;
        let page = self.db.run(move |connection| messages::list(connection, id, Some(200), None)).await.unwrap();
        page.items.into_iter().filter(|message| message.role == "assistant").collect()
    }

    /// The run completed with one answer, which is also what was streamed, one output and one memory.
    pub(crate) async fn assert_answered_once(&self, id: Uuid) -> String {
        let run = self.ended(id).await;
        assert_eq!((run.status, run.error.as_deref()), (RunStatus::Completed, None));
        let answers: Vec<Message> =
            self.answers().await.into_iter().filter(|message| message.run_id == Some(id)).collect();
        let [answer] = answers.as_slice() else { panic!("one answer is due, and there are {}", answers.len()) };
        assert_eq!(shown(&self.events(id).await), answer.content);
        for table in ["outputs", "memories"] {
            let column = if table == "outputs" { "run_id" } else { "source_run_id" };
            assert_eq!(self.count(&format!("SELECT count(*) FROM {table} WHERE {column} = '{id}'")), 1, "{table}");
        }
        answer.content.clone()
    }

    pub(crate) fn count(&self, sql: &str) -> i64 {
        self.own.as_ref().expect("a database of the tests' server").count(sql)
    }

    pub(crate) fn assert_no_jobs_left(&self) {
        self.own.as_ref().expect("a database of the tests' server").assert_no_jobs_left();
    }

    /// Watches the status of a run from now on; what it saw is checked when the watch ends.
    pub(crate) fn watch(&self, id: Uuid) -> Watch {
        let (db, seen) = (self.db.clone(), Arc::new(Mutex::new(Vec::new())));
        let kept = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            loop {
                if let Ok(position) = db.run(move |connection| runs::position(connection, id)).await {
                    kept.lock().unwrap().push(position.status);
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        });
        Watch { seen, task }
    }
}

pub(crate) struct Watch {
    seen: Arc<Mutex<Vec<RunStatus>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Watch {
    /// The status never went back.
    pub(crate) fn assert_forward(self) {
        self.task.abort();
        let seen = self.seen.lock().unwrap().clone();
        assert!(!seen.is_empty());
        for pair in seen.windows(2) {
            assert!(pair[0] == pair[1] || pair[0].may_become(pair[1]), "{:?} became {:?}", pair[0], pair[1]);
        }
    }
}

/// What must be true of every run that ended.
pub(crate) fn check_story(run: &Run, events: &[RunEvent]) {
    let seqs: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(seqs, (1..=run.last_seq).collect::<Vec<_>>(), "the numbers of a run's events have no gap");
    let terminal: Vec<&str> = events
        .iter()
        .map(|event| event.kind.as_str())
        .filter(|kind| ["run.completed", "run.failed", "run.canceled"].contains(kind))
        .collect();
    assert_eq!(terminal, [format!("run.{}", run.status)], "one event says how it ended");
    assert_eq!(events.last().map(|event| event.kind.as_str()), Some(terminal[0]));
    assert!(run.steps.iter().all(|step| step.status.is_terminal()));
}

/// Attempt, offset and text of each delta.
pub(crate) fn deltas(events: &[RunEvent]) -> Vec<(i64, u64, String)> {
    let delta = |data: &Value| {
        (data["attempt"].as_i64().unwrap(), data["offset"].as_u64().unwrap(), data["text"].as_str().unwrap().to_owned())
    };
    events.iter().filter(|event| event.kind == "delta").map(|event| delta(&event.data)).collect()
}

/// What a reader shows in the end: the deltas of the last attempt, put together.
pub(crate) fn shown(events: &[RunEvent]) -> String {
    let deltas = deltas(events);
    let last = deltas.iter().map(|(attempt, ..)| *attempt).max().unwrap_or(0);
    let mut text = String::new();
    for (_, offset, piece) in deltas.iter().filter(|(attempt, ..)| *attempt == last) {
        assert_eq!(*offset, text.chars().count() as u64, "deltas follow on each other");
        text.push_str(piece);
    }
    text
}

/// How long something took.
pub(crate) async fn timed<T>(work: impl Future<Output = T>) -> (T, Duration) {
    let began = Instant::now();
    (work.await, began.elapsed())
}
