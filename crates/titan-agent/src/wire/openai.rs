//! OpenAI's chat completions, spoken by OpenAI itself, OpenRouter, vLLM, llama.cpp, LM Studio and many more.
//! Reading is lenient: servers leave out or add what they like.
//!
//! Source: <https://platform.openai.com/docs/api-reference/chat>.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use titan_core::budgets::Price;

use super::{Framing, Heard, Path, Reader, Unreadable, Wire, data_url, put, vector};
use crate::catalogue;
use crate::provider::{FinishReason, Format, Message, Model, ModelRequest, Part, ProviderKind, Role, Tool, Usage};

#[derive(Debug, Clone, Copy)]
pub(crate) struct OpenAi {
    /// OpenAI itself has renamed the limit of tokens, and refuses the old name for newer models; most others know the old one only.
    pub(crate) is_openai: bool,
    /// See [`titan_core::config::Vendor`].
    pub(crate) asks_for_usage: bool,
    pub(crate) takes_schema: bool,
}

impl Wire for OpenAi {
    fn kind(&self) -> ProviderKind {
        ProviderKind::OpenAi
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        ("authorization", "Bearer ")
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn path(&self, _: &str) -> Path {
        Path::of(&["chat", "completions"])
    }

    fn body(&self, model: &str, request: &ModelRequest) -> Value {
        let in_words = request.format.as_ref().filter(|_| !self.takes_schema).map(schema_in_words);
        let messages: Vec<Value> = in_words.into_iter().chain(request.messages.iter().flat_map(messages)).collect();
        let mut body = json!({"model": model, "messages": messages, "stream": true});
        if self.asks_for_usage {
            put(&mut body, "stream_options", json!({"include_usage": true}));
        }
        if !request.tools.is_empty() {
            put(&mut body, "tools", request.tools.iter().map(function).collect());
        }
        if let Some(format) = &request.format {
            put(&mut body, "response_format", self.response_format(format));
        }
        if let Some(limit) = request.max_output_tokens {
            let name = if self.is_openai { "max_completion_tokens" } else { "max_tokens" };
            put(&mut body, name, json!(limit));
        }
        body
    }

    fn reader(&self, _: &ModelRequest) -> Box<dyn Reader> {
        Box::new(Completions)
    }

    fn models_path(&self) -> Path {
        Path::of(&["models"])
    }

    fn models(&self, list: &Value) -> Option<Vec<Model>> {
        let tokens = |model: &Value, names: &[&str]| names.iter().find_map(|name| model.get(name)?.as_u64());
        let model = |model: &Value| {
            Some(Model {
                id: model.get("id")?.as_str()?.to_owned(),
                context_tokens: tokens(model, &["context_length", "context_window", "max_model_len"]),
                max_output_tokens: model.pointer("/top_provider/max_completion_tokens").and_then(Value::as_u64),
                price: price_of(model),
                takes_images: takes_images(model),
            })
        };
        Some(list.get("data")?.as_array()?.iter().filter_map(model).filter(|model| may_chat(&model.id)).collect())
    }

    fn embedding(&self, model: &str, texts: &[&str]) -> Option<(Path, Value)> {
        let body = json!({"model": model, "input": texts, "encoding_format": "float"});
        Some((Path::of(&["embeddings"]), body))
    }

    /// They say themselves which text they belong to.
    fn embeddings(&self, answer: &Value) -> Option<Vec<Vec<f32>>> {
        let one = |(place, value): (usize, &Value)| {
            let index = value.get("index").and_then(Value::as_u64).and_then(|index| usize::try_from(index).ok());
            Some((index.unwrap_or(place), vector(value.get("embedding")?)?))
        };
        let mut found: Vec<_> = answer.get("data")?.as_array()?.iter().enumerate().map(one).collect::<Option<_>>()?;
        found.sort_by_key(|(index, _)| *index);
        Some(found.into_iter().map(|(_, vector)| vector).collect())
    }
}

impl OpenAi {
    fn response_format(&self, format: &Format) -> Value {
        if !self.takes_schema {
            return json!({"type": "json_object"});
        }
        json!({"type": "json_schema", "json_schema": {"name": format.name, "schema": format.schema, "strict": true}})
    }
}

/// For those who promise JSON, but not of a given form.
fn schema_in_words(format: &Format) -> Value {
    let content =
        format!("Answer with one JSON object that fulfils this JSON Schema, and with nothing else:\n{}", format.schema);
    json!({"role": "system", "content": content})
}

/// As OpenRouter tells it: dollars per token, as texts. What is decided with each request is told as -1.
fn price_of(model: &Value) -> Option<Price> {
    let told = |name: &str| -> Option<f64> {
        let text = model.get("pricing")?.get(name)?.as_str()?;
        text.parse().ok().filter(|dollars: &f64| (0.0..1.0).contains(dollars)).map(|dollars| dollars * 1e6)
    };
    Some(catalogue::price(told("prompt")?, told("completion")?, told("input_cache_read")))
}

/// As OpenRouter tells it, and as Mistral does.
fn takes_images(model: &Value) -> Option<bool> {
    let takes = model.pointer("/architecture/input_modalities").and_then(Value::as_array);
    let takes = takes.map(|takes| takes.iter().any(|kind| kind == "image"));
    takes.or(model.pointer("/capabilities/vision").and_then(Value::as_bool))
}

/// Models that cannot chat are listed among the others, and only their names tell.
pub(super) fn may_chat(id: &str) -> bool {
    const OTHERS: [&str; 14] = [
        "embed",
        "minilm",
        "bge-",
        "rerank",
        "whisper",
        "transcribe",
        "tts",
        "audio",
        "realtime",
        "dall-e",
        "image",
        "moderation",
        "guard",
        "davinci",
    ];
    let id = id.to_lowercase();
    !OTHERS.iter().any(|other| id.contains(other))
}

/// A tool as this wire and Ollama's describe it.
pub(super) fn function(tool: &Tool) -> Value {
    json!({"type": "function",
        "function": {"name": tool.name, "description": tool.description, "parameters": tool.parameters}})
}

/// Each result of a tool is a message of its own.
fn messages(message: &Message) -> Vec<Value> {
    let mut texts: Vec<Value> = Vec::new();
    let mut has_images = false;
    let (mut calls, mut results) = (Vec::new(), Vec::new());
    for part in &message.parts {
        match part {
            Part::Text(text) => texts.push(json!({"type": "text", "text": text})),
            Part::Image(image) => {
                has_images = true;
                texts.push(json!({"type": "image_url", "image_url": {"url": data_url(image)}}));
            }
            Part::ToolCall(call) => calls.push(json!({"id": call.id, "type": "function",
                "function": {"name": call.name, "arguments": call.arguments.to_string()}})),
            Part::ToolResult(result) => {
                results.push(json!({"role": "tool", "tool_call_id": result.id, "content": result.content}));
            }
        }
    }
    if !results.is_empty() {
        return results;
    }
    let mut wire = Map::from_iter([("role".to_owned(), json!(role(message.role)))]);
    // A plain string where it will do: not every server knows parts.
    let content = if has_images { Value::Array(texts) } else { json!(message.text()) };
    if calls.is_empty() || content.as_str() != Some("") {
        wire.insert("content".to_owned(), content);
    }
    if !calls.is_empty() {
        wire.insert("tool_calls".to_owned(), Value::Array(calls));
    }
    vec![Value::Object(wire)]
}

pub(super) fn role(role: Role) -> &'static str {
    match role {
        Role::System => "system",
        Role::User => "user",
        Role::Assistant => "assistant",
        Role::Tool => "tool",
    }
}

struct Completions;

/// One event of a stream, or a whole answer: they differ in `delta` and `message`.
#[derive(Debug, Deserialize)]
struct Completion {
    #[serde(default)]
    choices: Option<Vec<Choice>>,
    #[serde(default)]
    usage: Option<WireUsage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Choice {
    #[serde(default, alias = "message")]
    delta: Option<Delta>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Delta {
    #[serde(default)]
    content: Option<String>,
    /// What a model says instead of an answer that it refuses to give.
    #[serde(default)]
    refusal: Option<String>,
    #[serde(default)]
    tool_calls: Option<Vec<CallDelta>>,
}

#[derive(Debug, Deserialize)]
struct CallDelta {
    #[serde(default)]
    index: Option<u64>,
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    function: Option<FunctionDelta>,
}

#[derive(Debug, Default, Deserialize)]
struct FunctionDelta {
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    arguments: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct WireUsage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<PromptTokens>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct PromptTokens {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

impl WireUsage {
    /// Nothing when it is incomplete: then an estimate is worth more.
    fn counted(self) -> Option<Usage> {
        let cached_tokens = self.prompt_tokens_details.and_then(|details| details.cached_tokens).unwrap_or_default();
        let (input_tokens, output_tokens) = (self.prompt_tokens?, self.completion_tokens?);
        Some(Usage { input_tokens, output_tokens, cached_tokens, estimated: false })
    }
}

impl Reader for Completions {
    fn take(&mut self, event: &str, heard: &mut Heard) -> Result<bool, Unreadable> {
        if event.trim() == "[DONE]" {
            heard.done = true;
            // Some servers never give a reason.
            heard.finish.get_or_insert(FinishReason::Stop);
            return Ok(true);
        }
        let event: Completion = serde_json::from_str(event)?;
        if let Some(error) = event.error.filter(|error| !error.is_null()) {
            return Err(Unreadable::Failure(error));
        }
        if let Some(usage) = event.usage.and_then(WireUsage::counted) {
            heard.usage = Some(usage);
        }
        // Only one answer is asked for.
        let Some(choice) = event.choices.into_iter().flatten().next() else { return Ok(true) };
        if let Some(delta) = choice.delta {
            heard.text(delta.content);
            heard.text(delta.refusal);
            for (place, call) in (0..).zip(delta.tool_calls.into_iter().flatten()) {
                let function = call.function.unwrap_or_default();
                let arguments = function.arguments.unwrap_or_default();
                heard.call(call.index.unwrap_or(place), call.id.as_deref(), function.name.as_deref(), &arguments);
            }
        }
        if let Some(reason) = choice.finish_reason.filter(|reason| !reason.is_empty()) {
            heard.finish = Some(match reason.as_str() {
                "stop" => FinishReason::Stop,
                "length" => FinishReason::Length,
                "tool_calls" | "function_call" => FinishReason::ToolCalls,
                "content_filter" => FinishReason::ContentFilter,
                other => FinishReason::other(other),
            });
        }
        Ok(true)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_take_a_schema_is_told_it_in_words() {
        let body = |takes_schema| {
            let wire = OpenAi { is_openai: false, asks_for_usage: true, takes_schema };
            let format = Format { name: "facts".to_owned(), schema: json!({"type": "object"}) };
            let mut request = ModelRequest::new("m", vec![Message::new(Role::User, "What?")]);
            request.format = Some(format);
            wire.body("m", &request)
        };
        let (told, taken) = (body(false), body(true));
        assert_eq!(told["response_format"], json!({"type": "json_object"}));
        assert!(told["messages"][0]["content"].as_str().is_some_and(|text| text.contains(r#"{"type":"object"}"#)));
        assert_eq!(told["messages"][1], taken["messages"][0]);
        assert_eq!(taken["response_format"]["json_schema"]["name"], "facts");
    }
}
