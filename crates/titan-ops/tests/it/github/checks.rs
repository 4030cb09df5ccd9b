//! Checks of all pages, by name, the newest of each.

use serde_json::{Value, json};
use titan_ops::forge::{Check, CheckState, Forge};

use crate::site::Site;

fn set(site: &Site, runs: Vec<Value>, statuses: Vec<Value>) {
    site.control("checks", json!({ "repo": "ida/tea", "sha": site.main, "runs": runs, "statuses": statuses }));
}

async fn checks(site: &Site) -> Vec<Check> {
    site.github().checks(&site.main).await.unwrap().checks
}

fn named<'a>(checks: &'a [Check], name: &str) -> &'a Check {
    checks.iter().find(|check| check.name == name).unwrap_or_else(|| panic!("no {name} in {checks:?}"))
}

#[tokio::test]
async fn runs_and_statuses_stand_side_by_side() {
    let site = Site::start();
    let run = |name: &str, status: &str, conclusion: Option<&str>| json!({ "name": name, "status": status, "conclusion": conclusion });
    let status = |context: &str, state: &str| json!({ "context": context, "state": state, "description": format!("{context} says {state}") });
    let runs = vec![
        run("test", "completed", Some("failure")),
        run("lint", "in_progress", None),
        run("docs", "completed", Some("skipped")),
        run("test", "completed", Some("success")),
    ];
    set(&site, runs, vec![status("deploy", "pending"), status("cover", "failure"), status("deploy", "success")]);
    let found = checks(&site).await;
    assert_eq!(found.len(), 5);
    assert_eq!(named(&found, "test").state, CheckState::Passed);
    assert_eq!(named(&found, "lint").state, CheckState::Pending);
    assert_eq!(named(&found, "lint").finished_at, None);
    assert_eq!(named(&found, "docs").state, CheckState::Neutral);
    assert_eq!(named(&found, "deploy").state, CheckState::Passed);
    assert_eq!(
        (named(&found, "cover").state, named(&found, "cover").summary.as_str()),
        (CheckState::Failed, "cover says failure")
    );
}

#[tokio::test]
async fn the_one_that_failed_may_be_on_the_last_page() {
    let site = Site::start();
    let passed = |n: usize| json!({ "name": format!("part {n}"), "status": "completed", "conclusion": "success" });
    let runs = std::iter::once(json!({ "name": "first", "status": "completed", "conclusion": "failure" }))
        .chain((0..220).map(passed));
    let statuses = std::iter::once(json!({ "context": "oldest", "state": "error" }));
    let statuses = statuses.chain((0..120).map(|n| json!({ "context": format!("status {n}"), "state": "success" })));
    set(&site, runs.collect(), statuses.collect());
    let found = checks(&site).await;
    assert_eq!(found.len(), 221 + 121);
    let failed: Vec<_> =
        found.iter().filter(|check| check.state == CheckState::Failed).map(|check| check.name.as_str()).collect();
    assert_eq!(failed, ["first", "oldest"]);
}
