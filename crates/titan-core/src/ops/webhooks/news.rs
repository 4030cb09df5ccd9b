//! What a delivery of a forge is about: which proposals' branches or commits it names, and what may be otherwise there. Pure; both
//! forges send the same shapes, where they send the same at all.

use serde_json::Value;
use uuid::Uuid;

use crate::ops::proposals;
use crate::state::text_enum;

/// Branches and commits that are read out of one delivery.
pub const MOST_NAMES: usize = 20;

text_enum! {
    /// What may be otherwise than before.
    Topic { Branch = "branch", Checks = "checks" }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct News {
    pub topic: Topic,
    /// Those whose branch is named, whether there are such proposals or not.
    pub proposals: Vec<Uuid>,
    pub commits: Vec<String>,
}

/// Reads a delivery of an event. `repository` is the one that Titan's code is in, as `owner/name`; forges do not mind the case of its
/// letters.
///
/// # Errors
/// In words, why it is news for nobody.
pub fn read(event: &str, body: &Value, repository: &str) -> Result<News, String> {
    let (topic, branches, commits) = match event {
        "ping" => return Err("it says that the webhook is set up".to_owned()),
        "push" => (Topic::Branch, at(body, "/ref").strip_prefix("refs/heads/").into_iter().collect(), Vec::new()),
        "delete" if at(body, "/ref_type") == "branch" => (Topic::Branch, vec![at(body, "/ref")], Vec::new()),
        "pull_request" => {
            // Titan opens and describes pull requests itself, and what people say or mark there changes nothing.
            let action = at(body, "/action");
            if !["closed", "reopened", "synchronize", "synchronized"].contains(&action) {
                return Err(format!("nobody waits for a pull request that is {action:?}"));
            }
            (Topic::Branch, vec![at(body, "/pull_request/head/ref")], Vec::new())
        }
        "check_run" => checks(body.get("check_run"), "/check_suite/head_branch")?,
        "check_suite" => checks(body.get("check_suite"), "/head_branch")?,
        "status" => {
            if at(body, "/state") == "pending" {
                return Err(PENDING.to_owned());
            }
            (Topic::Checks, each(body, "/branches", "/name"), vec![at(body, "/sha")])
        }
        "action_run_success" | "action_run_failure" | "action_run_recover" => {
            (Topic::Checks, vec![at(body, "/run/prettyref")], vec![at(body, "/run/commit_sha")])
        }
        other => return Err(format!("nobody waits for {other}")),
    };
    let named = ["/repository/full_name", "/run/repository/full_name"].map(|place| at(body, place));
    let named = named.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    if !named.eq_ignore_ascii_case(repository) {
        return Err(format!("it is about the repository {named:?}, and Titan's is {repository:?}"));
    }
    let proposals: Vec<Uuid> = branches.into_iter().filter_map(proposals::of_branch).take(MOST_NAMES).collect();
    let is_id = |commit: &&str| matches!(commit.len(), 40 | 64) && commit.bytes().all(|byte| byte.is_ascii_hexdigit());
    let commits: Vec<String> =
        commits.into_iter().filter(is_id).take(MOST_NAMES).map(str::to_ascii_lowercase).collect();
    if proposals.is_empty() && commits.is_empty() {
        return Err("it is about no branch of a proposal".to_owned());
    }
    Ok(News { topic, proposals, commits })
}

const PENDING: &str = "the check has not ended";

type About<'a> = (Topic, Vec<&'a str>, Vec<&'a str>);

/// Of a check-run or a suite of them. Looked at is how it stands, not what was done: one may be made and ended by the same call.
fn checks<'a>(of: Option<&'a Value>, branch: &str) -> Result<About<'a>, String> {
    let of = of.unwrap_or(&Value::Null);
    if at(of, "/status") != "completed" {
        return Err(PENDING.to_owned());
    }
    let mut branches = each(of, "/pull_requests", "/head/ref");
    branches.push(at(of, branch));
    Ok((Topic::Checks, branches, vec![at(of, "/head_sha")]))
}

/// The text at a place; empty where there is none.
fn at<'a>(value: &'a Value, place: &str) -> &'a str {
    value.pointer(place).and_then(Value::as_str).unwrap_or_default()
}

fn each<'a>(value: &'a Value, list: &str, place: &str) -> Vec<&'a str> {
    let items = value.pointer(list).and_then(Value::as_array).into_iter().flatten();
    items.take(MOST_NAMES).map(|item| at(item, place)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "01900000-0000-7000-8000-000000000000";
    const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

    fn news(event: &str, mut body: Value) -> Result<News, String> {
        body["repository"] = json!({"full_name": "Acme/Titan"});
        read(event, &body, "acme/titan")
    }

    fn branch() -> String {
        format!("titan/ops/{ID}")
    }

    #[test]
    fn whatever_names_the_branch_of_a_proposal_is_news_of_it() {
        let pull = json!({"head": {"ref": branch(), "sha": COMMIT}});
        for (event, body) in [
            ("push", json!({"ref": format!("refs/heads/{}", branch())})),
            ("delete", json!({"ref": branch(), "ref_type": "branch"})),
            ("pull_request", json!({"action": "closed", "pull_request": pull})),
            ("pull_request", json!({"action": "synchronize", "pull_request": pull})),
            ("pull_request", json!({"action": "synchronized", "pull_request": pull})),
        ] {
            let expected = News { topic: Topic::Branch, proposals: vec![ID.parse().unwrap()], commits: Vec::new() };
            assert_eq!(news(event, body), Ok(expected), "{event}");
        }
        let suite = json!({"status": "completed", "head_branch": branch(), "head_sha": COMMIT, "pull_requests": []});
        let run = json!({"status": "completed", "check_suite": {"head_branch": null}, "head_sha": COMMIT,
            "pull_requests": [{"head": {"ref": branch()}}]});
        let status = json!({"state": "failure", "sha": COMMIT, "branches": [{"name": "main"}, {"name": branch()}]});
        let action = json!({"prettyref": branch(), "commit_sha": COMMIT});
        for (event, body) in [
            ("check_suite", json!({ "check_suite": suite })),
            ("check_run", json!({ "check_run": run })),
            ("status", status),
            ("action_run_failure", json!({ "run": action })),
        ] {
            let news = news(event, body).unwrap();
            assert_eq!(
                (news.topic, news.proposals, news.commits),
                (Topic::Checks, vec![ID.parse().unwrap()], vec![COMMIT.to_owned()])
            );
        }
    }

    #[test]
    fn forgejo_s_runs_name_their_repository_themselves() {
        let body = json!({"run": {"commit_sha": COMMIT, "repository": {"full_name": "acme/titan"}}});
        assert_eq!(read("action_run_success", &body, "ACME/titan").unwrap().commits, [COMMIT]);
        assert!(read("action_run_success", &body, "acme/other").is_err());
    }

    #[test]
    fn what_changes_nothing_is_told_to_nobody() {
        let check = |status: &str| json!({"check_run": {"status": status, "head_sha": COMMIT}});
        let mut cases = vec![
            ("ping", json!({"zen": "x"}), "set up"),
            ("star", json!({}), "nobody waits for star"),
            ("push", json!({"ref": "refs/heads/main"}), "no branch of a proposal"),
            ("push", json!({"ref": format!("refs/tags/{}", branch())}), "no branch of a proposal"),
            ("push", json!({"ref": format!("refs/heads/{}-revert", branch())}), "no branch of a proposal"),
            ("delete", json!({"ref": branch(), "ref_type": "tag"}), "nobody waits for delete"),
            ("pull_request", json!({"action": "labeled", "pull_request": {"head": {"ref": branch()}}}), "\"labeled\""),
            ("check_run", check("in_progress"), "has not ended"),
            ("check_run", json!({}), "has not ended"),
            ("status", json!({"state": "pending", "sha": COMMIT}), "has not ended"),
            ("status", json!({"state": "success", "sha": "'; DROP TABLE tasks"}), "no branch of a proposal"),
        ];
        cases.extend([json!(null), json!([1]), json!("x"), json!({"ref": 7})].map(|body| ("push", body, "repository")));
        for (event, body, why) in cases {
            let read = if body.is_object() && why != "repository" {
                news(event, body)
            } else {
                read(event, &body, "acme/titan")
            };
            assert!(read.clone().unwrap_err().contains(why), "{event}: {read:?}");
        }
        let elsewhere = json!({"ref": format!("refs/heads/{}", branch()), "repository": {"full_name": "acme/titan2"}});
        assert!(read("push", &elsewhere, "acme/titan").unwrap_err().contains("acme/titan2"));
    }

    #[test]
    fn only_so_many_names_are_read() {
        let branches: Vec<Value> = (0..100).map(|_| json!({"name": branch()})).collect();
        let read = news("status", json!({"state": "success", "sha": COMMIT, "branches": branches})).unwrap();
        assert_eq!(read.proposals.len(), MOST_NAMES);
    }
}
