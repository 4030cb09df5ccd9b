//! Proposals of changes to Titan's own code, from the call to the pull request: with real daemons and the sandbox, at a GitHub over a real
//! repository, which is harmed on the way.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use titan_testkit::client::{Reply, id, text};
use titan_testkit::forge::{Forge, Repository, TOKEN};
use titan_testkit::webhook::from_github;

use crate::kit::Kit;

pub(crate) const OPS_TOKEN: &str = "your-ops-token";
/// The user's own call.
pub(crate) const PROPOSAL: &str = r##"{
  "title": "Update README", "description": "Add deployment instructions",
  "patches": [{"path": "README.md", "content": "# My Project\n\n## Deployment\n\n..."}]}"##;
pub(crate) const TASKS: &str = "# Tasks\n\n## Now\n\n### Update README\n\nSay how it is deployed.\n\n## Next\n";
const WEBHOOK_SECRET: &str = "the-secret-of-the-webhook";
/// What is built and tested where nothing else is said.
const TEST: &str = "grep -q Deployment README.md ;; test ! -e .git";

/// A repository with what Titan wants to see there.
pub(crate) fn repository(forge: &Forge) -> Repository<'_> {
    let repository = forge.repository("acme/titan");
    let _ = repository.push("main", &[("TASKS.md", Some(TASKS)), ("docs/a.md", Some("one\ntwo\nthree\n"))]);
    repository
}

pub(crate) fn kit(forge: &Forge, more: &[(&str, &str)]) -> Kit {
    kit_at(&github(&forge.url()), more)
}

/// The variables of a GitHub.
pub(crate) fn github(url: &str) -> [(&str, &str); 4] {
    [("GITHUB_REPO", "acme/titan"), ("GITHUB_TOKEN", TOKEN), ("GITHUB_API_URL", url), ("GITHUB_SERVER_URL", url)]
}

/// The variables of a Forgejo.
pub(crate) fn forgejo(url: &str) -> [(&str, &str); 3] {
    [("FORGEJO_REPO", "acme/titan"), ("FORGEJO_URL", url), ("FORGEJO_TOKEN", TOKEN)]
}

/// With a repository at this forge.
pub(crate) fn kit_at(forge: &[(&str, &str)], more: &[(&str, &str)]) -> Kit {
    let mut env = vec![("OPS_TOKEN", OPS_TOKEN), ("TITAN_OPS_TEST", TEST), ("TITAN_OPS_CHECKS", "off")];
    env.extend(forge);
    env.retain(|(name, _)| more.iter().all(|(other, _)| other != name));
    env.extend(more);
    Kit::with(&env)
}

impl Kit {
    /// The id of the proposal and its run.
    pub(crate) async fn propose(&self, body: &str) -> (String, String) {
        let request = self.client.request(Method::POST, "/api/ops/propose").header("Content-Type", "application/json");
        let proposal =
            self.client.send(request.header("X-OPS-TOKEN", OPS_TOKEN).body(body.to_owned())).await.expect(201);
        (id(&proposal), text(&proposal["run_id"]).to_owned())
    }

    pub(crate) async fn proposal(&self, id: &str) -> Value {
        self.client.get(&format!("/api/ops/proposals/{id}")).await.expect(200)
    }

    /// Why the run failed.
    pub(crate) async fn failed(&self, run: &str) -> String {
        let ended = self.ended(run).await;
        assert_eq!(text(&ended["status"]), "failed", "{ended:#}");
        text(&ended["error"]).to_owned()
    }

    /// Waits until it asks a person, and says what.
    pub(crate) async fn asks(&self, id: &str, gate: &str) -> Value {
        self.until(&format!("the proposal to ask at {gate}"), async || {
            let proposal = self.proposal(id).await;
            let state = text(&proposal["state"]);
            assert!(!matches!(state, "failed" | "canceled" | "rolled_back"), "{proposal:#}");
            (proposal["asks"]["gate"] == gate).then_some(proposal)
        })
        .await
    }

    /// Orders something about a proposal, as the person at this machine.
    pub(crate) async fn order(&self, id: &str, what: &str, body: &Value) -> Reply {
        self.client.post(&format!("/api/ops/proposals/{id}/{what}"), body).await
    }

    /// Approves what is asked.
    pub(crate) async fn approve(&self, asking: &Value) {
        let body = json!({"subject": asking["asks"]["subject"], "comment": "fine"});
        let _ = self.order(text(&asking["id"]), "approve", &body).await.expect(200);
    }

    /// Waits for the merge's approval and gives it.
    pub(crate) async fn promote(&self, id: &str, run: &str) {
        let asking = self.asks(id, "merge").await;
        self.approve(&asking).await;
        self.completed(run).await;
    }

    /// The forge reports something of this proposal.
    async fn hears(&self, id: &str, event: &str, mut body: Value) {
        body["repository"] = json!({"full_name": "Acme/Titan"});
        let delivery = from_github(&self.client, WEBHOOK_SECRET, event, "delivery-1", &body.to_string());
        assert_eq!(self.client.send(delivery).await.expect(202)["proposals"], json!([id]));
    }

    /// Waits until the checks of the forge are waited for.
    async fn awaits_checks(&self, id: &str) -> Value {
        self.until("the checks to be waited for", async || {
            let proposal = self.proposal(id).await;
            let reason = stage(&proposal, "test")["waiting_reason"].as_str().unwrap_or_default().to_owned();
            reason.contains("check").then_some(proposal)
        })
        .await
    }
}

pub(crate) fn stage<'a>(proposal: &'a Value, name: &str) -> &'a Value {
    proposal["stages"].as_array().unwrap().iter().find(|stage| stage["name"] == name).unwrap()
}

pub(crate) fn branch(id: &str) -> String {
    format!("titan/ops/{id}")
}

/// The branch carries one commit, which is the user's change on main, and there is one pull request for it.
pub(crate) fn is_one_change(repository: &Repository<'_>, forge: &Forge, id: &str) {
    let name = branch(id);
    assert_eq!(repository.git(&["rev-list", "--count", &format!("main..{name}")]), "1");
    assert_eq!(repository.git(&["show", &format!("{name}:README.md")]), "# My Project\n\n## Deployment\n\n...");
    assert_eq!(repository.git(&["diff", "--name-only", "main", &name]), "README.md");
    let pulls = repository.pulls();
    assert_eq!(pulls.len(), 1, "{pulls:#?}");
    assert_eq!((text(&pulls[0]["branch"]), text(&pulls[0]["base"])), (name.as_str(), "main"));
    assert_eq!(forge.writes_of(&["pull.open"]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_s_call_becomes_a_pull_request() {
    let forge = Forge::github();
    let repository = repository(&forge);
    let main = repository.head("main");
    let kit = kit(&forge, &[("TITAN_OPS_CHECKS", "required")]);
    let _worker = kit.worker();
    let (id, run) = kit.propose(PROPOSAL).await;

    // Without a check nothing is known, and it sleeps.
    let waiting = kit.awaits_checks(&id).await;
    assert_eq!((text(&waiting["state"]), text(&stage(&waiting, "test")["waiting_on"])), ("running", "event"));
    assert!(repository.pulls().is_empty());
    let commit = text(&stage(&waiting, "patch")["evidence"]["commit"]).to_owned();
    assert_eq!(repository.head(&branch(&id)), Some(commit.clone()));
    repository.check(
        &commit,
        &json!([{"name": "build", "status": "completed", "conclusion": "success", "summary": "fine"}]),
        &json!([]),
    );

    let proposal = kit.asks(&id, "merge").await;
    is_one_change(&repository, &forge, &id);
    assert_eq!(repository.head("main"), main, "nobody has merged it");
    assert_eq!(text(&proposal["state"]), "waiting_for_approval");
    assert_eq!(proposal["asks"]["subject"], json!(commit));
    let diff = &stage(&proposal, "diff")["evidence"];
    assert_eq!((text(&diff["risk"]), text(&diff["now_item"])), ("low", "Update README"));
    assert_eq!((text(&diff["files"][0]["path"]), text(&diff["files"][0]["verdict"])), ("README.md", "allowed"));
    let tests = &stage(&proposal, "test")["evidence"];
    assert_eq!(tests["commands"].as_array().map(Vec::len), Some(2));
    assert_eq!(text(&tests["checks"]["checks"][0]["state"]), "passed");
    let pull = &repository.pulls()[0];
    assert_eq!(stage(&proposal, "pull request")["evidence"]["number"], pull["number"]);
    for told in [
        "Add deployment instructions",
        "Update README",
        "Risk: low",
        "README.md",
        "grep -q Deployment",
        "check build: passed",
    ] {
        assert!(text(&pull["body"]).contains(told), "{told}: {}", text(&pull["body"]));
    }
    let message = repository.git(&["log", "-1", "--format=%B", &branch(&id)]);
    assert!(message.starts_with("Update README\n\nAdd deployment instructions\n\nTitan-Proposal: "), "{message}");
    let effects = kit.items(&format!("/api/ops/proposals/{id}/effects")).await;
    assert!(effects.iter().all(|effect| !effect["receipt"].is_null()), "{effects:#?}");

    // What a person is shown as the change.
    let outputs = kit.items(&format!("/api/runs/{run}/artifacts")).await;
    let shown = kit.client.get(&format!("/api/artifacts/{}/content", text(&outputs[0]["id"]))).await;
    assert!(shown.text.contains("+## Deployment"), "{}", shown.text);
    let log = kit.log(&run).await.join("\n");
    assert!(!log.contains(TOKEN) && !log.contains(OPS_TOKEN));

    // Nowhere to deploy to: it ends with the merge.
    kit.promote(&id, &run).await;
    let proposal = kit.proposal(&id).await;
    assert_eq!((text(&proposal["state"]), &proposal["rollout"]), ("done", &Value::Null));
    assert_eq!(repository.git(&["show", "main:README.md"]), "# My Project\n\n## Deployment\n\n...");
    assert_eq!(repository.head(&branch(&id)), None, "the branch is gone with the merge");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_breaks_a_rule_or_a_test_comes_to_nothing() {
    let forge = Forge::github();
    let repository = repository(&forge);
    let first = repository.head("main").unwrap();
    let kit = kit(&forge, &[]);
    let _worker = kit.worker();
    let propose = |title: &str, now: Option<&str>, base: Option<&str>, patch: Value| {
        json!({"title": title, "now": now, "base": base, "patches": [patch]}).to_string()
    };
    let fails = async |body: String| {
        let (id, run) = kit.propose(&body).await;
        (id, kit.failed(&run).await)
    };
    let readme = |content: &str| json!({"path": "README.md", "content": content});
    let now = Some("Update README");

    let (_, why) = fails(propose("Something else", None, None, readme("# Deployment\n"))).await;
    assert!(why.contains("under \"Now\"") && why.contains("Update README"), "{why}");
    let (_, why) = fails(propose("x", now, None, json!({"path": "docs/none.md", "delete": true}))).await;
    assert!(why.contains("docs/none.md") || why.contains("patches[0]"), "{why}");
    let (_, why) = fails(propose("x", now, Some(&"a".repeat(40)), readme("# Deployment\n"))).await;
    assert!(why.contains(&"a".repeat(40)), "{why}");
    // Others have written there since.
    let _ = repository.push("main", &[("docs/a.md", Some("one\nTWO\nthree\n"))]);
    let (_, why) =
        fails(propose("y", now, Some(&first), json!({"path": "docs/a.md", "content": "one\n2\nthree\n"}))).await;
    assert!(why.contains("docs/a.md") && why.contains("does not fit"), "{why}");
    assert!(forge.writes_of(&["ref.create", "commit", "pull.open"]).is_empty(), "{:#?}", forge.writes());

    let (id, why) = fails(propose("z", now, None, readme("# No word of it\n"))).await;
    assert!(why.contains("grep -q Deployment README.md"), "{why}");
    assert!(repository.head(&branch(&id)).is_some() && repository.pulls().is_empty());
    // What does not touch what others changed is brought onto it.
    let (id, _) = kit.propose(&propose("w", now, Some(&first), readme("# Deployment\n"))).await;
    kit.asks(&id, "merge").await;
    assert_eq!(repository.git(&["show", &format!("{}:docs/a.md", branch(&id))]), "one\nTWO\nthree");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_meanwhile_ends_it_with_a_reason() {
    let forge = Forge::github();
    let repository = repository(&forge);
    let kit = kit(&forge, &[("TITAN_OPS_CHECKS", "required")]);
    let _worker = kit.worker();
    let of = |number: usize| PROPOSAL.replace("...", &format!("Step {number}"));

    let (pushed, pushed_run) = kit.propose(&of(1)).await;
    let (failing, failing_run) = kit.propose(&of(2)).await;
    kit.awaits_checks(&pushed).await;
    let waiting = kit.awaits_checks(&failing).await;
    let _ = repository.push(&branch(&pushed), &[("README.md", Some("# Mine\n"))]);
    let why = kit.failed(&pushed_run).await;
    assert!(why.contains(&branch(&pushed)) && why.contains("somebody else has moved it"), "{why}");

    let commit = text(&stage(&waiting, "patch")["evidence"]["commit"]);
    let failed = json!([{"name": "lint", "status": "completed", "conclusion": "failure", "summary": "two spaces"}]);
    repository.check(commit, &failed, &json!([]));
    let why = kit.failed(&failing_run).await;
    assert!(why.contains("\"lint\"") && why.contains("failed"), "{why}");
    assert!(repository.pulls().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_forge_reports_is_looked_at_at_once() {
    let forge = Forge::github();
    let repository = repository(&forge);
    let kit = kit(&forge, &[("TITAN_OPS_CHECKS", "required"), ("GITHUB_WEBHOOK_SECRET", WEBHOOK_SECRET)]);
    let _worker = kit.worker();
    let (id, run) = kit.propose(PROPOSAL).await;
    let commit = text(&stage(&kit.awaits_checks(&id).await, "patch")["evidence"]["commit"]).to_owned();
    let asleep = format!("WHERE run_id = '{run}' AND state = 'scheduled'");
    kit.until("the step to be far from looking by itself", async || {
        kit.db.execute(&format!("UPDATE jobs SET run_at = now() + interval '1 hour' {asleep}"));
        (kit.db.count(&format!("SELECT count(*) FROM jobs {asleep}")) == 1).then_some(())
    })
    .await;
    let failed = json!([{"name": "lint", "status": "completed", "conclusion": "failure", "summary": "two spaces"}]);
    repository.check(&commit, &failed, &json!([]));

    let began = Instant::now();
    let run_of_check = json!({"status": "completed", "conclusion": "failure", "head_sha": commit, "pull_requests": []});
    kit.hears(&id, "check_run", json!({"action": "completed", "check_run": run_of_check})).await;
    let why = kit.failed(&run).await;
    let took = began.elapsed();
    assert!(why.contains("\"lint\"") && took < Duration::from_secs(10), "{took:?}: {why}");
    let log = kit.log(&run).await.join("\n");
    assert!(log.contains("Step test looks again: there is news from outside"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_closed_while_an_approval_is_waited_for_ends_at_once() {
    let forge = Forge::github();
    let repository = repository(&forge);
    let kit = kit(&forge, &[("GITHUB_WEBHOOK_SECRET", WEBHOOK_SECRET)]);
    let _worker = kit.worker();
    let (id, run) = kit.propose(PROPOSAL).await;
    kit.asks(&id, "merge").await;
    repository.close(repository.pulls()[0]["number"].as_u64().unwrap());
    // By itself it would look in half an hour.
    let began = Instant::now();
    let head = json!({"ref": branch(&id)});
    kit.hears(&id, "pull_request", json!({"action": "closed", "pull_request": {"head": head}})).await;
    let why = kit.failed(&run).await;
    let took = began.elapsed();
    assert!(why.contains("somebody has closed pull request") && took < Duration::from_secs(10), "{took:?}: {why}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forge_in_trouble_is_waited_for() {
    let forge = Forge::github();
    let repository = repository(&forge);
    let kit = kit(&forge, &[]);
    let _worker = kit.worker();
    forge.fault(&json!({"kind": "secondary", "method": "POST", "path": "/graphql", "retry_after": 3}));
    forge.fault(&json!({"kind": "status", "path": "/pulls", "status": 503, "times": 4}));
    let (id, run) = kit.propose(PROPOSAL).await;
    kit.asks(&id, "merge").await;
    is_one_change(&repository, &forge, &id);
    assert_eq!(forge.faults_left(), 0);
    let log = kit.log(&run).await.join("\n");
    assert!(log.contains("Waiting 3.0 s") || log.contains("Waiting 4.0 s"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_killed_wherever_and_replies_that_are_lost_make_one_change() {
    let forge = Forge::github();
    let repository = repository(&forge);
    let kit = kit(&forge, &[]);
    // Each is done, and nobody hears of it.
    for path in ["/git/refs", "/graphql", "/pulls$"] {
        forge.fault(&json!({"kind": "cut_after", "method": "POST", "path": path}));
    }
    let mut worker = kit.worker();
    let (id, run) = kit.propose(PROPOSAL).await;
    for pause in [50, 200, 400, 700, 1100] {
        tokio::time::sleep(Duration::from_millis(pause)).await;
        worker.kill();
        worker = kit.worker();
    }
    kit.asks(&id, "merge").await;
    is_one_change(&repository, &forge, &id);
    kit.promote(&id, &run).await;
    assert_eq!(forge.writes_of(&["pull.merge"]).len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_forgejo_does_as_well() {
    let forge = Forge::forgejo();
    let repository = repository(&forge);
    let url = forge.url();
    let kit = kit_at(&forgejo(&url), &[]);
    let _worker = kit.worker();
    let (id, run) = kit.propose(PROPOSAL).await;
    kit.asks(&id, "merge").await;
    is_one_change(&repository, &forge, &id);
    kit.promote(&id, &run).await;
    assert_eq!(repository.git(&["show", "main:README.md"]), "# My Project\n\n## Deployment\n\n...");
    assert_eq!(repository.head(&branch(&id)), None);
}
