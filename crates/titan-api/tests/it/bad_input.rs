//! Every kind of wrong request gets a problem document with a stable code. The table is the contract.

use std::fmt::Write as _;

use insta::assert_snapshot;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{Client, id};

const NOBODY: &str = "01900000-0000-7000-8000-000000000000";

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_request_is_told_what_is_wrong() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let tasks = format!("/api/projects/{project}/tasks");
    let memories = format!("/api/projects/{project}/memories");
    let messages = format!("/api/projects/{project}/messages");
    let chat = |payload: Value| json!({"type": "chat", "payload": payload});
    let deep = format!(r#"{{"payload":{}1{}}}"#, "[".repeat(200), "]".repeat(200));
    let nested = format!("{}1{}", "[".repeat(100), "]".repeat(100));
    let post = |path: &str, body: String| {
        client.request(Method::POST, path).header("content-type", "application/json").body(body)
    };
    let json_post = |path: &str, body: Value| post(path, body.to_string());
    let get = |path: String| client.request(Method::GET, &path);
    let cases: Vec<(&str, RequestBuilder)> = vec![
        ("unknown task type", json_post(&tasks, json!({"type": "dance", "payload": {}}))),
        ("no task type", json_post(&tasks, json!({"payload": {"content": "x"}}))),
        ("no payload", json_post(&tasks, json!({"type": "chat"}))),
        ("null payload", json_post(&tasks, json!({"type": "chat", "payload": null}))),
        ("payload is a list", json_post(&tasks, chat(json!([1])))),
        ("no content", json_post(&tasks, chat(json!({})))),
        ("content is a number", json_post(&tasks, chat(json!({"content": 5})))),
        ("content is blank", json_post(&tasks, chat(json!({"content": "  \n "})))),
        ("content has a NUL", json_post(&tasks, chat(json!({"content": "a\u{0}b"})))),
        ("content is too long", json_post(&tasks, chat(json!({"content": "x".repeat(100_001)})))),
        (
            "payload is nested too deep",
            post(&tasks, format!(r#"{{"type":"chat","payload":{{"content":"x","more":{nested}}}}}"#)),
        ),
        ("a NUL in another field of the payload", json_post(&tasks, chat(json!({"content": "x", "y": ["\u{0}"]})))),
        (
            "priority out of range",
            json_post(&tasks, json!({"type": "chat", "payload": {"content": "x"}, "priority": 101})),
        ),
        (
            "priority is a word",
            json_post(&tasks, json!({"type": "chat", "payload": {"content": "x"}, "priority": "high"})),
        ),
        ("priority is huge", json_post(&tasks, json!({"type": "chat", "payload": {"content": "x"}, "priority": 1e30}))),
        (
            "max_retries out of range",
            json_post(&tasks, json!({"type": "chat", "payload": {"content": "x"}, "max_retries": 11})),
        ),
        (
            "unknown execution type",
            json_post(&tasks, json!({"type": "chat", "payload": {"content": "x"}, "execution_type": "magic"})),
        ),
        (
            "execution type that chat has not",
            json_post(&tasks, json!({"type": "chat", "payload": {"content": "x"}, "execution_type": "semi_automated"})),
        ),
        (
            "task in an unknown project",
            json_post(&format!("/api/projects/{NOBODY}/tasks"), chat(json!({"content": "x"}))),
        ),
        ("malformed JSON", post(&tasks, "{\"type\": \"chat\",".to_owned())),
        ("something after the JSON", post(&tasks, "{} {}".to_owned())),
        ("no JSON at all", post(&tasks, "hello".to_owned())),
        ("JSON of another form", post(&tasks, r#"["chat", null, {"content": "x"}]"#.to_owned())),
        ("a word of JSON", post(&tasks, "null".to_owned())),
        (
            "a body that is not UTF-8",
            client
                .request(Method::POST, &tasks)
                .header("content-type", "application/json")
                .body(b"{\"type\":\"\xff\"}".to_vec()),
        ),
        ("JSON nested too deep to read", post(&tasks, deep)),
        ("empty body", post(&tasks, String::new())),
        ("10 MB body", post(&tasks, format!("{{\"type\":\"{}\"}}", "x".repeat(10_000_000)))),
        ("body of another type", client.request(Method::POST, &tasks).header("content-type", "text/plain").body("{}")),
        ("body without a type", client.request(Method::POST, &tasks).body("{}")),
        (
            "idempotency key too long",
            json_post(&tasks, chat(json!({"content": "x"}))).header("idempotency-key", "k".repeat(256)),
        ),
        ("empty idempotency key", json_post(&tasks, chat(json!({"content": "x"}))).header("idempotency-key", " ")),
        ("no project name", json_post("/api/projects", json!({"type": "web-app"}))),
        ("blank project name", json_post("/api/projects", json!({"name": " "}))),
        ("project name is a number", json_post("/api/projects", json!({"name": 7}))),
        ("project name too long", json_post("/api/projects", json!({"name": "n".repeat(201)}))),
        ("spec is a text", json_post("/api/projects", json!({"name": "n", "spec": "s"}))),
        ("spec with a NUL", json_post("/api/projects", json!({"name": "n", "spec": {"a\u{0}": 1}}))),
        ("memory without content", json_post(&memories, json!({}))),
        ("memory too long", json_post(&memories, json!({"content": "m".repeat(8001)}))),
        ("memory of an unknown scope", json_post(&memories, json!({"content": "m", "scope": "moon"}))),
        ("message without content", json_post(&messages, json!({}))),
        ("blank message", json_post(&messages, json!({"content": ""}))),
        ("unknown project", get(format!("/api/projects/{NOBODY}"))),
        ("unknown task", get(format!("/api/tasks/{NOBODY}"))),
        ("log of an unknown task", get(format!("/api/tasks/{NOBODY}/log"))),
        ("unknown run", get(format!("/api/runs/{NOBODY}"))),
        ("events of an unknown run", get(format!("/api/runs/{NOBODY}/events"))),
        ("stream of an unknown run", get(format!("/api/runs/{NOBODY}/events")).header("accept", "text/event-stream")),
        ("logs of an unknown run", get(format!("/api/runs/{NOBODY}/logs"))),
        ("artifacts of an unknown run", get(format!("/api/runs/{NOBODY}/artifacts"))),
        ("download from an unknown run", get(format!("/api/runs/{NOBODY}/artifacts/{NOBODY}/download"))),
        ("unknown output", get(format!("/api/outputs/{NOBODY}"))),
        ("approving an unknown output", post(&format!("/api/outputs/{NOBODY}/approve"), String::new())),
        ("memory of an agent without a name", json_post(&memories, json!({"content": "m", "scope": "agent"}))),
        ("memory of a project with an agent", json_post(&memories, json!({"content": "m", "agent": "ada"}))),
        ("memory that is surer than sure", json_post(&memories, json!({"content": "m", "confidence": 1.5}))),
        (
            "memory that has expired",
            json_post(&memories, json!({"content": "m", "expires_at": "2001-01-01T00:00:00Z"})),
        ),
        ("memory until a word", json_post(&memories, json!({"content": "m", "expires_at": "soon"}))),
        ("memories of an unknown scope", get(format!("{memories}?scope=moon"))),
        ("memories without a word to look for", get(format!("{memories}?q=%3F"))),
        ("memories searched for nothing", get(format!("{memories}/search"))),
        ("memories searched without a word", get(format!("{memories}/search?q=%21%21"))),
        ("too many memories searched", get(format!("{memories}/search?q=x&limit=101"))),
        ("erasing without a word that it is meant", json_post(&format!("{memories}/erase"), json!({"person": "Ida"}))),
        (
            "erasing nobody in particular",
            json_post(&format!("{memories}/erase"), json!({"person": " ", "confirm": true})),
        ),
        ("erasing all of all projects", json_post("/api/memories/erase", json!({"confirm": true}))),
        (
            "changing an unknown memory",
            client.request(Method::PATCH, &format!("/api/memories/{NOBODY}")).json(&json!({"pinned": true})),
        ),
        ("reading an unknown memory", get(format!("/api/memories/{NOBODY}"))),
        ("forgetting an unknown memory", client.request(Method::DELETE, &format!("/api/memories/{NOBODY}"))),
        ("lists of an unknown project", get(format!("/api/projects/{NOBODY}/outputs"))),
        ("runs of an unknown project", get(format!("/api/runs?project_id={NOBODY}"))),
        ("changes of an unknown project", get(format!("/api/events?project_id={NOBODY}"))),
        ("unknown workflow", get("/api/workflows/waltz".to_owned())),
        ("canceling an unknown run", post(&format!("/api/runs/{NOBODY}/cancel"), String::new())),
        ("canceling an unknown task", post(&format!("/api/tasks/{NOBODY}/cancel"), String::new())),
        ("executing an unknown task", json_post("/api/tasks/execute", json!({"taskId": NOBODY}))),
        ("executing no task", json_post("/api/tasks/execute", json!({}))),
        ("executing what is no id", json_post("/api/tasks/execute", json!({"task_id": "123"}))),
        ("waiting too long", json_post("/api/tasks/execute", json!({"task_id": NOBODY, "wait_seconds": 61}))),
        ("wrong id in the path", get("/api/tasks/123".to_owned())),
        ("wrong second id in the path", get(format!("/api/runs/{NOBODY}/artifacts/x/download"))),
        ("unknown route", get("/api/nothing".to_owned())),
        ("writing where pages are", post("/projects", "{}".to_owned())),
        ("wrong method", client.request(Method::PUT, "/api/projects").json(&json!({}))),
        ("wrong method on a thing", client.request(Method::DELETE, &format!("/api/tasks/{NOBODY}"))),
        ("limit is zero", get("/api/projects?limit=0".to_owned())),
        ("limit is too high", get("/api/projects?limit=201".to_owned())),
        ("limit is a word", get("/api/projects?limit=many".to_owned())),
        ("wrong cursor", get("/api/projects?cursor=x".to_owned())),
        ("wrong cursor of messages", get(format!("{messages}?cursor=x"))),
        ("wrong cursor of logs", get(format!("/api/projects/{project}/logs?cursor=x"))),
        ("negative event number", get(format!("/api/runs/{NOBODY}/events?after=-1"))),
        (
            "wrong Last-Event-ID",
            get(format!("/api/runs/{NOBODY}/events"))
                .header("accept", "text/event-stream")
                .header("last-event-id", "x"),
        ),
        ("unknown status", get(format!("{tasks}?status=sleeping"))),
        ("unknown level", get(format!("/api/projects/{project}/logs?level=loud"))),
        ("NUL in a search", get(format!("/api/projects/{project}/logs?q=a%00b"))),
        ("a parameter twice", get("/api/projects?limit=1&limit=2".to_owned())),
        ("wrong id in the query", get("/api/runs?project_id=x".to_owned())),
        ("a queue's name with capitals", json_post("/api/queues", json!({"name": "Mail"}))),
        ("a queue that is there", json_post("/api/queues", json!({"name": "default"}))),
        ("pausing an unknown queue", post("/api/queues/mail/pause", String::new())),
        ("unknown state of jobs", get("/api/jobs?state=asleep".to_owned())),
        ("jobs of an unknown project", get(format!("/api/jobs?project_id={NOBODY}"))),
        (
            "a bulk action on nothing in particular",
            json_post("/api/jobs/bulk", json!({"action": "cancel", "filter": {}})),
        ),
        (
            "a bulk action with a misspelt filter",
            json_post("/api/jobs/bulk", json!({"action": "cancel", "filter": {"quue": "mail"}})),
        ),
        (
            "a bulk action on jobs that it is not for",
            json_post("/api/jobs/bulk", json!({"action": "retry", "filter": {"state": "running"}})),
        ),
        (
            "too many jobs at once",
            json_post("/api/jobs/bulk", json!({"action": "cancel", "filter": {"all": true}, "limit": 10_001})),
        ),
        ("a limit that limits nothing", client.request(Method::PUT, "/api/limits/k").json(&json!({}))),
        ("half a rate", client.request(Method::PUT, "/api/limits/k").json(&json!({"rate_count": 5}))),
        ("an unknown limit", client.request(Method::DELETE, "/api/limits/k")),
    ];
    assert_snapshot!(table_of(client, cases).await);
    assert_eq!(app.db.count("SELECT count(*) FROM tasks"), 0, "nothing of it was stored");
    assert_eq!(app.db.count("SELECT count(*) FROM idempotency_keys"), 0);
    app.finish().await;
}

/// What each request is answered, with what every problem document has.
async fn table_of(client: &Client, cases: Vec<(&str, RequestBuilder)>) -> String {
    let mut table = String::new();
    for (what, request) in cases {
        let reply = client.send(request).await;
        assert!(reply.status >= 400, "{what}: {} {}", reply.status, reply.text);
        let problem = reply.json();
        assert_eq!(reply.code(), problem["code"], "{what}");
        assert_eq!(problem["status"], json!(reply.status), "{what}");
        assert_eq!(problem["request_id"], json!(reply.header("x-request-id")), "{what}");
        let fields: Vec<&str> =
            problem["errors"].as_array().unwrap().iter().map(|error| error["field"].as_str().unwrap()).collect();
        let detail = problem["detail"].as_str().unwrap();
        writeln!(table, "{what}\n    {} {} {fields:?} {detail}", reply.status, reply.code()).unwrap();
    }
    table
}

/// The same for what makes a project of a wish or a template, for its people and what is sold.
#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_request_about_a_project_is_told_what_is_wrong() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let of = |rest: &str| format!("/api/projects/{project}/{rest}");
    let post = |path: String, body: Value| client.request(Method::POST, &path).json(&body);
    let get = |path: String| client.request(Method::GET, &path);
    let lead = json!({"name": "Ida", "stage": "new"});
    let with = |name: &str, value: Value| {
        let mut lead = lead.clone();
        lead[name] = value;
        post(of("leads"), lead)
    };
    let cases: Vec<(&str, RequestBuilder)> = vec![
        ("a pipeline without a template", post(of("pipelines"), json!({}))),
        ("a pipeline of an unknown template", post(of("pipelines"), json!({"template": "moon-base"}))),
        ("a pipeline of no template's name", post(of("pipelines"), json!({"template": "../x"}))),
        (
            "a pipeline to an unknown target",
            post(of("pipelines"), json!({"template": "static-site", "target": "moon"})),
        ),
        (
            "a pipeline to a target that the template has not",
            post(of("pipelines"), json!({"template": "persona/basic", "target": "preview"})),
        ),
        ("inputs that are a list", post(of("pipelines"), json!({"template": "static-site", "inputs": ["x"]}))),
        (
            "inputs that do not fit",
            post(of("pipelines"), json!({"template": "static-site", "inputs": {"features": "many"}})),
        ),
        ("a hook without a name", post(of("pipelines"), json!({"template": "static-site", "target": "hook"}))),
        (
            "a hook for another target",
            post(of("pipelines"), json!({"template": "static-site", "target": "directory", "hook": "SHOP"})),
        ),
        (
            "a hook with an address for a name",
            post(of("pipelines"), json!({"template": "static-site", "target": "hook", "hook": "https://x"})),
        ),
        (
            "a pipeline of an unknown project",
            post(format!("/api/projects/{NOBODY}/pipelines"), json!({"template": "static-site"})),
        ),
        ("a preview of nothing", post(of("preview/start"), json!({}))),
        ("a preview of nothing to stop", post(of("preview/stop"), json!({}))),
        ("the preview of an unknown project", get(format!("/api/projects/{NOBODY}/preview"))),
        ("publications with a wrong cursor", get(of("publications?cursor=x"))),
        ("an empty command", post(of("tasks"), json!({"type": "exec", "payload": {"command": " "}}))),
        ("a command that is a number", post(of("tasks"), json!({"type": "exec", "payload": {"command": 5}}))),
        ("a command with a NUL", post(of("tasks"), json!({"type": "exec", "payload": {"command": "a\u{0}"}}))),
        (
            "a command for ever",
            post(of("tasks"), json!({"type": "exec", "payload": {"command": "a", "timeout_seconds": 1_000_000}})),
        ),
        (
            "a command on the whole network",
            post(of("tasks"), json!({"type": "exec", "payload": {"command": "a", "network": "all"}})),
        ),
        ("an unknown template", get("/api/templates/moon-base".to_owned())),
        ("a template's version that is not there", get("/api/templates/static-site@99.0.0".to_owned())),
        ("a wish that is blank", post("/api/projects/reiterate".to_owned(), json!({"wish": " "}))),
        ("no wish", post("/api/projects/reiterate".to_owned(), json!({}))),
        ("a wish that is too long", post("/api/projects/reiterate".to_owned(), json!({"wish": "x".repeat(20_001)}))),
        ("a plan that is not there", get(of("plans/1"))),
        ("a plan without a number", get(of("plans/first"))),
        ("plans compared with nothing", get(of("plans/compare"))),
        ("a contact without a name", post(of("contacts"), json!({"email": "ida@example.com"}))),
        ("a contact with half an address", post(of("contacts"), json!({"name": "Ida", "email": "ida"}))),
        (
            "a contact with too many tags",
            post(of("contacts"), json!({"name": "Ida", "tags": (0..60).map(|n| n.to_string()).collect::<Vec<_>>()})),
        ),
        (
            "an unknown contact",
            client.request(Method::PATCH, &format!("/api/contacts/{NOBODY}")).json(&json!({"name": "x"})),
        ),
        ("an offer without a title", post(of("offers"), json!({"price": 100, "currency": "EUR"}))),
        ("a price without a currency", post(of("offers"), json!({"title": "Tea", "price": 1250}))),
        ("a price in words", post(of("offers"), json!({"title": "Tea", "price": "12.50", "currency": "EUR"}))),
        ("a price below nothing", post(of("offers"), json!({"title": "Tea", "price": -1, "currency": "EUR"}))),
        (
            "a price finer than its currency",
            post(of("offers"), json!({"title": "Tea", "price": 1.5, "currency": "EUR"})),
        ),
        ("an unknown currency", post(of("offers"), json!({"title": "Tea", "price": 1, "currency": "TEA"}))),
        (
            "an offer of an output that is not there",
            post(of("offers"), json!({"title": "Tea", "price": 1, "currency": "EUR", "output_id": NOBODY})),
        ),
        ("a lead without a name", post(of("leads"), json!({"stage": "new"}))),
        ("a lead in an unknown stage", with("stage", json!("hot"))),
        ("a lead for an offer that is not there", with("offer_id", json!(NOBODY))),
        ("a lead with half an address", with("email", json!("ida@"))),
        ("leads in an unknown stage", get(of("leads?stage=hot"))),
        ("a note for nobody", post(format!("/api/leads/{NOBODY}/notes"), json!({"content": "x"}))),
        (
            "an import that is no table",
            client.request(Method::POST, &of("leads/import")).header("content-type", "text/csv").body(""),
        ),
        ("an import of another type", client.request(Method::POST, &of("leads/import")).json(&json!({}))),
        ("a file without content", client.request(Method::PUT, &of("files/a.txt")).json(&json!({}))),
        (
            "a file in two ways",
            client.request(Method::PUT, &of("files/a.txt")).json(&json!({"content": "a", "data": "YQ=="})),
        ),
        ("a file that is not there", get(of("files/a.txt"))),
        ("files of an unknown branch", get(of("files?branch=moon"))),
        ("history from nowhere", get(of("git/log?cursor=x"))),
        ("a difference to no commit", get(of("git/diff?from=x"))),
        ("versions of an unknown output", get(format!("/api/outputs/{NOBODY}/versions"))),
        ("an unknown output compared", get(format!("/api/outputs/{NOBODY}/diff?with={NOBODY}"))),
    ];
    assert_snapshot!(table_of(client, cases).await);
    let stored = "SELECT (SELECT count(*) FROM tasks) + (SELECT count(*) FROM projects WHERE name <> 'p') + (SELECT count(*) FROM contacts) \
        + (SELECT count(*) FROM offers) + (SELECT count(*) FROM leads) + (SELECT count(*) FROM blobs) + (SELECT count(*) FROM plans)";
    assert_eq!(app.db.count(stored), 0, "nothing of it was stored");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn fields_that_are_not_known_are_ignored() {
    let app = TestApp::start().await;
    let project = app.client.post("/api/projects", &json!({"name": "p", "colour": "blue"})).await.expect(201);
    assert_eq!(project["name"], json!("p"));
    assert_eq!(
        app.client.get("/api/projects?limit=&cursor=&colour=blue").await.expect(200)["items"][0]["id"],
        project["id"]
    );
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_at_the_limit_is_read_and_one_byte_more_is_not() {
    let app = TestApp::start().await;
    let limit = titan_api::http::body::LIMIT;
    let frame = r#"{"name":"p","more":""}"#.len();
    for (size, status) in [(limit, 201), (limit + 1, 413)] {
        let body = format!(r#"{{"name":"p","more":"{}"}}"#, "x".repeat(size - frame));
        assert_eq!(body.len(), size);
        let request =
            app.client.request(Method::POST, "/api/projects").header("content-type", "application/json").body(body);
        assert_eq!(app.client.send(request).await.status, status);
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_project_takes_everything_with_it() {
    let app = TestApp::start().await;
    let client: &Client = &app.client;
    let project = client.project("p").await;
    let task = client.chat(&project, "hello").await;
    for _ in 0..20 {
        client.chat(&project, "and another one").await;
    }
    let run = titan_testkit::client::run_of(&task);
    assert_eq!(client.delete(&format!("/api/projects/{project}")).await.status, 204);
    for (path, code) in [
        (format!("/api/projects/{project}"), "project_not_found"),
        (format!("/api/projects/{project}/tasks"), "project_not_found"),
        (format!("/api/tasks/{}", id(&task)), "task_not_found"),
        (format!("/api/runs/{run}"), "run_not_found"),
    ] {
        assert_eq!(client.get(&path).await.code(), code);
    }
    assert_eq!(client.post(&format!("/api/tasks/{}/cancel", id(&task)), &json!({})).await.code(), "task_not_found");
    assert_eq!(client.post(&format!("/api/runs/{run}/cancel"), &json!({})).await.code(), "run_not_found");
    assert_eq!(app.db.count("SELECT count(*) FROM runs WHERE status = 'canceled'"), 21, "its runs were stopped");
    app.finish().await;
}
