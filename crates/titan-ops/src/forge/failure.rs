//! What a refusal of a forge means: one table from its answers to [`ForgeError`]. Everything a forge says passes through
//! [`Failures::quote`], so that no error holds a secret.

use std::time::Duration;

use chrono::{DateTime, Utc};
use reqwest::StatusCode;
use reqwest::header::{DATE, HeaderMap, LOCATION, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};

use super::ForgeError;

/// GitHub asks for a minute where it names no time.
const UNNAMED_WAIT: Duration = Duration::from_secs(60);
/// A forge that asks to be left alone for longer is asked again after this; its limits are those of an hour.
const MAX_WAIT: Duration = Duration::from_secs(3600);
const MAX_QUOTE_CHARS: usize = 500;

/// A failed call: what it means by itself, and what a caller needs who knows more of it.
#[derive(Debug)]
pub(crate) struct Failed {
    /// None: there was no answer, or none that can be read.
    pub(crate) status: Option<StatusCode>,
    /// What the forge said, fit to be shown.
    pub(crate) words: String,
    pub(crate) error: ForgeError,
}

impl Failed {
    pub(crate) fn is(&self, status: StatusCode) -> bool {
        self.status == Some(status)
    }

    /// Whether the forge understood, and will not do it.
    pub(crate) fn is_refusal(&self) -> bool {
        matches!(self.error, ForgeError::Refused(_) | ForgeError::NotFound(_))
    }
}

impl From<Failed> for ForgeError {
    fn from(failed: Failed) -> Self {
        failed.error
    }
}

impl From<ForgeError> for Failed {
    fn from(error: ForgeError) -> Self {
        Self { status: None, words: error.to_string(), error }
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Failures {
    /// `GitHub` or `Forgejo`.
    forge: &'static str,
    /// Where the repository is set.
    repo_variable: &'static str,
    /// Where the access is set.
    access_variables: &'static str,
    secrets: Vec<SecretString>,
}

impl Failures {
    pub(crate) fn new(
        forge: &'static str,
        repo_variable: &'static str,
        access_variables: &'static str,
        secrets: Vec<SecretString>,
    ) -> Self {
        Self { forge, repo_variable, access_variables, secrets }
    }

    /// The table. `asked` is the request for people: `GET /repos/ida/tea`.
    pub(crate) fn of_answer(&self, asked: &str, status: StatusCode, headers: &HeaderMap, words: &str) -> Failed {
        let words = self.quote(words);
        let (forge, variables) = (self.forge, self.access_variables);
        if matches!(status.as_u16(), 403 | 429)
            && let Some(after) = wait(status, headers, &words)
        {
            let why = format!("{forge} asks to be left alone for {} s: {words} ({asked})", after.as_secs());
            return Failed { status: Some(status), words, error: ForgeError::RateLimited { after, why } };
        }
        let error = match status.as_u16() {
            401 => ForgeError::Denied(format!(
                "{forge} does not accept {variables}: {words} ({asked}). Check that it is copied whole, still valid and of \
                 this server"
            )),
            403 => {
                let needed = needed(headers).map(|needed| format!(". It needs {needed}")).unwrap_or_default();
                ForgeError::Denied(format!("{variables} may not do this at {forge}: {words} ({asked}){needed}"))
            }
            404 => ForgeError::NotFound(format!(
                "{forge} knows nothing there: {words} ({asked}). Who has no access is told the same: check {}, and what {variables} \
                 may reach",
                self.repo_variable
            )),
            300..=399 => {
                let to = headers.get(LOCATION).and_then(|to| to.to_str().ok()).map(|to| self.quote(to));
                let to = to.map(|to| format!(" to {to}")).unwrap_or_default();
                ForgeError::Refused(format!(
                    "{forge} redirects{to} ({asked}), which is not followed: if the repository was renamed, set {} anew",
                    self.repo_variable
                ))
            }
            408 | 425 | 500.. => {
                ForgeError::Unavailable(format!("{forge} is in trouble ({status}): {words} ({asked})"))
            }
            _ => ForgeError::Refused(format!("{forge} refuses ({}): {words} ({asked})", status.as_u16())),
        };
        Failed { status: Some(status), words, error }
    }

    /// There is no whole answer, in time or at all.
    pub(crate) fn of_transport(&self, asked: &str, error: reqwest::Error) -> ForgeError {
        let forge = self.forge;
        let what = match (error.is_timeout(), error.is_connect()) {
            (true, true) => format!("no connection to {forge} in time"),
            (true, false) => format!("{forge} did not answer in time"),
            (false, true) => format!("no connection to {forge}"),
            (false, false) => format!("the connection to {forge} was cut"),
        };
        let cause = self.quote(&innermost(&error.without_url()));
        ForgeError::Unavailable(format!("{what}: {cause} ({asked})"))
    }

    /// There is an answer that says nothing: half of one, or that of something in between.
    pub(crate) fn unreadable(&self, asked: &str, why: &str) -> ForgeError {
        ForgeError::Unavailable(format!("{}'s answer cannot be read: {} ({asked})", self.forge, self.quote(why)))
    }

    /// What a forge said, fit to be shown: on one line, not too long, without a secret.
    pub(crate) fn quote(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.expose_secret(), titan_core::redact::REMOVED);
        }
        let text = titan_core::redact::redact(&text);
        let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        titan_core::text::head(&line, MAX_QUOTE_CHARS).to_owned()
    }
}

/// The cause that says what happened; those around it only say where.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

/// How long a forge wants to be left alone; none when it refuses for another reason.
fn wait(status: StatusCode, headers: &HeaderMap, words: &str) -> Option<Duration> {
    // Its own clock: that of this machine may be wrong by more than the wait.
    let now = text(headers, DATE.as_str()).and_then(date).unwrap_or_else(Utc::now);
    let wait = if let Some(after) = text(headers, RETRY_AFTER.as_str()) {
        match after.parse() {
            Ok(seconds) => Duration::from_secs(seconds),
            Err(_) => date(after).and_then(|until| (until - now).to_std().ok()).unwrap_or(UNNAMED_WAIT),
        }
    } else if text(headers, "x-ratelimit-remaining") == Some("0") {
        let reset = text(headers, "x-ratelimit-reset").and_then(|at| at.parse().ok());
        let reset = reset.and_then(|at| DateTime::from_timestamp(at, 0));
        // One second more: the limit is gone when the second is over.
        let left = reset.map(|at| (at - now).to_std().unwrap_or_default() + Duration::from_secs(1));
        left.unwrap_or(UNNAMED_WAIT)
    } else if status == StatusCode::TOO_MANY_REQUESTS || words.to_ascii_lowercase().contains("secondary rate limit") {
        UNNAMED_WAIT
    } else {
        return None;
    };
    Some(wait.min(MAX_WAIT))
}

/// The permission that was missing, where the forge tells.
fn needed(headers: &HeaderMap) -> Option<String> {
    if let Some(permissions) = text(headers, "x-accepted-github-permissions") {
        return Some(format!("the permission {}", permissions.replace("; ", " or ")));
    }
    text(headers, "x-accepted-oauth-scopes")
        .filter(|scopes| !scopes.is_empty())
        .map(|scopes| format!("the scope {scopes}"))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim)
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn failures() -> Failures {
        Failures::new("GitHub", "GITHUB_REPO", "GITHUB_TOKEN", vec![SecretString::from("s3cr3t")])
    }

    fn of(status: u16, headers: &[(&'static str, &str)], words: &str) -> ForgeError {
        let pairs =
            headers.iter().map(|&(name, value)| (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap()));
        let headers = HeaderMap::from_iter(pairs);
        failures().of_answer("GET /x", StatusCode::from_u16(status).unwrap(), &headers, words).error
    }

    fn after(status: u16, headers: &[(&'static str, &str)], words: &str) -> Option<u64> {
        match of(status, headers, words) {
            ForgeError::RateLimited { after, why } => {
                assert!(why.contains("GET /x"), "{why}");
                Some(after.as_secs())
            }
            _ => None,
        }
    }

    const DATED: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");

    #[test]
    fn limits_say_when_to_come_back() {
        assert_eq!(after(403, &[("retry-after", "7")], "You have exceeded a secondary rate limit"), Some(7));
        assert_eq!(after(429, &[("retry-after", "7")], "Slow down"), Some(7));
        assert_eq!(after(429, &[], "Slow down"), Some(60));
        assert_eq!(after(403, &[], "You have exceeded a Secondary Rate Limit."), Some(60));
        assert_eq!(after(403, &[DATED, ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT")], "x"), Some(30));
        assert_eq!(after(403, &[("retry-after", "999999")], "x"), Some(3600));
        assert_eq!(after(403, &[("retry-after", "soon")], "x"), Some(60));
        let spent = ("x-ratelimit-remaining", "0");
        assert_eq!(after(403, &[DATED, spent, ("x-ratelimit-reset", "784111877")], "x"), Some(101));
        assert_eq!(after(403, &[DATED, spent, ("x-ratelimit-reset", "7")], "x"), Some(1));
        assert_eq!(after(403, &[spent], "x"), Some(60));
        assert_eq!(after(403, &[("x-ratelimit-remaining", "12")], "x"), None);
        assert_eq!(after(422, &[spent], "x"), None);
        assert_eq!(after(503, &[("retry-after", "7")], "x"), None);
    }

    #[test]
    fn every_answer_means_something() {
        let says = |error: ForgeError, parts: &[&str]| {
            let text = error.to_string();
            for part in parts {
                assert!(text.contains(part), "{text:?} says nothing of {part:?}");
            }
        };
        let denied = of(401, &[], "Bad credentials");
        assert!(matches!(denied, ForgeError::Denied(_)));
        says(denied, &["GitHub", "GITHUB_TOKEN", "Bad credentials", "GET /x"]);
        let denied =
            of(403, &[("x-accepted-github-permissions", "contents=write; administration=write")], "Not accessible");
        assert!(matches!(denied, ForgeError::Denied(_)));
        says(denied, &["GITHUB_TOKEN", "Not accessible", "contents=write or administration=write"]);
        says(of(403, &[("x-accepted-oauth-scopes", "repo")], "No"), &["the scope repo"]);
        let missing = of(404, &[], "Not Found");
        assert!(matches!(missing, ForgeError::NotFound(_)));
        says(missing, &["Not Found", "no access", "GITHUB_REPO", "GITHUB_TOKEN"]);
        let moved = of(301, &[("location", "https://api.github.com/repositories/7")], "Moved Permanently");
        assert!(matches!(moved, ForgeError::Refused(_)));
        says(moved, &["repositories/7", "GITHUB_REPO"]);
        for status in [408, 500, 502, 503, 504] {
            assert!(matches!(of(status, &[], "x"), ForgeError::Unavailable(_)), "{status}");
        }
        for status in [400, 405, 409, 410, 413, 422, 423, 451] {
            let refused = of(status, &[], "Validation Failed");
            assert!(matches!(refused, ForgeError::Refused(_)), "{status}");
            says(refused, &["Validation Failed", &status.to_string()]);
        }
    }

    #[test]
    fn no_error_holds_a_secret() {
        let error = of(422, &[], "the token s3cr3t\nand ghp_0123456789abcdefghij0123456789abcdef too").to_string();
        assert!(!error.contains("s3cr3t") && !error.contains("ghp_") && !error.contains('\n'), "{error}");
        assert!(of(422, &[], &"x".repeat(10_000)).to_string().len() < 600);
        let error = of(301, &[("location", "https://x/?access_token=s3cr3t")], "").to_string();
        assert!(!error.contains("s3cr3t"), "{error}");
        assert!(!failures().unreadable("GET /x", "s3cr3t").to_string().contains("s3cr3t"));
    }
}
