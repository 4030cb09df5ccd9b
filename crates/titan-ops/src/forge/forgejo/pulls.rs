//! Pull requests.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::Forgejo;
use super::answers::Pull;
use super::client::PAGE;
use crate::forge::names::{checked_branch, checked_commit};
use crate::forge::texts::fitting;
use crate::forge::{ForgeError, MergeMethod, NewPullRequest, PullRequest, PullState, refused_merge};

/// What Forgejo answers for several reasons each.
const TOLD_BY_THE_PULL_REQUEST: [StatusCode; 3] =
    [StatusCode::METHOD_NOT_ALLOWED, StatusCode::CONFLICT, StatusCode::NOT_FOUND];

impl Forgejo {
    pub(super) async fn newest_pull(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        // Older servers do not know of `head` and list all of them, the last that changed first.
        let query = [("state", "all"), ("sort", "recentupdate"), ("head", checked_branch(branch)?), PAGE];
        let is_found = |pulls: &[PullRequest]| pulls.iter().any(|pull| pull.branch == branch);
        let read = |page: Vec<Pull>| page.into_iter().filter(Pull::is_own).map(PullRequest::from).collect::<Vec<_>>();
        let pulls = self.client.list("/pulls", &query, read, is_found).await?;
        Ok(pulls.into_iter().filter(|pull| pull.branch == branch).max_by_key(|pull| pull.number))
    }

    pub(super) async fn open_pull(&self, new: &NewPullRequest) -> Result<PullRequest, ForgeError> {
        checked_branch(&new.base)?;
        checked_branch(&new.branch)?;
        let body = json!({ "head": new.branch, "base": new.base, "title": new.title, "body": fitting(&new.body) });
        let failed = match self.client.send::<Pull>(Method::POST, "/pulls", &body).await {
            Ok(pull) => return Ok(pull.into()),
            Err(failed) if failed.is_refusal() => failed,
            Err(failed) => return Err(failed.error),
        };
        // Perhaps there is one already: of somebody who did not hear that it was opened.
        match self.newest_pull(&new.branch).await? {
            Some(pull) if pull.state == PullState::Open => {
                let base = Some(new.base.as_str()).filter(|base| *base != pull.base);
                self.describe_pull(pull.number, &new.title, &new.body, base).await
            }
            _ => Err(failed.error),
        }
    }

    pub(super) async fn describe_pull(
        &self,
        number: u64,
        title: &str,
        body: &str,
        base: Option<&str>,
    ) -> Result<PullRequest, ForgeError> {
        let mut change = json!({ "title": title, "body": fitting(body) });
        if let (Some(base), Value::Object(change)) = (base, &mut change) {
            change.insert("base".to_owned(), base.into());
        }
        Ok(self.client.send::<Pull>(Method::PATCH, &format!("/pulls/{number}"), &change).await?.into())
    }

    pub(super) async fn close_pull(&self, number: u64) -> Result<(), ForgeError> {
        if self.pull(number).await?.state == PullState::Open {
            let closed = json!({ "state": "closed" });
            self.client.send::<Pull>(Method::PATCH, &format!("/pulls/{number}"), &closed).await?;
        }
        Ok(())
    }

    pub(super) async fn merge_pull(
        &self,
        number: u64,
        head: &str,
        method: MergeMethod,
        headline: &str,
    ) -> Result<String, ForgeError> {
        let method = match method {
            MergeMethod::Squash => "squash",
            MergeMethod::Merge => "merge",
        };
        let body = json!({
            "Do": method,
            "head_commit_id": checked_commit(head)?,
            "MergeTitleField": headline,
            "delete_branch_after_merge": false,
        });
        let merged = self.client.order(Method::POST, &format!("/pulls/{number}/merge"), Some(&body)).await;
        let words = match merged {
            // Forgejo does not say as what; the pull request does.
            Ok(()) => "it was merged, but is still open".to_owned(),
            // A closed one is not found.
            Err(failed) if failed.status.is_some_and(|status| TOLD_BY_THE_PULL_REQUEST.contains(&status)) => {
                failed.words
            }
            Err(failed) => return Err(failed.error),
        };
        refused_merge::explain(self.pull(number).await?, head, &words)
    }

    async fn pull(&self, number: u64) -> Result<PullRequest, ForgeError> {
        Ok(self.client.get::<Pull>(&format!("/pulls/{number}"), &[]).await?.into())
    }
}
