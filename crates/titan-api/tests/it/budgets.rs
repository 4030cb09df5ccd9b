//! Budgets as a client sets and sees them, and what a run that waits for one looks like.

use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{id, run_of, text};
use titan_testkit::fake_model::{FakeModel, MODEL};
use titan_testkit::wait;

/// With a model that costs, as far as budgets go.
async fn app(model: &FakeModel) -> TestApp {
    let default = format!("openai:{MODEL}");
    let plan = TestApp::plan().set("OPENAI_BASE_URL", model.base_url().as_str()).set("TITAN_DEFAULT_MODEL", &default);
    plan.set("TITAN_PRICES", "openai:*=1/1").worker().start().await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_budget_is_set_read_and_taken_away() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let nothing = app.client.get(&format!("/api/projects/{project}/budget")).await.expect(200);
    assert_eq!(
        nothing,
        json!({"spent": {"cost": 0.0, "tokens": 0, "calls": 0}, "budget": null, "forecast": null, "waiting_runs": 0})
    );
    let task = app.client.chat(&project, "hello").await;
    let places = [
        "/api/budget".to_owned(),
        format!("/api/projects/{project}/budget"),
        format!("/api/tasks/{}/budget", id(&task)),
        format!("/api/runs/{}/budget", run_of(&task)),
    ];
    for place in places {
        let set = app.client.put(&place, &json!({"cost": 2.5, "calls": 10, "period": "month"})).await.expect(200);
        let budget = &set["budget"];
        assert_eq!(budget["limit"], json!({"cost": 2.5, "tokens": null, "calls": 10}), "{place}");
        assert_eq!(budget["left"], budget["limit"]);
        assert!(budget["period"] == "month" && budget["period_end"].is_string());
        assert_eq!(app.client.get(&place).await.expect(200), set);
        let raised = app.client.put(&place, &json!({"tokens": 1000})).await.expect(200);
        assert_eq!(raised["budget"]["limit"], json!({"cost": null, "tokens": 1000, "calls": null}));
        assert_eq!(raised["budget"]["period"], "total");
        assert_eq!(app.client.delete(&place).await.status, 204);
        let gone = app.client.delete(&place).await.expect(404);
        assert_eq!(gone["code"], "budget_not_found");
    }
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_budget_is_refused_with_what_would_be_right() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let place = format!("/api/projects/{project}/budget");
    for (body, field) in [
        (json!({}), "cost"),
        (json!({"cost": -1}), "cost"),
        (json!({"cost": "much"}), "cost"),
        (json!({"tokens": 1.5}), "tokens"),
        (json!({"calls": -3}), "calls"),
        (json!({"calls": 3, "period": "year"}), "period"),
    ] {
        let problem = app.client.put(&place, &body).await.expect(422);
        assert_eq!(
            (text(&problem["code"]), text(&problem["errors"][0]["field"])),
            ("validation_failed", field),
            "{body}"
        );
    }
    let missing = "/api/runs/01a201dc-33a7-77f3-a59c-ba42150cf0c2/budget";
    assert_eq!(app.client.put(missing, &json!({"calls": 1})).await.expect(404)["code"], "run_not_found");
    assert_eq!(app.client.get(missing).await.expect(404)["code"], "run_not_found");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_waits_for_its_budget_says_so_with_402_and_goes_on_when_it_is_raised() {
    let model = FakeModel::start().unwrap();
    let app = app(&model).await;
    let project = app.client.project("p").await;
    let place = format!("/api/projects/{project}/budget");
    app.client.put(&place, &json!({"calls": 0})).await.expect(200);
    let task = app.client.manual_chat(&project, "hello").await;
    let problem = app.client.post("/api/tasks/execute", &json!({"taskId": id(&task)})).await.expect(402);
    assert_eq!(text(&problem["code"]), "budget_exhausted");
    assert!(text(&problem["detail"]).contains("0 of 0 calls"), "{problem}");

    let runs = app.client.get(&format!("/api/runs?task_id={}", id(&task))).await.expect(200);
    let run = format!("/api/runs/{}", id(&runs["items"][0]));
    let waiting = app.client.get(&run).await.expect(200);
    assert_eq!((text(&waiting["status"]), text(&waiting["waiting_on"])), ("running", "budget"));
    assert_eq!(text(&waiting["hint"]["code"]), "waiting", "it does not go on by itself: {waiting}");
    assert_eq!(app.client.get(&place).await.expect(200)["waiting_runs"], 1);
    assert!(model.requests().is_empty());

    app.client.put(&place, &json!({"calls": 1})).await.expect(200);
    wait::until("the end of the run", async || {
        (app.client.get(&run).await.expect(200)["status"] == "completed").then_some(())
    })
    .await;
    let calls = app.client.get(&format!("{run}/calls")).await.expect(200);
    let answers: Vec<&Value> =
        calls["items"].as_array().unwrap().iter().filter(|call| call["purpose"] == "answer").collect();
    assert_eq!(answers.len(), 1);
    assert!(answers[0]["cost"].as_f64().unwrap() > 0.0);
    let spending = app.client.get(&place).await.expect(200);
    assert_eq!((&spending["budget"]["spent"]["calls"], &spending["waiting_runs"]), (&json!(1), &json!(0)));
    let providers = app.client.get("/api/providers").await.expect(200);
    let openai = providers["items"].as_array().unwrap().iter().find(|one| one["name"] == "openai").unwrap();
    assert_eq!(openai["last_30_days"]["calls"], 1);
    assert!(
        openai["last_30_days"]["cost"].as_f64().unwrap() > 0.0 && openai["last_30_days"]["duration_ms"].is_number(),
        "{openai}"
    );
    app.finish().await;
}
