//! The tests' forges, as their clients see them: a change from the push to the merge, what is lost on the way, and what is noted.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use reqwest::{Client, Method, StatusCode};
use serde_json::{Value, json};
use titan_testkit::forge::{Forge, TOKEN};

const MUTATION: &str =
    "mutation($input: CreateCommitOnBranchInput!) { createCommitOnBranch(input: $input) { commit { oid } } }";

struct Asker<'a> {
    client: Client,
    forge: &'a Forge,
}

impl<'a> Asker<'a> {
    fn new(forge: &'a Forge) -> Self {
        Asker { client: Client::builder().user_agent("a test").build().unwrap(), forge }
    }

    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> reqwest::Result<(StatusCode, Value)> {
        let mut request = self.client.request(method, format!("{}{path}", self.forge.url())).bearer_auth(TOKEN);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?;
        let status = answer.status();
        Ok((status, answer.json().await?))
    }
}

#[tokio::test]
async fn a_change_goes_from_a_commit_to_the_main_branch() {
    let forge = Forge::github();
    let repository = forge.repository("acme/titan");
    let asker = Asker::new(&forge);
    let reference = json!({ "ref": "refs/heads/titan/ops/1", "sha": repository.first() });
    let (status, _) = asker.ask(Method::POST, "/repos/acme/titan/git/refs", Some(reference)).await.unwrap();
    assert_eq!(status, StatusCode::CREATED);

    // The text of the file in base64.
    let files = json!({ "additions": [{ "path": "README.md", "contents": "QmV0dGVyCg==" }] });
    let branch = json!({ "repositoryNameWithOwner": "acme/titan", "branchName": "titan/ops/1" });
    let input = json!({
        "branch": branch, "expectedHeadOid": repository.first(), "message": { "headline": "Better" }, "fileChanges": files,
    });
    let query = json!({ "query": MUTATION, "variables": { "input": input } });
    let (_, made) = asker.ask(Method::POST, "/graphql", Some(query.clone())).await.unwrap();
    let head = made["data"]["createCommitOnBranch"]["commit"]["oid"].as_str().unwrap().to_owned();
    assert_eq!(repository.head("titan/ops/1"), Some(head.clone()));
    let (_, stale) = asker.ask(Method::POST, "/graphql", Some(query)).await.unwrap();
    assert_eq!(stale["errors"][0]["type"], "STALE_DATA");

    let pull = json!({ "title": "Better", "head": "titan/ops/1", "base": "main" });
    let (status, opened) = asker.ask(Method::POST, "/repos/acme/titan/pulls", Some(pull)).await.unwrap();
    assert_eq!((status, &opened["head"]["sha"]), (StatusCode::CREATED, &json!(head)));
    let number = opened["number"].as_u64().unwrap();
    repository.check(&head, &json!([{ "name": "ci", "status": "completed", "conclusion": "success" }]), &json!([]));
    let path = format!("/repos/acme/titan/commits/{head}/check-runs");
    let (_, checks) = asker.ask(Method::GET, &path, None).await.unwrap();
    assert_eq!(checks["check_runs"][0]["conclusion"], "success");

    // It is done, and nobody hears of it.
    forge.fault(&json!({ "kind": "cut_after", "method": "PUT", "path": "/merge" }));
    let merge = || Some(json!({ "sha": head, "merge_method": "squash" }));
    let path = format!("/repos/acme/titan/pulls/{number}/merge");
    asker.ask(Method::PUT, &path, merge()).await.unwrap_err();
    let (status, _) = asker.ask(Method::PUT, &path, merge()).await.unwrap();
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(repository.git(&["show", "main:README.md"]), "Better");
    assert_eq!(repository.git(&["rev-parse", "main~1"]), repository.first());

    let kinds = ["ref.create", "commit-on-branch", "pull.open", "ref.update", "pull.merge"];
    let writes: Vec<Value> = forge.writes().into_iter().map(|each| each["kind"].clone()).collect();
    assert_eq!(writes, kinds);
    assert_eq!(repository.pulls()[0]["mergeCommit"], json!(repository.head("main")));
    assert_eq!((forge.violations(), forge.faults_left()), (Vec::<String>::new(), 0));
}

#[tokio::test]
async fn what_people_do_is_seen() {
    let forge = Forge::github();
    let repository = forge.repository("acme/titan");
    let asker = Asker::new(&forge);
    let head = repository.push("theirs", &[("new.txt", Some("new\n")), ("README.md", None)]);
    assert_eq!(repository.git(&["ls-tree", "-r", "--name-only", "theirs"]), "new.txt");
    let script = json!([{ "path": "run", "content": "#!/bin/sh\n", "mode": "100755" }]);
    let next = repository.push_files("theirs", &script);
    assert_eq!(repository.git(&["rev-parse", "theirs~1"]), head);
    assert!(repository.git(&["ls-tree", "theirs", "run"]).starts_with("100755 "));

    let pull = json!({ "title": "Theirs", "head": "theirs", "base": "main" });
    let (_, opened) = asker.ask(Method::POST, "/repos/acme/titan/pulls", Some(pull)).await.unwrap();
    let number = opened["number"].as_u64().unwrap();
    let path = format!("/repos/acme/titan/pulls/{number}");
    let state = || async { asker.ask(Method::GET, &path, None).await.unwrap().1["state"].clone() };
    repository.close(number);
    assert_eq!(state().await, "closed");
    repository.reopen(number);
    assert_eq!(state().await, "open");

    repository.protect(Some("At least 1 approving review is required by reviewers with write access."));
    let (status, refused) =
        asker.ask(Method::PUT, &format!("{path}/merge"), Some(json!({ "sha": next }))).await.unwrap();
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
    assert!(refused["message"].as_str().unwrap().starts_with("At least 1"), "{refused}");
    let comments = format!("/repos/acme/titan/issues/{number}/comments");
    asker.ask(Method::POST, &comments, Some(json!({ "body": "Words" }))).await.unwrap();
    assert_eq!(repository.comments(number)[0]["body"], "Words");
    repository.remove_branch("theirs");
    assert_eq!((repository.head("theirs"), state().await), (None, json!("closed")));
    assert!(forge.requests().contains(&format!("PUT {path}/merge")));
}

#[tokio::test]
async fn a_request_that_github_does_not_know_fails_the_test() {
    let forge = Forge::github();
    let _ = forge.repository("acme/titan");
    let body = json!({ "title": "x", "head": "main", "base": "main", "colour": "red" });
    let (status, _) =
        Asker::new(&forge).ask(Method::POST, "/repos/acme/titan/pulls", Some(body.clone())).await.unwrap();
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
    let taken = forge.take_violations();
    assert!(taken.len() == 1 && taken[0].contains("colour"), "{taken:?}");

    Asker::new(&forge).ask(Method::POST, "/repos/acme/titan/pulls", Some(body)).await.unwrap();
    let panicked = std::thread::spawn(move || drop(forge)).join().unwrap_err();
    let said = panicked.downcast_ref::<String>().unwrap();
    assert!(said.contains("the forge's documents forbid") && said.contains("colour"), "{said}");
}

#[tokio::test]
async fn an_app_has_a_key_and_a_place() {
    let forge = Forge::github();
    let repository = forge.repository("acme/titan");
    let (key, installations) = forge.app(7, &["acme"], 60);
    assert!(key.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
    assert_eq!((installations.len(), repository.name()), (1, "acme/titan"));
    let path = format!("/app/installations/{}/access_tokens", installations[0]);
    let (status, _) = Asker::new(&forge).ask(Method::POST, &path, Some(json!({}))).await.unwrap();
    assert_eq!(status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn a_forgejo_commits_and_merges_too() {
    let forge = Forge::forgejo();
    let repository = forge.repository("acme/titan");
    let asker = Asker::new(&forge);
    let at = |rest: &str| format!("/api/v1/repos/acme/titan{rest}");
    let files = json!([{ "operation": "create", "path": "new.txt", "content": "bmV3Cg==" }]);
    let change = json!({ "branch": "main", "new_branch": "theirs", "message": "New", "files": files });
    let (status, made) = asker.ask(Method::POST, &at("/contents"), Some(change)).await.unwrap();
    assert_eq!((status, &made["commit"]["sha"]), (StatusCode::CREATED, &json!(repository.head("theirs"))));
    let pull = json!({ "title": "Theirs", "head": "theirs", "base": "main" });
    let (_, opened) = asker.ask(Method::POST, &at("/pulls"), Some(pull)).await.unwrap();
    let merge = json!({ "Do": "squash", "head_commit_id": opened["head"]["sha"] });
    let path = at(&format!("/pulls/{}/merge", opened["number"]));
    // It answers with nothing.
    assert!(asker.ask(Method::POST, &path, Some(merge)).await.unwrap_err().is_decode());
    assert_eq!(repository.git(&["show", "main:new.txt"]), "new");
    assert_eq!(forge.writes_of(&["pull.merge"])[0]["sha"], json!(repository.head("main")));
}
