//! The secrets of the webhooks: a forge signs with them what it sends.

use secrecy::SecretString;

use super::ops::SHORTEST_TOKEN as SHORTEST;
use super::{ConfigError, Vars, wrong};

/// One without a secret is not set up, and takes nothing.
#[derive(Debug, Clone, Default)]
pub struct Webhooks {
    pub github: Option<SecretString>,
    pub forgejo: Option<SecretString>,
}

impl Webhooks {
    pub(super) fn of(vars: &Vars<'_>) -> Result<Self, ConfigError> {
        Ok(Webhooks {
            github: secret(vars, "GITHUB_WEBHOOK_SECRET", "GITHUB_REPO")?,
            forgejo: secret(vars, "FORGEJO_WEBHOOK_SECRET", "FORGEJO_REPO")?,
        })
    }
}

/// What was set to nothing was meant to be set: everybody could sign with it.
fn secret(vars: &Vars<'_>, name: &'static str, repository: &str) -> Result<Option<SecretString>, ConfigError> {
    let Some(given) = vars.0.get(name).map(|given| given.trim()) else { return Ok(None) };
    // The value is not repeated in the message.
    if given.len() < SHORTEST || given.chars().any(char::is_control) {
        let message = format!(
            "must have at least {SHORTEST} characters, the same as at the forge; openssl rand -hex 32 makes one; leave the variable out \
             for no webhook"
        );
        return Err(wrong(name, message));
    }
    if vars.text(repository).is_none() {
        return Err(wrong(name, format!("is set without {repository}, the repository that its webhook is about")));
    }
    Ok(Some(SecretString::from(given)))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use secrecy::ExposeSecret as _;

    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Webhooks, ConfigError> {
        let map: HashMap<String, String> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Webhooks::of(&Vars(&map))
    }

    #[test]
    fn a_secret_is_long_enough_and_belongs_to_a_repository() {
        let none = of(&[("GITHUB_REPO", "a/b")]).unwrap();
        assert!(none.github.is_none() && none.forgejo.is_none());
        let set = of(&[("FORGEJO_REPO", "a/b"), ("FORGEJO_WEBHOOK_SECRET", " It's a Secret to Everybody\n")]).unwrap();
        assert_eq!(set.forgejo.unwrap().expose_secret(), "It's a Secret to Everybody");
        assert!(set.github.is_none());
        for (secret, says) in
            [("", "openssl"), ("  ", "openssl"), ("hunter2", "at least 12"), ("with\u{0}a-control", "12")]
        {
            let error = of(&[("GITHUB_REPO", "a/b"), ("GITHUB_WEBHOOK_SECRET", secret)]).unwrap_err();
            assert_eq!(error.variable, "GITHUB_WEBHOOK_SECRET");
            assert!(error.message.contains(says) && !error.message.contains("hunter2"), "{error}");
        }
        let error = of(&[("GITHUB_REPO", "a/b"), ("FORGEJO_WEBHOOK_SECRET", "long-enough-to-be-one")]).unwrap_err();
        assert!(error.variable == "FORGEJO_WEBHOOK_SECRET" && error.message.contains("FORGEJO_REPO"), "{error}");
    }
}
