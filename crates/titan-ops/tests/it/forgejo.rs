//! Forgejo behind the same trait, against a fake over a real bare repository.

use std::time::Duration;

use serde_json::json;
use titan_ops::forge::settings::Timeouts;
use titan_ops::forge::{CheckState, Forge, ForgeError, MergeMethod, NewCommit, NewFile, NewPullRequest, PullState};

use crate::site::{BRANCH, Site, commit, executable, file};

#[tokio::test]
async fn a_change_lives_from_branch_to_merge() {
    let site = Site::start_forgejo();
    let forgejo = site.forgejo();
    let about = forgejo.about().await.unwrap();
    assert_eq!((about.default_branch.as_str(), about.can_write), ("main", true));
    assert_eq!(forgejo.head("main").await.unwrap(), Some(site.main.clone()));
    assert_eq!(forgejo.head(BRANCH).await.unwrap(), None);
    assert_eq!(forgejo.pull_request(BRANCH).await.unwrap(), None);

    let new = commit(&site.main, vec![file("docs/tea.md", "Brew it.\n"), file("README.md", "# Tea\n")], &["old.txt"]);
    let head = forgejo.commit(&new).await.unwrap();
    assert_eq!(forgejo.head(BRANCH).await.unwrap(), Some(head.clone()));
    assert_eq!(site.tree(&head), site.tree_by_git(&new));
    assert_eq!(site.git(&["log", "-1", "--format=%B", &head]), "Brew tea\n\nBecause it is cold.");

    let (branch, base) = (BRANCH.to_owned(), "main".to_owned());
    let pull = NewPullRequest { branch, base, title: "Brew tea".to_owned(), body: "A plan".to_owned() };
    let opened = forgejo.open(&pull).await.unwrap();
    assert_eq!((opened.state, opened.head.as_str(), opened.base.as_str()), (PullState::Open, head.as_str(), "main"));
    let again = forgejo.open(&NewPullRequest { body: "A better plan".to_owned(), ..pull }).await.unwrap();
    assert_eq!((again.number, again.body.as_str()), (opened.number, "A better plan"));
    assert_eq!(forgejo.pull_request(BRANCH).await.unwrap(), Some(again));

    for text in ["It begins", "It goes on", "It goes on"] {
        forgejo.comment(opened.number, "rollout", text).await.unwrap();
    }
    assert_eq!(site.comments(opened.number), ["<!-- titan:rollout -->\nIt goes on"]);

    assert!(forgejo.checks(&head).await.unwrap().checks.is_empty());
    let statuses: Vec<_> = (0..70).map(|n| json!({ "context": format!("part {n}"), "state": "success" })).collect();
    site.control("checks", json!({ "repo": "ida/tea", "sha": head, "statuses": statuses }));
    site.control(
        "checks",
        json!({ "repo": "ida/tea", "sha": head, "statuses": [{ "context": "part 0", "state": "failure" }] }),
    );
    let checks = forgejo.checks(&head).await.unwrap().checks;
    assert_eq!(checks.len(), 70);
    let failed: Vec<_> =
        checks.iter().filter(|check| check.state != CheckState::Passed).map(|check| check.name.as_str()).collect();
    assert_eq!(failed, ["part 0"]);

    let merged = forgejo.merge(opened.number, &head, MergeMethod::Squash, "Brew tea (#1)").await.unwrap();
    assert_eq!(site.git(&["rev-parse", "refs/heads/main"]), merged);
    assert_eq!(site.tree(&merged), site.tree(&head));
    assert_eq!(forgejo.merge(opened.number, &head, MergeMethod::Squash, "x").await.unwrap(), merged);
    forgejo.close(opened.number).await.unwrap();
    forgejo.remove_branch(BRANCH, &head).await.unwrap();
    forgejo.remove_branch(BRANCH, &head).await.unwrap();
    let pull = forgejo.pull_request(BRANCH).await.unwrap().unwrap();
    assert_eq!((pull.state, pull.merged_as), (PullState::Merged, Some(merged)));
}

#[tokio::test]
async fn a_program_stays_one_and_none_is_made() {
    let site = Site::start_forgejo();
    let forgejo = site.forgejo();
    let new = commit(&site.main, vec![executable("scripts/go.sh", "#!/bin/sh\necho tea\n")], &[]);
    let head = forgejo.commit(&new).await.unwrap();
    assert_eq!(site.tree(&head), site.tree_by_git(&new));
    for odd in [executable("new.sh", ""), file("scripts/go.sh", ""), file("link", "")] {
        let error = forgejo.commit(&commit(&head, vec![odd], &[])).await.unwrap_err();
        assert!(matches!(&error, ForgeError::Refused(why) if why.contains("push that by git")), "{error:?}");
    }
    let binary = NewFile { path: "b.dat".to_owned(), content: (0..=255).collect(), executable: false };
    let new = NewCommit { branch: "titan/ops/8".to_owned(), ..commit(&site.main, vec![binary], &["docs/old.md"]) };
    let head = forgejo.commit(&new).await.unwrap();
    assert_eq!(site.tree(&head), site.tree_by_git(&new));
}

#[tokio::test]
async fn nobody_is_written_over_and_nothing_else_is_merged() {
    let site = Site::start_forgejo();
    let forgejo = site.forgejo();
    let (head, number) = site.opened(&forgejo).await;
    let human = site.push(BRANCH, "by-hand.txt", "hello\n");
    let moved = ForgeError::Moved { branch: BRANCH.to_owned(), expected: head.clone(), found: human.clone() };
    assert_eq!(forgejo.commit(&commit(&head, vec![file("a.md", "")], &[])).await.unwrap_err(), moved);
    assert_eq!(forgejo.merge(number, &head, MergeMethod::Squash, "x").await.unwrap_err(), moved);
    assert_eq!(forgejo.remove_branch(BRANCH, &head).await.unwrap_err(), moved);
    site.control("protect", json!({ "repo": "ida/tea", "message": "Not all required status checks successful" }));
    let error = forgejo.merge(number, &human, MergeMethod::Squash, "x").await.unwrap_err();
    assert!(matches!(&error, ForgeError::NotMergeable(why) if why.contains("status checks")), "{error:?}");
    forgejo.close(number).await.unwrap();
    let error = forgejo.merge(number, &human, MergeMethod::Squash, "x").await.unwrap_err();
    assert!(matches!(&error, ForgeError::NotMergeable(why) if why.contains("is closed")), "{error:?}");
    assert_eq!(site.git(&["rev-parse", "refs/heads/main"]), site.main);
}

#[tokio::test]
async fn what_was_lost_is_found_again() {
    let site = Site::start_forgejo();
    let forgejo = site.forgejo();
    let new = commit(&site.main, vec![file("a.md", "tea\n")], &[]);
    let is_unavailable = |error: ForgeError| assert!(matches!(error, ForgeError::Unavailable(_)), "{error:?}");
    site.fault(json!({ "kind": "cut_after", "method": "POST", "path": "/branches$" }));
    is_unavailable(forgejo.commit(&new).await.unwrap_err());
    site.fault(json!({ "kind": "cut_after", "method": "POST", "path": "/contents$" }));
    is_unavailable(forgejo.commit(&new).await.unwrap_err());
    let head = forgejo.head(BRANCH).await.unwrap().unwrap();
    assert_eq!(site.tree(&head), site.tree_by_git(&new));
    site.fault(json!({ "kind": "cut_after", "method": "POST", "path": "/pulls$" }));
    let (branch, base) = (BRANCH.to_owned(), "main".to_owned());
    let pull = NewPullRequest { branch, base, title: "Tea".to_owned(), body: String::new() };
    is_unavailable(forgejo.open(&pull).await.unwrap_err());
    let number = forgejo.open(&pull).await.unwrap().number;
    assert_eq!(number, 1);
    site.fault(json!({ "kind": "cut_after", "method": "POST", "path": "/merge$" }));
    is_unavailable(forgejo.merge(number, &head, MergeMethod::Squash, "Tea").await.unwrap_err());
    let merged = forgejo.merge(number, &head, MergeMethod::Squash, "Tea").await.unwrap();
    assert_eq!(site.git(&["rev-parse", "refs/heads/main"]), merged);
    assert_eq!(site.faults_left(), 0);
}

#[tokio::test]
async fn trouble_and_wrong_access_are_told_apart() {
    let site = Site::start_forgejo();
    let timeouts = Timeouts { whole: Duration::from_secs(2), ..Timeouts::default() };
    let forgejo = site.forgejo_with("ida/tea", "a-wrong-token", timeouts);
    let error = forgejo.about().await.unwrap_err();
    assert!(matches!(&error, ForgeError::Denied(why) if why.contains("FORGEJO_TOKEN")), "{error:?}");
    assert!(!format!("{error:?} {forgejo:?}").contains("a-wrong-token"), "{error:?}");
    let token = "ghp_0123456789abcdefghij0123456789abcdef";
    let elsewhere = site.forgejo_with("ida/coffee", token, timeouts);
    let error = elsewhere.head("main").await.unwrap_err();
    assert!(matches!(&error, ForgeError::NotFound(why) if why.contains("FORGEJO_REPO")), "{error:?}");
    let forgejo = site.forgejo_with("ida/tea", token, timeouts);
    for fault in
        [json!({ "kind": "status", "status": 502 }), json!({ "kind": "hang" }), json!({ "kind": "cut_before" })]
    {
        site.fault(fault.clone());
        let error = forgejo.about().await.unwrap_err();
        assert!(matches!(&error, ForgeError::Unavailable(_)), "{fault}: {error:?}");
    }
    site.fault(json!({ "kind": "too_many", "retry_after": 9 }));
    let limited = forgejo.about().await.unwrap_err();
    assert!(matches!(&limited, ForgeError::RateLimited { after, .. } if after.as_secs() == 9), "{limited:?}");
}
