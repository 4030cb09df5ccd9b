//! What existing clients send must work unchanged: their bodies, their names for things, their addresses.

use reqwest::Method;
use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{id, run_of, text};
use titan_testkit::wait;

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_requests_work_unchanged() {
    let app = TestApp::with_worker().await;
    let client = &app.client;
    let body = r#"{
  "name": "My Web App", "type": "web-app", "templateRef": "persona/basic",
  "spec": {"description": "A modern web application", "features": ["authentication", "dashboard", "api"]}}"#;
    let request = client.request(Method::POST, "/api/projects").header("Content-Type", "application/json").body(body);
    let project = client.send(request).await.expect(201);
    assert_eq!((text(&project["type"]), text(&project["template_ref"])), ("web-app", "persona/basic"));
    assert_eq!(project["spec"]["features"], json!(["authentication", "dashboard", "api"]));

    let tasks = format!("/api/projects/{}/tasks", id(&project));
    let task = client.post(&tasks, &json!({"type": "chat", "payload": {"content": "..."}})).await.expect(201);
    let run_id = run_of(&task);
    client.run_ended(&run_id).await;

    let again = client.post("/api/tasks/execute", &json!({"taskId": id(&task)})).await.expect(200);
    assert_eq!((&again["success"], text(&again["strategy"])), (&json!(true), "immediate"));
    assert!(!text(&again["result"]).is_empty() && !text(&again["message"]).is_empty());

    let log = client.get(&format!("/api/tasks/{}/log", id(&task))).await.expect(200);
    let ended = log.as_array().unwrap().iter().rfind(|entry| entry["event"] == "completed").unwrap();
    assert_eq!((text(&ended["executor_type"]), text(&ended["result"]["strategy"])), ("workflow", "immediate"));
    assert!(ended["timestamp"].is_string() && ended["result"]["output"].is_string());

    assert_eq!(client.get("/healthz").await.expect(200), json!({"status": "ok"}));
    assert_eq!(text(&client.get("/readyz").await.expect(200)["status"]), "ready");

    let canceled = client.send(client.request(Method::POST, &format!("/runs/{run_id}/cancel"))).await.expect(200);
    assert_eq!(text(&canceled["status"]), "completed", "what has ended stays as it ended");
    let artifacts = client.get(&format!("/runs/{run_id}/artifacts")).await.expect(200);
    let artifact = id(&artifacts["items"][0]);
    let download = client.get(&format!("/runs/{run_id}/artifacts/{artifact}/download")).await;
    assert_eq!(download.status, 200);
    assert!(download.header("content-disposition").starts_with("attachment"));

    let workflows = client.get("/workflows").await.expect(200);
    assert_eq!(text(&workflows["items"][0]["name"]), "chat");
    assert_eq!(client.get("/workflows/chat").await.expect(200)["steps"].as_array().map(Vec::len), Some(2));

    // The project was made of its template meanwhile.
    let published = wait::until("the project to be published", async || {
        let published = client.get(&format!("/api/projects/{}/publications", id(&project))).await.expect(200);
        published["items"].get(0).cloned()
    })
    .await;
    assert_eq!(published["number"], json!(1));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn worker_health_tells_running_last_heartbeat_and_current_task() {
    let mut app = TestApp::start().await;
    let health = app.client.get("/api/worker/health").await.expect(200);
    assert_eq!(health, json!({"running": false, "last_heartbeat": null, "current_task": null, "workers": []}));
    app.start_worker().await;
    let health = app.client.get("/api/worker/health").await.expect(200);
    assert_eq!(health["running"], json!(true));
    assert!(health["last_heartbeat"].is_string() && health["current_task"] == Value::Null);
    assert_eq!(text(&health["workers"][0]["name"]), "test-worker");
    app.finish().await;
}
