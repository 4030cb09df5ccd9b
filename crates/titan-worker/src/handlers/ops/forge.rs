//! The forge where Titan's own repository lies, as this worker's settings say it.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use titan_core::config::{ForgeSettings, GitHubAccess};
use titan_ops::forge::settings::{Access, App, ForgejoSettings, GitHubSettings};
use titan_ops::forge::{Forge, Forgejo, GitHub};

/// # Errors
/// A setting that cannot be used.
pub(super) fn of(settings: &ForgeSettings) -> anyhow::Result<Arc<dyn Forge>> {
    Ok(match settings {
        ForgeSettings::GitHub(github) => {
            let access = match &github.access {
                None => bail!("GITHUB_TOKEN is needed with GITHUB_REPO, or GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY"),
                Some(GitHubAccess::Token(token)) => Access::Token(token.clone()),
                Some(GitHubAccess::App { id, private_key, installation }) => {
                    Access::App(App { id: *id, private_key: private_key.clone(), installation: *installation })
                }
            };
            let (api, server) = (github.api_url.as_deref(), github.server_url.as_deref());
            Arc::new(GitHub::new(GitHubSettings::new(&github.repository, access, api, server)?)?)
        }
        ForgeSettings::Forgejo(forgejo) => {
            let url = forgejo.url.as_deref().context("FORGEJO_URL is needed with FORGEJO_REPO")?;
            let token = forgejo.token.clone().context("FORGEJO_TOKEN is needed with FORGEJO_REPO")?;
            let settings = ForgejoSettings::new(&forgejo.repository, url, token)?;
            Arc::new(Forgejo::new(settings)?)
        }
    })
}

#[cfg(test)]
mod tests {
    use titan_core::config::{ForgejoSettings as Forgejo, GitHubSettings as GitHub};

    use super::*;

    #[test]
    fn who_writes_there_needs_a_way_in() {
        let repository = || "a/b".to_owned();
        let github = GitHub { repository: repository(), access: None, api_url: None, server_url: None };
        let forgejo =
            |url: Option<&str>| Forgejo { repository: repository(), url: url.map(str::to_owned), token: None };
        for (settings, missing) in [
            (ForgeSettings::GitHub(github), "GITHUB_TOKEN"),
            (ForgeSettings::Forgejo(forgejo(None)), "FORGEJO_URL"),
            (ForgeSettings::Forgejo(forgejo(Some("https://git.example"))), "FORGEJO_TOKEN"),
        ] {
            let error = of(&settings).err().unwrap().to_string();
            assert!(error.starts_with(missing), "{error}");
        }
    }
}
