//! What a person sees of the queue and does to it: through the real router, on a real database.

use std::collections::BTreeSet;
use std::time::Duration;

use chrono::{TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use titan_core::db::Db;
use titan_core::engine::{Quarantine, Transition};
use titan_core::queue::{NewJob, enqueue};
use titan_testkit::app::TestApp;
use titan_testkit::client::{Client, Reply, run_of, text};

fn job(kind: &str) -> NewJob {
    NewJob { payload: Some(json!({"n": 1})), ..NewJob::new(kind) }
}

fn later(kind: &str) -> NewJob {
    NewJob { run_at: Some(Utc::now() + TimeDelta::hours(1)), ..job(kind) }
}

fn limited(key: &str) -> NewJob {
    NewJob { limit_key: Some(key.to_owned()), ..job("call") }
}

fn add(app: &TestApp, jobs: &[NewJob]) -> Vec<i64> {
    enqueue(&mut app.db.connect(), jobs).unwrap().into_iter().map(Option::unwrap).collect()
}

/// Dead letters of jobs without a run, with ids that no job has.
fn add_letters(app: &TestApp, kind: &str, count: i64) {
    app.db.execute(&format!(
        "INSERT INTO dead_letters (job_id, kind, queue, priority, payload, max_attempts, timeout_ms, attempt, rescues, error, \
         created_at) SELECT 900000 + n, '{kind}', 'default', 7, '{{\"n\": 1}}', 4, 5000, 4, 0, 'it broke', now() \
         FROM generate_series(1, {count}) AS n"
    ));
}

/// A task whose run failed for good, and the dead letter of its job.
async fn failed_task(app: &TestApp, project: &str) -> Value {
    let task = app.client.chat(project, "hello").await;
    let run = run_of(&task);
    let job_id = app.db.count(&format!("SELECT id FROM jobs WHERE run_id = '{run}'"));
    let poisoned = Quarantine { run_id: run.parse().unwrap(), job_id, rescues: 5 };
    app.state().committer.apply(Transition::Quarantine(poisoned)).await.unwrap();
    assert_eq!(app.db.count(&format!("SELECT count(*) FROM dead_letters WHERE job_id = {job_id}")), 1);
    task
}

async fn bulk(client: &Client, body: Value) -> Value {
    client.post("/api/jobs/bulk", &body).await.expect(200)
}

async fn put(client: &Client, path: &str, body: Value) -> Reply {
    client.send(client.request(Method::PUT, path).json(&body)).await
}

async fn queue(client: &Client, name: &str) -> Value {
    let queues = client.get("/api/queues").await.expect(200);
    queues["items"].as_array().unwrap().iter().find(|queue| queue["name"] == name).unwrap().clone()
}

/// All pages of a list, as ids.
async fn ids(client: &Client, query: &str, limit: usize) -> Vec<i64> {
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = client.get(&format!("/api/jobs?{query}&limit={limit}&cursor={cursor}")).await.expect(200);
        let items = page["items"].as_array().unwrap();
        assert!(items.len() <= limit);
        ids.extend(items.iter().map(|job| job["id"].as_i64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = next.to_owned(),
            None => return ids,
        }
    }
}

fn field(reply: &Reply) -> String {
    assert_eq!((reply.status, reply.code().as_str()), (422, "validation_failed"), "{}", reply.text);
    reply.json()["errors"][0]["field"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_begins_no_sooner_than_it_says() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let tasks = format!("/api/projects/{project}/tasks");
    let body = |run_at: &str| json!({"type": "chat", "payload": {"content": "hello"}, "run_at": run_at});
    let refused = app.client.post(&tasks, &body("tomorrow")).await.expect(422);
    assert!(text(&refused["detail"]).starts_with("run_at: must be a time such as"), "{refused}");
    let task = app.client.post(&tasks, &body("2999-01-31T18:00:00+01:00")).await.expect(201);
    assert_eq!(text(&task["run_at"]), "2999-01-31T17:00:00Z");
    assert_eq!(queue(&app.client, "default").await["scheduled"], 1);
    assert_eq!(app.db.count("SELECT count(*) FROM jobs WHERE run_at = '2999-01-31T17:00:00Z'"), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_only_so_many_queues() {
    let app = TestApp::start().await;
    app.db.execute("INSERT INTO queues (name) SELECT 'q' || n FROM generate_series(1, 98) AS n");
    let refused = app.client.post("/api/queues", &json!({"name": "one-more"})).await.expect(409);
    assert!(text(&refused["detail"]).contains("100 queues"), "{refused}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_paused_queue_is_paused_for_every_process_until_it_is_resumed() {
    let app = TestApp::start().await;
    let client = &app.client;
    let made = client.post("/api/queues", &json!({"name": "mail"})).await.expect(201);
    assert_eq!((text(&made["name"]), &made["paused_at"]), ("mail", &Value::Null));
    assert_eq!(client.post("/api/queues", &json!({"name": "mail"})).await.code(), "conflict");

    let paused = client.post("/api/queues/mail/pause", &json!({"reason": "the mail server moves"})).await.expect(200);
    assert_eq!(text(&paused["paused_reason"]), "the mail server moves");
    let again = client.post("/api/queues/mail/pause", &json!({})).await.expect(200);
    assert_eq!(
        (&again["paused_at"], &again["paused_reason"]),
        (&paused["paused_at"], &paused["paused_reason"]),
        "pausing again changes nothing"
    );

    // Another process with a pool of its own.
    let db = Db::new(&app.db.url, 2).unwrap();
    let other = titan_api::start(app.config.clone(), db, Some(1)).unwrap();
    let seen = queue(&Client::new(&other.address.to_string()), "mail").await;
    assert_eq!(seen["paused_at"], paused["paused_at"]);
    other.stop(false).await.unwrap();

    for _ in 0..2 {
        let resumed = client.post("/api/queues/mail/resume", &json!({})).await.expect(200);
        assert_eq!((&resumed["paused_at"], &resumed["paused_reason"]), (&Value::Null, &Value::Null));
    }
    for unknown in ["nothing", "No-Queue", "a%00b", "a%2Fb"] {
        for action in ["pause", "resume"] {
            let reply = client.post(&format!("/api/queues/{unknown}/{action}"), &json!({})).await;
            assert_eq!((reply.status, reply.code().as_str()), (404, "queue_not_found"), "{unknown}");
        }
    }
    for wrong in ["", "Mail", "1st", "a b", "a/b", &"x".repeat(64), "ä"] {
        assert_eq!(field(&client.post("/api/queues", &json!({"name": wrong})).await), "name", "{wrong:?}");
    }
    assert_eq!(field(&client.post("/api/queues", &json!({})).await), "name");
    let long = json!({"reason": "x".repeat(501)});
    assert_eq!(field(&client.post("/api/queues/mail/pause", &long).await), "reason");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_tells_how_deep_it_is_and_what_it_did_lately() {
    let app = TestApp::start().await;
    let client = &app.client;
    put(client, "/api/limits/one", json!({"max_running": 1})).await.expect(200);
    add(&app, &[job("a"), job("a"), later("a"), limited("one"), limited("one")]);
    let elsewhere = NewJob { queue: "mail".to_owned(), ..job("a") };
    add(&app, &[elsewhere]);
    add_letters(&app, "a", 3);
    app.db.execute("UPDATE dead_letters SET redriven_at = now() WHERE job_id = 900001");
    app.db.execute(
        "INSERT INTO job_tallies (minute, queue, outcome, n) SELECT date_trunc('minute', now()) - m * interval '1 minute', \
         'default', o, 2 FROM (VALUES (0, 'completed'), (0, 'completed'), (3, 'failed'), (14, 'canceled'), (15, 'failed')) \
         AS t (m, o)",
    );
    let default = queue(client, "default").await;
    for (state, count) in [("ready", 3), ("scheduled", 1), ("waiting", 1), ("running", 0), ("dead", 2)] {
        assert_eq!(default[state], json!(count), "{state}");
    }
    assert!(default["oldest_ready_seconds"].as_f64().unwrap() >= 0.0);
    let minutes = default["minutes"].as_array().unwrap();
    assert_eq!(minutes.len(), 15);
    assert!(minutes.windows(2).all(|pair| text(&pair[0]["minute"]) < text(&pair[1]["minute"])));
    let sum = |word: &str| minutes.iter().map(|minute| minute[word].as_i64().unwrap()).sum::<i64>();
    assert_eq!((sum("completed"), sum("failed"), sum("canceled")), (4, 2, 2), "{minutes:?}");
    let mail = queue(client, "mail").await;
    assert_eq!((&mail["ready"], mail["minutes"].as_array().unwrap().len()), (&json!(1), 15));
    assert_eq!(queue(client, "maintenance").await["oldest_ready_seconds"], Value::Null);
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_are_listed_page_by_page_wherever_they_are() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let task = client.chat(&project, "hello").await;
    let mut hot = vec![app.db.count("SELECT id FROM jobs")];
    hot.extend(add(&app, &[job("a"), later("a"), job("b"), job("b"), later("b")]));

    assert_eq!(ids(client, "", 2).await, hot);
    assert_eq!(ids(client, "state=scheduled", 1).await, [hot[2], hot[5]]);
    assert_eq!(ids(client, "kind=b&state=ready", 2).await, [hot[3], hot[4]]);
    assert_eq!(ids(client, "queue=mail", 2).await, [0_i64; 0]);
    assert_eq!(ids(client, &format!("project_id={project}"), 2).await, [hot[0]]);
    let items = client.get("/api/jobs").await.expect(200)["items"].clone();
    assert_eq!((&items[0]["task_id"], &items[0]["run_id"]), (&task["id"], &task["latest_run"]["id"]));
    assert_eq!((&items[0]["payload"], &items[1]["payload"]), (&Value::Null, &json!({"n": 1})));

    // Over: the newest first, also where several ended in the same moment.
    let gone = bulk(client, json!({"action": "cancel", "filter": {"kind": "b"}})).await;
    assert_eq!(gone["changed"], json!(3));
    app.db.execute("UPDATE job_history SET finished_at = (SELECT min(finished_at) FROM job_history) WHERE kind = 'b'");
    assert_eq!(ids(client, "state=canceled", 2).await, [hot[5], hot[4], hot[3]]);
    assert_eq!(ids(client, "state=canceled", 1).await, [hot[5], hot[4], hot[3]]);
    assert_eq!(ids(client, "state=completed", 1).await, [0_i64; 0]);

    add_letters(&app, "a", 3);
    app.db.execute("UPDATE dead_letters SET redriven_at = now() WHERE job_id = 900002");
    assert_eq!(ids(client, "state=dead", 1).await, [900_003, 900_001]);
    let dead = client.get("/api/jobs?state=dead").await.expect(200)["items"][0].clone();
    assert_eq!((text(&dead["state"]), text(&dead["error"]), &dead["priority"]), ("dead", "it broke", &json!(7)));

    // Whatever it is, a job has the same fields, and those that are described.
    let described =
        client.get("/api/openapi.json").await.expect(200)["components"]["schemas"]["Job"]["properties"].clone();
    let canceled = client.get("/api/jobs?state=canceled").await.expect(200)["items"][0].clone();
    for job in [&items[0], &dead, &canceled] {
        let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<BTreeSet<_>>();
        assert_eq!(fields(job), fields(&described));
    }
    for (query, field) in
        [("state=asleep", "state"), ("cursor=x", "cursor"), ("state=failed&cursor=5", "cursor"), ("limit=201", "limit")]
    {
        let reply = client.get(&format!("/api/jobs?{query}")).await;
        assert_eq!((reply.status, &reply.json()["errors"][0]["field"]), (400, &json!(field)), "{query}");
    }
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_previewed_is_what_is_then_canceled() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let task = client.chat(&project, "hello").await;
    let spared = add(&app, &[later("a")]);
    let lone = add(&app, &vec![job("a"); 1203]);
    app.db.execute(&format!("UPDATE jobs SET state = 'running', worker_id = gen_random_uuid() WHERE id = {}", lone[0]));

    let all = json!({"action": "cancel", "filter": {"all": true}, "preview": true});
    assert_eq!(bulk(client, all).await["matched"], json!(1205));
    let preview = bulk(client, json!({"action": "cancel", "filter": {"state": "ready"}, "preview": true})).await;
    let (action, none) = (json!("cancel"), json!(0));
    assert_eq!(
        preview,
        json!({"action": action, "preview": true, "matched": 1203, "changed": none, "skipped": none, "remaining": 1203})
    );
    assert_eq!(app.db.count("SELECT count(*) FROM jobs"), 1205, "a preview changes nothing");

    let first = bulk(client, json!({"action": "cancel", "filter": {"state": "ready"}})).await;
    assert_eq!((&first["matched"], &first["changed"], &first["remaining"]), (&json!(1203), &json!(1000), &json!(203)));
    let second = bulk(client, json!({"action": "cancel", "filter": {"state": "ready"}})).await;
    assert_eq!((&second["matched"], &second["changed"], &second["remaining"]), (&json!(203), &json!(203), &none));
    assert_eq!(text(&client.run_ended(&run_of(&task)).await["status"]), "canceled", "the run of a job ends with it");

    // One that a worker is busy with loses its row, and so its worker the right to write.
    let named = bulk(client, json!({"action": "cancel", "filter": {"ids": [lone[0], 1_i64 << 40]}})).await;
    assert_eq!((&named["matched"], &named["changed"]), (&json!(1), &json!(1)));
    assert_eq!(app.db.count("SELECT count(*) FROM job_history WHERE outcome = 'canceled'"), 1204);
    assert_eq!(app.db.count("SELECT count(DISTINCT id) FROM job_history"), 1204);
    assert_eq!(ids(client, "", 50).await, spared);
    let default = queue(client, "default").await;
    let canceled: i64 = default["minutes"].as_array().unwrap().iter().map(|m| m["canceled"].as_i64().unwrap()).sum();
    assert!(canceled >= 1203, "{canceled}");
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn scheduled_jobs_are_hurried_and_still_keep_to_their_limits() {
    let app = TestApp::start().await;
    let client = &app.client;
    put(client, "/api/limits/one", json!({"max_running": 1})).await.expect(200);
    let in_an_hour = Some(Utc::now() + TimeDelta::hours(1));
    let scheduled = NewJob { run_at: in_an_hour, ..limited("one") };
    add(&app, &[later("a"), later("a"), scheduled.clone(), scheduled, job("a")]);
    let retried = bulk(client, json!({"action": "retry", "filter": {"queue": "default"}})).await;
    assert_eq!((&retried["matched"], &retried["changed"], &retried["skipped"]), (&json!(4), &json!(4), &json!(0)));
    let default = queue(client, "default").await;
    assert_eq!((&default["ready"], &default["scheduled"], &default["waiting"]), (&json!(4), &json!(0), &json!(1)));
    assert_eq!(app.db.count("SELECT count(*) FROM jobs WHERE run_at > now()"), 0);

    // The end of one hands its place on.
    let first = app.db.count("SELECT id FROM jobs WHERE limit_key = 'one' AND state = 'ready'");
    bulk(client, json!({"action": "cancel", "filter": {"ids": [first]}})).await;
    assert_eq!(app.db.count("SELECT count(*) FROM jobs WHERE limit_key = 'one' AND state = 'ready'"), 1);
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bulk_action_says_which_jobs_it_means() {
    let app = TestApp::start().await;
    let client = &app.client;
    add(&app, &[job("a")]);
    for (body, wrong) in [
        (json!({"filter": {"all": true}}), "action"),
        (json!({"action": "explode", "filter": {"all": true}}), "action"),
        (json!({"action": "cancel"}), "filter"),
        (json!({"action": "cancel", "filter": {}}), "filter"),
        (json!({"action": "cancel", "filter": {"all": false}}), "filter"),
        (json!({"action": "cancel", "filter": {"queue": null}}), "filter"),
        (json!({"action": "cancel", "filter": {"queue": "default", "stat": "ready"}}), "filter.stat"),
        (json!({"action": "cancel", "filter": {"ids": []}}), "filter.ids"),
        (json!({"action": "cancel", "filter": {"ids": vec![1; 10_001]}}), "filter.ids"),
        (json!({"action": "cancel", "filter": {"state": "dead"}}), "filter.state"),
        (json!({"action": "cancel", "filter": {"state": "completed"}}), "filter.state"),
        (json!({"action": "retry", "filter": {"state": "ready"}}), "filter.state"),
        (json!({"action": "redrive", "filter": {"state": "failed"}}), "filter.state"),
        (json!({"action": "cancel", "filter": {"kind": "a\u{0}"}}), "filter.kind"),
        (json!({"action": "cancel", "filter": {"older_than_seconds": -1}}), "filter.older_than_seconds"),
        (json!({"action": "cancel", "filter": {"all": true}, "limit": 0}), "limit"),
        (json!({"action": "cancel", "filter": {"all": true}, "limit": 10_001}), "limit"),
    ] {
        assert_eq!(field(&client.post("/api/jobs/bulk", &body).await), wrong, "{body}");
    }
    let old = json!({"action": "cancel", "filter": {"older_than_seconds": 3600}});
    assert_eq!(bulk(client, old).await["matched"], json!(0));
    assert_eq!(app.db.count("SELECT count(*) FROM jobs"), 1, "nothing of it was done");
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_letter_redriven_twice_at_once_makes_one_job() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let mut tasks = Vec::new();
    for _ in 0..5 {
        tasks.push(failed_task(&app, &project).await);
    }
    add_letters(&app, "a", 40);
    let redrive = || bulk(client, json!({"action": "redrive", "filter": {"all": true}}));
    let (one, two, three) = tokio::join!(redrive(), redrive(), redrive());
    let changed: i64 = [&one, &two, &three].iter().map(|done| done["changed"].as_i64().unwrap()).sum();
    assert_eq!(changed, 45, "{one} {two} {three}");
    assert_eq!(app.db.count("SELECT count(*) FROM dead_letters WHERE redriven_at IS NULL"), 0);

    assert_eq!(app.db.count("SELECT count(*) FROM jobs WHERE run_id IS NULL"), 40);
    let same = "SELECT count(*) FROM jobs j JOIN dead_letters d ON d.redriven_as = j.id::text WHERE j.kind = d.kind \
         AND j.priority = 7 AND j.payload = d.payload AND j.max_attempts = 4 AND j.timeout_ms = 5000 AND j.attempt = 0";
    assert_eq!(app.db.count(same), 40, "each is what its letter says");
    for task in &tasks {
        let now = client.get(&format!("/api/tasks/{}", text(&task["id"]))).await.expect(200);
        let runs = client.get(&format!("/api/runs?task_id={}", text(&task["id"]))).await.expect(200);
        assert_eq!(runs["items"].as_array().unwrap().len(), 2, "the one that failed and the new one");
        assert_eq!(runs["items"][0]["retry_of"], task["latest_run"]["id"]);
        let letter = format!("SELECT redriven_as FROM dead_letters WHERE run_id = '{}'", run_of(task));
        assert_eq!(app.db.text(&letter), run_of(&now));
    }
    assert_eq!(redrive().await["matched"], json!(0), "there is nothing left to redrive");
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_redriven_is_skipped_and_what_was_done_by_hand_is_only_marked() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let by_hand = failed_task(&app, &project).await;
    let execute = json!({"wait_seconds": 0});
    let path = format!("/api/tasks/{}/execute", text(&by_hand["id"]));
    let again = client.post(&path, &execute).await.expect(202);
    // Its key is taken by a job that is there already.
    add_letters(&app, "keyed", 1);
    app.db.execute("UPDATE dead_letters SET key = 'k' WHERE kind = 'keyed'");
    add(&app, &[NewJob { key: Some("k".to_owned()), ..job("keyed") }]);

    let done = bulk(client, json!({"action": "redrive", "filter": {"state": "dead"}})).await;
    assert_eq!((&done["matched"], &done["changed"], &done["skipped"]), (&json!(2), &json!(1), &json!(1)));
    assert_eq!(done["remaining"], json!(0));
    let marked = app.db.text("SELECT redriven_as FROM dead_letters WHERE run_id IS NOT NULL");
    assert_eq!(marked, text(&again["run_id"]));
    assert_eq!(app.db.count("SELECT count(*) FROM runs"), 2, "no third run");
    assert_eq!(app.db.count("SELECT count(*) FROM jobs WHERE kind = 'keyed'"), 1);
    assert_eq!(app.db.count("SELECT count(*) FROM dead_letters WHERE redriven_at IS NULL"), 1, "it can be tried later");
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_is_put_raised_and_taken_away() {
    let app = TestApp::start().await;
    let client = &app.client;
    let path = "/api/limits/api%2Fmodel%20one";
    let key = "api/model one";
    let put_here = async |body: Value| put(client, path, body).await;
    let made = put_here(json!({"max_running": 1})).await.expect(200);
    assert_eq!((text(&made["key"]), &made["max_running"], &made["rate_count"]), (key, &json!(1), &Value::Null));
    add(&app, &vec![limited(key); 5]);
    let counts = |limit: &Value| (limit["admitted"].as_i64().unwrap(), limit["waiting"].as_i64().unwrap());
    assert_eq!(counts(&client.get("/api/limits").await.expect(200)["items"][0]), (1, 4));

    assert_eq!(client.delete(path).await.code(), "conflict", "jobs wait for it");
    assert_eq!(
        counts(&put_here(json!({"max_running": 3})).await.expect(200)),
        (3, 2),
        "those that fit come in at once"
    );
    let rate = put_here(json!({"rate_count": 1, "rate_period_ms": 86_400_000})).await.expect(200);
    assert_eq!((&rate["max_running"], &rate["rate_count"]), (&Value::Null, &json!(1)), "the whole limit is replaced");
    assert_eq!(counts(&rate), (4, 1));
    // What the day's rate has used up does not hold back the new one.
    assert_eq!(counts(&put_here(json!({"rate_count": 1, "rate_period_ms": 1})).await.expect(200)), (5, 0));
    assert_eq!(client.delete(path).await.status, 204);
    let reply = client.delete(path).await;
    assert_eq!((reply.status, reply.code().as_str()), (404, "limit_not_found"));

    for (body, wrong) in [
        (json!({}), "max_running"),
        (json!({"max_running": 0}), "max_running"),
        (json!({"max_running": 100_001}), "max_running"),
        (json!({"max_running": "many"}), "max_running"),
        (json!({"rate_count": 5}), "rate_period_ms"),
        (json!({"rate_period_ms": 5}), "rate_count"),
        (json!({"rate_count": 0, "rate_period_ms": 5}), "rate_count"),
        (json!({"rate_count": 5, "rate_period_ms": 86_400_001}), "rate_period_ms"),
    ] {
        assert_eq!(field(&put_here(body.clone()).await), wrong, "{body}");
    }
    for wrong in ["k".repeat(201), "a%00b".to_owned()] {
        assert_eq!(field(&put(client, &format!("/api/limits/{wrong}"), json!({"max_running": 1})).await), "key");
    }
    for key in ["a", "b", "c"] {
        put(client, &format!("/api/limits/{key}"), json!({"max_running": 1})).await.expect(200);
    }
    let first = client.get("/api/limits?limit=2").await.expect(200);
    assert_eq!((&first["items"][1]["key"], &first["next_cursor"]), (&json!("b"), &json!("b")));
    let second = client.get("/api/limits?limit=2&cursor=b").await.expect(200);
    assert_eq!((&second["items"][0]["key"], &second["next_cursor"]), (&json!("c"), &Value::Null));
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_looks_hears_of_a_change() {
    let app = TestApp::start().await;
    let mut changes = app.client.stream("/api/events", None).await;
    let heard = async {
        loop {
            let change = changes.until("change").await;
            if change["kind"] == "queue" {
                break change;
            }
        }
    };
    // Until the server listens, hints are lost, as hints may be.
    let say = async {
        loop {
            app.client.post("/api/queues/default/pause", &json!({})).await.expect(200);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let change: Value = tokio::select! { change = heard => change, () = say => unreachable!() };
    assert_eq!((text(&change["id"]), &change["project_id"]), ("00000000-0000-0000-0000-000000000000", &Value::Null));
    app.finish().await;
}
