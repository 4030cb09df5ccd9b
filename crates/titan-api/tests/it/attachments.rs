//! Files that a message brings along, and who answers it.

use reqwest::Method;
use serde_json::{Value, json};
use titan_core::agents::{self, Agent};
use titan_testkit::app::TestApp;
use titan_testkit::client::{id, text};

/// A picture of one pixel.
const PNG: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_sent_named_by_a_message_and_shown_with_it() {
    let app = TestApp::with_worker().await;
    let project = app.client.project("p").await;
    let path = format!("/api/projects/{project}/attachments");
    let picture = app.client.post(&path, &json!({"name": "a b.png", "data": PNG})).await.expect(201);
    assert_eq!((&picture["media_type"], &picture["size"]), (&json!("image/png"), &json!(70)));
    let notes = json!({"name": "notes.md", "media_type": "text/markdown", "data": "IyBOb3Rlcw=="});
    let notes = app.client.post(&path, &notes).await.expect(201);

    let reply = app.client.get(&format!("/api/attachments/{}/content", id(&notes))).await;
    assert_eq!((reply.status, reply.text.as_str()), (200, "# Notes"));
    assert_eq!(reply.header("content-type"), "text/markdown; charset=utf-8");
    assert!(reply.header("content-security-policy").starts_with("sandbox;"));

    let message = json!({"content": "look", "attachments": [id(&notes), id(&picture)], "agent": "writer"});
    let message = wait_for_agents(&app, &format!("/api/projects/{project}/messages"), &message).await;
    app.client.run_ended(&titan_testkit::client::run_of(&message)).await;
    let page = app.client.get(&format!("/api/projects/{project}/messages")).await.expect(200);
    let said = page["items"].as_array().unwrap();
    assert_eq!(said[0]["attachments"], json!([notes, picture]));
    assert_eq!((&said[0]["agent"], &said[1]["agent"]), (&json!("writer"), &json!("writer")));
    assert_eq!((&said[1]["attachments"], &said[0]["summarised"]), (&json!([]), &json!(false)));

    let agents = app.client.get("/api/agents").await.expect(200);
    let names: Vec<_> = agents["items"].as_array().unwrap().iter().map(|agent| text(&agent["name"])).collect();
    assert_eq!(names, ["jason", "researcher", "reviewer", "writer"]);
    assert_eq!(agents["items"][0]["default"], json!(true));
    app.finish().await;
}

/// The worker publishes its agents while it starts.
async fn wait_for_agents(app: &TestApp, path: &str, message: &Value) -> Value {
    titan_testkit::wait::until("agents", async || {
        let reply = app.client.post(path, message).await;
        (reply.status == 201).then(|| reply.json())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_makes_one_attachment() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let send = async |data: &str| {
        let request = app.client.request(Method::POST, &format!("/api/projects/{project}/attachments"));
        app.client.send(request.header("idempotency-key", "k").json(&json!({"name": "a", "data": data}))).await
    };
    let (first, again) = (send("YQ==").await, send("YQ==").await);
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!((first.json(), again.header("idempotent-replayed")), (again.json(), "true"));
    assert_eq!(send("Yg==").await.code(), "idempotency_key_reused");
    assert_eq!(app.db.count("SELECT count(*) FROM attachments"), 1);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_file_or_an_agent_is_said() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let path = format!("/api/projects/{project}/attachments");
    for (body, status, says) in [
        (json!({"data": "YQ=="}), 422, "name: is required"),
        (json!({"name": "a"}), 422, "data: is required"),
        (json!({"name": "a", "data": "*"}), 422, "data: must be base64"),
        (json!({"name": "a", "data": ""}), 422, "data: must not be empty"),
        (json!({"name": "/", "data": "YQ=="}), 422, "name: must not be empty"),
        (json!({"name": "a", "data": "AAAA"}), 422, "data: must be text in UTF-8, JSON, or an image"),
        (json!({"name": "a", "media_type": "image/gif", "data": PNG}), 422, "data: is image/png and not image/gif"),
        (json!({"name": "a", "media_type": "application/pdf", "data": "YQ=="}), 422, "media_type: must be text/*"),
        (json!({"name": "a", "data": "YWFh".repeat((5 << 20) / 3 + 1)}), 422, "data: must have at most 5242880 bytes"),
        (json!({"name": "a", "data": "YWFh".repeat(3 << 20)}), 413, "A body may have at most"),
    ] {
        let reply = app.client.post(&path, &body).await;
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        assert!(reply.status == status && detail.starts_with(says), "{says}: {} {detail}", reply.status);
    }
    let nowhere = format!("/api/projects/{}/attachments", uuid::Uuid::nil());
    assert_eq!(app.client.post(&nowhere, &json!({"name": "a", "data": "YQ=="})).await.code(), "project_not_found");
    let nothing = format!("/api/attachments/{}/content", uuid::Uuid::nil());
    assert_eq!(app.client.get(&nothing).await.code(), "attachment_not_found");

    let (messages, tasks) = (format!("/api/projects/{project}/messages"), format!("/api/projects/{project}/tasks"));
    let refused = async |message: Value| {
        let reply = app.client.post(&messages, &message).await;
        (reply.status, reply.code(), text(&reply.json()["detail"]).to_owned())
    };
    let (status, code, detail) = refused(json!({"content": "x", "agent": "nobody"})).await;
    assert_eq!((status, code.as_str()), (422, "validation_failed"));
    assert!(detail.starts_with("agent: no worker has told of its agents yet"), "{detail}");
    let agent = |name: &str| Agent {
        name: name.to_owned(),
        title: name.to_owned(),
        description: String::new(),
        model: None,
        is_default: false,
    };
    agents::publish(&mut app.db.connect(), &[agent("one"), agent("two")]).unwrap();
    let (_, _, detail) = refused(json!({"content": "x", "agent": "nobody"})).await;
    assert_eq!(detail, "agent: there is no agent \"nobody\"; there are one, two");
    let (_, _, detail) = refused(json!({"content": "x", "attachments": [uuid::Uuid::nil()]})).await;
    assert!(detail.starts_with("attachments: there is no attachment"), "{detail}");

    let task = json!({"type": "chat", "payload": {"content": "x", "agent": "nobody"}});
    let problem = app.client.post(&tasks, &task).await.json();
    assert_eq!(problem["errors"][0]["field"], "payload.agent");
    let task = json!({"type": "chat", "payload": {"content": "x", "attachments": "all"}});
    let problem = app.client.post(&tasks, &task).await.json();
    assert_eq!(problem["errors"][0]["field"], "payload.attachments");
    assert_eq!(app.db.count("SELECT count(*) FROM tasks"), 0);
    app.finish().await;
}
