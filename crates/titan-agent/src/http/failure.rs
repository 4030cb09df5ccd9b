//! What a failed call means: from HTTP answers, transport errors and error objects to [`ProviderError`]. Everything a
//! server says passes through [`Failures::quote`], so that no error holds the key.

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::StreamExt;
use reqwest::Response;
use reqwest::header::{HeaderMap, LOCATION, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;

use super::Timeouts;
use crate::error::{ProviderError, TimeoutPhase};

/// A server that asks to be left alone for longer is asked again after this.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(3600);
const MAX_ERROR_BYTES: usize = 64 * 1024;
const MAX_QUOTE_CHARS: usize = 500;

#[derive(Debug, Clone)]
pub(super) struct Failures {
    key: Option<SecretString>,
    key_variable: &'static str,
    pub(super) timeouts: Timeouts,
}

impl Failures {
    pub(super) fn new(key: Option<SecretString>, key_variable: &'static str, timeouts: Timeouts) -> Self {
        Self { key, key_variable, timeouts }
    }

    /// What a server said, fit to be shown: on one line, not too long, and without the key.
    pub(super) fn quote(&self, text: &str) -> String {
        let text = match &self.key {
            Some(key) if !key.expose_secret().is_empty() => text.replace(key.expose_secret(), "[key]"),
            _ => text.to_owned(),
        };
        crate::memory::shorten(&text, MAX_QUOTE_CHARS)
    }

    pub(super) fn malformed(&self, message: impl AsRef<str>) -> ProviderError {
        ProviderError::MalformedAnswer { message: self.quote(message.as_ref()) }
    }

    /// The connection failed: before the answer when nothing was received yet, else in the middle of it.
    pub(super) fn of_transport(&self, error: reqwest::Error, received_chars: u64) -> ProviderError {
        if error.is_connect() && error.is_timeout() {
            return ProviderError::Timeout { phase: TimeoutPhase::Connect, after: self.timeouts.connect };
        }
        let in_answer = error.is_body() || error.is_decode();
        let message = self.quote(&innermost(&error.without_url()));
        if in_answer {
            ProviderError::CutStream { received_chars, message }
        } else {
            ProviderError::Unavailable { status: None, retry_after: None, message }
        }
    }

    /// The server answered with something else than success.
    pub(super) async fn of_response(&self, response: Response) -> ProviderError {
        let status = response.status();
        let retry_after = retry_after(response.headers(), Utc::now());
        let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let body = self.read_body(response, MAX_ERROR_BYTES, self.timeouts.probe).await.unwrap_or_default();
        let message = match location.filter(|_| status.is_redirection()) {
            Some(location) => self.quote(&format!("it redirects to {location}, which is not followed")),
            None => self.message_of(&body, status.canonical_reason().unwrap_or("no reason given")),
        };
        // Google calls a wrong key a bad request.
        let is_wrong_key = status.as_u16() == 400 && String::from_utf8_lossy(&body).contains("API_KEY_INVALID");
        self.of_status(if is_wrong_key { 401 } else { status.as_u16() }, retry_after, message)
    }

    /// An error object, in place of an answer or in the middle of it.
    pub(super) fn of_object(&self, error: &Value) -> ProviderError {
        let message = self.quote(&text_of(error).unwrap_or_else(|| "no reason given".to_owned()));
        let word = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default();
        let status = error.get("code").or_else(|| error.get("status")).and_then(status_of);
        match status {
            Some(status) => self.of_status(status, None, message),
            None if word("code").contains("rate_limit") || word("type").contains("rate_limit") => {
                ProviderError::RateLimited { retry_after: None, message }
            }
            None if word("type").contains("invalid_request") => ProviderError::InvalidRequest { status: 400, message },
            None if word("type").contains("authentication") => self.of_status(401, None, message),
            None => ProviderError::Unavailable { status: None, retry_after: None, message },
        }
    }

    fn of_status(&self, status: u16, retry_after: Option<Duration>, message: String) -> ProviderError {
        match status {
            429 => ProviderError::RateLimited { retry_after, message },
            401 | 403 => {
                let variable = Some(self.key_variable).filter(|name| !name.is_empty());
                ProviderError::Unauthorized { status, is_set: self.key.is_some(), variable, message }
            }
            408 | 425 | 500.. => ProviderError::Unavailable { status: Some(status), retry_after, message },
            300..=499 => ProviderError::InvalidRequest { status, message },
            _ => ProviderError::MalformedAnswer { message: format!("HTTP status {status}: {message}") },
        }
    }

    /// The body, if it is not too long and does not take too long.
    pub(super) async fn read_body(
        &self,
        response: Response,
        limit_bytes: usize,
        within: Duration,
    ) -> Result<Vec<u8>, ProviderError> {
        let read = async {
            let mut body = Vec::new();
            let mut parts = response.bytes_stream();
            while let Some(part) = parts.next().await {
                let part = part.map_err(|error| self.of_transport(error, 0))?;
                if body.len() + part.len() > limit_bytes {
                    return Err(ProviderError::TooLong { limit_bytes });
                }
                body.extend_from_slice(&part);
            }
            Ok(body)
        };
        let timeout = ProviderError::Timeout { phase: TimeoutPhase::Idle, after: within };
        tokio::time::timeout(within, read).await.unwrap_or(Err(timeout))
    }

    fn message_of(&self, body: &[u8], fallback: &str) -> String {
        let said = match serde_json::from_slice::<Value>(body) {
            Ok(value) => value.get("error").and_then(text_of).or_else(|| text_of(&value)),
            // Plain text, unless it is a page for a browser.
            Err(_) => {
                Some(String::from_utf8_lossy(body).into_owned()).filter(|text| !text.trim_start().starts_with('<'))
            }
        };
        self.quote(said.as_deref().filter(|text| !text.trim().is_empty()).unwrap_or(fallback))
    }
}

/// The cause that says what happened; those around it only say where. It holds no address, which may be secret.
pub(super) fn innermost(error: &dyn std::error::Error) -> String {
    let mut error = error;
    while let Some(cause) = error.source() {
        error = cause;
    }
    error.to_string()
}

/// The words of an error object, in the places where servers put them.
fn text_of(error: &Value) -> Option<String> {
    let fields = ["message", "detail", "error"].iter().filter_map(|name| error.get(name));
    std::iter::once(error).chain(fields).find_map(Value::as_str).map(str::to_owned)
}

/// An HTTP status as a number or as text.
fn status_of(code: &Value) -> Option<u16> {
    let number = code.as_u64().or_else(|| code.as_str()?.parse().ok())?;
    u16::try_from(number).ok().filter(|status| (300..600).contains(status))
}

/// `Retry-After` in seconds or as a date, or OpenAI's own header in milliseconds.
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    if let Some(millis) = text("retry-after-ms").and_then(|text| text.parse().ok()) {
        return Some(Duration::from_millis(millis).min(MAX_RETRY_AFTER));
    }
    let value = text(RETRY_AFTER.as_str())?;
    let wait = match value.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = DateTime::parse_from_rfc2822(value).ok()?;
            date.signed_duration_since(now).to_std().unwrap_or_default()
        }
    };
    Some(wait.min(MAX_RETRY_AFTER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(name: &'static str, value: &'static str) -> Option<Duration> {
        let now = DateTime::parse_from_rfc3339("1994-11-06T08:49:37Z").unwrap().to_utc();
        let headers = HeaderMap::from_iter([(name.parse().unwrap(), value.parse().unwrap())]);
        retry_after(&headers, now)
    }

    #[test]
    fn retry_after_is_seconds_or_a_date_and_an_hour_at_most() {
        assert_eq!(wait("retry-after", "7"), Some(Duration::from_secs(7)));
        assert_eq!(wait("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT"), Some(Duration::from_secs(30)));
        assert_eq!(wait("retry-after", "Sun, 06 Nov 1994 08:00:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("retry-after", "999999999"), Some(Duration::from_secs(3600)));
        assert_eq!(wait("retry-after", "soon"), None);
        assert_eq!(wait("retry-after-ms", "250"), Some(Duration::from_millis(250)));
        assert_eq!(wait("x-other", "7"), None);
    }

    #[test]
    fn the_words_of_an_error_are_found_and_the_key_is_not_in_them() {
        let failures = Failures::new(Some(SecretString::from("sk-secret")), "OPENAI_API_KEY", Timeouts::default());
        for (body, says) in [
            (r#"{"error":{"message":"bad key sk-secret, sorry"}}"#, "bad key [key], sorry"),
            (r#"{"error":"no such model"}"#, "no such model"),
            (r#"{"detail":"not here"}"#, "not here"),
            (r#"{"message":"nor here"}"#, "nor here"),
            ("plain\n text", "plain text"),
            ("<html>502</html>", "Bad Gateway"),
            ("", "Bad Gateway"),
            ("{}", "Bad Gateway"),
        ] {
            assert_eq!(failures.message_of(body.as_bytes(), "Bad Gateway"), says);
        }
    }

    #[test]
    fn error_objects_are_told_apart_by_code_and_type() {
        let failures = Failures::new(None, "OPENAI_API_KEY", Timeouts::default());
        let code = |json: &str| failures.of_object(&serde_json::from_str(json).unwrap()).code();
        assert_eq!(code(r#"{"message":"x","code":502}"#), "unavailable");
        assert_eq!(code(r#"{"message":"x","code":"429"}"#), "rate_limited");
        assert_eq!(code(r#"{"message":"x","code":"rate_limit_exceeded"}"#), "rate_limited");
        assert_eq!(code(r#"{"message":"x","type":"invalid_request_error","code":null}"#), "invalid_request");
        assert_eq!(code(r#"{"message":"x","type":"server_error"}"#), "unavailable");
        assert_eq!(code(r#""broken""#), "unavailable");
    }
}
