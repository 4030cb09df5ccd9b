//! Forgejo, by its API of version 1 (Gitea's, with more).
//!
//! With reqwest and the dozen routes that are needed: the crate `forgejo-api` has all of the API in some 40,000 generated lines, but
//! no limits and timeouts to its answers, and its errors do not tell how long Forgejo wants to be left alone.
//!
//! Forgejo commits onto whatever the branch holds: it takes no expected head. So the branch is looked at before, and the parent of
//! what was made afterwards. Nor does it take modes: it keeps those of files that are there, and makes no executable one.

mod answers;
mod branches;
mod checks;
mod client;
mod comments;
mod commit;
mod pulls;

use async_trait::async_trait;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::settings::ForgejoSettings;
use super::turns::Turns;
use super::{About, Checks, Forge, ForgeError, MergeMethod, NewCommit, NewPullRequest, PullRequest, Remote};
use answers::Repository;
use client::Client;

#[derive(Debug)]
pub struct Forgejo {
    settings: ForgejoSettings,
    client: Client,
    turns: Turns,
}

impl Forgejo {
    /// # Errors
    /// When this machine cannot speak HTTPS.
    pub fn new(settings: ForgejoSettings) -> Result<Self, ForgeError> {
        let client = Client::new(&settings)?;
        Ok(Self { settings, client, turns: Turns::default() })
    }
}

#[async_trait]
impl Forge for Forgejo {
    fn name(&self) -> &'static str {
        "Forgejo"
    }

    async fn remote(&self) -> Result<Remote, ForgeError> {
        let url = format!("{}/{}.git", self.settings.url.as_str().trim_end_matches('/'), self.settings.repo);
        // Forgejo takes a token for a password, whoever's it is.
        let pair = STANDARD.encode(format!("titan:{}", self.settings.token.expose_secret()));
        Ok(Remote { url, header: Some(SecretString::from(format!("Authorization: Basic {pair}"))) })
    }

    async fn about(&self) -> Result<About, ForgeError> {
        let repository: Repository = self.client.get("", &[]).await?;
        Ok(About {
            can_write: repository.permissions.is_some_and(|permissions| permissions.push) && !repository.archived,
            default_branch: repository.default_branch,
            page: repository.html_url,
        })
    }

    async fn head(&self, branch: &str) -> Result<Option<String>, ForgeError> {
        self.head_of(branch).await
    }

    async fn commit(&self, new: &NewCommit) -> Result<String, ForgeError> {
        let _turn = self.turns.take().await?;
        self.make_commit(new).await
    }

    async fn pull_request(&self, branch: &str) -> Result<Option<PullRequest>, ForgeError> {
        self.newest_pull(branch).await
    }

    async fn open(&self, new: &NewPullRequest) -> Result<PullRequest, ForgeError> {
        let _turn = self.turns.take().await?;
        self.open_pull(new).await
    }

    async fn describe(&self, number: u64, title: &str, body: &str) -> Result<PullRequest, ForgeError> {
        let _turn = self.turns.take().await?;
        self.describe_pull(number, title, body, None).await
    }

    async fn close(&self, number: u64) -> Result<(), ForgeError> {
        let _turn = self.turns.take().await?;
        self.close_pull(number).await
    }

    async fn comment(&self, number: u64, marker: &str, body: &str) -> Result<(), ForgeError> {
        let _turn = self.turns.take().await?;
        self.say(number, marker, body).await
    }

    async fn checks(&self, commit: &str) -> Result<Checks, ForgeError> {
        self.checks_of(commit).await
    }

    async fn merge(&self, number: u64, head: &str, method: MergeMethod, headline: &str) -> Result<String, ForgeError> {
        let _turn = self.turns.take().await?;
        self.merge_pull(number, head, method, headline).await
    }

    async fn remove_branch(&self, branch: &str, at: &str) -> Result<(), ForgeError> {
        let _turn = self.turns.take().await?;
        self.remove(branch, at).await
    }
}
