//! What the server was asked, kept for the test.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::dialect::Dialect;

/// One request for an answer, at the moment it had arrived.
#[derive(Debug, Clone)]
pub struct RecordedRequest {
    pub at: SystemTime,
    pub instant: Instant,
    pub body: Value,
    /// The header that carries the key, if there was one.
    pub authorization: Option<String>,
    pub dialect: Dialect,
}

impl RecordedRequest {
    pub(super) fn now(body: Value, authorization: Option<String>, dialect: Dialect) -> Self {
        Self { at: SystemTime::now(), instant: Instant::now(), body, authorization, dialect }
    }

    fn messages(&self) -> impl DoubleEndedIterator<Item = &Value> {
        let messages = self.body.get("messages").or_else(|| self.body.get("contents")).and_then(Value::as_array);
        messages.into_iter().flatten()
    }

    /// The newest words of the person; empty when there are none.
    #[must_use]
    pub fn content(&self) -> &str {
        let theirs = |message: &&Value| message.get("role").is_some_and(|role| role == "user");
        self.messages().rev().filter(theirs).find_map(|message| texts_in(message).next()).unwrap_or_default()
    }

    /// Every text of the request, for counting tokens.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let system = self.body.get("system").and_then(Value::as_str);
        let instruction = self.body.get("systemInstruction").into_iter().flat_map(texts_in);
        system.into_iter().chain(instruction).chain(self.messages().flat_map(texts_in))
    }

    pub(super) fn wants_stream(&self) -> bool {
        let told = self.body.get("stream").and_then(Value::as_bool);
        match self.dialect {
            Dialect::OpenAi | Dialect::Anthropic => told.unwrap_or(false),
            Dialect::Ollama => told.unwrap_or(true),
            // It is asked for by the path.
            Dialect::Gemini => true,
        }
    }

    /// OpenAI tells usage only when it is asked to.
    pub(super) fn wants_usage(&self) -> bool {
        let told = self.body.pointer("/stream_options/include_usage").and_then(Value::as_bool);
        self.dialect != Dialect::OpenAi || told.unwrap_or(false)
    }

    #[must_use]
    pub fn at_unix_micros(&self) -> u64 {
        let since = self.at.duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
    }
}

/// The texts of a message: its content is one, or parts of which some are.
fn texts_in(message: &Value) -> impl Iterator<Item = &str> {
    let whole = message.get("content").and_then(Value::as_str);
    let parts = message.get("content").or_else(|| message.get("parts")).and_then(Value::as_array);
    let parts = parts.into_iter().flatten().filter_map(|part| part.get("text")?.as_str());
    whole.into_iter().chain(parts)
}
