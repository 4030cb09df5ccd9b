//! From a wish to tasks through the router, without a key: the offline provider makes the plans. Covers P2, P3, T5.

use insta::assert_json_snapshot;
use reqwest::Method;
use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{Client, id, run_of, text};
use titan_testkit::wait;

use crate::support::{Redaction, redacted};

const WISH: &str = "A page for our tea shop. It lists our teas.";

/// Orders a draft and waits for the version.
async fn drafted(client: &Client, body: &Value) -> (String, Value) {
    let ordered = client.post("/api/projects/reiterate", body).await.expect(201);
    let project = text(&ordered["project_id"]).to_owned();
    let run = client.run_ended(&run_of(&ordered["task"])).await;
    assert_eq!(run["status"], "completed", "{run}");
    let listed = client.get(&format!("/api/projects/{project}/plans")).await.expect(200);
    let version = &listed["items"][0]["version"];
    (project.clone(), client.get(&format!("/api/projects/{project}/plans/{version}")).await.expect(200))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_becomes_a_plan_is_answered_refined_approved_and_done() {
    let app = TestApp::with_worker().await;
    let client = &app.client;
    let (project, plan) = drafted(client, &json!({"wish": WISH})).await;
    assert_json_snapshot!("first_version", redacted(&plan));
    let made = client.get(&format!("/api/projects/{project}")).await.expect(200);
    assert_eq!(
        (text(&made["name"]), text(&made["spec"]["description"])),
        ("A page for our tea shop. It lists our teas.", WISH)
    );
    let path = format!("/api/projects/{project}");

    // Two answers, the second of which has the next version made.
    let one = json!({"version": 1, "answers": [{"question": "audience", "answer": "Customers"}], "refine": false});
    let answered = client.post(&format!("{path}/plan/answers"), &one).await.expect(200);
    assert_eq!((answered["task"].clone(), text(&answered["plan"]["answers"][0]["kind"])), (Value::Null, "choice"));
    let two = json!({"version": 1, "answers": [{"question": "place", "decide_for_me": true}]});
    let answered = client.post(&format!("{path}/plan/answers"), &two).await.expect(200);
    client.run_ended(&run_of(&answered["task"])).await;
    let refined = client.get(&format!("{path}/plans/2")).await.expect(200);
    let said = refined["content"]["assumptions"].to_string();
    assert!(said.contains("It is for: Customers."), "{said}");
    let compared = client.get(&format!("{path}/plans/compare?from=1&to=2")).await.expect(200);
    let changed: Vec<&str> = compared["sections"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|section| section["changed"] == true)
        .map(|section| text(&section["section"]))
        .collect();
    assert_eq!(changed, ["goal", "assumptions", "questions", "tasks"]);

    assert_eq!(client.get(&format!("{path}/charter")).await.code(), "charter_not_found");
    let approved = client.post(&format!("{path}/plan/approve"), &json!({"version": 2})).await;
    assert_eq!((approved.status, approved.header("idempotent-replayed")), (201, ""));
    let again = client.post(&format!("{path}/plan/approve"), &json!({"version": 2})).await;
    assert_eq!((again.status, again.header("idempotent-replayed")), (201, "true"));
    assert_eq!(again.json()["id"], approved.json()["id"]);
    let charter = wait::until("the tasks that are done alone", async || {
        let charter = client.get(&format!("{path}/charter")).await.expect(200);
        (charter["progress"]["completed"] == 2).then_some(charter)
    })
    .await;
    assert_json_snapshot!("charter", Redaction::default().apply(&charter["items"]));

    // The rest is by hand, one after the other.
    let task = |key: &str| {
        let items = charter["items"].as_array().unwrap();
        text(&items.iter().find(|item| item["key"] == key).unwrap()["task_id"]).to_owned()
    };
    let publish = format!("/api/tasks/{}/complete", task("publish"));
    assert_eq!(client.post(&publish, &json!({})).await.code(), "conflict");
    for key in ["check", "publish"] {
        let done = client.post(&format!("/api/tasks/{}/complete", task(key)), &json!({})).await.expect(200);
        assert_eq!(done["execution_status"], "completed");
    }
    let charter = client.get(&format!("{path}/charter")).await.expect(200);
    assert_eq!(charter["progress"], json!({"total": 4, "completed": 4, "failed": 0, "canceled": 0}));

    // The template that it named has become a project which can be seen.
    wait::until("the project to be published", async || {
        client.get(&format!("{path}/publications")).await.expect(200)["items"].get(0).cloned()
    })
    .await;
    client.post(&format!("{path}/preview/stop"), &json!({})).await.expect(200);
    wait::until("the preview to stop", async || {
        let preview = client.get(&format!("{path}/preview")).await.expect(200);
        (preview["preview"]["state"] == "stopped").then_some(())
    })
    .await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_request_twice_is_one_draft_and_a_second_draft_waits_for_the_first() {
    let app = TestApp::start().await;
    let client = &app.client;
    let order = |body: Value, key: &'static str| async move {
        let request =
            client.request(Method::POST, "/api/projects/reiterate").header("idempotency-key", key).json(&body);
        client.send(request).await
    };
    let first = order(json!({"wish": WISH}), "a").await;
    let again = order(json!({"wish": WISH}), "a").await;
    assert_eq!((first.status, again.status, again.header("idempotent-replayed")), (201, 201, "true"));
    assert_eq!(id(&first.json()["task"]), id(&again.json()["task"]));
    assert_eq!(client.get("/api/projects").await.expect(200)["items"].as_array().unwrap().len(), 1);
    assert_eq!(order(json!({"wish": "another"}), "a").await.code(), "idempotency_key_reused");
    let project = first.json()["project_id"].clone();
    let second = order(json!({"projectId": project, "wish": WISH}), "b").await;
    assert_eq!(second.code(), "conflict");
    let listed = client.get(&format!("/api/projects/{}/plans", text(&project))).await.expect(200);
    assert_json_snapshot!("draft_under_way", redacted(&listed));
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_draft_that_is_refused_leaves_no_project() {
    let app = TestApp::start().await;
    let client = &app.client;
    for model in ["", &"m".repeat(500)] {
        let refused = client.post("/api/projects/reiterate", &json!({"wish": WISH, "model": model})).await;
        assert_eq!((refused.status, refused.json()["errors"][0]["field"].clone()), (422, json!("model")), "{model:?}");
    }
    assert_eq!(client.get("/api/projects").await.expect(200)["items"], json!([]));
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_under_a_key_are_kept_once_and_never_those_of_another_request() {
    let app = TestApp::with_worker().await;
    let client = &app.client;
    let (project, _) = drafted(client, &json!({"wish": WISH})).await;
    let path = format!("/api/projects/{project}");
    let answer = async |key: &str, said: &str, refine: bool| {
        let answers = json!([{"question": "audience", "answer": said}]);
        let body = json!({"version": 1, "answers": answers, "refine": refine});
        let request = client.request(Method::POST, &format!("{path}/plan/answers")).header("idempotency-key", key);
        client.send(request.json(&body)).await
    };
    let kept = async || {
        let plan = client.get(&format!("{path}/plans/1")).await.expect(200);
        text(&plan["answers"][0]["answer"]).to_owned()
    };
    answer("a", "Customers", false).await.expect(200);
    assert_eq!(answer("a", "Everybody", false).await.code(), "idempotency_key_reused");
    assert_eq!(kept().await, "Customers");
    answer("b", "Ida", false).await.expect(200);
    answer("a", "Customers", false).await.expect(200);
    assert_eq!(kept().await, "Ida", "a late retry changes nothing");
    let refined = answer("c", "Our own team", true).await.expect(200);
    assert_eq!(answer("c", "Everybody", true).await.code(), "idempotency_key_reused");
    assert_eq!(kept().await, "Our own team");
    client.run_ended(&run_of(&refined["task"])).await;
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_a_request_about_plans_is_told() {
    let app = TestApp::with_worker().await;
    let client = &app.client;
    let (project, _) = drafted(client, &json!({"wish": WISH, "name": "Tea"})).await;
    let path = format!("/api/projects/{project}");
    let nobody = "/api/projects/01900000-0000-7000-8000-000000000000";
    let mut told = Vec::new();
    let mut note = |name: &str, reply: titan_testkit::client::Reply| {
        let problem = reply.json();
        told.push(format!("{name}: {} {} {}", reply.status, reply.code(), text(&problem["detail"])));
    };
    let post = async |path: String, body: Value| client.post(&path, &body).await;
    note("no wish", post("/api/projects/reiterate".to_owned(), json!({})).await);
    note("a blank wish", post("/api/projects/reiterate".to_owned(), json!({"wish": " "})).await);
    note(
        "a wish that is too long",
        post("/api/projects/reiterate".to_owned(), json!({"wish": "x".repeat(20_001)})).await,
    );
    let unknown = json!({"project_id": "01900000-0000-7000-8000-000000000000", "wish": "x"});
    note("an unknown project", post("/api/projects/reiterate".to_owned(), unknown).await);
    note("plans of an unknown project", client.get(&format!("{nobody}/plans")).await);
    note("an unknown version", client.get(&format!("{path}/plans/7")).await);
    note("a version that is a word", client.get(&format!("{path}/plans/first")).await);
    note("nothing to compare with", client.get(&format!("{path}/plans/compare?from=1")).await);
    note("answers without a version", post(format!("{path}/plan/answers"), json!({"answers": []})).await);
    let wrong = json!({"version": 1, "answers": [{"question": "taste", "answer": "sweet"}]});
    note("an answer to no question", post(format!("{path}/plan/answers"), wrong).await);
    let both = json!({"version": 1, "answers": [{"question": "audience", "answer": "x", "decide_for_me": true}]});
    note("two answers in one", post(format!("{path}/plan/answers"), both).await);
    note("approving nothing", post(format!("{path}/plan/approve"), json!({})).await);
    note("approving what is not there", post(format!("{path}/plan/approve"), json!({"version": 9})).await);
    note("no charter", client.get(&format!("{path}/charter")).await);
    client.post(&format!("{path}/plan/refuse"), &json!({"version": 1, "reason": "too plain"})).await.expect(200);
    note("approving what was refused", post(format!("{path}/plan/approve"), json!({"version": 1})).await);
    note(
        "answering what was refused",
        post(
            format!("{path}/plan/answers"),
            json!({"version": 1, "answers": [{"question": "audience", "answer": "x"}]}),
        )
        .await,
    );
    insta::assert_snapshot!(told.join("\n"));
    app.finish().await;
}
