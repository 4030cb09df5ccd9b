//! What a project remembers.

use insta::assert_json_snapshot;
use reqwest::Method;
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

#[tokio::test(flavor = "multi_thread")]
async fn a_memory_is_changed_found_exported_and_erased() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let path = format!("/api/projects/{project}/memories");
    let body = json!({"content": "Ida likes green tea", "person": "Ida", "expires_at": "2999-01-01T00:00:00Z", "confidence": 0.5});
    let memory = client.post(&path, &body).await.expect(201);
    let one = format!("/api/memories/{}", id(&memory));
    let edit =
        json!({"content": "Ida likes black tea", "pinned": true, "expires_at": null, "scope": "agent", "agent": "ada"});
    let changed = client.patch(&one, &edit).await.expect(200);
    assert_json_snapshot!(changed, {".id" => "[id]", ".project_id" => "[id]", ".created_at" => "[time]", ".updated_at" => "[time]"});
    assert_eq!(client.get(&one).await.expect(200), changed);
    // The same words once more are the same memory.
    client.post(&path, &json!({"content": "The shop opens at nine"})).await.expect(201);
    let again = client.post(&path, &json!({"content": "the shop opens at NINE."})).await.expect(201);
    assert_eq!(text(&again["content"]), "The shop opens at nine");

    let search = async |q: &str| client.get(&format!("{path}/search?q={q}")).await.expect(200);
    let found = search("tea").await;
    assert_eq!((&found["by"], &found["items"][0]["memory"]), (&json!("text"), &changed));
    assert_eq!((&found["items"][0]["text_rank"], &found["items"][0]["vector_rank"]), (&json!(1), &Value::Null));
    let filtered = async |filter: &str| {
        let list = client.get(&format!("{path}?{filter}")).await.expect(200);
        list["items"].as_array().unwrap().len()
    };
    assert_eq!((filtered("scope=agent").await, filtered("pinned=false").await, filtered("q=bl").await), (1, 1, 1));

    let export = client.get(&format!("{path}/export")).await;
    assert_eq!(export.header("content-type"), "application/jsonl");
    assert!(export.header("content-disposition").contains(&format!("titan-memories-{project}.jsonl")));
    let lines: Vec<Value> = export.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines, [changed, again]);

    let erase = format!("{path}/erase");
    let erased = client.post(&erase, &json!({"person": "ida", "confirm": true})).await.expect(200);
    assert_eq!(erased, json!({"erased": 1, "projects": 1, "contacts": 0, "leads": 0}));
    assert_eq!(search("tea").await["items"], json!([]));
    assert_eq!(client.get(&format!("{path}/export")).await.text.lines().count(), 1);
    assert_eq!(client.post(&erase, &json!({"confirm": true})).await.expect(200)["erased"], json!(1));
    assert_eq!(client.get(&path).await.expect(200)["items"], json!([]));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_erased_from_all_projects() {
    let app = TestApp::start().await;
    let client = &app.client;
    for name in ["one", "two"] {
        let project = client.project(name).await;
        client
            .post(&format!("/api/projects/{project}/memories"), &json!({"content": "Ida Holm called"}))
            .await
            .expect(201);
        client
            .post(&format!("/api/projects/{project}/memories"), &json!({"content": "Idaho called"}))
            .await
            .expect(201);
    }
    let erased = client.post("/api/memories/erase", &json!({"person": "Ida Holm", "confirm": true})).await.expect(200);
    assert_eq!(erased, json!({"erased": 2, "projects": 2, "contacts": 0, "leads": 0}));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_key_finds_a_memory_that_was_merged() {
    let app = TestApp::start().await;
    let client = &app.client;
    let path = format!("/api/projects/{}/memories", client.project("p").await);
    let first = client.post(&path, &json!({"content": "tea"})).await.expect(201);
    let keyed = || client.request(Method::POST, &path).header("idempotency-key", "k").json(&json!({"content": "Tea."}));
    let merged = client.send(keyed()).await;
    let again = client.send(keyed()).await;
    assert_eq!(again.header("idempotent-replayed"), "true");
    assert_eq!((id(&merged.expect(201)), id(&again.expect(201))), (id(&first), id(&first)));
    app.finish().await;
}
