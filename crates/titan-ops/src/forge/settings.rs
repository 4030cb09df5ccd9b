//! What a forge is made from: checked values. Where they come from (the environment, a test) is the business of others; a wrong one
//! is told by the name of the variable that it is set with.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use titan_core::config::ConfigError;
use url::Url;

/// Where GitHub's own API is.
pub const GITHUB_API: &str = "https://api.github.com";

/// `owner/name`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RepoName {
    pub owner: String,
    pub name: String,
}

#[derive(Debug, Clone)]
pub struct GitHubSettings {
    pub repo: RepoName,
    /// Up to and without the routes: `https://api.github.com`, or `https://HOST/api/v3` of an Enterprise Server.
    pub api: Url,
    /// Where git fetches from, without the repository.
    pub server: Url,
    pub access: Access,
    pub timeouts: Timeouts,
}

/// As whom GitHub is asked.
#[derive(Debug, Clone)]
pub enum Access {
    Token(SecretString),
    App(App),
}

/// A GitHub App, which asks for tokens of its own that end after an hour.
#[derive(Debug, Clone)]
pub struct App {
    pub id: u64,
    /// RSA, as PEM.
    pub private_key: SecretString,
    /// Looked up by the repository when it is not given.
    pub installation: Option<u64>,
}

#[derive(Debug, Clone)]
pub struct ForgejoSettings {
    pub repo: RepoName,
    /// The server's own address, under which `/api/v1` lies.
    pub url: Url,
    pub token: SecretString,
    pub timeouts: Timeouts,
}

/// How long a forge may be silent. Nobody waits for longer: what a late answer would have said is looked up afterwards.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    pub connect: Duration,
    /// From the request to the end of its answer.
    pub whole: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), whole: Duration::from_secs(30) }
    }
}

impl GitHubSettings {
    /// # Errors
    /// When a value is none of its kind.
    pub fn new(repo: &str, access: Access, api: Option<&str>, server: Option<&str>) -> Result<Self, ConfigError> {
        let api = address("GITHUB_API_URL", api.unwrap_or(GITHUB_API))?;
        let server = match server {
            Some(server) => address("GITHUB_SERVER_URL", server)?,
            None => server_of(&api)?,
        };
        let access = access.checked()?;
        Ok(Self { repo: RepoName::parse("GITHUB_REPO", repo)?, api, server, access, timeouts: Timeouts::default() })
    }
}

impl ForgejoSettings {
    /// # Errors
    /// When a value is none of its kind.
    pub fn new(repo: &str, url: &str, token: SecretString) -> Result<Self, ConfigError> {
        let token = token_of("FORGEJO_TOKEN", &token)?;
        let url = address("FORGEJO_URL", url)?;
        Ok(Self { repo: RepoName::parse("FORGEJO_REPO", repo)?, url, token, timeouts: Timeouts::default() })
    }
}

impl RepoName {
    /// # Errors
    /// When it is not the name of a repository; `variable` is where it was set.
    pub fn parse(variable: &'static str, text: &str) -> Result<Self, ConfigError> {
        let part = |part: &str| {
            let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            (1..=100).contains(&part.len()) && part.chars().all(known) && part != "." && part != ".."
        };
        match text.trim().split_once('/') {
            Some((owner, name)) if part(owner) && part(name) && !name.ends_with(".git") => {
                Ok(Self { owner: owner.to_owned(), name: name.to_owned() })
            }
            _ => Err(wrong(
                variable,
                "is not a repository; write owner/name, such as ida/tea, without an address or .git",
            )),
        }
    }
}

impl std::fmt::Display for RepoName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.owner, self.name)
    }
}

impl Access {
    fn checked(self) -> Result<Self, ConfigError> {
        match self {
            Self::Token(token) => Ok(Self::Token(token_of("GITHUB_TOKEN", &token)?)),
            Self::App(app) => {
                if app.id == 0 || app.installation == Some(0) {
                    let variable = if app.id == 0 { "GITHUB_APP_ID" } else { "GITHUB_APP_INSTALLATION_ID" };
                    return Err(wrong(variable, "must be the number that GitHub shows on the app's page"));
                }
                // Many places where variables are set take one line only.
                let key = app.private_key.expose_secret().trim().replace("\\n", "\n");
                if octocrab::auth::EncodingKey::from_rsa_pem(key.as_bytes()).is_err() {
                    let message = "is no RSA private key in PEM (-----BEGIN RSA PRIVATE KEY-----); \
                                   make one on the app's page, and set the whole file";
                    return Err(wrong("GITHUB_APP_PRIVATE_KEY", message));
                }
                Ok(Self::App(App { private_key: SecretString::from(key), ..app }))
            }
        }
    }

    /// The variables that it is set with, for people.
    pub(crate) fn variables(&self) -> &'static str {
        match self {
            Self::Token(_) => "GITHUB_TOKEN",
            Self::App(_) => "GITHUB_APP_ID and GITHUB_APP_PRIVATE_KEY",
        }
    }

    /// What must not be told.
    pub(crate) fn secrets(&self) -> Vec<SecretString> {
        match self {
            Self::Token(token) => vec![token.clone()],
            Self::App(app) => vec![app.private_key.clone()],
        }
    }
}

/// Without the line break that a file ends with, and fit for a header.
fn token_of(variable: &'static str, token: &SecretString) -> Result<SecretString, ConfigError> {
    let token = token.expose_secret().trim();
    if token.is_empty() || !token.chars().all(|c| c.is_ascii_graphic()) {
        return Err(wrong(variable, "has characters that no token has; copy it again, alone and whole"));
    }
    Ok(SecretString::from(token))
}

fn address(variable: &'static str, text: &str) -> Result<Url, ConfigError> {
    let right = "write an address such as https://forge.example, without a user name, a query or a fragment";
    let mut url =
        Url::parse(text.trim()).map_err(|error| wrong(variable, format!("is no address ({error}); {right}")))?;
    let plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !plain || url.query().is_some() || url.fragment().is_some() {
        return Err(wrong(variable, format!("is not an address of a forge; {right}")));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// github.com beside its API, and an Enterprise Server above its own.
fn server_of(api: &Url) -> Result<Url, ConfigError> {
    let mut server = api.clone();
    // Also with data residency. An Enterprise Server may itself be called so.
    let of_github = |host: &&str| *host == "github.com" || host.ends_with(".ghe.com");
    if let Some(host) = api.host_str().and_then(|host| host.strip_prefix("api.")).filter(of_github) {
        server.set_host(Some(host)).map_err(|error| wrong("GITHUB_API_URL", error.to_string()))?;
    }
    let path = api.path().trim_end_matches("/v3").trim_end_matches("/api").to_owned();
    server.set_path(&path);
    Ok(server)
}

fn wrong(variable: &'static str, message: impl Into<String>) -> ConfigError {
    ConfigError { variable, message: message.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(text: &str) -> Access {
        Access::Token(SecretString::from(text))
    }

    #[test]
    fn a_repository_has_an_owner_and_a_name() {
        for right in ["ida/tea", " ida/tea\n", "a-b_c/d.e", "x/.github"] {
            assert_eq!(RepoName::parse("GITHUB_REPO", right).unwrap().to_string(), right.trim());
        }
        for wrong in
            ["", "tea", "ida/", "/tea", "ida/tea/x", "ida/..", "ida/tea.git", "https://github.com/ida/tea", "ida/te a"]
        {
            let error = RepoName::parse("GITHUB_REPO", wrong).unwrap_err();
            assert!(error.to_string().starts_with("GITHUB_REPO: "), "{error}");
            assert!(error.message.contains("owner/name"), "{error}");
        }
    }

    #[test]
    fn git_fetches_beside_the_api() {
        for (api, server) in [
            (None, "https://github.com/"),
            (Some("https://api.github.com/"), "https://github.com/"),
            (Some("https://git.example/api/v3"), "https://git.example/"),
            (Some("https://api.tea.ghe.com"), "https://tea.ghe.com/"),
            (Some("https://api.corp.example/api/v3"), "https://api.corp.example/"),
            (Some("http://127.0.0.1:4000"), "http://127.0.0.1:4000/"),
        ] {
            let settings = GitHubSettings::new("ida/tea", token("t"), api, None).unwrap();
            assert_eq!(settings.server.as_str(), server);
        }
        let settings = GitHubSettings::new("ida/tea", token("t"), None, Some("https://mirror.example/")).unwrap();
        assert_eq!(settings.server.as_str(), "https://mirror.example/");
    }

    #[test]
    fn what_is_wrong_is_named_and_no_secret_is_told() {
        let of = |access, api| GitHubSettings::new("ida/tea", access, api, None).unwrap_err();
        assert_eq!(of(token("ab c\u{7}"), None).variable, "GITHUB_TOKEN");
        assert_eq!(of(token(" "), None).variable, "GITHUB_TOKEN");
        for api in ["ftp://x", "github.com", "https://ida:pw@x", "https://x?a=b"] {
            let error = of(token("t"), Some(api));
            assert_eq!(error.variable, "GITHUB_API_URL");
            assert!(!error.to_string().contains("pw"), "{error}");
        }
        let app = |id, key: &str| Access::App(App { id, private_key: SecretString::from(key), installation: None });
        assert_eq!(of(app(0, ""), None).variable, "GITHUB_APP_ID");
        let error = of(app(7, "very secret"), None);
        assert_eq!(error.variable, "GITHUB_APP_PRIVATE_KEY");
        assert!(!error.to_string().contains("very secret"), "{error}");
        let forgejo = |url, token: &str| ForgejoSettings::new("ida/tea", url, SecretString::from(token));
        assert_eq!(forgejo("https://x/git/", "t\n").unwrap().url.as_str(), "https://x/git");
        assert_eq!(forgejo("x", "t").unwrap_err().variable, "FORGEJO_URL");
        assert_eq!(forgejo("https://x", "").unwrap_err().variable, "FORGEJO_TOKEN");
    }
}
