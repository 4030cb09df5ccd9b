//! What Titan reads of Forgejo's answers, and no field more.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Deserializer};

use crate::forge::{PullRequest, PullState};

#[derive(Debug, Deserialize)]
pub(super) struct Repository {
    pub(super) default_branch: String,
    pub(super) html_url: String,
    #[serde(default)]
    pub(super) archived: bool,
    pub(super) permissions: Option<Permissions>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Permissions {
    #[serde(default)]
    pub(super) push: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Branch {
    pub(super) commit: BranchCommit,
}

#[derive(Debug, Deserialize)]
pub(super) struct BranchCommit {
    pub(super) id: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Tree {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) tree: Vec<TreeEntry>,
}

#[derive(Debug, Deserialize)]
pub(super) struct TreeEntry {
    pub(super) path: String,
    pub(super) mode: String,
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Written {
    pub(super) commit: WrittenCommit,
}

#[derive(Debug, Deserialize)]
pub(super) struct WrittenCommit {
    pub(super) sha: String,
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) parents: Vec<Parent>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Parent {
    pub(super) sha: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Pull {
    number: u64,
    #[serde(default)]
    html_url: String,
    state: String,
    #[serde(default)]
    merged: bool,
    title: String,
    #[serde(default)]
    body: String,
    head: Side,
    base: Side,
    merge_commit_sha: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Side {
    /// The branch; `ref` is another one once the branch is gone.
    label: String,
    sha: String,
    #[serde(default)]
    repo_id: i64,
}

impl Pull {
    /// Whether its branch is one of this repository, and not of a copy of it. Of one that is gone nothing is told.
    pub(super) fn is_own(&self) -> bool {
        self.head.repo_id <= 0 || self.head.repo_id == self.base.repo_id
    }
}

impl From<Pull> for PullRequest {
    fn from(pull: Pull) -> Self {
        let state = match (pull.merged, pull.state.as_str()) {
            (true, _) => PullState::Merged,
            (false, "open") => PullState::Open,
            (false, _) => PullState::Closed,
        };
        Self {
            number: pull.number,
            page: pull.html_url,
            state,
            branch: pull.head.label,
            head: pull.head.sha,
            base: pull.base.label,
            title: pull.title,
            body: pull.body,
            merged_as: pull.merge_commit_sha.filter(|commit| state == PullState::Merged && !commit.is_empty()),
        }
    }
}

#[derive(Debug, Deserialize)]
pub(super) struct Comment {
    pub(super) id: u64,
    #[serde(default)]
    pub(super) body: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct CombinedStatus {
    #[serde(default, deserialize_with = "or_empty")]
    pub(super) statuses: Vec<Status>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Status {
    pub(super) context: String,
    pub(super) status: String,
    #[serde(default)]
    pub(super) description: String,
    #[serde(default)]
    pub(super) target_url: String,
    pub(super) updated_at: Option<DateTime<Utc>>,
}

/// Forgejo writes an empty list as null in some places.
fn or_empty<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
