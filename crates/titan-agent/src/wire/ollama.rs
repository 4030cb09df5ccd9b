//! Ollama's own interface: unlike its OpenAI-compatible one it can be told how much context to keep. Without that it cuts off
//! the beginning of a long request and says nothing.
//!
//! Source: <https://docs.ollama.com/api>.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::openai::{function, may_chat, role};
use super::{Framing, Heard, Path, Reader, Unreadable, Wire, base64, put, vector};
use crate::provider::{DEFAULT_OUTPUT_TOKENS, FinishReason, Message, Model, ModelRequest, Part, ProviderKind, Usage};

/// The context is a multiple of this, so that the server need not load the model again for each request.
const CONTEXT_STEP: u64 = 8192;

/// More than any model takes.
const MAX_CONTEXT: u64 = 1 << 22;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Ollama;

impl Wire for Ollama {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Ollama
    }

    /// For those who have put something with keys in front of it.
    fn key_header(&self) -> (&'static str, &'static str) {
        ("authorization", "Bearer ")
    }

    fn framing(&self) -> Framing {
        Framing::Lines
    }

    fn path(&self, _: &str) -> Path {
        Path::of(&["api", "chat"])
    }

    fn body(&self, model: &str, request: &ModelRequest) -> Value {
        let output = request.max_output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS);
        // In some scripts a character is a token, which is twice the estimate.
        let needed =
            request.estimate_tokens().saturating_mul(2).saturating_add(output.min(MAX_CONTEXT)).min(MAX_CONTEXT);
        let mut options = Map::from_iter([("num_ctx".to_owned(), json!(needed.next_multiple_of(CONTEXT_STEP)))]);
        if let Some(limit) = request.max_output_tokens {
            options.insert("num_predict".to_owned(), json!(limit));
        }
        let messages: Vec<Value> = request.messages.iter().flat_map(messages).collect();
        let mut body = json!({"model": model, "messages": messages, "stream": true, "options": options});
        if !request.tools.is_empty() {
            put(&mut body, "tools", request.tools.iter().map(function).collect());
        }
        if let Some(format) = &request.format {
            put(&mut body, "format", format.schema.clone());
        }
        body
    }

    fn reader(&self, _: &ModelRequest) -> Box<dyn Reader> {
        Box::new(Lines)
    }

    fn models_path(&self) -> Path {
        Path::of(&["api", "tags"])
    }

    fn models(&self, list: &Value) -> Option<Vec<Model>> {
        let name = |model: &Value| Some(model.get("name")?.as_str()?.to_owned());
        let names = list.get("models")?.as_array()?.iter().filter_map(name);
        Some(names.filter(|name| may_chat(name)).map(Model::named).collect())
    }

    fn embedding(&self, model: &str, texts: &[&str]) -> Option<(Path, Value)> {
        Some((Path::of(&["api", "embed"]), json!({"model": model, "input": texts})))
    }

    fn embeddings(&self, answer: &Value) -> Option<Vec<Vec<f32>>> {
        answer.get("embeddings")?.as_array()?.iter().map(vector).collect()
    }
}

/// Each result of a tool is a message of its own.
fn messages(message: &Message) -> Vec<Value> {
    let (mut images, mut calls, mut results) = (Vec::new(), Vec::new(), Vec::new());
    for part in &message.parts {
        match part {
            Part::Text(_) => {}
            Part::Image(image) => images.push(base64(&image.bytes)),
            Part::ToolCall(call) => calls.push(json!({"function": {"name": call.name, "arguments": call.arguments}})),
            Part::ToolResult(result) => {
                results.push(json!({"role": "tool", "tool_name": result.name, "content": result.content}));
            }
        }
    }
    if !results.is_empty() {
        return results;
    }
    let mut wire = json!({"role": role(message.role), "content": message.text()});
    if !images.is_empty() {
        put(&mut wire, "images", json!(images));
    }
    if !calls.is_empty() {
        put(&mut wire, "tool_calls", Value::Array(calls));
    }
    vec![wire]
}

struct Lines;

#[derive(Debug, Deserialize)]
struct Line {
    #[serde(default)]
    message: Option<Said>,
    #[serde(default)]
    done: bool,
    #[serde(default)]
    done_reason: Option<String>,
    #[serde(default)]
    prompt_eval_count: Option<u64>,
    #[serde(default)]
    eval_count: Option<u64>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Said {
    #[serde(default)]
    content: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<Call>>,
}

#[derive(Debug, Deserialize)]
struct Call {
    function: Function,
}

#[derive(Debug, Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    arguments: Option<Value>,
}

impl Reader for Lines {
    fn take(&mut self, event: &str, heard: &mut Heard) -> Result<bool, Unreadable> {
        let line: Line = serde_json::from_str(event)?;
        if let Some(error) = line.error {
            return Err(Unreadable::Failure(error));
        }
        if let Some(said) = line.message {
            heard.text(said.content);
            for call in said.tool_calls.into_iter().flatten() {
                let arguments = call.function.arguments.unwrap_or_else(|| json!({}));
                heard.whole_call(None, &call.function.name, &arguments, None);
            }
        }
        if !line.done {
            return Ok(true);
        }
        // A prompt that is wholly in the cache is not counted again.
        if let Some(output_tokens) = line.eval_count
            && let Some(input_tokens) = line.prompt_eval_count
        {
            heard.usage = Some(Usage { input_tokens, output_tokens, cached_tokens: 0, estimated: false });
        }
        heard.finish = Some(match line.done_reason.as_deref().unwrap_or("stop") {
            "stop" => FinishReason::Stop,
            "length" => FinishReason::Length,
            other => FinishReason::other(other),
        });
        heard.done = true;
        Ok(true)
    }
}
