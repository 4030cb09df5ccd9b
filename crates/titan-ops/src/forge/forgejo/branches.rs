//! Branches.

use reqwest::{Method, StatusCode};
use serde_json::json;

use super::Forgejo;
use super::answers::{Branch, Repository};
use crate::forge::ForgeError;
use crate::forge::names::{checked_branch, checked_commit, in_route};

impl Forgejo {
    pub(super) async fn head_of(&self, branch: &str) -> Result<Option<String>, ForgeError> {
        let rest = format!("/branches/{}", in_route(checked_branch(branch)?));
        match self.client.get::<Branch>(&rest, &[]).await {
            Ok(branch) => Ok(Some(branch.commit.id)),
            Err(failed) if failed.is(StatusCode::NOT_FOUND) => {
                // So does Forgejo answer who may not see the repository.
                self.client.get::<Repository>("", &[]).await?;
                Ok(None)
            }
            Err(failed) => Err(failed.error),
        }
    }

    /// Makes a branch. One that is there already and stands there is as good.
    pub(super) async fn make_branch(&self, branch: &str, at: &str) -> Result<(), ForgeError> {
        let body = json!({ "new_branch_name": branch, "old_ref_name": at });
        let failed = match self.client.send::<Branch>(Method::POST, "/branches", &body).await {
            Ok(made) if made.commit.id == at => return Ok(()),
            Ok(made) => return Err(moved(branch, at, made.commit.id)),
            Err(failed) => failed,
        };
        if !failed.is_refusal() {
            return Err(failed.error);
        }
        match self.head_of(branch).await? {
            Some(head) if head == at => Ok(()),
            Some(head) => Err(moved(branch, at, head)),
            None => Err(failed.error),
        }
    }

    pub(super) async fn remove(&self, branch: &str, at: &str) -> Result<(), ForgeError> {
        checked_commit(at)?;
        match self.head_of(branch).await? {
            None => return Ok(()),
            Some(head) if head != at => return Err(moved(branch, at, head)),
            Some(_) => {}
        }
        let gone = self.client.order(Method::DELETE, &format!("/branches/{}", in_route(branch)), None).await;
        // It may have gone meanwhile.
        if let Err(failed) = gone
            && !(failed.is_refusal() && self.head_of(branch).await?.is_none())
        {
            return Err(failed.error);
        }
        Ok(())
    }
}

pub(super) fn moved(branch: &str, expected: &str, found: String) -> ForgeError {
    ForgeError::Moved { branch: branch.to_owned(), expected: expected.to_owned(), found }
}
