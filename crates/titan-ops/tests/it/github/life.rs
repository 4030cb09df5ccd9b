//! The whole life of a change, and that each step may be taken twice.

use secrecy::ExposeSecret as _;
use serde_json::json;
use titan_ops::forge::{CheckState, Forge, MergeMethod, NewPullRequest, PullState};

use crate::site::{BRANCH, Site, commit, file};

#[tokio::test]
async fn a_change_lives_from_branch_to_merge() {
    let site = Site::start();
    let github = site.github();

    let about = github.about().await.unwrap();
    assert_eq!((about.default_branch.as_str(), about.can_write), ("main", true));
    assert!(about.page.ends_with("/ida/tea"), "{}", about.page);
    assert_eq!(github.head("main").await.unwrap(), Some(site.main.clone()));
    assert_eq!(github.head(BRANCH).await.unwrap(), None);
    assert_eq!(github.pull_request(BRANCH).await.unwrap(), None);

    let new = commit(&site.main, vec![file("docs/tea.md", "Brew it.\n")], &["old.txt"]);
    let head = github.commit(&new).await.unwrap();
    assert_eq!(github.head(BRANCH).await.unwrap(), Some(head.clone()));
    assert_eq!(site.git(&["log", "-1", "--format=%B", &head]), "Brew tea\n\nBecause it is cold.");
    assert_eq!(site.git(&["rev-parse", &format!("{head}^")]), site.main);
    assert_eq!(site.tree(&head), site.tree_by_git(&new));

    let pull = NewPullRequest {
        branch: BRANCH.to_owned(),
        base: "main".to_owned(),
        title: "Brew tea".to_owned(),
        body: "A plan".to_owned(),
    };
    let opened = github.open(&pull).await.unwrap();
    assert_eq!((opened.state, opened.head.as_str(), opened.base.as_str()), (PullState::Open, head.as_str(), "main"));
    assert_eq!(github.pull_request(BRANCH).await.unwrap(), Some(opened.clone()));
    // Whoever did not hear of it opens it again.
    let again = github.open(&NewPullRequest { body: "A better plan".to_owned(), ..pull }).await.unwrap();
    assert_eq!((again.number, again.body.as_str()), (opened.number, "A better plan"));
    let described = github.describe(opened.number, "Brew green tea", "The best plan").await.unwrap();
    assert_eq!((described.title.as_str(), described.body.as_str()), ("Brew green tea", "The best plan"));

    github.comment(opened.number, "rollout", "It begins").await.unwrap();
    github.comment(opened.number, "rollout", "It goes on").await.unwrap();
    github.comment(opened.number, "rollout", "It goes on").await.unwrap();
    github.comment(opened.number, "other", "Something else").await.unwrap();
    let said: Vec<_> = site.comments(opened.number);
    assert_eq!(said, ["<!-- titan:rollout -->\nIt goes on", "<!-- titan:other -->\nSomething else"]);

    assert!(github.checks(&head).await.unwrap().checks.is_empty());
    site.control("checks", json!({ "repo": "ida/tea", "sha": head, "runs": [{ "name": "test", "status": "completed", "conclusion": "success" }] }));
    assert_eq!(github.checks(&head).await.unwrap().checks[0].state, CheckState::Passed);

    let merged = github.merge(opened.number, &head, MergeMethod::Squash, "Brew green tea (#1)").await.unwrap();
    assert_eq!(github.head("main").await.unwrap(), Some(merged.clone()));
    assert_eq!(site.git(&["rev-parse", "refs/heads/main"]), merged);
    assert_eq!(site.tree(&merged), site.tree(&head));
    assert!(site.git(&["log", "-1", "--format=%s", &merged]).starts_with("Brew green tea"));
    // Whoever did not hear of it merges it again.
    assert_eq!(github.merge(opened.number, &head, MergeMethod::Squash, "x").await.unwrap(), merged);
    let pull = github.pull_request(BRANCH).await.unwrap().unwrap();
    assert_eq!((pull.state, pull.merged_as), (PullState::Merged, Some(merged)));
    github.close(opened.number).await.unwrap();

    github.remove_branch(BRANCH, &head).await.unwrap();
    github.remove_branch(BRANCH, &head).await.unwrap();
    assert_eq!(github.head(BRANCH).await.unwrap(), None);

    assert_eq!(
        site.kinds(),
        [
            "ref.create",
            "commit-on-branch",
            "pull.open",
            "pull.edit",
            "pull.edit",
            "comment.create",
            "comment.edit",
            "comment.create",
            "ref.update",
            "pull.merge",
            "ref.delete",
        ]
    );
}

#[tokio::test]
async fn a_pull_request_is_closed_once_and_a_branch_only_removed_where_it_is_known_to_stand() {
    let site = Site::start();
    let github = site.github();
    let (head, number) = site.opened(&github).await;
    github.close(number).await.unwrap();
    github.close(number).await.unwrap();
    assert_eq!(github.pull_request(BRANCH).await.unwrap().unwrap().state, PullState::Closed);
    let moved = site.push(BRANCH, "by-hand.txt", "hands off\n");
    let error = github.remove_branch(BRANCH, &head).await.unwrap_err().to_string();
    assert!(error.contains(&moved) && error.contains(&head), "{error}");
    github.remove_branch(BRANCH, &moved).await.unwrap();
    // A new one can be opened of the same branch, and the newest is the one that counts.
    let new = commit(&site.main, vec![file("docs/tea.md", "Again.\n")], &[]);
    github.commit(&new).await.unwrap();
    let (branch, base) = (BRANCH.to_owned(), "main".to_owned());
    let second =
        github.open(&NewPullRequest { branch, base, title: "Two".to_owned(), body: String::new() }).await.unwrap();
    assert_ne!(second.number, number);
    assert_eq!(github.pull_request(BRANCH).await.unwrap(), Some(second));
    assert_eq!(site.kinds().iter().filter(|kind| *kind == "pull.close").count(), 1);
}

#[tokio::test]
async fn what_is_known_already_costs_nothing() {
    let site = Site::start();
    let github = site.github();
    site.control("limit", json!({ "token": site.token.expose_secret(), "remaining": 2 }));
    for _ in 0..5 {
        assert_eq!(github.head("main").await.unwrap(), Some(site.main.clone()));
    }
    // The second of the two: a branch that moved is told anew.
    let moved = site.push("main", "by-hand.txt", "hello\n");
    assert_eq!(github.head("main").await.unwrap(), Some(moved));
    let limited = github.about().await.unwrap_err();
    assert!(
        matches!(&limited, titan_ops::forge::ForgeError::RateLimited { after, .. } if after.as_secs() > 60),
        "{limited:?}"
    );
}

#[tokio::test]
async fn a_comment_is_found_behind_many_others() {
    let site = Site::start();
    let github = site.github();
    let (_, number) = site.opened(&github).await;
    for n in 0..130 {
        site.control(
            "comment",
            json!({ "repo": "ida/tea", "number": number, "body": format!("Remark {n}\n> <!-- titan:rollout -->") }),
        );
    }
    github.comment(number, "rollout", "one").await.unwrap();
    github.comment(number, "rollout", "two").await.unwrap();
    let said = site.comments(number);
    assert_eq!(said.len(), 131);
    assert_eq!(said[130], "<!-- titan:rollout -->\ntwo");
}
