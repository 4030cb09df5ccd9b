//! Projects: made, changed, listed in pages, counted.

use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{id, text};

use crate::support::redacted;

#[tokio::test(flavor = "multi_thread")]
async fn a_project_is_made_changed_and_deleted() {
    let app = TestApp::start().await;
    let client = &app.client;
    let reply = client.post("/api/projects", &json!({"name": " Shop "})).await;
    let project = reply.expect(201);
    let path = format!("/api/projects/{}", id(&project));
    assert_eq!(reply.header("location"), path);
    insta::assert_json_snapshot!(redacted(&project));

    let patch = json!({"name": "Big shop", "templateRef": "t", "spec": {"a": 1}});
    let changed = client.patch(&path, &patch).await.expect(200);
    assert_eq!((text(&changed["name"]), text(&changed["type"])), ("Big shop", "general"));
    assert_eq!((text(&changed["template_ref"]), &changed["spec"]), ("t", &json!({"a": 1})));
    assert_eq!(
        client.patch(&path, &json!({})).await.expect(200)["name"],
        changed["name"],
        "nothing said, nothing changed"
    );
    assert_eq!(client.patch(&path, &json!({"name": ""})).await.code(), "validation_failed");

    let deleted = client.delete(&path).await;
    assert_eq!((deleted.status, deleted.text.as_str()), (204, ""));
    assert_eq!(client.delete(&path).await.code(), "project_not_found");
    assert_eq!(client.patch(&path, &json!({"name": "x"})).await.code(), "project_not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_hold_everything_once_and_in_order() {
    let app = TestApp::start().await;
    let client = &app.client;
    let mut made = Vec::new();
    for n in 0..7 {
        made.push(client.project(&format!("p{n}")).await);
    }
    made.reverse();
    let mut seen = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = client.get(&format!("/api/projects?limit=3&cursor={cursor}")).await.expect(200);
        seen.extend(page["items"].as_array().unwrap().iter().map(id));
        match &page["next_cursor"] {
            Value::Null => break,
            next => cursor = text(next).to_owned(),
        }
    }
    assert_eq!(seen, made);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_nobody_serves_says_so() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let made = app.client.chat(&project, "hello").await;
    assert_eq!(made["hint"], Value::Null, "what was just made has not been waiting");
    let task = app.client.get(&format!("/api/tasks/{}", text(&made["id"]))).await.expect(200);
    assert_eq!(text(&task["hint"]["code"]), "no_worker");
    assert_eq!(text(&task["status"]), "queued");
    let queued = app.client.get(&format!("/api/projects/{project}/tasks?status=queued")).await.expect(200);
    assert_eq!(queued["items"].as_array().map(Vec::len), Some(1));
    let stats = app.client.get(&format!("/api/projects/{project}/stats")).await.expect(200);
    assert_eq!((&stats["tasks"]["queued"], &stats["runs"]["queued"]), (&json!(1), &json!(1)));
    assert_eq!(app.client.get("/api/health").await.expect(200)["queue"]["ready"], json!(1));
    app.abandon().await;
}
