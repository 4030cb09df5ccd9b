//! Branches. Where one stands is asked often: GitHub is told what is known already, and its "not changed" counts against no limit.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use reqwest::header::ETAG;
use reqwest::{Method, StatusCode};
use serde_json::json;

use super::GitHub;
use super::answers::{Ref, Repository};
use super::client::Ask;
use crate::forge::ForgeError;
use crate::forge::failure::Failed;
use crate::forge::names::{checked_branch, checked_commit, in_route};

/// Branches whose last answer is kept. When there are more, all are asked for anew.
const MAX_KEPT: usize = 64;

/// The last answer for each branch.
#[derive(Debug, Default)]
pub(super) struct Heads(Mutex<BTreeMap<String, Known>>);

#[derive(Debug, Clone)]
struct Known {
    etag: String,
    head: String,
}

impl Heads {
    fn get(&self, branch: &str) -> Option<Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(branch).cloned()
    }

    fn put(&self, branch: &str, known: Option<Known>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MAX_KEPT {
            all.clear();
        }
        match known {
            Some(known) => all.insert(branch.to_owned(), known),
            None => all.remove(branch),
        };
    }
}

impl GitHub {
    pub(super) async fn head_of(&self, branch: &str) -> Result<Option<String>, ForgeError> {
        let route = self.route(&format!("/git/ref/heads/{}", in_route(checked_branch(branch)?)));
        let known = self.heads.get(branch);
        let etag = known.as_ref().map(|known| known.etag.as_str());
        let ask = Ask { method: Method::GET, route: &route, query: &[], known: etag, body: None::<&()> };
        let (asked, answer) = (ask.asked(), self.client.ask(&ask).await);
        match (answer, known) {
            (Ok(response), _) => {
                let etag = response.headers().get(ETAG).and_then(|etag| etag.to_str().ok()).map(str::to_owned);
                let head = self.client.read::<Ref>(&asked, response).await?.object.sha;
                self.heads.put(branch, etag.map(|etag| Known { etag, head: head.clone() }));
                Ok(Some(head))
            }
            (Err(failed), Some(known)) if failed.is(StatusCode::NOT_MODIFIED) => Ok(Some(known.head)),
            (Err(failed), _) if failed.is(StatusCode::NOT_FOUND) => {
                self.heads.put(branch, None);
                // So does GitHub answer who may not see the repository.
                self.client.get::<Repository>(&self.route(""), &[]).await?;
                Ok(None)
            }
            (Err(failed), _) => Err(failed.error),
        }
    }

    /// Makes a branch. One that is there already and stands there is as good.
    pub(super) async fn make_branch(&self, branch: &str, at: &str) -> Result<(), ForgeError> {
        let body = json!({ "ref": format!("refs/heads/{branch}"), "sha": at });
        let made = self.client.send::<_, Ref>(Method::POST, &self.route("/git/refs"), &body).await;
        self.stands(branch, at, at, made.map(drop)).await
    }

    /// Moves a branch forward from where it stood.
    pub(super) async fn move_branch(&self, branch: &str, from: &str, to: &str) -> Result<(), ForgeError> {
        let route = self.route(&format!("/git/refs/heads/{}", in_route(branch)));
        let moved = self.client.send::<_, Ref>(Method::PATCH, &route, &json!({ "sha": to, "force": false })).await;
        self.stands(branch, from, to, moved.map(drop)).await
    }

    pub(super) async fn remove(&self, branch: &str, at: &str) -> Result<(), ForgeError> {
        checked_commit(at)?;
        match self.head_of(branch).await? {
            None => return Ok(()),
            Some(head) if head != at => return Err(moved(branch, at, head)),
            Some(_) => {}
        }
        let gone = self.client.delete(&self.route(&format!("/git/refs/heads/{}", in_route(branch)))).await;
        // It may have gone meanwhile.
        if let Err(failed) = gone
            && !(failed.is_refusal() && self.head_of(branch).await?.is_none())
        {
            return Err(failed.error);
        }
        Ok(())
    }

    /// GitHub refuses to write a branch for several reasons with one status; where it stands tells them apart.
    async fn stands(&self, branch: &str, from: &str, to: &str, done: Result<(), Failed>) -> Result<(), ForgeError> {
        let Err(failed) = done else { return Ok(()) };
        if !failed.is_refusal() {
            return Err(failed.error);
        }
        match self.head_of(branch).await? {
            Some(head) if head == to => Ok(()),
            Some(head) if head != from => Err(moved(branch, from, head)),
            _ => Err(failed.error),
        }
    }
}

pub(super) fn moved(branch: &str, expected: &str, found: String) -> ForgeError {
    ForgeError::Moved { branch: branch.to_owned(), expected: expected.to_owned(), found }
}
