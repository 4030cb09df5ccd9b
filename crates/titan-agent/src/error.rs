//! What can go wrong with a provider. The texts are shown to people as they are; none holds a key, because what a server
//! said goes through a redaction first. Whether and when to try again is for the caller: this only says if it may help.

use std::time::Duration;

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ProviderError {
    /// Too many requests or no quota left (HTTP 429).
    #[error("the model provider refuses more requests for now{}: {message}", wait(*retry_after))]
    RateLimited { retry_after: Option<Duration>, message: String },
    /// It cannot be reached, or it failed by itself (HTTP 408, 5xx).
    #[error("the model provider is not available{}: {message}", wait(*retry_after))]
    Unavailable { status: Option<u16>, retry_after: Option<Duration>, message: String },
    #[error("the model provider was silent for {} {phase}", seconds(*after))]
    Timeout { phase: TimeoutPhase, after: Duration },
    /// The key is missing, wrong or not allowed this (HTTP 401, 403).
    #[error("the model provider {} (HTTP {status}): {message}", key(*is_set, *variable))]
    Unauthorized { status: u16, is_set: bool, variable: Option<&'static str>, message: String },
    /// The provider says that the request is wrong: an unknown model, a text that is too long, a wrong address.
    #[error("the model provider refuses the request (HTTP {status}): {message}")]
    InvalidRequest { status: u16, message: String },
    /// The provider's filter let nothing through.
    #[error("the model provider refused to answer this message: {message}")]
    Refused { message: String },
    /// The answer is not what the wire format says.
    #[error("the model provider's answer cannot be read: {message}")]
    MalformedAnswer { message: String },
    /// The connection ended before the answer did.
    #[error("the answer broke off after {received_chars} characters: {message}")]
    CutStream { received_chars: u64, message: String },
    /// The answer does not end.
    #[error("the answer is longer than {limit_bytes} bytes and was stopped")]
    TooLong { limit_bytes: usize },
    /// The settings cannot work, whatever the server says.
    #[error("the settings of the model provider are wrong: {message}")]
    Misconfigured { message: String },
    /// The caller asked to stop.
    #[error("canceled")]
    Canceled,
}

/// What was waited for when the time was over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeoutPhase {
    Connect,
    FirstToken,
    Idle,
}

impl std::fmt::Display for TimeoutPhase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Connect => "while connecting",
            Self::FirstToken => "before the answer began",
            Self::Idle => "in the middle of the answer",
        })
    }
}

impl ProviderError {
    /// Whether the same request may succeed later. What needs a person (a key, a setting, another text) may not.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::RateLimited { .. }
            | Self::Unavailable { .. }
            | Self::Timeout { .. }
            | Self::MalformedAnswer { .. }
            | Self::CutStream { .. } => true,
            Self::Unauthorized { .. }
            | Self::InvalidRequest { .. }
            | Self::Refused { .. }
            | Self::TooLong { .. }
            | Self::Misconfigured { .. }
            | Self::Canceled => false,
        }
    }

    /// How long the provider asked to be left alone; an hour at most.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } | Self::Unavailable { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// A stable word for logs and counters.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::RateLimited { .. } => "rate_limited",
            Self::Unavailable { .. } => "unavailable",
            Self::Timeout { .. } => "timeout",
            Self::Unauthorized { .. } => "unauthorized",
            Self::InvalidRequest { .. } => "invalid_request",
            Self::Refused { .. } => "refused",
            Self::MalformedAnswer { .. } => "malformed_answer",
            Self::CutStream { .. } => "cut_stream",
            Self::TooLong { .. } => "too_long",
            Self::Misconfigured { .. } => "misconfigured",
            Self::Canceled => "canceled",
        }
    }
}

/// Names the variable, never what is in it.
fn key(is_set: bool, variable: Option<&'static str>) -> String {
    match (is_set, variable) {
        (true, Some(variable)) => format!("does not accept the key in {variable}"),
        (false, Some(variable)) => format!("wants a key, and {variable} is not set"),
        (_, None) => "does not accept the key".to_owned(),
    }
}

fn wait(retry_after: Option<Duration>) -> String {
    retry_after.map(|time| format!(" (try again in {})", seconds(time))).unwrap_or_default()
}

fn seconds(time: Duration) -> String {
    format!("{} s", (time.as_secs_f64() * 10.0).round() / 10.0)
}
