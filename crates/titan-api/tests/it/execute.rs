//! Executing by hand: the answer comes with the result, or says that it goes on, or why it does not.

use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{id, run_of, text};
use titan_testkit::wait;

#[tokio::test(flavor = "multi_thread")]
async fn a_manual_task_is_executed_and_executed_again() {
    let app = TestApp::with_worker().await;
    let client = &app.client;
    let project = client.project("p").await;
    let task = client.manual_chat(&project, "hello").await;
    assert_eq!((text(&task["execution_status"]), &task["latest_run"]), ("pending", &Value::Null));
    let listed = client.get(&format!("/api/tasks/execute?project_id={project}")).await.expect(200);
    assert_eq!(id(&listed["items"][0]), id(&task));

    let path = format!("/api/tasks/{}/execute", id(&task));
    let first = client.send(client.request(reqwest::Method::POST, &path)).await.expect(200);
    assert_eq!((&first["success"], text(&first["strategy"])), (&json!(true), "immediate"));
    let answer = client.get(&format!("/api/projects/{project}/messages")).await.expect(200)["items"][1].clone();
    assert_eq!(first["result"], answer["content"]);

    let second =
        client.post("/api/tasks/execute", &json!({"task_id": id(&task), "wait_seconds": 60})).await.expect(200);
    assert_ne!(first["run_id"], second["run_id"]);
    let run = client.get(&format!("/api/runs/{}", text(&second["run_id"]))).await.expect(200);
    assert_eq!(run["retry_of"], first["run_id"]);
    let runs = client.get(&format!("/api/runs?task_id={}", id(&task))).await.expect(200);
    assert_eq!(runs["items"].as_array().map(Vec::len), Some(2));
    let done = client.get(&format!("/api/tasks/execute?project_id={project}")).await.expect(200);
    assert_eq!(done["items"], json!([]));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_takes_longer_than_the_wait_goes_on() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let task = app.client.chat(&project, "nobody is here").await;
    let reply =
        app.client.post("/api/tasks/execute", &json!({"taskId": id(&task), "wait_seconds": 0})).await.expect(202);
    assert_eq!(text(&reply["run_id"]), run_of(&task), "the run that is under way, not another one");
    assert_eq!(text(&reply["status"]), "queued");
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canceled_execution_is_blocked() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let task = app.client.manual_chat(&project, "nobody is here").await;
    let client = app.client.clone();
    let body = json!({"taskId": id(&task), "wait_seconds": 60});
    let waiting = tokio::spawn(async move { client.post("/api/tasks/execute", &body).await });
    wait::until("the run", async || {
        let task = app.client.get(&format!("/api/tasks/{}", id(&task))).await.expect(200);
        task["latest_run"].is_object().then_some(())
    })
    .await;
    app.client.post(&format!("/api/tasks/{}/cancel", id(&task)), &json!({})).await.expect(200);
    let blocked = waiting.await.unwrap().expect(200);
    assert_eq!((&blocked["success"], text(&blocked["strategy"])), (&json!(false), "blocked"));
    assert_eq!(text(&blocked["reason"]), "The run was canceled");
    assert!(blocked.get("result").is_none());
    app.finish().await;
}
