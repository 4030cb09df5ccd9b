//! What Titan reads of GitHub's answers, and no field more.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::Deserialize;

use crate::forge::{PullRequest, PullState};

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    pub(super) default_branch: String,
    pub(super) html_url: String,
    #[serde(default)]
    pub(super) archived: bool,
    /// Of whoever asks; missing when nobody in particular does.
    pub(super) permissions: Option<Permissions>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Permissions {
    pub(super) push: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Installation {
    pub(super) id: u64,
    #[serde(default)]
    permissions: BTreeMap<String, String>,
    suspended_at: Option<DateTime<Utc>>,
}

impl Installation {
    pub(super) fn may_write(&self) -> bool {
        let writes = |name: &str| self.permissions.get(name).is_some_and(|access| access == "write");
        self.suspended_at.is_none() && writes("contents") && writes("pull_requests")
    }
}

/// A branch.
#[derive(Debug, Deserialize)]
pub(super) struct Ref {
    pub(super) object: Object,
}

/// Whatever is told by its id.
#[derive(Debug, Deserialize)]
pub(super) struct Object {
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Commit {
    pub(super) tree: Object,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tree {
    pub(super) tree: Vec<TreeEntry>,
    /// There is more than GitHub tells at once.
    #[serde(default)]
    pub(super) truncated: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeEntry {
    pub(super) path: String,
    pub(super) mode: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pull {
    pub(super) number: u64,
    html_url: String,
    state: String,
    title: String,
    body: Option<String>,
    head: Side,
    base: Side,
    merged_at: Option<DateTime<Utc>>,
    /// Of an open one: a merge that GitHub tried out.
    merge_commit_sha: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Side {
    #[serde(rename = "ref")]
    branch: String,
    sha: String,
}

impl From<Pull> for PullRequest {
    fn from(pull: Pull) -> Self {
        let state = match (pull.merged_at, pull.state.as_str()) {
            (Some(_), _) => PullState::Merged,
            (None, "open") => PullState::Open,
            (None, _) => PullState::Closed,
        };
        Self {
            number: pull.number,
            page: pull.html_url,
            state,
            branch: pull.head.branch,
            head: pull.head.sha,
            base: pull.base.branch,
            title: pull.title,
            body: pull.body.unwrap_or_default(),
            merged_as: pull.merge_commit_sha.filter(|_| state == PullState::Merged),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Merge {
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    pub(super) body: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckRuns {
    pub(super) check_runs: Vec<CheckRun>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckRun {
    pub(super) id: u64,
    pub(super) name: String,
    pub(super) status: String,
    pub(super) conclusion: Option<String>,
    pub(super) html_url: Option<String>,
    pub(super) completed_at: Option<DateTime<Utc>>,
    pub(super) output: Option<CheckOutput>,
    pub(super) check_suite: Option<CheckSuite>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckOutput {
    pub(super) title: Option<String>,
    pub(super) summary: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct CheckSuite {
    pub(super) id: u64,
}

#[derive(Debug, Deserialize)]
pub(super) struct CombinedStatus {
    pub(super) statuses: Vec<Status>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) context: String,
    pub(super) state: String,
    pub(super) description: Option<String>,
    pub(super) target_url: Option<String>,
    pub(super) updated_at: Option<DateTime<Utc>>,
}
