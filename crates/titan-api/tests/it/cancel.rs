//! Stopping what was begun, or has not begun yet, or is over.

use serde_json::json;
use titan_testkit::app::TestApp;
use titan_testkit::client::{id, run_of, text};
use titan_testkit::wait;

#[tokio::test(flavor = "multi_thread")]
async fn a_queued_run_is_canceled_at_once() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let task = app.client.chat(&project, "hello").await;
    let path = format!("/api/runs/{}/cancel", run_of(&task));
    let run = app.client.send(app.client.request(reqwest::Method::POST, &path)).await.expect(200);
    assert_eq!((text(&run["status"]), text(&run["stage"])), ("canceled", "done"));
    assert_eq!(app.client.post(&path, &json!({})).await.expect(200), run, "again changes nothing");
    let task = app.client.get(&format!("/api/tasks/{}", id(&task))).await.expect(200);
    assert_eq!((text(&task["execution_status"]), text(&task["status"])), ("canceled", "failed"));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_is_canceled_with_its_run_or_without_one() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    for task in [app.client.manual_chat(&project, "a").await, app.client.chat(&project, "b").await] {
        let path = format!("/api/tasks/{}/cancel", id(&task));
        let canceled = app.client.post(&path, &json!({})).await.expect(200);
        assert_eq!(text(&canceled["execution_status"]), "canceled");
        assert_eq!(app.client.post(&path, &json!({})).await.expect(200), canceled);
        let execute = app.client.post(&format!("/api/tasks/{}/execute", id(&task)), &json!({})).await;
        assert_eq!((execute.status, execute.code().as_str()), (409, "conflict"));
    }
    let stats = app.client.get(&format!("/api/projects/{project}/stats")).await.expect(200);
    assert_eq!((&stats["tasks"]["canceled"], &stats["runs"]["canceled"]), (&json!(2), &json!(1)));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_failed_is_given_up() {
    let app = TestApp::start().await;
    let client = &app.client;
    let project = client.project("p").await;
    let task = client.manual_chat(&project, "a").await;
    let task = id(&task);
    app.db.execute("UPDATE tasks SET execution_status = 'failed', completed_at = now()");
    let canceled = client.post(&format!("/api/tasks/{task}/cancel"), &json!({})).await.expect(200);
    assert_eq!(text(&canceled["execution_status"]), "canceled");
    let execute = client.post(&format!("/api/tasks/{task}/execute"), &json!({})).await;
    assert_eq!(execute.code(), "conflict");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streaming_answer_stops() {
    let app = TestApp::plan().set("TITAN_OFFLINE_DELAY", "2s").worker().start().await;
    let project = app.client.project("p").await;
    let task = app.client.chat(&project, "hello").await;
    let run = run_of(&task);
    let mut stream = app.client.stream(&format!("/api/runs/{run}/events"), None).await;
    wait::until("the worker at work", async || {
        let run = app.client.get(&format!("/api/runs/{run}")).await.expect(200);
        (text(&run["status"]) == "running").then_some(())
    })
    .await;
    app.client.post(&format!("/api/tasks/{}/cancel", id(&task)), &json!({})).await.expect(200);
    assert_eq!(stream.until("end").await, json!({"status": "canceled"}));
    let messages = app.client.get(&format!("/api/projects/{project}/messages")).await.expect(200);
    assert_eq!(messages["items"].as_array().map(Vec::len), Some(1), "no answer is stored");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_whose_worker_never_stops_is_ended_after_the_grace() {
    let app = TestApp::plan().set("TITAN_GRACE", "0s").start().await;
    let project = app.client.project("p").await;
    let run = run_of(&app.client.chat(&project, "hello").await);
    // As a worker leaves it that was asked to stop and then froze; nobody else is there to notice.
    app.db.execute("UPDATE runs SET cancel_requested_at = now()");
    assert_eq!(text(&app.client.run_ended(&run).await["status"]), "canceled");
    app.finish().await;
}
