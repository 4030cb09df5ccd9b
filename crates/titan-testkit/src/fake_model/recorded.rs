//! What the server was asked, kept for the test.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

/// One request for an answer, at the moment it had arrived.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    pub at: SystemTime,
    pub instant: Instant,
    pub body: Value,
    /// The Authorization header, if there was one.
    pub authorization: Option<String>,
}

impl RecordedRequest {
    pub(super) fn now(body: Value, authorization: Option<String>) -> Self {
        Self { at: SystemTime::now(), instant: Instant::now(), body, authorization }
    }

    /// The newest message of the person; empty when there is none.
    #[must_use]
    pub fn content(&self) -> &str {
        let messages = self.body.get("messages").and_then(Value::as_array);
        let newest =
            messages.into_iter().flatten().rev().find(|message| message.get("role").is_some_and(|role| role == "user"));
        newest.and_then(|message| message.get("content")).and_then(Value::as_str).unwrap_or_default()
    }

    /// Every text of the request, for counting tokens.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let messages = self.body.get("messages").and_then(Value::as_array);
        messages.into_iter().flatten().filter_map(|message| message.get("content")?.as_str())
    }

    /// Whether this switch of the body, given as a JSON pointer, is on.
    pub(super) fn asks_for(&self, pointer: &str) -> bool {
        self.body.pointer(pointer).and_then(Value::as_bool).unwrap_or_default()
    }

    #[must_use]
    pub fn at_unix_micros(&self) -> u64 {
        let since = self.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}
