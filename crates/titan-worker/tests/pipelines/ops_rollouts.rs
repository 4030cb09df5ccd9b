//! Proposals from the pull request to production and back: real daemons of Titan as production and canary, a GitHub over a real
//! repository, and people who decide.

use serde_json::{Value, json};
use titan_testkit::client::text;
use titan_testkit::forge::Forge;

use crate::ops::{PROPOSAL, branch, is_one_change, stage};
use crate::ops_site::{Site, harmed};

/// What reviewers are told.
fn told(site: &Site<'_>) -> String {
    let comments = site.repository.comments(1);
    assert_eq!(comments.len(), 1, "one comment, written anew: {comments:#?}");
    text(&comments[0]["body"]).to_owned()
}

/// Each deployment was meant once, and it is known what came of it.
async fn each_effect_is_known(site: &Site<'_>, id: &str) -> Vec<Value> {
    let effects = site.kit.items(&format!("/api/ops/proposals/{id}/effects")).await;
    assert!(effects.iter().all(|effect| !effect["receipt"].is_null()), "{effects:#?}");
    effects
}

#[tokio::test(flavor = "multi_thread")]
async fn the_user_s_call_comes_to_production_and_can_be_taken_back() {
    let forge = Forge::github();
    let site = Site::new(&forge);
    let kit = &site.kit;
    let _worker = kit.worker();
    assert_eq!(site.production().await.as_deref(), Some(site.first.as_str()));
    let (id, run) = kit.propose(PROPOSAL).await;

    let asking = kit.asks(&id, "merge").await;
    is_one_change(&site.repository, &forge, &id);
    let canary = &stage(&asking, "canary")["evidence"];
    assert_eq!(text(&canary["phase"]), "success", "{canary:#}");
    assert_eq!(text(&asking["rollout"]["state"]), "approval");
    assert_eq!(asking["rollout"]["last_good"], json!(site.first));
    let analysis = &asking["rollout"]["analysis"];
    assert_eq!((text(&analysis["phase"]), analysis["metrics"].as_array().map(Vec::len)), ("success", Some(3)));
    assert!(told(&site).contains("it waits for an approval") && told(&site).contains("| server-errors | success |"));
    assert_eq!(site.production().await.as_deref(), Some(site.first.as_str()), "nobody has approved it");

    // Not by who proposed it, and not of something else.
    let body = json!({"subject": asking["asks"]["subject"]});
    let token = kit.client.request(reqwest::Method::POST, &format!("/api/ops/proposals/{id}/approve"));
    let refused = kit.client.send(token.header("X-OPS-TOKEN", crate::ops::OPS_TOKEN).json(&body)).await.expect(409);
    assert!(text(&refused["detail"]).contains("You proposed this"), "{refused}");
    let other = kit.order(&id, "approve", &json!({"subject": "0".repeat(40)})).await;
    assert_eq!(other.status, 412, "{}", other.text);

    kit.promote(&id, &run).await;
    let proposal = kit.proposal(&id).await;
    let merged = site.repository.head("main").unwrap();
    assert_eq!(text(&proposal["state"]), "done");
    assert_eq!(
        (&proposal["rollout"]["state"], &proposal["rollout"]["merged_as"]),
        (&json!("promoted"), &json!(merged))
    );
    assert_eq!(site.repository.git(&["show", "main:README.md"]), "# My Project\n\n## Deployment\n\n...");
    assert_eq!(site.production().await, Some(merged.clone()), "production reports the new commit");
    assert!(!site.has_canary());
    assert!(told(&site).contains("Rollout: promoted"), "{}", told(&site));
    each_effect_is_known(&site, &id).await;
    let targets = kit.client.get("/api/ops/targets").await.expect(200);
    assert_eq!((&targets["items"][0]["commit"], &targets["items"][0]["ready"]), (&json!(merged), &json!(true)));

    // By hand, any time: first what people use, then a pull request that takes it back; what is done, nobody hears of.
    for path in ["/git/refs", "/graphql", "/pulls$"] {
        forge.fault(&json!({"kind": "cut_after", "method": "POST", "path": path}));
    }
    let ordered = kit.order(&id, "rollback", &json!({"reason": "the wording"})).await.expect(200);
    kit.completed(text(&ordered["run_id"])).await;
    assert_eq!(site.production().await.as_deref(), Some(site.first.as_str()));
    let proposal = kit.proposal(&id).await;
    assert_eq!(text(&proposal["state"]), "rolled_back", "{proposal:#}");
    let pulls = site.repository.pulls();
    assert_eq!((pulls.len(), text(&pulls[1]["branch"])), (2, format!("{}-revert", branch(&id)).as_str()));
    assert_eq!(site.repository.git(&["diff", "--name-only", &site.first, text(&pulls[1]["branch"])]), "");
    assert_eq!(site.repository.head("main"), Some(merged), "a person merges it");
    let again = kit.order(&id, "rollback", &json!({})).await;
    assert_eq!(again.status, 409, "{}", again.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn production_rolls_itself_out_and_back() {
    let forge = Forge::github();
    let site = Site::of_itself(&forge);
    let kit = &site.kit;
    let (id, run) = kit.propose(PROPOSAL).await;
    // The worker that deploys is stopped by that; the one that comes up goes on with it.
    kit.promote(&id, &run).await;
    assert_eq!(site.production().await, site.repository.head("main"));
    assert_eq!(text(&kit.proposal(&id).await["state"]), "done");
    each_effect_is_known(&site, &id).await;
    let ordered = kit.order(&id, "rollback", &json!({})).await.expect(200);
    kit.completed(text(&ordered["run_id"])).await;
    assert_eq!(site.production().await.as_deref(), Some(site.first.as_str()));
    assert_eq!((text(&kit.proposal(&id).await["state"]), site.repository.pulls().len()), ("rolled_back", 2));
    let targets = kit.client.get("/api/ops/targets").await.expect(200);
    assert_eq!(targets["items"][0]["commit"], json!(site.first), "asked by whoever runs there");
    each_effect_is_known(&site, &id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_build_never_comes_to_production() {
    for (how, why) in [
        ("never-ready", "does not come up"),
        ("errors", "probe-errors: 2 of"),
        ("slow", "probe-latency: worse than the baseline"),
    ] {
        let forge = Forge::github();
        let site = Site::new(&forge);
        let _worker = site.kit.worker();
        let (id, run) = site.propose_api(&harmed(how)).await;
        let error = site.kit.failed(&run).await;
        assert!(error.contains(why), "{how}: {error}");
        let rollout = site.rolled_out(&id).await;
        assert_eq!(text(&rollout["state"]), "rolled_back", "{how}: {rollout:#}");
        assert_eq!(site.production().await.as_deref(), Some(site.first.as_str()), "{how}");
        assert!(!site.has_canary(), "{how}");
        let pull = &site.repository.pulls()[0];
        assert_eq!(text(&pull["state"]), "closed", "{how}: {pull:#}");
        assert!(told(&site).contains(why), "{how}: {}", told(&site));
        assert_eq!(site.repository.head("main").as_deref(), Some(site.first.as_str()), "{how}");
        // What was rolled back is proposed anew, not run again.
        let task = site.kit.client.post(&format!("/api/tasks/{id}/execute"), &json!({})).await.expect(200);
        let again = site.kit.failed(text(&task["run_id"])).await;
        assert!(again.contains("somebody has closed pull request 1"), "{how}: {again}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_asked_is_inconclusive_and_waits_for_a_person() {
    let forge = Forge::github();
    let site = Site::quiet(&forge);
    let kit = &site.kit;
    let _worker = kit.worker();
    let (id, run) = kit.propose(PROPOSAL).await;
    let asking = kit.asks(&id, "canary").await;
    assert_eq!(text(&asking["rollout"]["state"]), "paused");
    assert!(text(&asking["asks"]["question"]).contains("inconclusive"), "{asking:#}");
    assert!(told(&site).contains("inconclusive"), "{}", told(&site));
    assert_eq!(site.production().await.as_deref(), Some(site.first.as_str()));
    // It is looked at again, and is so again.
    let _ = kit.order(&id, "resume", &json!({})).await.expect(200);
    kit.until("another analysis", async || {
        let proposal = kit.proposal(&id).await;
        let more = proposal["stages"][4]["attempt"].as_i64() > asking["stages"][4]["attempt"].as_i64();
        (more && proposal["asks"]["gate"] == "canary").then_some(())
    })
    .await;
    // A person takes it on themselves, once for both.
    kit.approve(&kit.proposal(&id).await).await;
    kit.completed(&run).await;
    assert_eq!(site.production().await, site.repository.head("main"));
    let proposal = kit.proposal(&id).await;
    assert_eq!(stage(&proposal, "canary")["evidence"]["approved_by"], "local");
}

#[tokio::test(flavor = "multi_thread")]
async fn people_pause_reject_and_close() {
    let forge = Forge::github();
    let site = Site::new(&forge);
    let kit = &site.kit;
    let _worker = kit.worker();
    let (first, first_run) = kit.propose(PROPOSAL).await;
    let asking = kit.asks(&first, "merge").await;
    let (second, second_run) = kit.propose(&PROPOSAL.replace("...", "Step 2")).await;

    // One at a time: the other one waits, and says for what.
    let waits = kit
        .until("the second one to wait", async || {
            let proposal = kit.proposal(&second).await;
            let reason = stage(&proposal, "canary")["waiting_reason"].as_str().map(str::to_owned);
            reason.filter(|reason| reason.contains("is taken by"))
        })
        .await;
    assert!(waits.contains("Update README"), "{waits}");

    let paused = kit.order(&first, "pause", &json!({})).await.expect(200);
    assert_eq!(text(&paused["rollout"]["paused_by"]), "local");
    kit.until("it to stand still", async || {
        let proposal = kit.proposal(&first).await;
        (proposal["rollout"]["state"] == "paused" && proposal["asks"].is_null()).then_some(())
    })
    .await;
    let _ = kit.order(&first, "resume", &json!({})).await.expect(200);
    kit.asks(&first, "merge").await;

    let body = json!({"subject": asking["asks"]["subject"], "comment": "not like this"});
    let _ = kit.order(&first, "reject", &body).await.expect(200);
    let rollout = site.rolled_out(&first).await;
    assert_eq!(text(&rollout["state"]), "rolled_back");
    assert!(text(&rollout["reason"]).contains("not like this"), "{rollout:#}");
    assert_eq!(text(&kit.ended(&first_run).await["status"]), "canceled");
    assert_eq!(text(&kit.proposal(&first).await["state"]), "rejected");
    assert_eq!(text(&site.repository.pulls()[0]["state"]), "closed");

    // Now it is the other one's turn, which somebody closes at the forge.
    let asking = kit.asks(&second, "merge").await;
    site.repository.close(2);
    kit.approve(&asking).await;
    let why = kit.failed(&second_run).await;
    assert!(why.contains("somebody has closed pull request 2"), "{why}");
    assert_eq!(text(&site.rolled_out(&second).await["state"]), "rolled_back");
    assert_eq!(site.production().await.as_deref(), Some(site.first.as_str()));
    assert!(!site.has_canary());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_moves_is_tested_again_before_the_merge() {
    let forge = Forge::github();
    let site = Site::new(&forge);
    let kit = &site.kit;
    let _worker = kit.worker();
    let (id, run) = kit.propose(PROPOSAL).await;
    let asking = kit.asks(&id, "merge").await;
    let _ = site.repository.push("main", &[("docs/a.md", Some("another\n"))]);
    kit.approve(&asking).await;
    kit.completed(&run).await;
    assert!(kit.log(&run).await.join("\n").contains("the merge is tested again"));
    assert_eq!(site.repository.git(&["show", "main:docs/a.md"]), "another");
    assert_eq!(site.production().await, site.repository.head("main"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_risky_asks_before_it_leaves_the_house() {
    let forge = Forge::github();
    let site = Site::with(
        &forge,
        "interval: 300ms\nsamples: 1\nmetrics:\n  - {name: up, source: {prometheus: {value: {name: titan_database_up}}}, direction: higher_is_better, success: '>= 1'}\n",
        &[("TITAN_OPS_AUTO_PR", "low"), ("TITAN_OPS_MERGE", "auto")],
    );
    let kit = &site.kit;
    let _worker = kit.worker();
    let (id, _) = site.propose_api(&format!("{}# more\n", crate::ops_site::GOOD)).await;
    let asking = kit.asks(&id, "pull_request").await;
    assert_eq!(asking["asks"]["subject"], stage(&asking, "diff")["evidence"]["tree"]);
    assert!(site.repository.head(&branch(&id)).is_none() && site.repository.pulls().is_empty());
    kit.approve(&asking).await;
    // That was about the change, not about its merge.
    kit.asks(&id, "merge").await;
    let rollback = kit.order(&id, "rollback", &json!({})).await.expect(200);
    kit.completed(text(&rollback["run_id"])).await;
    assert_eq!(text(&kit.proposal(&id).await["state"]), "rolled_back");
    // What is of low risk and does well needs nobody, where the settings say so.
    let (_, run) = kit.propose(PROPOSAL).await;
    kit.completed(&run).await;
    assert_eq!(site.production().await, site.repository.head("main"));
    // And a change that nobody wants before it has a pull request just ends.
    let (id, run) = site.propose_api(&format!("{}# even more\n", crate::ops_site::GOOD)).await;
    let asking = kit.asks(&id, "pull_request").await;
    let _ = kit.order(&id, "reject", &json!({"subject": asking["asks"]["subject"]})).await.expect(200);
    assert_eq!(text(&kit.ended(&run).await["status"]), "canceled");
    assert_eq!(text(&kit.proposal(&id).await["state"]), "rejected");
}
