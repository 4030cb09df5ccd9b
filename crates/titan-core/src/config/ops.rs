//! The settings of changes to Titan's own code: who may propose them, where the repository lies, what they may touch.

use secrecy::SecretString;

use super::{ConfigError, Rollouts, Vars, Webhooks, list, wrong};

/// Shorter ones can be guessed.
pub(super) const SHORTEST_TOKEN: usize = 12;

#[derive(Debug, Clone)]
pub struct Ops {
    /// The live tokens: one, or while they are changed the new one and the old one. Empty: nobody can propose anything.
    pub tokens: Vec<SecretString>,
    pub forge: Option<ForgeSettings>,
    pub webhooks: Webhooks,
    /// The branch that changes go to; none: the repository's own default.
    pub base: Option<String>,
    pub allowed_paths: Option<Vec<String>>,
    pub protected_paths: Option<Vec<String>>,
    /// Whether a proposal has to name what it belongs to in TASKS.md.
    pub require_now: bool,
    /// Lines for the shell, one after the other, that build and test a change; none: what the repository looks like.
    pub test: Option<Vec<String>>,
    pub checks: Checks,
    /// How long the forge's checks are waited for.
    pub checks_timeout: std::time::Duration,
    pub rollouts: Rollouts,
}

/// What the forge's own checks are worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// There has to be one, and none may fail.
    Required,
    /// None may fail.
    IfAny,
    Off,
}

#[derive(Debug, Clone)]
pub enum ForgeSettings {
    GitHub(GitHubSettings),
    Forgejo(ForgejoSettings),
}

impl ForgeSettings {
    /// `owner/name`.
    #[must_use]
    pub fn repository(&self) -> &str {
        match self {
            ForgeSettings::GitHub(github) => &github.repository,
            ForgeSettings::Forgejo(forgejo) => &forgejo.repository,
        }
    }
}

#[derive(Debug, Clone)]
pub struct GitHubSettings {
    /// As it was given, like all that follows: the worker, which uses them, looks whether they are what they should be.
    pub repository: String,
    /// None where nobody writes there: the API needs the name alone, to know its webhooks.
    pub access: Option<GitHubAccess>,
    pub api_url: Option<String>,
    /// Where git fetches from.
    pub server_url: Option<String>,
}

#[derive(Debug, Clone)]
pub enum GitHubAccess {
    Token(SecretString),
    App {
        id: u64,
        /// In PEM.
        private_key: SecretString,
        /// Looked up when it is not given.
        installation: Option<u64>,
    },
}

#[derive(Debug, Clone)]
pub struct ForgejoSettings {
    pub repository: String,
    pub url: Option<String>,
    pub token: Option<SecretString>,
}

impl Ops {
    pub(super) fn of(vars: &Vars<'_>) -> Result<Self, ConfigError> {
        Ok(Ops {
            tokens: tokens(vars)?,
            forge: forge(vars)?,
            webhooks: Webhooks::of(vars)?,
            base: vars.text("TITAN_OPS_BASE").map(str::to_owned),
            allowed_paths: vars.text("ALLOWED_PATHS").map(patterns),
            protected_paths: vars.text("PROTECTED_PATHS").map(patterns),
            require_now: vars.choice("TITAN_OPS_REQUIRE_NOW", &[("on", true), ("off", false)])?.unwrap_or(true),
            test: vars.text("TITAN_OPS_TEST").map(lines),
            checks: vars
                .choice(
                    "TITAN_OPS_CHECKS",
                    &[("required", Checks::Required), ("if-any", Checks::IfAny), ("off", Checks::Off)],
                )?
                .unwrap_or(Checks::Required),
            checks_timeout: vars
                .duration("TITAN_OPS_CHECKS_TIMEOUT", 1_000, 24 * 3_600_000)?
                .unwrap_or(std::time::Duration::from_secs(3600)),
            rollouts: Rollouts::of(vars)?,
        })
    }
}

fn tokens(vars: &Vars<'_>) -> Result<Vec<SecretString>, ConfigError> {
    let tokens = vars.text("OPS_TOKEN").map(list).unwrap_or_default();
    if tokens.len() > 2 {
        return Err(wrong(
            "OPS_TOKEN",
            format!("must be one token, or two of which the second is the old one, and are {}", tokens.len()),
        ));
    }
    // The value is not repeated in the message.
    if tokens.iter().any(|token| token.len() < SHORTEST_TOKEN || !token.bytes().all(|byte| byte.is_ascii_graphic())) {
        let message = format!(
            "must have at least {SHORTEST_TOKEN} visible ASCII characters in each token; openssl rand -hex 32 makes one"
        );
        return Err(wrong("OPS_TOKEN", message));
    }
    Ok(tokens.into_iter().map(SecretString::from).collect())
}

/// Comma separated, but for the commas of `{a,b}`.
fn patterns(text: &str) -> Vec<String> {
    let mut depth = 0_i32;
    let parts = text.split(|c| {
        depth += match c {
            '{' => 1,
            '}' => -1,
            _ => 0,
        };
        c == ',' && depth <= 0
    });
    parts.map(str::trim).filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

/// Shell lines that are apart by line breaks or `;;`, since few places where variables are set know line breaks.
fn lines(text: &str) -> Vec<String> {
    text.split(";;").flat_map(str::lines).map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

fn forge(vars: &Vars<'_>) -> Result<Option<ForgeSettings>, ConfigError> {
    match (vars.text("GITHUB_REPO"), vars.text("FORGEJO_REPO")) {
        (Some(_), Some(_)) => {
            Err(wrong("FORGEJO_REPO", "is set and so is GITHUB_REPO: there is one repository, at one of them"))
        }
        (Some(repository), None) => Ok(Some(ForgeSettings::GitHub(github(vars, repository)?))),
        (None, Some(repository)) => Ok(Some(ForgeSettings::Forgejo(forgejo(vars, repository)))),
        (None, None) => Ok(None),
    }
}

fn github(vars: &Vars<'_>, repository: &str) -> Result<GitHubSettings, ConfigError> {
    let given = |name: &'static str| vars.text(name).map(str::to_owned);
    Ok(GitHubSettings {
        repository: repository.to_owned(),
        access: access(vars)?,
        api_url: given("GITHUB_API_URL"),
        server_url: given("GITHUB_SERVER_URL"),
    })
}

fn access(vars: &Vars<'_>) -> Result<Option<GitHubAccess>, ConfigError> {
    let number = |name: &'static str| {
        vars.text(name)
            .map(|given| {
                given.parse::<u64>().map_err(|_| wrong(name, "must be the number that GitHub shows with the App"))
            })
            .transpose()
    };
    match (vars.secret("GITHUB_TOKEN"), number("GITHUB_APP_ID")?) {
        (Some(token), None) => Ok(Some(GitHubAccess::Token(token))),
        (None, Some(id)) => {
            let key = vars.secret("GITHUB_APP_PRIVATE_KEY").ok_or_else(|| {
                wrong("GITHUB_APP_PRIVATE_KEY", "is needed with GITHUB_APP_ID: the App's private key in PEM")
            })?;
            let installation = number("GITHUB_APP_INSTALLATION_ID")?;
            Ok(Some(GitHubAccess::App { id, private_key: key, installation }))
        }
        (Some(_), Some(_)) => Err(wrong("GITHUB_TOKEN", "is set and so is GITHUB_APP_ID: one of them is enough")),
        (None, None) => Ok(None),
    }
}

fn forgejo(vars: &Vars<'_>, repository: &str) -> ForgejoSettings {
    ForgejoSettings {
        repository: repository.to_owned(),
        url: vars.text("FORGEJO_URL").map(str::to_owned),
        token: vars.secret("FORGEJO_TOKEN"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Ops, ConfigError> {
        let map: HashMap<String, String> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Ops::of(&Vars(&map))
    }

    #[test]
    fn nothing_is_set_up_by_default() {
        let ops = of(&[]).unwrap();
        assert!(ops.tokens.is_empty() && ops.forge.is_none() && ops.require_now);
        assert_eq!(ops.checks, Checks::Required);
    }

    #[test]
    fn a_token_may_have_an_old_one_beside_it() {
        assert_eq!(of(&[("OPS_TOKEN", "new-new-new-new, old-old-old-old")]).unwrap().tokens.len(), 2);
        for bad in ["short", "a-token-of-words,b-token-of-words,c-token-of-words", "with a space in it"] {
            let error = of(&[("OPS_TOKEN", bad)]).unwrap_err();
            assert_eq!(error.variable, "OPS_TOKEN");
            assert!(!error.message.contains(bad), "{error}");
        }
    }

    #[test]
    fn there_is_one_repository_and_one_way_in() {
        for (pairs, variable) in [
            (&[("GITHUB_REPO", "a/b"), ("GITHUB_TOKEN", "t"), ("GITHUB_APP_ID", "7")][..], "GITHUB_TOKEN"),
            (&[("GITHUB_REPO", "a/b"), ("GITHUB_APP_ID", "7")], "GITHUB_APP_PRIVATE_KEY"),
            (&[("GITHUB_REPO", "a/b"), ("GITHUB_TOKEN", "t"), ("FORGEJO_REPO", "a/b")], "FORGEJO_REPO"),
        ] {
            assert_eq!(of(pairs).unwrap_err().variable, variable, "{pairs:?}");
        }
    }

    #[test]
    fn patterns_may_hold_commas_in_braces() {
        let ops = of(&[("ALLOWED_PATHS", "docs/**, crates/{titan-api,titan-core}/**,README.md")]).unwrap();
        assert_eq!(ops.allowed_paths.unwrap(), ["docs/**", "crates/{titan-api,titan-core}/**", "README.md"]);
    }

    #[test]
    fn commands_are_apart_by_lines_or_two_semicolons() {
        let ops = of(&[("TITAN_OPS_TEST", "cargo build --locked ;; cargo test; true")]).unwrap();
        assert_eq!(ops.test.unwrap(), ["cargo build --locked", "cargo test; true"]);
    }
}
