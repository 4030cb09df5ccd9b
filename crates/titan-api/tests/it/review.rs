//! A person decides on an output, once.

use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{id, run_of, text};

async fn with_output(app: &TestApp) -> (String, String, String) {
    let project = app.client.project("p").await;
    let run = run_of(&app.client.chat(&project, "hello").await);
    app.client.run_ended(&run).await;
    let outputs = app.client.get(&format!("/api/projects/{project}/outputs?review=pending")).await.expect(200);
    (project, run, id(&outputs["items"][0]))
}

#[tokio::test(flavor = "multi_thread")]
async fn approving_counts_is_told_in_the_run_and_holds() {
    let app = TestApp::with_worker().await;
    let client = &app.client;
    let (project, run, output) = with_output(&app).await;
    let before = client.get(&format!("/api/runs/{run}")).await.expect(200)["last_seq"].as_i64().unwrap();

    let approved =
        client.post(&format!("/api/outputs/{output}/approve"), &json!({"comment": " good "})).await.expect(200);
    assert_eq!((text(&approved["review"]), text(&approved["comment"])), ("approved", "good"));
    assert!(approved["reviewed_at"].is_string());
    let again = client.send(client.request(reqwest::Method::POST, &format!("/api/outputs/{output}/approve"))).await;
    assert_eq!(again.expect(200), approved, "the same again changes nothing, and needs no body");
    let other = client.post(&format!("/api/outputs/{output}/reject"), &json!({})).await;
    assert_eq!((other.status, other.code().as_str()), (409, "already_decided"));

    let stats = client.get(&format!("/api/projects/{project}/stats")).await.expect(200);
    assert_eq!(stats["outputs"], json!({"total": 1, "pending": 0, "approved": 1, "rejected": 0}));
    let told = client.get(&format!("/api/runs/{run}/events?after={before}")).await.expect(200);
    assert_eq!(told["items"].as_array().map(Vec::len), Some(1));
    assert_eq!(text(&told["items"][0]["kind"]), "output.approved");
    // A stream that comes back after the end gets what was said since.
    let events = client.stream(&format!("/api/runs/{run}/events"), Some(before)).await.rest().await;
    assert_eq!(events.iter().map(|event| event.event.as_str()).collect::<Vec<_>>(), ["run_event", "end"]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rejecting_takes_a_comment_of_limited_length() {
    let app = TestApp::with_worker().await;
    let (project, _, output) = with_output(&app).await;
    let path = format!("/api/outputs/{output}/reject");
    let long = app.client.post(&path, &json!({"comment": "c".repeat(4001)})).await;
    assert_eq!((long.code().as_str(), text(&long.json()["errors"][0]["field"])), ("validation_failed", "comment"));
    let rejected = app.client.post(&path, &json!({"comment": "c".repeat(4000)})).await.expect(200);
    assert_eq!(text(&rejected["review"]), "rejected");
    let pending = app.client.get(&format!("/api/projects/{project}/outputs?review=pending")).await.expect(200);
    assert_eq!(pending["items"], Value::Array(Vec::new()));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_artifact_belongs_to_its_run() {
    let app = TestApp::with_worker().await;
    let (_, run, output) = with_output(&app).await;
    let (_, other_run, _) = with_output(&app).await;
    let download = app.client.get(&format!("/api/runs/{run}/artifacts/{output}/download")).await;
    assert_eq!(download.status, 200);
    assert_eq!(download.header("x-content-type-options"), "nosniff");
    assert!(download.header("content-security-policy").starts_with("sandbox"));
    let elsewhere = app.client.get(&format!("/api/runs/{other_run}/artifacts/{output}/download")).await;
    assert_eq!(elsewhere.code(), "artifact_not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_output_is_made_again_and_its_versions_are_compared() {
    let app = TestApp::with_worker().await;
    let client = &app.client;
    let (project, run, output) = with_output(&app).await;
    let path = format!("/api/outputs/{output}/reject");
    let body = json!({"comment": "too short", "run_again": true});
    let rejected = client.post(&path, &body).await.expect(200);
    let next = text(&rejected["next_run_id"]).to_owned();
    assert_eq!((text(&rejected["review"]), next == run), ("rejected", false));
    assert_eq!(client.post(&path, &body).await.expect(200)["next_run_id"], json!(next), "once is enough");
    client.run_ended(&next).await;
    let run = client.get(&format!("/api/runs/{next}")).await.expect(200);
    assert_eq!((&run["status"], &run["retry_of"]), (&json!("completed"), &rejected["run_id"]));

    let versions = client.get(&format!("/api/outputs/{output}/versions")).await.expect(200);
    let ids: Vec<String> = versions["items"].as_array().unwrap().iter().map(id).collect();
    assert_eq!((ids.len(), &ids[0]), (2, &output));
    // The offline model answers the same to the same.
    let diff = client.get(&format!("/api/outputs/{}/diff?from={output}", ids[1])).await.expect(200);
    assert_eq!(diff, json!({"patch": "", "truncated": false}));
    let missing = client.get(&format!("/api/outputs/{output}/diff")).await;
    assert_eq!((missing.status, missing.code().as_str()), (400, "invalid_request"));
    let total = client.get(&format!("/api/projects/{project}/stats")).await.expect(200);
    assert_eq!(total["outputs"], json!({"total": 2, "pending": 1, "approved": 0, "rejected": 1}));
    app.finish().await;
}
