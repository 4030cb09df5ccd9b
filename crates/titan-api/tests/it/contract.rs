//! The description of the API is current, complete and true; no handler is without a permission.

use std::collections::BTreeSet;
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use titan_testkit::app::TestApp;

#[test]
fn the_committed_description_is_current() {
    let path = titan_testkit::db::repository().join("docs/openapi.json");
    let committed = std::fs::read_to_string(path).expect("docs/openapi.json");
    assert!(
        committed.trim_end() == titan_api::openapi::text(),
        "docs/openapi.json is not what is served: make generate"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn every_operation_that_is_described_is_there() {
    let app = TestApp::start().await;
    let document = app.client.get("/api/openapi.json").await.expect(200);
    assert_eq!(document["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().expect("an operationId");
            assert!(names.insert(name.to_owned()), "{name} stands twice");
            assert!(operation["tags"][0].is_string() && operation["responses"]["default"].is_object(), "{name}");
            let address = path
                .replace("{id}", "01900000-0000-7000-8000-000000000000")
                .replace("{artifact_id}", "01900000-0000-7000-8000-000000000000")
                .replace("{name}", "chat")
                .replace("{key}", "k");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let request = app.client.request(method, &address);
            // A stream has no end to wait for.
            let status = if name == "follow_changes" {
                request.send().await.unwrap().status().as_u16()
            } else {
                let reply = app.client.send(request).await;
                if reply.status >= 400 {
                    assert!(
                        !["not_found", "method_not_allowed", "internal"].contains(&reply.code().as_str()),
                        "{name}"
                    );
                }
                reply.status
            };
            assert_ne!(status, 500, "{name}");
        }
    }
    assert!(names.len() > 50, "{names:?}");
    app.finish().await;
}

#[test]
fn every_reference_leads_somewhere_and_words_are_those_of_the_wire() {
    fn references<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::Object(map) => {
                found.extend(map.get("$ref").and_then(Value::as_str));
                map.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    let document: Value = serde_json::from_str(&titan_api::openapi::text()).unwrap();
    let mut found = Vec::new();
    references(&document, &mut found);
    assert!(found.len() > 50);
    for reference in found {
        assert!(document.pointer(reference.trim_start_matches('#')).is_some(), "{reference} leads nowhere");
    }
    assert_eq!(
        document["components"]["schemas"]["RunStatus"]["enum"],
        serde_json::json!(["queued", "running", "completed", "failed", "canceled"])
    );
}

/// The router takes only handlers that begin with an `Access`; here the same is seen in the source, together with the rule
/// that nothing gets round the router's own functions.
#[test]
fn every_handler_names_its_permission() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut handlers = 0;
    let mut paths = vec![source.join("routes")];
    while let Some(path) = paths.pop() {
        if path.is_dir() {
            paths.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        for handler in text.split("#[utoipa::path(").skip(1) {
            let signature = handler.split("pub async fn ").nth(1).and_then(|rest| rest.split(") -> ").next()).unwrap();
            let first = signature.split_once('(').map_or("", |(_, arguments)| arguments).trim_start();
            let named = first.split_once(": Access<").is_some_and(|(name, _)| name == "_" || name == "access");
            assert!(named, "{}: {signature}", path.display());
            handlers += 1;
        }
    }
    assert!(handlers > 40, "{handlers}");
    let router = std::fs::read_to_string(source.join("router.rs")).unwrap();
    assert_eq!(router.matches(".to(").count(), 3, "one for handlers, one for wrong methods, one for the pages");
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_hold_exactly_what_is_described() {
    let app = TestApp::with_worker().await;
    let project = app.client.project("p").await;
    let task = app.client.chat(&project, "hello").await;
    let run = app.client.run_ended(&titan_testkit::client::run_of(&task)).await;
    let document = app.client.get("/api/openapi.json").await.expect(200);
    let first = async |path: String| app.client.get(&path).await.expect(200)["items"][0].clone();
    for (schema, value) in [
        ("Project", app.client.get(&format!("/api/projects/{project}")).await.expect(200)),
        ("Task", task.clone()),
        ("Step", run["steps"][0].clone()),
        ("Output", first(format!("/api/projects/{project}/outputs")).await),
        ("Memory", first(format!("/api/projects/{project}/memories")).await),
        ("Message", first(format!("/api/projects/{project}/messages")).await),
        ("LogLine", first(format!("/api/projects/{project}/logs")).await),
        ("RunEvent", first(format!("/api/runs/{}/events", run["id"].as_str().unwrap())).await),
        ("Call", first(format!("/api/runs/{}/calls", run["id"].as_str().unwrap())).await),
        ("Spending", app.client.get("/api/budget").await.expect(200)),
        ("Budget", app.client.put("/api/budget", &json!({"calls": 1})).await.expect(200)["budget"].clone()),
        ("Provider", first("/api/providers".to_owned()).await),
        ("Model", first("/api/models".to_owned()).await),
        ("Agent", first("/api/agents".to_owned()).await),
        ("WorkerHealth", app.client.get("/api/worker/health").await.expect(200)),
        ("Setup", app.client.get("/api/setup").await.expect(200)),
        ("Health", app.client.get("/api/health").await.expect(200)),
        ("Run", run.clone()),
        ("Queue", first("/api/queues".to_owned()).await),
        ("Job", first("/api/jobs?state=completed".to_owned()).await),
    ] {
        let described = fields(&document["components"]["schemas"][schema]["properties"]);
        assert_eq!(fields(&value), described, "{schema}");
    }
    app.finish().await;
}

fn fields(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap_or_else(|| panic!("an object: {value}")).keys().cloned().collect()
}
