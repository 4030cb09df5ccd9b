//! Proposals of changes to Titan's own code over HTTP: who may, what is refused, what is made once, and that every call is written down.

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::{Client, id, run_of, text};

const TOKEN: &str = "your-ops-token";
const OLD: &str = "our-former-token";

/// The user's own call.
const PROPOSAL: &str = r##"{
  "title": "Update README", "description": "Add deployment instructions",
  "patches": [{"path": "README.md", "content": "# My Project\n\n## Deployment\n\n..."}]}"##;

async fn start() -> TestApp {
    TestApp::plan().set("OPS_TOKEN", &format!("{TOKEN},{OLD}")).start().await
}

fn propose(client: &Client, token: Option<&str>, body: &str) -> RequestBuilder {
    let request = client.request(Method::POST, "/api/ops/propose").header("Content-Type", "application/json");
    let request = token.into_iter().fold(request, |request, token| request.header("X-OPS-TOKEN", token));
    request.body(body.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_s_call_makes_one_proposal_however_often_it_is_sent() {
    let app = start().await;
    let client = &app.client;
    let made = client.send(propose(client, Some(TOKEN), PROPOSAL)).await;
    assert_eq!(made.status, 201);
    let location = made.header("location").to_owned();
    let proposal = made.expect(201);
    assert_eq!(location, format!("/api/ops/proposals/{}", id(&proposal)));
    assert_eq!((text(&proposal["title"]), text(&proposal["author"])), ("Update README", "token"));
    assert_eq!((text(&proposal["state"]), &proposal["paths"]), ("running", &json!(["README.md"])));
    let stages: Vec<&str> = proposal["stages"].as_array().unwrap().iter().map(|stage| text(&stage["name"])).collect();
    assert_eq!(stages, ["diff", "patch", "test", "pull request", "canary", "promote"]);
    assert_eq!((&proposal["asks"], &proposal["rollout"]), (&Value::Null, &Value::Null));

    // The token of before the change is live too, and means the same.
    for token in [TOKEN, OLD] {
        let again = client.send(propose(client, Some(token), PROPOSAL)).await;
        assert_eq!(again.header("idempotent-replayed"), "true");
        assert_eq!(id(&again.expect(201)), id(&proposal));
    }
    let other = client.send(propose(client, Some(TOKEN), &PROPOSAL.replace("...", "More"))).await.expect(201);
    assert_ne!(id(&other), id(&proposal));
    let listed = client.get("/api/ops/proposals").await.expect(200);
    assert_eq!(listed["items"].as_array().unwrap().iter().map(id).collect::<Vec<_>>(), [id(&other), id(&proposal)]);
    let patches = client.get(&format!("{location}/patches")).await.expect(200);
    assert_eq!(text(&patches["items"][0]["content"]), "# My Project\n\n## Deployment\n\n...");
    assert_eq!(client.get(&format!("{location}/effects")).await.expect(200), json!({"items": []}));
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_calls_at_once_make_one_proposal() {
    let app = start().await;
    let client = &app.client;
    let calls = (0..100).map(|_| async { id(&client.send(propose(client, Some(TOKEN), PROPOSAL)).await.expect(201)) });
    let mut made = futures_util::future::join_all(calls).await;
    made.dedup();
    assert_eq!(made.len(), 1);
    assert_eq!(client.get("/api/ops/proposals").await.expect(200)["items"].as_array().map(Vec::len), Some(1));
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_live_token_proposes_and_every_call_is_written_down() {
    let app = start().await;
    let client = &app.client;
    let nearly = format!("{}x", &TOKEN[..TOKEN.len() - 1]);
    let wrong = ["", "x", "YOUR-OPS-TOKEN", nearly.as_str(), "your-ops-token,our-former-token", "your-ops-tokens"];
    for token in std::iter::once(None).chain(wrong.into_iter().map(Some)) {
        let refused = client.send(propose(client, token, PROPOSAL)).await.expect(401);
        assert_eq!(text(&refused["code"]), "unauthorized", "{token:?}");
        assert!(!refused.to_string().contains(TOKEN), "{refused}");
    }
    // Who reads on this machine needs none, but a wrong one is no way to read.
    client.get("/api/ops/proposals").await.expect(200);
    let read = client.request(Method::GET, "/api/ops/proposals").header("X-OPS-TOKEN", "x");
    assert_eq!(text(&client.send(read).await.expect(401)["code"]), "unauthorized");
    client.send(propose(client, Some(TOKEN), PROPOSAL)).await.expect(201);
    client.send(propose(client, Some(TOKEN), "{")).await.expect(400);

    let audit = client.get("/api/ops/audit").await.expect(200);
    let told: Vec<String> = audit["items"].as_array().unwrap().iter().rev().map(told).collect();
    let refused = "nobody POST /api/ops/propose 401 unauthorized";
    let mut expected = vec!["local POST /api/ops/propose 401 unauthorized"];
    expected.extend([refused; 6]);
    expected.extend([
        "local GET /api/ops/proposals 200 -",
        "nobody GET /api/ops/proposals 401 unauthorized",
        "token POST /api/ops/propose 201 -",
        "token POST /api/ops/propose 400 malformed_json",
        // This call itself, which has no answer yet.
        "local GET /api/ops/audit - -",
    ]);
    assert_eq!(told, expected);
    app.abandon().await;
}

fn told(entry: &Value) -> String {
    let word = |name: &str| entry[name].as_str().unwrap_or("-").to_owned();
    let actor = entry["actor"].as_str().unwrap_or("nobody");
    let status = entry["status"].as_i64().map_or_else(|| "-".to_owned(), |status| status.to_string());
    format!("{actor} {} {} {status} {}", word("method"), word("path"), word("code"))
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_set_up_by_default() {
    let app = TestApp::start().await;
    for token in [None, Some(""), Some("x")] {
        app.client.send(propose(&app.client, token, PROPOSAL)).await.expect(401);
    }
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn all_that_is_wrong_with_the_patches_is_told_at_once_and_nothing_is_stored() {
    let app = start().await;
    let client = &app.client;
    let body = json!({
        "title": "x",
        "patches": [
            {"path": "../etc/passwd", "content": "x"},
            {"path": "README.md"},
            {"path": "migrations/1/up.sql", "content": "x"},
            {"path": "docs/a.md", "content": "x", "delete": true},
            {"path": "docs/b.md", "content": "x"},
        ],
    });
    let refused = client.send(propose(client, Some(TOKEN), &body.to_string())).await.expect(422);
    assert_eq!(text(&refused["code"]), "validation_failed");
    let fields: Vec<&str> = refused["errors"].as_array().unwrap().iter().map(|error| text(&error["field"])).collect();
    for place in ["patches[0]", "patches[1]", "patches[2]", "patches[3]"] {
        assert!(fields.iter().any(|field| field.starts_with(place)), "{place}: {refused}");
    }
    assert!(!fields.iter().any(|field| field.starts_with("patches[4]")), "{refused}");

    let one = |more: Value| {
        let mut body = json!({"title": "x", "patches": [{"path": "README.md", "content": "x"}]});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body.to_string()
    };
    for (body, field) in [
        (one(json!({"title": null})), "title"),
        (one(json!({"title": "  "})), "title"),
        (one(json!({"title": "x".repeat(201)})), "title"),
        (one(json!({"title": "two\nlines"})), "title"),
        (one(json!({"now": "x".repeat(301)})), "now"),
        (one(json!({"now": "a\u{0}b"})), "now"),
        (one(json!({"base": "a".repeat(64)})), "base"),
        (one(json!({"description": "x".repeat(20_001)})), "description"),
        (one(json!({"description": "a\u{0}b"})), "description"),
        (one(json!({"base": "main"})), "base"),
        (one(json!({"patches": null})), "patches"),
        (one(json!({"patches": []})), "patches"),
    ] {
        let refused = client.send(propose(client, Some(TOKEN), &body)).await.expect(422);
        assert_eq!(text(&refused["errors"][0]["field"]), field, "{refused}");
    }
    assert_eq!(client.get("/api/ops/proposals").await.expect(200)["items"], json!([]));
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proposal_is_a_task_that_nobody_makes_otherwise() {
    let app = start().await;
    let client = &app.client;
    let proposal = client.send(propose(client, Some(TOKEN), PROPOSAL)).await.expect(201);
    let task = client.get(&format!("/api/tasks/{}", id(&proposal))).await.expect(200);
    assert_eq!((text(&task["type"]), run_of(&task)), ("ops", text(&proposal["run_id"]).to_owned()));
    let tasks = format!("/api/projects/{}/tasks", text(&proposal["project_id"]));
    let refused = client.post(&tasks, &json!({"type": "ops", "payload": {}})).await.expect(422);
    assert_eq!(text(&refused["code"]), "unknown_task_type");

    let canceled =
        client.post(&format!("/api/runs/{}/cancel", text(&proposal["run_id"])), &json!({})).await.expect(200);
    assert_eq!(text(&canceled["status"]), "canceled");
    let now = client.get(&format!("/api/ops/proposals/{}", id(&proposal))).await.expect(200);
    assert_eq!(text(&now["state"]), "canceled");
    client.get("/api/ops/proposals/01900000-0000-7000-8000-000000000000").await.expect(404);
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_asked_is_not_decided() {
    let app = start().await;
    let client = &app.client;
    let proposal = id(&client.send(propose(client, Some(TOKEN), PROPOSAL)).await.expect(201));
    let at = |what: &str| format!("/api/ops/proposals/{proposal}/{what}");
    let subject = json!({"subject": "a".repeat(40)});
    for (what, body, why) in [
        ("approve", &subject, "does not wait for anybody's decision"),
        ("reject", &subject, "does not wait for anybody's decision"),
        ("pause", &json!({}), "no rollout"),
        ("resume", &json!({}), "no rollout"),
        ("rollback", &json!({}), "cancel its run"),
    ] {
        let refused = client.post(&at(what), body).await.expect(409);
        assert!(text(&refused["detail"]).contains(why), "{what}: {refused}");
    }
    // Who proposed is told so before anything else.
    let own = client.request(Method::POST, &at("approve")).header("X-OPS-TOKEN", TOKEN).json(&subject);
    let refused = client.send(own).await.expect(409);
    assert!(text(&refused["detail"]).contains("You proposed this"), "{refused}");
    let nothing = client.post(&at("approve"), &json!({"comment": "x"})).await.expect(422);
    assert_eq!(text(&nothing["errors"][0]["field"]), "subject");
    let long = json!({"subject": "a".repeat(40), "comment": "x".repeat(4001)});
    let _ = client.post(&at("reject"), &long).await.expect(422);
    let nobody = "/api/ops/proposals/00000000-0000-7000-8000-00000000000f";
    for what in ["approve", "reject", "pause", "resume", "rollback"] {
        let missing = client.post(&format!("{nobody}/{what}"), &subject).await.expect(404);
        assert_eq!(text(&missing["code"]), "proposal_not_found", "{what}");
        let wrong = client.request(Method::POST, &at(what)).header("X-OPS-TOKEN", "no-token-at-all").json(&subject);
        let _ = client.send(wrong).await.expect(401);
    }
    assert_eq!(client.get("/api/ops/rollouts").await.expect(200), json!({"items": [], "next_cursor": null}));
    assert_eq!(client.get("/api/ops/targets").await.expect(200), json!({"items": []}));
    let _ = client.get("/api/ops/rollouts?limit=0").await.expect(400);
    app.abandon().await;
}
