//! One commit on a branch, all of it or nothing.
//!
//! GitHub has two ways. `createCommitOnBranch` checks where the branch stands, writes and signs in one step, but knows no modes of
//! files: it is for plain files. With an executable one among them, blobs, a tree and a commit are made first, which nobody sees, and
//! then the branch is moved, which GitHub only does forward.

use std::collections::BTreeSet;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::GitHub;
use super::answers::{Commit, Object, Tree};
use super::refs::moved;
use crate::forge::changes::checked;
use crate::forge::{ForgeError, NewCommit};

const PLAIN: &str = "100644";
const EXECUTABLE: &str = "100755";
const FOLDER: &str = "040000";

const CREATE_COMMIT: &str = "mutation($input: CreateCommitOnBranchInput!) { \
                             createCommitOnBranch(input: $input) { commit { oid } } }";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Created {
    create_commit_on_branch: OnBranch,
}

#[derive(Deserialize)]
struct OnBranch {
    commit: Oid,
}

#[derive(Deserialize)]
struct Oid {
    oid: String,
}

impl GitHub {
    pub(super) async fn make_commit(&self, new: &NewCommit) -> Result<String, ForgeError> {
        checked(new)?;
        let head = self.head_of(&new.branch).await?;
        if let Some(head) = &head
            && *head != new.parent
        {
            return Err(moved(&new.branch, &new.parent, head.clone()));
        }
        let parent: Commit = self.client.get(&self.route(&format!("/git/commits/{}", new.parent)), &[]).await?;
        if self.is_plain(new, &parent.tree.sha).await? {
            if head.is_none() {
                self.make_branch(&new.branch, &new.parent).await?;
            }
            return self.commit_plain(new).await;
        }
        let commit = self.commit_with_modes(new, &parent.tree.sha).await?;
        match head {
            Some(_) => self.move_branch(&new.branch, &new.parent, &commit).await?,
            None => self.make_branch(&new.branch, &commit).await?,
        }
        Ok(commit)
    }

    /// Whether every path is a plain file, before and after, or is not there.
    async fn is_plain(&self, new: &NewCommit, tree: &str) -> Result<bool, ForgeError> {
        if new.files.iter().any(|file| file.executable) {
            return Ok(false);
        }
        let tree: Tree = self.client.get(&self.route(&format!("/git/trees/{tree}")), &[("recursive", "1")]).await?;
        let paths: BTreeSet<_> =
            new.files.iter().map(|file| &file.path).chain(&new.deletions).map(String::as_str).collect();
        let above: BTreeSet<_> =
            paths.iter().flat_map(|path| path.match_indices('/').filter_map(move |(end, _)| path.get(..end))).collect();
        let odd = tree.tree.iter().any(|entry| {
            let path = entry.path.as_str();
            (paths.contains(path) && entry.mode != PLAIN) || (above.contains(path) && entry.mode != FOLDER)
        });
        Ok(!odd && !tree.truncated)
    }

    async fn commit_plain(&self, new: &NewCommit) -> Result<String, ForgeError> {
        let addition = |path: &str, content: &[u8]| json!({ "path": path, "contents": STANDARD.encode(content) });
        let variables = json!({ "input": {
            "branch": { "repositoryNameWithOwner": self.settings.repo.to_string(), "branchName": new.branch },
            "expectedHeadOid": new.parent,
            "message": { "headline": new.headline, "body": new.body },
            "fileChanges": {
                "additions": new.files.iter().map(|file| addition(&file.path, &file.content)).collect::<Vec<_>>(),
                "deletions": new.deletions.iter().map(|path| json!({ "path": path })).collect::<Vec<_>>(),
            },
        }});
        match self.client.graphql::<Created>("createCommitOnBranch", CREATE_COMMIT, &variables).await {
            Ok(created) => Ok(created.create_commit_on_branch.commit.oid),
            Err(failed) if failed.is_refusal() => match self.head_of(&new.branch).await? {
                Some(head) if head != new.parent => Err(moved(&new.branch, &new.parent, head)),
                _ => Err(failed.error),
            },
            Err(failed) => Err(failed.error),
        }
    }

    /// A commit that no branch has yet.
    async fn commit_with_modes(&self, new: &NewCommit, base: &str) -> Result<String, ForgeError> {
        let entry =
            |path: &str, mode: &str, sha: Value| json!({ "path": path, "mode": mode, "type": "blob", "sha": sha });
        let mut tree = Vec::new();
        for file in &new.files {
            let blob = json!({ "content": STANDARD.encode(&file.content), "encoding": "base64" });
            let blob: Object = self.client.send(Method::POST, &self.route("/git/blobs"), &blob).await?;
            tree.push(entry(&file.path, if file.executable { EXECUTABLE } else { PLAIN }, Value::String(blob.sha)));
        }
        tree.extend(new.deletions.iter().map(|path| entry(path, PLAIN, Value::Null)));
        let tree = json!({ "base_tree": base, "tree": tree });
        let tree: Object = self.client.send(Method::POST, &self.route("/git/trees"), &tree).await?;
        let commit = json!({ "message": new.message(), "tree": tree.sha, "parents": [new.parent] });
        let commit: Object = self.client.send(Method::POST, &self.route("/git/commits"), &commit).await?;
        Ok(commit.sha)
    }
}
