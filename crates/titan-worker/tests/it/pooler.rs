//! Behind a PgBouncer in transaction mode, with fewer sessions than a single daemon has connections: real daemons, which
//! have to work as they do without it, and must leave nothing behind in sessions that belong to nobody.

use std::time::Duration;

use reqwest::Method;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use titan_testkit::client::{Client, run_of, text};
use titan_testkit::daemon::{Api, Daemon, Env};
use titan_testkit::db::TestDb;
use titan_testkit::fake_model::Behaviour;
use titan_testkit::pooler::{Pooler, SHARED};
use titan_testkit::wait;

use crate::support::Stage;

const NOTHING: [&str; 0] = [];

/// A database with a pooler before it, and an API that reaches it so.
struct Pooled {
    stage: Stage,
    pooler: Pooler,
    /// What leads the daemons to their database.
    way: Vec<(&'static str, String)>,
}

impl Pooled {
    /// Without another way to the database.
    fn only() -> Self {
        let (stage, pooler) = with_pooler();
        let way = vec![("DATABASE_URL", pooler.url()), ("DATABASE_POOLER", "transaction".to_owned())];
        Pooled { stage, pooler, way }
    }

    /// With a way around it.
    fn with_a_way_around() -> Self {
        let (stage, pooler) = with_pooler();
        let way = vec![("DATABASE_URL", pooler.url()), ("DATABASE_DIRECT_URL", stage.url().to_owned())];
        Pooled { stage, pooler, way }
    }

    fn env(&self, more: &[(&str, &str)]) -> Env {
        let way = self.way.iter().map(|(name, value)| (*name, value.as_str()));
        self.stage.env(&way.chain(more.iter().copied()).collect::<Vec<_>>())
    }

    fn worker(&self, name: &str, lease: &str) -> Daemon {
        Daemon::worker(&self.env(&[("TITAN_WORKER_NAME", name), ("TITAN_LEASE", lease)]))
    }

    fn api(&self) -> (Api, Client) {
        let api = Api::start(&self.env(&[]));
        let client = Client::new(api.url.trim_start_matches("http://"));
        (api, client)
    }

    /// Sessions of Postgres, by what they are called.
    fn sessions(&self, called: &str) -> i64 {
        self.stage.count(&format!(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = '{called}'"
        ))
    }

    /// Stops everybody in order, and looks at what is left of them.
    fn assert_clean_after(&self, daemons: &mut [Daemon]) {
        for daemon in &mut *daemons {
            daemon.signal("TERM");
        }
        for daemon in daemons {
            assert!(daemon.ended().success(), "{}", daemon.log());
        }
        assert_eq!(self.pooler.leftovers(), NOTHING);
        assert!(self.sessions("pooled") <= SHARED as i64);
        self.stage.assert_no_jobs_left();
    }
}

fn with_pooler() -> (Stage, Pooler) {
    let stage = Stage::new();
    let pooler = Pooler::start(stage.url());
    (stage, pooler)
}

async fn task(client: &Client, project: &str, content: &str, more: Value) -> Value {
    let mut body = json!({"type": "chat", "payload": {"content": content}});
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    client.post(&format!("/api/projects/{project}/tasks"), &body).await.expect(201)
}

/// The latest run of a task, which it may not have yet, once it has ended.
async fn latest_ended(client: &Client, task: &Value) -> Value {
    let path = format!("/api/tasks/{}", text(&task["id"]));
    let run = wait::until("a run of the task", async || {
        let task = client.get(&path).await.expect(200);
        task["latest_run"]["id"].as_str().map(str::to_owned)
    })
    .await;
    client.run_ended(&run).await
}

async fn assert_completed(client: &Client, task: &Value) -> Value {
    let run = latest_ended(client, task).await;
    assert_eq!(text(&run["status"]), "completed", "{run}");
    run
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_pooler_alone_everything_is_done_and_nothing_stays_in_its_sessions() {
    let pooled = Pooled::only();
    let (api, client) = pooled.api();
    let worker = pooled.worker("only", "15s");
    worker.wait_for_line("this worker leads the maintenance now");
    let project = client.project("p").await;

    // More at once than there are sessions, with attempts that fail among them.
    let mut tasks = Vec::new();
    for number in 0..3 * SHARED {
        let trouble = if number % 4 == 0 { "[500]" } else { "" };
        tasks.push(task(&client, &project, &format!("{trouble}[echo] {number}"), json!({})).await);
    }
    // One after the other, by a limit.
    let put = client.request(Method::PUT, "/api/limits/one").json(&json!({"max_running": 1}));
    client.send(put).await.expect(200);
    let mut limited = Vec::new();
    for number in 0..3 {
        limited.push(task(&client, &project, &format!("[echo] limited {number}"), json!({"limit_key": "one"})).await);
    }
    // Not before its time.
    let due =
        pooled.stage.own.as_ref().unwrap().text(
            "SELECT to_char((now() + interval '2 seconds') AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"')",
        );
    let scheduled = task(&client, &project, "[echo] later", json!({"run_at": due})).await;
    // Canceled while it streams.
    let canceled = task(&client, &project, "[slow] Tell me about tea.", json!({})).await;
    let canceled_run = run_of(&canceled);
    let mut stream = client.stream(&format!("/api/runs/{canceled_run}/events"), None).await;
    while stream.until("run_event").await["kind"] != "delta" {}
    client.post(&format!("/api/runs/{canceled_run}/cancel"), &json!({})).await.expect(200);
    assert_eq!(stream.until("end").await, json!({"status": "canceled"}));

    for (number, task) in tasks.iter().enumerate() {
        let run = assert_completed(&client, task).await;
        assert_eq!(run["steps"][0]["attempt"], json!(if number % 4 == 0 { 2 } else { 1 }));
    }
    for task in limited.iter().chain([&scheduled]) {
        assert_completed(&client, task).await;
    }
    let together = "SELECT count(*) FROM steps a JOIN tasks s ON s.latest_run_id = a.run_id JOIN steps b ON a.run_id < b.run_id \
         JOIN tasks t ON t.latest_run_id = b.run_id WHERE s.limit_key = 'one' AND t.limit_key = 'one' \
         AND a.started_at < b.finished_at AND b.started_at < a.finished_at";
    assert_eq!(pooled.stage.count(together), 0, "one at a time");
    let early =
        format!("SELECT count(*) FROM runs WHERE task_id = '{}' AND started_at < '{due}'", text(&scheduled["id"]));
    assert_eq!(pooled.stage.count(&early), 0);

    // What failed for good, and is tried again with all the others.
    pooled.stage.model.push(Behaviour::Status {
        status: 400,
        headers: vec![],
        body: r#"{"error":{"message":"this model does not exist"}}"#.to_owned(),
    });
    let failing = task(&client, &project, "[echo] again", json!({})).await;
    assert_eq!(text(&client.run_ended(&run_of(&failing)).await["status"]), "failed");
    let redrive = json!({"action": "redrive", "filter": {"all": true}});
    assert_eq!(client.post("/api/jobs/bulk", &redrive).await.expect(200)["changed"], json!(1));
    let again = assert_completed(&client, &failing).await;
    assert_eq!(text(&again["retry_of"]), run_of(&failing));

    for path in ["/api/queues", "/api/jobs", "/api/worker/health", "/readyz"] {
        client.get(path).await.expect(200);
    }
    let metrics = client.get("/metrics").await;
    assert!(metrics.status == 200 && metrics.text.contains("titan_leader{"), "{}", metrics.text);
    assert_eq!(pooled.stage.count("SELECT count(*) FROM workers WHERE lock_key IS NOT NULL"), 0);
    assert_eq!(pooled.sessions("titan-listen"), 0);
    pooled.assert_clean_after(&mut [worker, api.daemon]);
}

#[tokio::test(flavor = "multi_thread")]
async fn through_a_pooler_alone_the_lease_rescues_from_a_killed_leader() {
    let pooled = Pooled::only();
    let mut first = pooled.worker("first", "2s");
    first.wait_for_line("this worker leads the maintenance now");
    let ids = pooled.stage.chat("[slow] Tell me about tea.").await;
    pooled.stage.deltas(ids.run_id, 2).await;
    let second = pooled.worker("second", "2s");
    first.kill();
    second.wait_for_line("this worker leads the maintenance now");
    second.wait_for_line("rescued: its worker was silent for too long");
    pooled.stage.assert_answered_once(ids.run_id).await;
    pooled.assert_clean_after(&mut [second]);
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_way_around_the_pooler_hints_and_the_fast_rescue_take_it() {
    let pooled = Pooled::with_a_way_around();
    let (api, client) = pooled.api();
    // Nothing but the locks could tell in time that its holder has died.
    let mut first = pooled.worker("first", "10m");
    first.wait_for_line("this worker leads the maintenance now");
    wait::until("connections that listen", async || (pooled.sessions("titan-listen") == 2).then_some(())).await;
    wait::until("a worker that holds its lock", async || {
        let held = "SELECT count(*) FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid JOIN workers w \
             ON w.lock_key = (l.classid::bigint << 32) | l.objid::bigint \
             WHERE l.locktype = 'advisory' AND l.granted AND a.application_name <> 'pooled'";
        (pooled.stage.count(held) == 1).then_some(())
    })
    .await;

    // A change is told only to who listens; the others are told to look again.
    let project = client.project("p").await;
    let mut changes = client.stream(&format!("/api/events?project_id={project}"), None).await;
    let task = task(&client, &project, "[slow] Tell me about tea.", json!({})).await;
    changes.until("change").await;

    let run_id = run_of(&task).parse().unwrap();
    pooled.stage.deltas(run_id, 2).await;
    let second = pooled.worker("second", "10m");
    first.kill();
    second.wait_for_line("this worker leads the maintenance now");
    second.wait_for_line("rescued: its worker died");
    assert_completed(&client, &task).await;
    assert_eq!(pooled.stage.run(run_id).await.steps[0].worker.as_deref(), Some("second"));
    drop(changes);
    pooled.assert_clean_after(&mut [second, api.daemon]);
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_sessions_of_the_pooler_break_work_goes_on() {
    let pooled = Pooled::only();
    let (api, client) = pooled.api();
    let worker = pooled.worker("only", "15s");
    let project = pooled.stage.project_id.to_string();
    let mut tasks = Vec::new();
    for number in 0..SHARED {
        tasks.push(task(&client, &project, &format!("[slow] {number}"), json!({})).await);
    }
    for task in &tasks {
        pooled.stage.deltas(run_of(task).parse().unwrap(), 2).await;
        let _ = pooled.stage.count(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() \
             AND application_name = 'pooled'",
        );
    }
    for task in &tasks {
        pooled.stage.assert_answered_once(run_of(task).parse().unwrap()).await;
    }
    wait::until("the API with its database", async || (client.get("/readyz").await.status == 200).then_some(())).await;
    pooled.assert_clean_after(&mut [worker, api.daemon]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_survives_a_restart_of_postgres_behind_the_pooler() {
    let stage = Stage::on_a_cluster();
    let pooler = Pooler::start(stage.url());
    let worker = stage.worker(&[("DATABASE_URL", &pooler.url()), ("DATABASE_POOLER", "transaction")]).await;
    let ids = stage.chat("[slow] An answer that is under way").await;
    stage.deltas(ids.run_id, 2).await;
    stage.cluster.as_ref().unwrap().restart();
    let run = stage.ended(ids.run_id).await;
    assert_eq!(run.status.to_string(), "completed");
    assert_eq!(stage.answers().await.iter().filter(|answer| answer.run_id == Some(ids.run_id)).count(), 1);
    worker.stop(Duration::from_secs(10)).await;
    assert_eq!(pooler.leftovers(), NOTHING);
}

#[tokio::test(flavor = "multi_thread")]
async fn daemons_that_start_together_make_the_schema_through_the_pooler() {
    let empty = TestDb::new();
    empty.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    let pooler = Pooler::start(empty.url.expose_secret());
    let url = pooler.url();
    let env = titan_testkit::daemon::env(&[("DATABASE_URL", &url), ("DATABASE_POOLER", "transaction")]);
    let mut daemons: Vec<Daemon> = (0..3).map(|_| Daemon::spawn("titan-worker", &[], &env)).collect();
    for daemon in &daemons {
        daemon.wait_for_line("titan-worker ready");
    }
    let check = |words: &[&str]| Daemon::spawn("titan-api", words, &env).ended().success();
    assert!(check(&["migrate"]) && check(&["migrate", "--check"]));
    for daemon in &mut daemons {
        daemon.signal("TERM");
        assert!(daemon.ended().success(), "{}", daemon.log());
    }
    let made = daemons.iter().filter(|daemon| daemon.log().contains("brought the database's schema up to date"));
    assert_eq!(made.count(), 1, "one made it, and the others waited");
    assert_eq!(pooler.leftovers(), NOTHING);
}
