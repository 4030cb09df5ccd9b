//! Webhooks over HTTP: whose signature is right is heard, whatever they say has one effect, and nothing else is opened by it. The
//! payloads (`webhooks.json`) are GitHub's own, of npm's @octokit/webhooks-examples 7.6.1 (MIT, its contributors), word for word.

use chrono::Utc;
use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use titan_core::engine::{self, Done, Fence, Finish, Outcome, Start};
use titan_core::ids::{self, Uuid};
use titan_core::queue::{Claim, claim};
use titan_core::state::WaitingOn;
use titan_core::workers::{self, Registration};
use titan_testkit::app::{Plan, TestApp};
use titan_testkit::client::{Client, Reply, id, text};
use titan_testkit::webhook::{from_forgejo, from_github, sign};

const TOKEN: &str = "your-ops-token";
const SECRET: &str = "It's a Secret to Everybody";
const AT: &str = "/api/webhooks/github";
/// The commit of the check-run among the payloads.
const COMMIT: &str = "ec26c3e57ca3a959ca5aad62de7213c562f8c821";
const KINDS: [&str; 3] = ["ops.diff", "ops.patch", "ops.test"];

/// With the repository that the payloads are of; nobody minds how its letters are written.
fn github() -> Plan {
    TestApp::plan()
        .set("OPS_TOKEN", TOKEN)
        .set("GITHUB_REPO", "codertocat/hello-world")
        .set("GITHUB_TOKEN", "t")
        .set("GITHUB_WEBHOOK_SECRET", SECRET)
}

fn payload(name: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("webhooks.json")).unwrap();
    all[name].clone()
}

fn with(name: &str, place: &str, value: &str) -> Value {
    let mut payload = payload(name);
    *payload.pointer_mut(place).unwrap() = json!(value);
    payload
}

async fn deliver(client: &Client, event: &str, id: &str, body: &Value) -> Reply {
    client.send(from_github(client, SECRET, event, id, &body.to_string())).await
}

/// What came of a delivery that was taken.
async fn effect(client: &Client, event: &str, id: &str, body: &Value) -> String {
    let told = deliver(client, event, id, body).await.expect(202);
    assert_eq!(text(&told["event"]), event);
    text(&told["effect"]).to_owned()
}

/// A proposal whose tests wait for the forge's checks, and would look in an hour: its id, and the id of the job.
async fn asleep(app: &TestApp) -> (String, i64) {
    let body = json!({"title": ids::new(), "patches": [{"path": "README.md", "content": "x"}]});
    let request = app.client.request(Method::POST, "/api/ops/propose").header("X-OPS-TOKEN", TOKEN).json(&body);
    let proposal = id(&app.client.send(request).await.expect(201));
    let mut connection = app.db.connect();
    let job = tokio::task::spawn_blocking(move || {
        let worker = ids::new();
        let kinds = KINDS.map(str::to_owned).to_vec();
        let registration = Registration {
            id: worker,
            name: "w".to_owned(),
            host: "h".to_owned(),
            pid: 1,
            version: "0".to_owned(),
            kinds: kinds.clone(),
            slots: 1,
            lease_ms: 60_000,
            sandbox: None,
        };
        workers::register(&mut connection, &registration).unwrap();
        let done = |output| Outcome::Done(Done { output, writes: Vec::new() });
        let (on, reason, since) = (WaitingOn::Event, "no check has begun yet".to_owned(), Utc::now());
        let look_again = Some(std::time::Duration::from_secs(3600));
        let wait = Outcome::Wait { on, reason, since, look_again };
        let mut last = 0;
        for outcome in [done(json!({})), done(json!({ "commit": COMMIT })), wait] {
            let job = claim(&mut connection, &Claim::simple(worker, kinds.clone(), 1)).unwrap().remove(0);
            let fence =
                Fence { job_id: job.id, epoch: job.epoch, run_id: job.run_id.unwrap(), step: job.step.unwrap() };
            engine::apply_one(&mut connection, Start { fence }.into()).unwrap();
            let finish = Finish { fence, events: Vec::new(), calls: Vec::new(), outcome, go_on: None };
            engine::apply_one(&mut connection, finish.into()).unwrap();
            last = job.id;
        }
        last
    });
    (proposal, job.await.unwrap())
}

/// Whether its job looks soon; it is put to sleep again.
fn looks(app: &TestApp, job: i64) -> bool {
    let soon =
        app.db.count(&format!("SELECT count(*) FROM jobs WHERE id = {job} AND run_at < now() + interval '2 seconds'"));
    app.db.execute(&format!("UPDATE jobs SET run_at = now() + interval '1 hour' WHERE id = {job}"));
    soon == 1
}

fn looks_again(app: &TestApp) -> i64 {
    app.db.count("SELECT count(*) FROM run_events WHERE kind = 'step.woken'")
}

fn kept(app: &TestApp) -> i64 {
    app.db.count("SELECT count(*) FROM webhook_deliveries")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_forge_reports_of_a_proposal_is_looked_at_at_once() {
    let app = github().start().await;
    let client = &app.client;
    let (proposal, job) = asleep(&app).await;
    let (_, other) = asleep(&app).await;
    app.db.execute(
        "UPDATE steps SET output = '{\"commit\": \"1\"}' WHERE kind = 'ops.patch' AND run_id = \
                    (SELECT latest_run_id FROM tasks WHERE type = 'ops' ORDER BY id DESC LIMIT 1)",
    );
    let branch = format!("titan/ops/{proposal}");
    // The first is word for word as it came: the commit tells whose it is.
    for (number, (event, body)) in [
        ("check_run", payload("check_run")),
        ("check_run", with("check_run", "/check_run/check_suite/head_branch", &branch)),
        ("status", with("status", "/sha", COMMIT)),
        ("status", with("status", "/branches/0/name", &branch)),
        ("push", with("push", "/ref", &format!("refs/heads/{branch}"))),
        ("pull_request", with("pull_request", "/pull_request/head/ref", &branch)),
    ]
    .into_iter()
    .enumerate()
    {
        let told = deliver(client, event, &format!("d-{number}"), &body).await.expect(202);
        assert_eq!(told, json!({"event": event, "effect": "told", "reason": null, "proposals": [proposal]}));
        assert!(looks(&app, job), "{event}");
        assert!(!looks(&app, other), "{event}");
    }
    let read = client.get(&format!("/api/ops/proposals/{proposal}")).await.expect(200);
    let stage = &read["stages"][2];
    assert_eq!((text(&stage["status"]), text(&stage["waiting_on"])), ("running", "event"));
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_a_hundred_times_is_one_look_and_a_storm_is_few() {
    let app = github().start().await;
    let client = &app.client;
    let (_, job) = asleep(&app).await;
    let body = payload("check_run");
    let mut effects = join_all((0..100).map(|_| effect(client, "check_run", "one", &body))).await;
    effects.sort_unstable();
    assert_eq!((effects[0].as_str(), effects[98].as_str(), effects[99].as_str()), ("repeated", "repeated", "told"));
    assert_eq!((kept(&app), looks_again(&app)), (1, 1));
    // Its number is not signed.
    for number in 0..10 {
        assert_eq!(effect(client, "check_run", &format!("n-{number}"), &body).await, "repeated");
    }
    // Fifty that say something new, within one breath.
    let of = |number: usize| {
        let mut body = body.clone();
        body["check_run"]["id"] = json!(number);
        body
    };
    let storm = join_all(
        (0..50).map(|number| async move { effect(client, "check_run", &format!("s-{number}"), &of(number)).await }),
    );
    assert!(storm.await.iter().all(|effect| effect == "told"));
    assert_eq!((kept(&app), looks_again(&app)), (51, 1));
    assert!(looks(&app, job));
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_heard_without_the_secret() {
    let app = github().start().await;
    let client = &app.client;
    let (_, job) = asleep(&app).await;
    let body = payload("check_run").to_string();
    let right = sign(SECRET, &body);
    let unsigned = || {
        let request = client.request(Method::POST, AT).header("Content-Type", "application/json");
        request.header("X-GitHub-Event", "check_run").header("X-GitHub-Delivery", "d").body(body.clone())
    };
    let signed = |signature: &str| unsigned().header("X-Hub-Signature-256", signature.to_owned());
    let cases: Vec<(&str, RequestBuilder)> = vec![
        ("none", unsigned()),
        ("an empty one", signed("")),
        ("of another secret", signed(&format!("sha256={}", sign("another secret", &body)))),
        ("of other bytes", signed(&format!("sha256={}", sign(SECRET, &format!("{body}\n"))))),
        ("without its beginning", signed(&right)),
        ("of the old kind", unsigned().header("X-Hub-Signature", format!("sha1={}", &right[..40]))),
        ("half of it", signed(&format!("sha256={}", &right[..32]))),
        (
            "a wrong one before it",
            signed(&format!("sha256={}", "0".repeat(64))).header("X-Hub-Signature-256", format!("sha256={right}")),
        ),
        ("the token instead", unsigned().header("X-OPS-TOKEN", TOKEN)),
        ("that of a Forgejo", unsigned().header("X-Forgejo-Signature", right.clone())),
        ("no JSON and none", unsigned().body("{")),
    ];
    for (what, request) in cases {
        let refused = client.send(request).await;
        assert_eq!((refused.status, refused.code().as_str()), (401, "unauthorized"), "{what}");
        assert!(!refused.text.contains(SECRET) && !refused.text.contains(&right), "{what}: {}", refused.text);
        assert!(
            refused.text.contains("GITHUB_WEBHOOK_SECRET") && refused.text.contains("X-Hub-Signature-256"),
            "{}",
            refused.text
        );
    }
    assert!(!looks(&app, job));
    assert_eq!(kept(&app), 0);
    assert_eq!(client.send(signed(&format!("sha256={right}"))).await.status, 202);
    assert!(looks(&app, job));
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_and_says_nothing_is_taken_and_has_no_effect() {
    let app = github().start().await;
    let client = &app.client;
    let (_, job) = asleep(&app).await;
    for (event, body, why) in [
        ("ping", payload("ping"), "set up"),
        ("star", payload("star"), "nobody waits for star"),
        ("of_a_later_year", json!({"x": 1}), "nobody waits for of_a_later_year"),
        ("push", payload("push"), "no branch of a proposal"),
        ("check_run", with("check_run", "/repository/full_name", "Codertocat/Other"), "Codertocat/Other"),
        ("check_run", with("check_run", "/check_run/status", "in_progress"), "has not ended"),
        ("check_run", with("check_run", "/check_run/head_sha", &"a".repeat(40)), "no proposal that is under way"),
        ("pull_request", with("pull_request", "/action", "labeled"), "labeled"),
        ("push", json!([]), "repository"),
    ] {
        let told = deliver(client, event, "d", &body).await.expect(202);
        assert_eq!((text(&told["event"]), text(&told["effect"])), (event, "ignored"));
        assert!(text(&told["reason"]).contains(why), "{told}");
    }
    assert!(!looks(&app, job));
    assert_eq!((kept(&app), looks_again(&app)), (0, 0));
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_read_is_refused_with_a_word_on_what_would_be_right() {
    let app = github().start().await;
    let client = &app.client;
    let refused = async |request: RequestBuilder, status: u16, code: &str, says: &str| {
        let reply = client.send(request).await;
        assert_eq!((reply.status, reply.code().as_str()), (status, code), "{}", reply.text);
        assert!(reply.text.contains(says), "{}", reply.text);
    };
    let signed = |event: &str, id: &str, body: &str| from_github(client, SECRET, event, id, body);
    refused(signed("push", "d", "{\"ref\": "), 400, "malformed_json", "application/json").await;
    refused(signed("push", "d", ""), 400, "malformed_json", "JSON").await;
    refused(signed("", "d", "{}"), 400, "invalid_request", "X-GitHub-Event").await;
    refused(signed("push", "", "{}"), 400, "invalid_request", "X-GitHub-Delivery").await;
    refused(signed("push", &"d".repeat(201), "{}"), 400, "invalid_request", "200").await;
    refused(signed(&"e".repeat(101), "d", "{}"), 400, "invalid_request", "100").await;
    let huge = json!({"ref": "x".repeat(1 << 20)}).to_string();
    refused(signed("push", "d", &huge), 413, "payload_too_large", "1048576").await;
    // As GitHub sends it unless it is told otherwise.
    let form = client.request(Method::POST, AT).header("Content-Type", "application/x-www-form-urlencoded");
    refused(form.body("payload=%7B%7D"), 415, "unsupported_media_type", "application/json").await;
    assert_eq!(client.get(AT).await.status, 405);
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn they_come_from_elsewhere_and_nothing_else_does() {
    let app = github().start().await;
    let client = &app.client;
    let foreign = |request: RequestBuilder| {
        request
            .header("Host", "titan.example")
            .header("Origin", "https://github.com")
            .header("Sec-Fetch-Site", "cross-site")
    };
    let ping = payload("ping").to_string();
    assert_eq!(client.send(foreign(from_github(client, SECRET, "ping", "d", &ping))).await.status, 202);
    assert_eq!(client.send(foreign(client.request(Method::POST, AT).json(&json!({})))).await.status, 401);
    for (method, path) in [
        (Method::GET, AT),
        (Method::POST, "/api/webhooks"),
        (Method::POST, "/api/webhooks/github/"),
        (Method::POST, "/api/webhooks/slack"),
        (Method::POST, "/api/projects"),
        (Method::GET, "/api/ops/proposals"),
        (Method::GET, "/api/health"),
    ] {
        let reply = client.send(foreign(client.request(method, path).json(&json!({"name": "mine"})))).await;
        assert_eq!((reply.status, reply.code().as_str()), (403, "forbidden_host"), "{path}");
    }
    assert_eq!(app.db.count("SELECT count(*) FROM projects"), 0);
    assert_eq!(app.db.count("SELECT count(*) FROM ops_audit WHERE path LIKE '/api/webhooks%'"), 0);
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn one_without_a_secret_takes_nothing() {
    let app = github().start().await;
    let ping = payload("ping").to_string();
    let reply = app.client.send(from_forgejo(&app.client, SECRET, "push", "d", &ping)).await;
    assert_eq!((reply.status, reply.code().as_str()), (404, "webhook_not_set_up"));
    assert!(reply.text.contains("FORGEJO_WEBHOOK_SECRET"), "{}", reply.text);
    app.abandon().await;
    let app = TestApp::start().await;
    // Nor is it signed with nothing.
    for secret in ["", SECRET] {
        let reply = app.client.send(from_github(&app.client, secret, "ping", "d", &ping)).await;
        assert_eq!((reply.status, reply.code().as_str()), (404, "webhook_not_set_up"));
        assert!(reply.text.contains("GITHUB_WEBHOOK_SECRET"), "{}", reply.text);
    }
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgejo_is_heard_as_well() {
    let plan = TestApp::plan()
        .set("OPS_TOKEN", TOKEN)
        .set("FORGEJO_REPO", "acme/titan")
        .set("FORGEJO_URL", "https://forge.example");
    let app = plan.set("FORGEJO_TOKEN", "t").set("FORGEJO_WEBHOOK_SECRET", SECRET).start().await;
    let client = &app.client;
    let (proposal, job) = asleep(&app).await;
    let branch = format!("titan/ops/{proposal}");
    let repository = json!({"full_name": "Acme/Titan"});
    for (number, (event, body)) in [
        ("push", json!({"ref": format!("refs/heads/{branch}"), "repository": repository})),
        (
            "pull_request",
            json!({"action": "synchronized", "pull_request": {"head": {"ref": branch}}, "repository": repository}),
        ),
        ("delete", json!({"ref": branch, "ref_type": "branch", "repository": repository})),
        ("action_run_success", json!({"action": "success", "run": {"commit_sha": COMMIT, "repository": repository}})),
    ]
    .into_iter()
    .enumerate()
    {
        let request = from_forgejo(client, SECRET, event, &format!("d-{number}"), &body.to_string());
        assert_eq!(text(&client.send(request).await.expect(202)["effect"]), "told", "{event}");
        assert!(looks(&app, job), "{event}");
    }
    // Under its ancestor's names alone; and a bad signature is not rescued by a good one.
    let body = json!({"ref": "refs/heads/main", "repository": repository}).to_string();
    let old = || {
        let request = client.request(Method::POST, "/api/webhooks/forgejo").header("Content-Type", "application/json");
        let request = request.header("X-Gitea-Event", "push").header("X-Gitea-Delivery", "g");
        request.header("X-Gitea-Signature", sign(SECRET, &body)).body(body.clone())
    };
    assert_eq!(text(&client.send(old()).await.expect(202)["effect"]), "ignored");
    assert_eq!(client.send(old().header("X-Forgejo-Signature", "0".repeat(64))).await.status, 401);
    let hub = from_github(client, SECRET, "push", "d", &body);
    assert_eq!(client.send(hub).await.status, 404);
    app.abandon().await;
}

/// The id of a proposal that is not there is no news, whatever it looks like.
#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_none_find_nobody() {
    let app = github().start().await;
    let unknown = Uuid::from_u128(7);
    for name in [
        format!("titan/ops/{unknown}"),
        "titan/ops/x".to_owned(),
        "titan/ops/".to_owned(),
        format!("x/titan/ops/{unknown}"),
    ] {
        let body = with("push", "/ref", &format!("refs/heads/{name}"));
        assert_eq!(effect(&app.client, "push", "d", &body).await, "ignored", "{name}");
    }
    app.abandon().await;
}
