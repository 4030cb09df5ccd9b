//! The first thing Titan does, told by every part of the API: they must all tell the same story.

use insta::assert_json_snapshot;
use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{id, run_of, text};

use crate::support::Redaction;

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_task_is_told_alike_by_all_routes() {
    let app = TestApp::with_worker().await;
    let client = &app.client;
    let body = json!({"name": "My Web App", "type": "web-app", "spec": {"description": "A modern web application"}});
    let project = client.post("/api/projects", &body).await.expect(201);
    let project_id = id(&project);
    let task = client.chat(&project_id, "hello").await;
    let (task_id, run_id) = (id(&task), run_of(&task));
    let run = client.run_ended(&run_id).await;
    assert_eq!(text(&run["status"]), "completed");

    let get = async |path: String| client.get(&path).await.expect(200);
    let mut events = get(format!("/api/runs/{run_id}/events?limit=1000")).await;
    // How an answer is cut into pieces depends on timing; that the pieces make up the answer does not.
    let streamed: String = items(&events)
        .iter()
        .filter(|event| event["kind"] == "delta")
        .map(|event| text(&event["data"]["text"]).to_owned())
        .collect();
    let seqs: Vec<i64> = items(&events).iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    assert_eq!(seqs, (1..=i64::try_from(seqs.len()).unwrap()).collect::<Vec<_>>(), "no gap");
    assert_eq!(events["last_seq"], run["last_seq"]);
    events["items"].as_array_mut().unwrap().retain(|event| event["kind"] != "delta");
    let messages = get(format!("/api/projects/{project_id}/messages")).await;
    assert_eq!(streamed, text(&messages["items"][1]["content"]), "what was streamed is the answer");
    let outputs = get(format!("/api/projects/{project_id}/outputs")).await;
    let output_id = id(&outputs["items"][0]);
    let content = client.get(&format!("/api/outputs/{output_id}/content")).await;
    assert_eq!(content.text, streamed, "the output is the answer");
    assert_eq!(content.header("content-security-policy").split(';').next(), Some("sandbox"));

    let mut redaction = Redaction::default();
    let mut story = json!({
        "project": project,
        "task": get(format!("/api/tasks/{task_id}")).await,
        "task_log": get(format!("/api/tasks/{task_id}/log")).await,
        "run": run,
        "events": events["items"],
        "logs": get(format!("/api/runs/{run_id}/logs")).await,
        "messages": messages,
        "outputs": outputs,
        "memories": get(format!("/api/projects/{project_id}/memories")).await,
        "stats": get(format!("/api/projects/{project_id}/stats")).await,
    });
    unnumbered(&mut story);
    assert_json_snapshot!(redaction.apply(&story));
    app.finish().await;
}

/// Takes out how long the answer took, and the numbers of events, which depend on how many pieces it came in.
fn unnumbered(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(unnumbered),
        Value::Object(map) => {
            if map.contains_key("timestamp") || map.contains_key("at") {
                map.remove("seq");
            }
            map.remove("last_seq");
            map.remove("first_token_ms");
            map.remove("duration_ms");
            map.values_mut().for_each(unnumbered);
        }
        _ => {}
    }
}

fn items(page: &Value) -> &Vec<Value> {
    page["items"].as_array().expect("items")
}
