//! What a project remembers.

use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{id, text};

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_is_written_listed_counted_and_forgotten() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let path = format!("/api/projects/{project}/memories");
    let memory = client.post(&path, &json!({"content": "The customer likes blue."})).await.expect(201);
    assert_eq!((text(&memory["scope"]), &memory["source_run_id"]), ("project", &Value::Null));
    let listed = client.get(&path).await.expect(200);
    assert_eq!(listed["items"], json!([memory]));
    assert_eq!(client.get(&format!("/api/projects/{project}/memory")).await.expect(200), listed);
    let memories = async || client.get(&format!("/api/projects/{project}/stats")).await.expect(200)["memories"].clone();
    assert_eq!(memories().await, json!(1));
    let one = format!("/api/memories/{}", id(&memory));
    assert_eq!(client.delete(&one).await.status, 204);
    assert_eq!(client.delete(&one).await.code(), "memory_not_found");
    assert_eq!(memories().await, json!(0));
    app.finish().await;
}
