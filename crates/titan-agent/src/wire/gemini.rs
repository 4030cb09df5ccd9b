//! Google's Gemini.
//!
//! Source: <https://ai.google.dev/api/generate-content> and <https://ai.google.dev/api/models>.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Framing, Heard, Path, Reader, Unreadable, Wire, base64, put, turns, vector};
use crate::provider::{FinishReason, Message, Model, ModelRequest, Part, ProviderKind, Role, Tool, Usage};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Gemini;

impl Wire for Gemini {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Gemini
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        ("x-goog-api-key", "")
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn path(&self, model: &str) -> Path {
        Path::of(&["models", &format!("{model}:streamGenerateContent")]).with(&[("alt", "sse")])
    }

    fn body(&self, _: &str, request: &ModelRequest) -> Value {
        let turns = turns(&request.messages, "model", |said| Some(part(said))).into_iter();
        let contents = turns.map(|(role, parts)| json!({"role": role, "parts": parts})).collect();
        let mut body = Map::from_iter([("contents".to_owned(), Value::Array(contents))]);
        let is_system = |message: &&Message| message.role == Role::System;
        let system: Vec<Value> =
            request.messages.iter().filter(is_system).map(|message| json!({"text": message.text()})).collect();
        if !system.is_empty() {
            body.insert("systemInstruction".to_owned(), json!({"parts": system}));
        }
        if !request.tools.is_empty() {
            let functions: Vec<Value> = request.tools.iter().map(function).collect();
            body.insert("tools".to_owned(), json!([{"functionDeclarations": functions}]));
        }
        let mut config = Map::new();
        if let Some(format) = &request.format {
            config.insert("responseMimeType".to_owned(), json!("application/json"));
            config.insert("responseJsonSchema".to_owned(), format.schema.clone());
        }
        if let Some(limit) = request.max_output_tokens {
            config.insert("maxOutputTokens".to_owned(), json!(limit));
        }
        if !config.is_empty() {
            body.insert("generationConfig".to_owned(), Value::Object(config));
        }
        Value::Object(body)
    }

    fn reader(&self, _: &ModelRequest) -> Box<dyn Reader> {
        Box::new(Responses)
    }

    fn models_path(&self) -> Path {
        Path::of(&["models"]).with(&[("pageSize", "1000")])
    }

    fn models(&self, list: &Value) -> Option<Vec<Model>> {
        let chats = |model: &Value| {
            let methods = model.get("supportedGenerationMethods").and_then(Value::as_array);
            methods.is_none_or(|methods| methods.iter().any(|method| method == "generateContent"))
        };
        let model = |model: &Value| {
            let name = model.get("name")?.as_str()?;
            Some(Model {
                id: name.strip_prefix("models/").unwrap_or(name).to_owned(),
                context_tokens: model.get("inputTokenLimit").and_then(Value::as_u64),
                max_output_tokens: model.get("outputTokenLimit").and_then(Value::as_u64),
                price: None,
                takes_images: None,
            })
        };
        Some(list.get("models")?.as_array()?.iter().filter(|model| chats(model)).filter_map(model).collect())
    }

    fn embedding(&self, model: &str, texts: &[&str]) -> Option<(Path, Value)> {
        let one = |text: &&str| json!({"model": format!("models/{model}"), "content": {"parts": [{"text": text}]}});
        let requests: Vec<Value> = texts.iter().map(one).collect();
        Some((Path::of(&["models", &format!("{model}:batchEmbedContents")]), json!({"requests": requests})))
    }

    fn embeddings(&self, answer: &Value) -> Option<Vec<Vec<f32>>> {
        answer.get("embeddings")?.as_array()?.iter().map(|embedding| vector(embedding.get("values")?)).collect()
    }
}

fn function(tool: &Tool) -> Value {
    json!({"name": tool.name, "description": tool.description, "parametersJsonSchema": tool.parameters})
}

fn part(part: &Part) -> Value {
    match part {
        Part::Text(text) => json!({"text": text}),
        Part::Image(image) => json!({"inlineData": {"mimeType": image.media_type, "data": base64(&image.bytes)}}),
        Part::ToolCall(call) => {
            let mut part = json!({"functionCall": {"id": call.id, "name": call.name, "args": call.arguments}});
            if let Some(signature) = &call.signature {
                put(&mut part, "thoughtSignature", json!(signature));
            }
            part
        }
        Part::ToolResult(result) => {
            let field = if result.is_error { "error" } else { "result" };
            json!({"functionResponse": {"id": result.id, "name": result.name, "response": {field: result.content}}})
        }
    }
}

struct Responses;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Response {
    #[serde(default)]
    candidates: Vec<Candidate>,
    #[serde(default)]
    prompt_feedback: Option<Feedback>,
    #[serde(default)]
    usage_metadata: Option<WireUsage>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    #[serde(default)]
    content: Option<Content>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<WirePart>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WirePart {
    #[serde(default)]
    text: Option<String>,
    /// The model thinks aloud: no part of its answer.
    #[serde(default)]
    thought: bool,
    #[serde(default)]
    function_call: Option<FunctionCall>,
    #[serde(default)]
    thought_signature: Option<String>,
}

#[derive(Debug, Deserialize)]
struct FunctionCall {
    #[serde(default)]
    id: Option<String>,
    name: String,
    #[serde(default)]
    args: Option<Value>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    #[serde(default)]
    block_reason: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireUsage {
    #[serde(default)]
    prompt_token_count: Option<u64>,
    #[serde(default)]
    candidates_token_count: Option<u64>,
    /// What it thought is paid for like what it said.
    #[serde(default)]
    thoughts_token_count: Option<u64>,
    #[serde(default)]
    cached_content_token_count: Option<u64>,
}

impl Reader for Responses {
    fn take(&mut self, event: &str, heard: &mut Heard) -> Result<bool, Unreadable> {
        let response: Response = serde_json::from_str(event)?;
        if let Some(error) = response.error {
            return Err(Unreadable::Failure(error));
        }
        if let Some(reason) = response.prompt_feedback.and_then(|feedback| feedback.block_reason) {
            return Err(Unreadable::Filtered(format!("the message was blocked ({reason})")));
        }
        // Each event has the usage so far, the last one that of the whole.
        if let Some(usage) = response.usage_metadata
            && let Some(input_tokens) = usage.prompt_token_count
        {
            heard.usage = Some(Usage {
                input_tokens,
                output_tokens: usage.candidates_token_count.unwrap_or_default()
                    + usage.thoughts_token_count.unwrap_or_default(),
                cached_tokens: usage.cached_content_token_count.unwrap_or_default(),
                estimated: false,
            });
        }
        let Some(candidate) = response.candidates.into_iter().next() else { return Ok(true) };
        for part in candidate.content.into_iter().flat_map(|content| content.parts) {
            if let Some(call) = part.function_call {
                let arguments = call.args.unwrap_or_else(|| json!({}));
                heard.whole_call(call.id.as_deref(), &call.name, &arguments, part.thought_signature);
            } else if !part.thought {
                heard.text(part.text);
            }
        }
        if let Some(reason) = candidate.finish_reason {
            heard.finish = Some(match reason.as_str() {
                "STOP" => FinishReason::Stop,
                "FUNCTION_CALL" => FinishReason::ToolCalls,
                "MAX_TOKENS" => FinishReason::Length,
                "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => FinishReason::ContentFilter,
                "MALFORMED_FUNCTION_CALL" => {
                    return Err(Unreadable::Malformed(
                        "the model called a tool in a way that cannot be read".to_owned(),
                    ));
                }
                other => FinishReason::other(other),
            });
        }
        Ok(true)
    }
}
