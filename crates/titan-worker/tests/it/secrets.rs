//! Secrets stay where they belong: keys nowhere but in the request to their provider; what people and models say only where the
//! product shows it, and in no log, metric or problem document.

use reqwest::{Client, Method};
use serde_json::{Value, json};
use titan_testkit::daemon::{Api, Daemon};
use titan_testkit::fake_model::{Behaviour, Dialect, FakeModel};
use titan_testkit::wait;

use crate::support::Stage;

/// Each is a word that occurs nowhere else.
const KEY: &str = "sk-right-C4N4RYkeyOPENAI0123456789";
const WRONG_KEYS: [&str; 3] =
    ["sk-ant-C4N4RYkeyANTHROPIC012345", "AIzaC4N4RYkeyGEMINI0123456789ab", "sk-or-C4N4RYkeyOPENROUTER01234"];
const PROMPT: &str = "C4N4RYprompt";
const MEMORY: &str = "C4N4RYmemory";
const DESCRIPTION: &str = "C4N4RYdescription";
const ATTACHED: &str = "C4N4RYattached";
const IDEMPOTENCY: &str = "C4N4RYidempotency";
const ALL: &str = "C4N4RY";

/// Everything that our own code can say, and the debugging of everybody else.
const LOGS: &str = "debug,titan_core=trace,titan_agent=trace,titan_worker=trace,titan_api=trace";

struct Visitor {
    http: Client,
    url: String,
    problems: Vec<String>,
}

impl Visitor {
    async fn send(&mut self, method: Method, path: &str, body: &str, key: Option<&str>) -> (u16, Value) {
        let mut request = self.http.request(method, format!("{}{path}", self.url));
        if !body.is_empty() {
            request = request.header("content-type", "application/json").body(body.to_owned());
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.send().await.unwrap();
        let status = answer.status().as_u16();
        let text = answer.text().await.unwrap();
        if status >= 400 {
            self.problems.push(text.clone());
        }
        (status, serde_json::from_str(&text).unwrap_or(Value::Null))
    }

    async fn post(&mut self, path: &str, body: &Value) -> Value {
        let (status, answer) = self.send(Method::POST, path, &body.to_string(), None).await;
        assert_eq!(status, 201, "{path}: {answer}");
        answer
    }

    async fn get(&self, path: &str) -> Value {
        self.http.get(format!("{}{path}", self.url)).send().await.unwrap().json().await.unwrap()
    }

    async fn refused(&mut self, path: &str, body: &str, key: Option<&str>) {
        let (status, answer) = self.send(Method::POST, path, body, key).await;
        assert!((400..500).contains(&status), "{path} took {body}: {answer}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_a_log_a_metric_or_a_problem() {
    let stage = Stage::new();
    let strict = FakeModel::start().unwrap();
    strict.require_key("another key than any of ours");
    stage.model.require_key(KEY);
    let base = |dialect| strict.base_url_of(dialect).to_string();
    let env = stage.env(&[
        ("RUST_LOG", LOGS),
        ("OPENAI_API_KEY", KEY),
        ("ANTHROPIC_API_KEY", WRONG_KEYS[0]),
        ("ANTHROPIC_BASE_URL", &base(Dialect::Anthropic)),
        ("GEMINI_API_KEY", WRONG_KEYS[1]),
        ("GEMINI_BASE_URL", &base(Dialect::Gemini)),
        ("OPENROUTER_API_KEY", WRONG_KEYS[2]),
        ("OPENROUTER_BASE_URL", &base(Dialect::OpenAi)),
    ]);
    let api = Api::start(&env);
    let worker = Daemon::worker(&env);
    let mut visitor = Visitor { http: Client::new(), url: api.url.clone(), problems: Vec::new() };

    // What people say, and what the model says after them.
    let spec = json!({"description": format!("A shop for {DESCRIPTION}.")});
    let project = visitor.post("/api/projects", &json!({"name": "Shop", "spec": spec})).await;
    let project = format!("/api/projects/{}", project["id"].as_str().unwrap());
    let (messages, tasks) = (format!("{project}/messages"), format!("{project}/tasks"));
    visitor.post(&format!("{project}/memories"), &json!({"content": format!("Remember {MEMORY}.")})).await;
    let file = json!({"name": format!("{ATTACHED}.txt"), "data": "QzRONFJZYXR0YWNoZWQ="});
    let file = visitor.post(&format!("{project}/attachments"), &file).await;
    let message = json!({"content": format!("[echo] {PROMPT}"), "attachments": [file["id"]]});
    let (status, said) = visitor.send(Method::POST, &messages, &message.to_string(), Some(IDEMPOTENCY)).await;
    assert_eq!(status, 201);
    let (_, again) = visitor.send(Method::POST, &messages, &message.to_string(), Some(IDEMPOTENCY)).await;
    assert_eq!(again["id"], said["id"]);
    let mut asked = vec![(said, "completed")];

    // Failures of every kind, and keys that are refused by a server which repeats them.
    for words in ["[429]", "[500]", "[malformed]", "[cut-once]"] {
        let content = format!("{words} {PROMPT}");
        asked.push((visitor.post(&messages, &json!({"content": content})).await, "completed"));
    }
    for provider in ["anthropic", "gemini", "openrouter"] {
        let message = json!({"content": PROMPT, "model": format!("{provider}:fake-model")});
        asked.push((visitor.post(&messages, &message).await, "failed"));
    }

    // Requests that are wrong in every way that has to do with what is said.
    let long = format!("{PROMPT} ").repeat(10_000);
    for body in [
        json!({"content": long}),
        json!({"content": {"text": PROMPT}}),
        json!({"content": [PROMPT]}),
        json!({"content": format!("{PROMPT}\u{0}")}),
        json!({"content": "x", "attachments": PROMPT}),
        json!({"content": "x", "attachments": [PROMPT]}),
        json!({"content": "x", "model": [PROMPT]}),
        json!(PROMPT),
        json!([PROMPT]),
    ] {
        visitor.refused(&messages, &body.to_string(), None).await;
    }
    for body in [
        json!({"type": "chat", "payload": PROMPT}),
        json!({"type": "chat", "payload": {"content": {"a": PROMPT}}}),
        json!({"type": "chat", "payload": {"content": "x"}, "priority": PROMPT}),
        json!({"type": "chat", "payload": {"content": "x", "attachments": [PROMPT]}}),
        json!({"type": "chat", "payload": {"content": "x"}, "run_at": PROMPT}),
    ] {
        visitor.refused(&tasks, &body.to_string(), None).await;
    }
    visitor.refused(&messages, &format!("{{\"content\": \"{PROMPT}"), None).await;
    visitor.refused(&messages, &format!("{{\"content\": \"{PROMPT}\"}} {PROMPT}"), None).await;
    let other = json!({"content": format!("another {PROMPT}")}).to_string();
    visitor.refused(&messages, &other, Some(IDEMPOTENCY)).await;
    visitor.refused(&messages, &other, Some(&IDEMPOTENCY.repeat(20))).await;
    visitor
        .refused(&format!("{project}/memories"), &json!({"content": MEMORY, "scope": [MEMORY]}).to_string(), None)
        .await;
    visitor.refused(&format!("{project}/attachments"), &json!({"name": "a", "data": ATTACHED}).to_string(), None).await;

    for (task, becomes) in &asked {
        let run = ended(&visitor, task, becomes).await;
        assert!(!run.to_string().contains("C4N4RYkey"), "{run}");
    }
    // A server that repeats what it was asked.
    let body = json!({"error": {"message": format!("I do not like {PROMPT}")}}).to_string();
    stage.model.push(Behaviour::Status { status: 400, headers: Vec::new(), body });
    let task = visitor.post(&messages, &json!({"content": PROMPT})).await;
    ended(&visitor, &task, "failed").await;

    // The words arrived where they belong.
    assert!(
        stage.count(&format!("SELECT count(*) FROM messages WHERE role = 'assistant' AND content LIKE '%{PROMPT}%'"))
            > 0
    );
    assert!(stage.model.requests()[0].body.to_string().contains(MEMORY));
    let keys: Vec<_> = stage.model.requests().into_iter().map(|request| request.authorization).collect();
    assert!(keys.iter().all(|key| key.as_deref() == Some(&*format!("Bearer {KEY}"))));

    let metrics = visitor.http.get(format!("{}/metrics", api.url)).send().await.unwrap().text().await.unwrap();
    assert!(metrics.contains("titan_"));
    let mut places = vec![
        ("the log of the API", api.daemon.log()),
        ("the log of the worker", worker.log()),
        ("the metrics", metrics),
    ];
    assert!(visitor.problems.len() >= 20);
    places.extend(visitor.problems.into_iter().map(|problem| ("a problem document", problem)));
    let leaks: Vec<_> = places
        .iter()
        .flat_map(|(place, text)| text.lines().filter(|line| line.contains(ALL)).map(move |line| (*place, line)))
        .collect();
    assert!(leaks.is_empty(), "{leaks:#?}");
    assert!(places[1].1.contains("TRACE") || places[1].1.contains("DEBUG"), "the worker said what it did");

    // Keys and idempotency keys are stored nowhere.
    let tables = stage.own.as_ref().unwrap().text(
        "SELECT string_agg(format('SELECT count(*) AS n FROM %I AS r WHERE r::text LIKE ''%%C4N4RYkey%%'' OR r::text LIKE ''%%C4N4RYidem%%''', \
           relname), ' UNION ALL ') FROM pg_class c JOIN pg_namespace s ON s.oid = c.relnamespace \
         WHERE s.nspname = 'public' AND c.relkind IN ('r', 'p')",
    );
    assert_eq!(stage.count(&format!("SELECT sum(n) FROM ({tables}) AS found")), 0, "a key is in the database");
}

/// The latest run of a task, once that has become what it should.
async fn ended(visitor: &Visitor, task: &Value, becomes: &str) -> Value {
    let path = format!("/api/tasks/{}", task["id"].as_str().unwrap());
    let task = wait::until("the end of a task", async || {
        let task = visitor.get(&path).await;
        (task["completed_at"] != Value::Null).then_some(task)
    })
    .await;
    assert_eq!(task["execution_status"], becomes, "{task}");
    visitor.get(&format!("/api/runs/{}", task["latest_run"]["id"].as_str().unwrap())).await
}
