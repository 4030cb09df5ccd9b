//! Exactly what was looked at is merged, or nothing, and it is said why not.

use serde_json::json;
use titan_ops::forge::{Forge, ForgeError, MergeMethod};

use crate::site::{BRANCH, Site};

async fn refusal(site: &Site, number: u64, head: &str) -> ForgeError {
    let before = site.git(&["rev-parse", "refs/heads/main"]);
    let error = site.github().merge(number, head, MergeMethod::Squash, "x").await.unwrap_err();
    assert_eq!(site.git(&["rev-parse", "refs/heads/main"]), before);
    error
}

#[tokio::test]
async fn a_head_that_moved_is_not_merged() {
    let site = Site::start();
    let (head, number) = site.opened(&site.github()).await;
    let human = site.push(BRANCH, "by-hand.txt", "hello\n");
    let moved = ForgeError::Moved { branch: BRANCH.to_owned(), expected: head.clone(), found: human };
    assert_eq!(refusal(&site, number, &head).await, moved);
}

#[tokio::test]
async fn rules_conflicts_and_closed_pull_requests_are_told_apart() {
    let site = Site::start();
    let (head, number) = site.opened(&site.github()).await;
    let rule = "Required status check \"test\" is expected.";
    site.control("protect", json!({ "repo": "ida/tea", "message": rule }));
    let error = refusal(&site, number, &head).await;
    assert!(matches!(&error, ForgeError::NotMergeable(why) if why.contains(rule)), "{error:?}");
    site.control("protect", json!({ "repo": "ida/tea", "message": null }));
    site.push("main", "docs/tea.md", "Another tea.\n");
    let error = refusal(&site, number, &head).await;
    assert!(matches!(&error, ForgeError::NotMergeable(why) if why.contains("cannot be merged")), "{error:?}");
    site.control("close", json!({ "repo": "ida/tea", "number": number }));
    let error = refusal(&site, number, &head).await;
    assert!(matches!(&error, ForgeError::NotMergeable(why) if why.contains("is closed")), "{error:?}");
    assert!(matches!(refusal(&site, 99, &head).await, ForgeError::NotFound(_)));
}

#[tokio::test]
async fn a_merge_keeps_both_parents_where_that_is_wanted() {
    let site = Site::start();
    let github = site.github();
    let (head, number) = site.opened(&github).await;
    let base = site.push("main", "by-hand.txt", "hello\n");
    let merged = github.merge(number, &head, MergeMethod::Merge, "Merge it").await.unwrap();
    assert_eq!(site.git(&["log", "-1", "--format=%P", &merged]), format!("{base} {head}"));
}
