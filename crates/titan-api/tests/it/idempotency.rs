//! The same request twice makes one thing; the same key for something else is refused.

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{Client, Reply, id};

async fn keyed(client: &Client, path: &str, key: &str, body: &Value) -> Reply {
    client.send(client.request(Method::POST, path).header("Idempotency-Key", key).json(body)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_creating_post_honours_the_key() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let chat = json!({"type": "chat", "payload": {"content": "x"}, "execution_type": "manual"});
    for (path, body, other) in [
        ("/api/projects".to_owned(), json!({"name": "a"}), json!({"name": "b"})),
        (format!("/api/projects/{project}/tasks"), chat, json!({"type": "chat", "payload": {"content": "y"}})),
        (format!("/api/projects/{project}/memories"), json!({"content": "m"}), json!({"content": "n"})),
        (format!("/api/projects/{project}/messages"), json!({"content": "m"}), json!({"content": "n"})),
    ] {
        let first = keyed(client, &path, "same", &body).await;
        let second = keyed(client, &path, "same", &body).await;
        assert_eq!(id(&first.expect(201)), id(&second.expect(201)), "{path}");
        assert_eq!((first.header("idempotent-replayed"), second.header("idempotent-replayed")), ("", "true"), "{path}");
        assert_eq!(keyed(client, &path, "same", &other).await.code(), "idempotency_key_reused", "{path}");
        // Not the same body: what is remembered already is not written twice, whatever the key.
        assert_ne!(id(&keyed(client, &path, "other", &other).await.expect(201)), id(&first.json()), "{path}");
    }
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_request_does_not_use_its_key_up() {
    let app = TestApp::start().await;
    let path = format!("/api/projects/{}/tasks", app.client.project("p").await);
    assert_eq!(keyed(&app.client, &path, "k", &json!({"type": "dance", "payload": {}})).await.status, 422);
    keyed(&app.client, &path, "k", &json!({"type": "chat", "payload": {"content": "x"}})).await.expect(201);
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_at_once_with_one_key_make_one_task() {
    let app = TestApp::with_worker().await;
    let path = format!("/api/projects/{}/tasks", app.client.project("p").await);
    let body = json!({"type": "chat", "payload": {"content": "once"}});
    let replies = join_all((0..20).map(|_| keyed(&app.client, &path, "once", &body))).await;
    let ids: Vec<String> = replies.iter().map(|reply| id(&reply.expect(201))).collect();
    assert!(ids.iter().all(|other| *other == ids[0]), "{ids:?}");
    let fresh = replies.iter().filter(|reply| reply.header("idempotent-replayed").is_empty()).count();
    assert_eq!(fresh, 1);
    let run = app.client.get(&format!("/api/tasks/{}", ids[0])).await.expect(200);
    app.client.run_ended(&titan_testkit::client::run_of(&run)).await;
    assert_eq!(app.db.count("SELECT count(*) FROM tasks"), 1);
    assert_eq!(app.db.count("SELECT count(*) FROM runs"), 1);
    app.finish().await;
}
