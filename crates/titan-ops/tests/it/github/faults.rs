//! What a forge in trouble means: when to come back, and that what was lost is found again instead of being done twice.

use serde_json::json;
use titan_ops::forge::{Forge, ForgeError, MergeMethod, NewPullRequest, PullState};

use crate::site::{BRANCH, Site, commit, executable, file};

fn is_unavailable(error: &ForgeError) -> bool {
    matches!(error, ForgeError::Unavailable(_))
}

#[tokio::test]
async fn limits_say_when_to_come_back() {
    let site = Site::start();
    let github = site.github();
    let after = |error: ForgeError| match error {
        ForgeError::RateLimited { after, .. } => after.as_secs(),
        other => panic!("{other:?}"),
    };
    let new = commit(&site.main, vec![file("a.md", "tea\n")], &[]);
    site.fault(json!({ "kind": "secondary", "method": "POST", "path": "/git/refs", "retry_after": 17 }));
    assert_eq!(after(github.commit(&new).await.unwrap_err()), 17);
    site.fault(json!({ "kind": "secondary", "method": "POST", "path": "/git/refs" }));
    assert_eq!(after(github.commit(&new).await.unwrap_err()), 60);
    site.fault(json!({ "kind": "too_many", "method": "POST", "path": "/graphql", "retry_after": 9 }));
    assert_eq!(after(github.commit(&new).await.unwrap_err()), 9);
    site.fault(json!({ "kind": "primary", "method": "GET", "path": "/repos/ida/tea$", "reset": 600 }));
    let seconds = after(github.about().await.unwrap_err());
    assert!((590..=605).contains(&seconds), "{seconds}");
    site.fault(json!({ "kind": "primary", "path": "/graphql", "reset": 300 }));
    let seconds = after(github.commit(&new).await.unwrap_err());
    assert!((290..=305).contains(&seconds), "{seconds}");
    // Nothing was written but the branch, which the last two calls found.
    assert_eq!(site.kinds(), ["ref.create"]);
    github.commit(&new).await.unwrap();
    assert_eq!(site.faults_left(), 0);
}

#[tokio::test]
async fn a_server_in_trouble_is_unavailable() {
    let site = Site::start();
    let github = site.impatient();
    for fault in [
        json!({ "kind": "status", "status": 500 }),
        json!({ "kind": "status", "status": 502 }),
        json!({ "kind": "status", "status": 503, "html": false }),
        json!({ "kind": "garbage" }),
        json!({ "kind": "cut_before" }),
        json!({ "kind": "cut_after" }),
        json!({ "kind": "hang" }),
    ] {
        site.fault(fault.clone());
        let error = github.about().await.unwrap_err();
        assert!(is_unavailable(&error), "{fault}: {error:?}");
        assert!(!error.to_string().contains('<'), "{error}");
        assert_eq!(site.faults_left(), 0, "{fault}: asked once");
    }
    site.fault(json!({ "kind": "slow", "delay": 100 }));
    github.about().await.unwrap();
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let address = format!("http://127.0.0.1:{port}");
    let access = titan_ops::forge::settings::Access::Token(secrecy::SecretString::from("t"));
    let settings = titan_ops::forge::settings::GitHubSettings::new("ida/tea", access, Some(&address), None).unwrap();
    let error = titan_ops::forge::GitHub::new(settings).unwrap().about().await.unwrap_err();
    assert!(matches!(&error, ForgeError::Unavailable(why) if why.contains("no connection to GitHub")), "{error:?}");
}

#[tokio::test]
async fn a_commit_whose_reply_was_lost_is_on_the_branch() {
    for (files, lost) in [
        (vec![file("a.md", "tea\n")], "/git/refs$"),
        (vec![file("a.md", "tea\n")], "/graphql"),
        (vec![executable("a.sh", "tea\n")], "/git/blobs"),
        (vec![executable("a.sh", "tea\n")], "/git/trees$"),
        (vec![executable("a.sh", "tea\n")], "/git/commits$"),
        (vec![executable("a.sh", "tea\n")], "/git/refs$"),
    ] {
        let site = Site::start();
        let github = site.github();
        let new = commit(&site.main, files, &[]);
        site.fault(json!({ "kind": "cut_after", "method": "POST", "path": lost }));
        let error = github.commit(&new).await.unwrap_err();
        assert!(is_unavailable(&error), "{lost}: {error:?}");
        // What the caller does: look, and only ask again when it is not there.
        let head = match github.head(BRANCH).await.unwrap() {
            Some(head) if head != site.main => head,
            _ => github.commit(&new).await.unwrap(),
        };
        assert_eq!(site.tree(&head), site.tree_by_git(&new), "{lost}");
        assert_eq!(site.git(&["rev-list", "--count", &format!("{}..{BRANCH}", site.main)]), "1", "{lost}");
    }
}

#[tokio::test]
async fn a_commit_that_was_made_without_word_is_seen_as_one_that_moved() {
    let site = Site::start();
    let github = site.github();
    let new = commit(&site.main, vec![file("a.md", "tea\n")], &[]);
    site.fault(json!({ "kind": "cut_after", "path": "/graphql" }));
    github.commit(&new).await.unwrap_err();
    let made = site.git(&["rev-parse", &format!("refs/heads/{BRANCH}")]);
    let moved = ForgeError::Moved { branch: BRANCH.to_owned(), expected: site.main.clone(), found: made };
    assert_eq!(github.commit(&new).await.unwrap_err(), moved);
}

#[tokio::test]
async fn a_pull_request_whose_reply_was_lost_is_not_opened_twice() {
    let site = Site::start();
    let github = site.github();
    github.commit(&commit(&site.main, vec![file("a.md", "tea\n")], &[])).await.unwrap();
    site.fault(json!({ "kind": "cut_after", "method": "POST", "path": "/pulls$" }));
    let (branch, base) = (BRANCH.to_owned(), "main".to_owned());
    let new = NewPullRequest { branch, base, title: "Tea".to_owned(), body: "A plan".to_owned() };
    assert!(is_unavailable(&github.open(&new).await.unwrap_err()));
    let found = github.pull_request(BRANCH).await.unwrap().unwrap();
    assert_eq!(github.open(&new).await.unwrap().number, found.number);
    assert_eq!(site.kinds().iter().filter(|kind| *kind == "pull.open").count(), 1);
}

#[tokio::test]
async fn a_pull_request_without_a_difference_is_refused_in_githubs_words() {
    let site = Site::start();
    let github = site.github();
    let (branch, base) = ("other".to_owned(), "main".to_owned());
    let new = NewPullRequest { branch, base, title: "Tea".to_owned(), body: String::new() };
    let error = github.open(&new).await.unwrap_err();
    assert!(matches!(&error, ForgeError::Refused(why) if why.contains("head")), "{error:?}");
}

#[tokio::test]
async fn a_merge_whose_reply_was_lost_is_found() {
    let site = Site::start();
    let github = site.github();
    let (head, number) = site.opened(&github).await;
    site.fault(json!({ "kind": "cut_after", "method": "PUT", "path": "/merge$" }));
    assert!(is_unavailable(&github.merge(number, &head, MergeMethod::Squash, "Tea").await.unwrap_err()));
    let pull = github.pull_request(BRANCH).await.unwrap().unwrap();
    assert_eq!(pull.state, PullState::Merged);
    assert_eq!(pull.merged_as, Some(site.git(&["rev-parse", "refs/heads/main"])));
    assert_eq!(github.merge(number, &head, MergeMethod::Squash, "Tea").await.unwrap(), pull.merged_as.unwrap());
    assert_eq!(site.kinds().iter().filter(|kind| *kind == "pull.merge").count(), 1);
}

#[tokio::test]
async fn writes_are_made_one_after_the_other() {
    let site = Site::start();
    let github = site.github();
    let (_, number) = site.opened(&github).await;
    let say = |text| github.comment(number, "rollout", text);
    let (a, b, c) = tokio::join!(say("a"), say("b"), say("c"));
    assert_eq!((a, b, c), (Ok(()), Ok(()), Ok(())));
    assert_eq!(site.comments(number).len(), 1, "two at once would each have made one");
}
