//! The wires: how a request is written and how an answer is read, for each of the interfaces that vendors have. What they
//! share (connections, timeouts, cancellation, failures) is in [`crate::http`], and needs no change for another one.

mod anthropic;
mod gemini;
mod ollama;
mod openai;

use std::collections::{BTreeMap, VecDeque};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use titan_core::ids;

use crate::provider::{FinishReason, Image, Message, Model, ModelRequest, Part, ProviderKind, Role, ToolCall, Usage};

pub(crate) use anthropic::Anthropic;
pub(crate) use gemini::Gemini;
pub(crate) use ollama::Ollama;
pub(crate) use openai::OpenAi;

pub(crate) trait Wire: std::fmt::Debug + Send + Sync {
    fn kind(&self) -> ProviderKind;

    /// The header that carries the key, and what stands before the key in it.
    fn key_header(&self) -> (&'static str, &'static str);

    /// Headers of every request besides.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[]
    }

    /// How the parts of an answer are told apart.
    fn framing(&self) -> Framing;

    /// Where answers are asked for, below the base address.
    fn path(&self, model: &str) -> Path;

    fn body(&self, model: &str, request: &ModelRequest) -> Value;

    /// Reads one answer.
    fn reader(&self, request: &ModelRequest) -> Box<dyn Reader>;

    fn models_path(&self) -> Path;

    /// The models that can chat, out of what is found there.
    fn models(&self, list: &Value) -> Option<Vec<Model>>;

    /// Where embeddings are asked for, and how; none where there are none.
    fn embedding(&self, _model: &str, _texts: &[&str]) -> Option<(Path, Value)> {
        None
    }

    /// The embeddings in an answer, in the order of the texts.
    fn embeddings(&self, _answer: &Value) -> Option<Vec<Vec<f32>>> {
        None
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Server-sent events.
    Sse,
    /// A JSON object on each line.
    Lines,
}

/// Segments and query.
#[derive(Debug, Clone, Default)]
pub(crate) struct Path {
    pub(crate) segments: Vec<String>,
    pub(crate) query: &'static [(&'static str, &'static str)],
}

impl Path {
    pub(crate) fn of(segments: &[&str]) -> Self {
        Self { segments: segments.iter().map(|segment| (*segment).to_owned()).collect(), query: &[] }
    }

    pub(crate) fn with(self, query: &'static [(&'static str, &'static str)]) -> Self {
        Self { query, ..self }
    }
}

/// Reads the events of one answer.
pub(crate) trait Reader: Send {
    /// False for one that only keeps the connection open. An answer that came in one piece is an event too.
    ///
    /// # Errors
    /// What makes the answer useless.
    fn take(&mut self, event: &str, heard: &mut Heard) -> Result<bool, Unreadable>;
}

pub(crate) enum Unreadable {
    /// It is not what the wire says.
    Malformed(String),
    /// It says that something failed.
    Failure(Value),
    /// The provider's filter stands in the way.
    Filtered(String),
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// What was heard of an answer so far.
#[derive(Debug, Default)]
pub(crate) struct Heard {
    /// Not handed on yet.
    pub(crate) texts: VecDeque<String>,
    /// By their places in the answer.
    calls: BTreeMap<u64, Call>,
    pub(crate) usage: Option<Usage>,
    pub(crate) finish: Option<FinishReason>,
    /// Nothing follows.
    pub(crate) done: bool,
}

#[derive(Debug, Default)]
struct Call {
    id: String,
    name: String,
    /// JSON that comes in pieces.
    arguments: String,
    signature: Option<String>,
}

impl Heard {
    pub(crate) fn text(&mut self, text: Option<String>) {
        self.texts.extend(text.filter(|text| !text.is_empty()));
    }

    /// A piece of a call. What was said of it before stays.
    pub(crate) fn call(&mut self, place: u64, id: Option<&str>, name: Option<&str>, arguments: &str) {
        let call = self.calls.entry(place).or_default();
        let fill = |field: &mut String, value: Option<&str>| {
            if let Some(value) = value.filter(|_| field.is_empty()) {
                value.clone_into(field);
            }
        };
        fill(&mut call.id, id);
        fill(&mut call.name, name);
        call.arguments.push_str(arguments);
    }

    /// A call that came as a whole.
    pub(crate) fn whole_call(&mut self, id: Option<&str>, name: &str, arguments: &Value, signature: Option<String>) {
        let place = self.calls.len() as u64;
        self.call(place, id, Some(name), &arguments.to_string());
        if let Some(call) = self.calls.get_mut(&place) {
            call.signature = signature;
        }
    }

    /// Bytes that the calls take up so far.
    pub(crate) fn call_bytes(&self) -> usize {
        let bytes = |call: &Call| {
            let signature = call.signature.as_ref().map_or(0, String::len);
            size_of::<Call>() + call.id.len() + call.name.len() + call.arguments.len() + signature
        };
        self.calls.values().map(bytes).sum()
    }

    /// The calls, once the answer is whole.
    ///
    /// # Errors
    /// What is wrong with the first that cannot be used.
    pub(crate) fn take_calls(&mut self) -> Result<Vec<ToolCall>, String> {
        let whole = |call: Call| {
            if call.name.is_empty() {
                return Err("a call of a tool has no name".to_owned());
            }
            // Without arguments some models say nothing at all.
            let arguments = if call.arguments.trim().is_empty() { "{}" } else { &call.arguments };
            let arguments = serde_json::from_str(arguments)
                .map_err(|error| format!("the arguments of the call of {:?} are not JSON: {error}", call.name))?;
            let id = if call.id.is_empty() { format!("call_{}", ids::new().simple()) } else { call.id };
            Ok(ToolCall { id, name: call.name, arguments, signature: call.signature })
        };
        std::mem::take(&mut self.calls).into_values().map(whole).collect()
    }
}

/// The person's and the model's turns, by the words of wires that know no other roles: what one of them says in a row is one turn, the
/// results of tools are the person's, and a turn without anything in it is refused by some. The system's words go elsewhere.
fn turns(
    messages: &[Message],
    model: &'static str,
    part: impl Fn(&Part) -> Option<Value>,
) -> Vec<(&'static str, Vec<Value>)> {
    let mut turns: Vec<(&str, Vec<Value>)> = Vec::new();
    for message in messages {
        let role = match message.role {
            Role::System => continue,
            Role::User | Role::Tool => "user",
            Role::Assistant => model,
        };
        let parts: Vec<Value> = message.parts.iter().filter_map(&part).collect();
        match turns.last_mut() {
            _ if parts.is_empty() => {}
            Some((last, said)) if *last == role => said.extend(parts),
            _ => turns.push((role, parts)),
        }
    }
    turns
}

/// A vector of numbers.
fn vector(value: &Value) -> Option<Vec<f32>> {
    #[allow(clippy::cast_possible_truncation)]
    let number = |value: &Value| value.as_f64().map(|number| number as f32);
    value.as_array()?.iter().map(number).collect()
}

/// Sets a field of an object.
fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}

fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

fn data_url(image: &Image) -> String {
    format!("data:{};base64,{}", image.media_type, base64(&image.bytes))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn turns_alternate_and_none_is_empty() {
        let said = |role, text: &str| Message::new(role, text);
        let messages = [
            said(Role::System, "s"),
            said(Role::User, "a"),
            said(Role::Assistant, ""),
            said(Role::Tool, "b"),
            said(Role::Assistant, "c"),
        ];
        let part = |part: &Part| match part {
            Part::Text(text) if !text.is_empty() => Some(json!(text)),
            _ => None,
        };
        let turns = turns(&messages, "model", part);
        assert_eq!(turns, [("user", vec![json!("a"), json!("b")]), ("model", vec![json!("c")])]);
    }
}
