//! Pull requests.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::GitHub;
use super::answers::{Merge, Pull};
use crate::forge::names::{checked_branch, checked_commit};
use crate::forge::texts::fitting;
use crate::forge::{ForgeError, MergeMethod, NewPullRequest, PullRequest, PullState, refused_merge};

impl GitHub {
    pub(super) async fn newest_pull(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        let head = format!("{}:{}", self.settings.repo.owner, checked_branch(branch)?);
        let query = [("head", head.as_str()), ("state", "all")];
        let pulls = self.client.all(&self.route("/pulls"), &query, |page: Vec<Pull>| page).await?;
        // GitHub lists all of them where it does not understand which are wanted.
        let of_branch = pulls.into_iter().map(PullRequest::from).filter(|pull| pull.branch == branch);
        Ok(of_branch.max_by_key(|pull| pull.number))
    }

    pub(super) async fn open_pull(&self, new: &NewPullRequest) -> Result<PullRequest, ForgeError> {
        checked_branch(&new.base)?;
        checked_branch(&new.branch)?;
        let body = json!({ "head": new.branch, "base": new.base, "title": new.title, "body": fitting(&new.body) });
        let failed = match self.client.send::<_, Pull>(Method::POST, &self.route("/pulls"), &body).await {
            Ok(pull) => return Ok(pull.into()),
            Err(failed) if failed.is(StatusCode::UNPROCESSABLE_ENTITY) => failed,
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
        Ok(self.client.send::<_, Pull>(Method::PATCH, &self.pull_route(number), &change).await?.into())
    }

    pub(super) async fn close_pull(&self, number: u64) -> Result<(), ForgeError> {
        let pull = self.pull(number).await?;
        if pull.state == PullState::Open {
            let closed = json!({ "state": "closed" });
            self.client.send::<_, Pull>(Method::PATCH, &self.pull_route(number), &closed).await?;
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
        let body = json!({ "sha": checked_commit(head)?, "merge_method": method, "commit_title": headline });
        let merge =
            self.client.send::<_, Merge>(Method::PUT, &format!("{}/merge", self.pull_route(number)), &body).await;
        match merge {
            Ok(merge) => Ok(merge.sha),
            Err(failed) if failed.is(StatusCode::METHOD_NOT_ALLOWED) || failed.is(StatusCode::CONFLICT) => {
                refused_merge::explain(self.pull(number).await?, head, &failed.words)
            }
            Err(failed) => Err(failed.error),
        }
    }

    async fn pull(&self, number: u64) -> Result<PullRequest, ForgeError> {
        Ok(self.client.get::<Pull>(&self.pull_route(number), &[]).await?.into())
    }

    fn pull_route(&self, number: u64) -> String {
        self.route(&format!("/pulls/{number}"))
    }
}
