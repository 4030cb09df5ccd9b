//! GitHub, through octocrab: it signs an app's requests, keeps its installation tokens fresh and reads what GitHub says of an error.
//!
//! The routes are octocrab's raw ones and what is read of their answers stands in `answers`: octocrab's own types cannot delete a
//! file from a tree (GitHub wants `"sha": null`), say nothing of whether a check-run has ended or of what kind an error of GraphQL is,
//! and refuse a whole answer, also the one to a write that was done, for a field in it that nobody asked for.
//!
//! In reading order: how GitHub is reached (`transport`, `client`, `graphql`), branches (`refs`), commits (`commit`), pull requests
//! (`pulls`), what is said on them (`comments`), and checks (`checks`).

mod answers;
mod checks;
mod client;
mod comments;
mod commit;
mod graphql;
mod pulls;
mod refs;
mod transport;

use async_trait::async_trait;

use super::settings::{Access, GitHubSettings};
use super::turns::Turns;
use super::{About, Checks, Forge, ForgeError, MergeMethod, NewCommit, NewPullRequest, PullRequest, Remote};
use answers::Repository;
use client::Client;
use refs::Heads;

#[derive(Debug)]
pub struct GitHub {
    settings: GitHubSettings,
    client: Client,
    heads: Heads,
    turns: Turns,
}

impl GitHub {
    /// # Errors
    /// When this machine cannot speak HTTPS.
    pub fn new(settings: GitHubSettings) -> Result<Self, ForgeError> {
        let client = Client::new(&settings)?;
        Ok(Self { settings, client, heads: Heads::default(), turns: Turns::default() })
    }

    /// A route below the repository's.
    fn route(&self, rest: &str) -> String {
        format!("/repos/{}{rest}", self.settings.repo)
    }
}

#[async_trait]
impl Forge for GitHub {
    fn name(&self) -> &'static str {
        "GitHub"
    }

    async fn remote(&self) -> Result<Remote, ForgeError> {
        let server = self.settings.server.as_str().trim_end_matches('/');
        let url = format!("{server}/{}.git", self.settings.repo);
        Ok(Remote { url, header: Some(self.client.git_header().await?) })
    }

    async fn about(&self) -> Result<About, ForgeError> {
        let repository: Repository = self.client.get(&self.route(""), &[]).await?;
        let may_write = match &self.settings.access {
            Access::Token(_) => repository.permissions.is_some_and(|permissions| permissions.push),
            // What GitHub says there of an app is what anybody may do.
            Access::App(_) => self.client.installation().await?.may_write(),
        };
        Ok(About {
            default_branch: repository.default_branch,
            can_write: may_write && !repository.archived,
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
