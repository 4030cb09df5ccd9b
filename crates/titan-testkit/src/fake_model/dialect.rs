//! The wires that the fake model speaks, as their documentation writes them: what each event of an answer looks like.

use bytes::Bytes;
use serde_json::{Value, json};

use super::MODEL;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    OpenAi,
    Anthropic,
    Gemini,
    Ollama,
}

/// A call of a tool: its name and its arguments.
pub type ToolCall = (String, Value);

#[derive(Debug, Clone, Copy)]
pub(super) struct Tokens {
    pub(super) input: u64,
    pub(super) output: u64,
}

/// Characters of a tool's arguments that come at once.
const ARGUMENT_CHARS: usize = 7;

impl Dialect {
    pub const ALL: [Dialect; 4] = [Dialect::OpenAi, Dialect::Anthropic, Dialect::Gemini, Dialect::Ollama];

    /// What stands before all its paths.
    #[must_use]
    pub fn root(self) -> &'static str {
        match self {
            Dialect::OpenAi | Dialect::Anthropic => "/v1",
            Dialect::Gemini => "/v1beta",
            Dialect::Ollama => "",
        }
    }

    /// The vendor whose wire it is.
    #[must_use]
    pub fn vendor(self) -> &'static str {
        match self {
            Dialect::OpenAi => "openai",
            Dialect::Anthropic => "anthropic",
            Dialect::Gemini => "gemini",
            Dialect::Ollama => "ollama",
        }
    }

    pub(super) fn key_header(self) -> &'static str {
        match self {
            Dialect::OpenAi | Dialect::Ollama => "authorization",
            Dialect::Anthropic => "x-api-key",
            Dialect::Gemini => "x-goog-api-key",
        }
    }

    pub(super) fn content_type(self) -> &'static str {
        match self {
            Dialect::Ollama => "application/x-ndjson",
            _ => "text/event-stream; charset=utf-8",
        }
    }

    /// Before the first word.
    pub(super) fn begin(self, tokens: Option<Tokens>) -> Vec<Bytes> {
        match self {
            Dialect::OpenAi => vec![self.event(&completion(json!({"role": "assistant", "content": ""}), None))],
            Dialect::Anthropic => {
                let usage = tokens.map(|tokens| json!({"input_tokens": tokens.input, "output_tokens": 1}));
                let message = json!({"id": "msg_fake", "type": "message", "role": "assistant", "model": MODEL,
                    "content": [], "stop_reason": null, "stop_sequence": null, "usage": usage});
                vec![
                    self.event(&json!({"type": "message_start", "message": message})),
                    self.event(&json!({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})),
                    self.event(&json!({"type": "ping"})),
                ]
            }
            Dialect::Gemini | Dialect::Ollama => Vec::new(),
        }
    }

    pub(super) fn piece(self, text: &str) -> Bytes {
        self.event(&match self {
            Dialect::OpenAi => completion(json!({"content": text}), None),
            Dialect::Anthropic => {
                json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}})
            }
            Dialect::Gemini => candidate(&json!([{"text": text}]), None, None),
            Dialect::Ollama => line(&json!({"role": "assistant", "content": text}), None, None),
        })
    }

    /// Calls of tools, the arguments in pieces where the wire has them so.
    pub(super) fn calls(self, calls: &[ToolCall]) -> Vec<Bytes> {
        match self {
            Dialect::OpenAi => (0..).zip(calls).flat_map(|(index, call)| self.openai_call(index, call)).collect(),
            Dialect::Anthropic => (1..).zip(calls).flat_map(|(index, call)| self.anthropic_call(index, call)).collect(),
            Dialect::Gemini => {
                let part = |(name, arguments): &ToolCall| json!({"functionCall": {"name": name, "args": arguments}, "thoughtSignature": "c2ln"});
                vec![self.event(&candidate(&calls.iter().map(part).collect(), None, None))]
            }
            Dialect::Ollama => {
                let call = |(name, arguments): &ToolCall| json!({"function": {"name": name, "arguments": arguments}});
                let calls: Value = calls.iter().map(call).collect();
                vec![self.event(&line(&json!({"role": "assistant", "content": "", "tool_calls": calls}), None, None))]
            }
        }
    }

    fn openai_call(self, index: u32, (name, arguments): &ToolCall) -> Vec<Bytes> {
        let first = json!([{"index": index, "id": format!("call_fake_{index}"), "type": "function",
            "function": {"name": name, "arguments": ""}}]);
        let more = pieces(&arguments.to_string(), ARGUMENT_CHARS);
        let more = more.into_iter().map(|piece| json!([{"index": index, "function": {"arguments": piece}}]));
        std::iter::once(first)
            .chain(more)
            .map(|calls| self.event(&completion(json!({"tool_calls": calls}), None)))
            .collect()
    }

    fn anthropic_call(self, index: u32, (name, arguments): &ToolCall) -> Vec<Bytes> {
        let block = json!({"type": "tool_use", "id": format!("toolu_fake_{index}"), "name": name, "input": {}});
        let first = json!({"type": "content_block_start", "index": index, "content_block": block});
        let more = pieces(&arguments.to_string(), ARGUMENT_CHARS).into_iter().map(|piece| {
            json!({"type": "content_block_delta", "index": index,
                "delta": {"type": "input_json_delta", "partial_json": piece}})
        });
        let last = json!({"type": "content_block_stop", "index": index});
        std::iter::once(first).chain(more).chain([last]).map(|event| self.event(&event)).collect()
    }

    /// Why the answer ends, without the mark of the end.
    pub(super) fn reason(self, has_calls: bool, tokens: Option<Tokens>) -> Vec<Bytes> {
        let event = match self {
            Dialect::OpenAi => completion(json!({}), Some(if has_calls { "tool_calls" } else { "stop" })),
            Dialect::Anthropic => {
                let usage = tokens.map(|tokens| json!({"output_tokens": tokens.output}));
                let reason = if has_calls { "tool_use" } else { "end_turn" };
                json!({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": null}, "usage": usage})
            }
            Dialect::Gemini => candidate(&json!([]), Some("STOP"), tokens),
            Dialect::Ollama => line(&json!({"role": "assistant", "content": ""}), Some("stop"), tokens),
        };
        vec![self.event(&event)]
    }

    /// The mark of the end, and usage where it stands apart.
    pub(super) fn end(self, tokens: Option<Tokens>) -> Vec<Bytes> {
        match self {
            Dialect::OpenAi => {
                let usage =
                    tokens.map(|tokens| self.event(&object("chat.completion.chunk", json!([]), usage(Some(tokens)))));
                usage.into_iter().chain([Bytes::from_static(b"data: [DONE]\n\n")]).collect()
            }
            Dialect::Anthropic => vec![self.event(&json!({"type": "message_stop"}))],
            Dialect::Gemini | Dialect::Ollama => Vec::new(),
        }
    }

    pub(super) fn malformed(self) -> Bytes {
        match self {
            Dialect::Ollama => Bytes::from_static(b"{\"message\": {\n"),
            _ => Bytes::from_static(b"data: {\"choices\": [{\n\n"),
        }
    }

    pub(super) fn error_in_stream(self) -> Bytes {
        let message = "the model ran out of memory";
        self.event(&match self {
            Dialect::OpenAi => json!({"error": {"message": message, "type": "server_error", "code": 503}}),
            Dialect::Anthropic => json!({"type": "error", "error": {"type": "overloaded_error", "message": message}}),
            Dialect::Gemini => json!({"error": {"code": 503, "message": message, "status": "UNAVAILABLE"}}),
            Dialect::Ollama => json!({"error": message}),
        })
    }

    /// Keeps a connection open and says nothing.
    pub(super) fn comment(self) -> Bytes {
        match self {
            Dialect::Ollama => Bytes::from_static(b"\n"),
            Dialect::Anthropic => self.event(&json!({"type": "ping"})),
            _ => Bytes::from_static(b": still here\n\n"),
        }
    }

    /// The body of an answer with this status that is no success.
    pub(super) fn error(self, status: u16, message: &str, kind: &str) -> Value {
        match self {
            Dialect::OpenAi => json!({"error": {"message": message, "type": kind, "param": null, "code": null}}),
            Dialect::Anthropic => json!({"type": "error", "error": {"type": kind, "message": message}}),
            Dialect::Gemini => json!({"error": {"code": status, "message": message, "status": kind.to_uppercase()}}),
            Dialect::Ollama => json!({"error": message}),
        }
    }

    /// The answer in one object.
    pub(super) fn whole(self, text: &str, calls: &[ToolCall], tokens: Option<Tokens>) -> Value {
        match self {
            Dialect::OpenAi => {
                let call = |(name, arguments): &ToolCall| {
                    json!({"id": "call_fake_0", "type": "function",
                        "function": {"name": name, "arguments": arguments.to_string()}})
                };
                let calls: Vec<Value> = calls.iter().map(call).collect();
                let reason = if calls.is_empty() { "stop" } else { "tool_calls" };
                let mut message = json!({"role": "assistant", "content": text});
                if !calls.is_empty() {
                    put(&mut message, "tool_calls", json!(calls));
                }
                object(
                    "chat.completion",
                    json!([{"index": 0, "message": message, "finish_reason": reason}]),
                    usage(tokens),
                )
            }
            Dialect::Anthropic => {
                let call = |(name, arguments): &ToolCall| json!({"type": "tool_use", "id": "toolu_fake_0", "name": name, "input": arguments});
                let content: Vec<Value> =
                    std::iter::once(json!({"type": "text", "text": text})).chain(calls.iter().map(call)).collect();
                let usage = tokens.map(|tokens| json!({"input_tokens": tokens.input, "output_tokens": tokens.output}));
                json!({"id": "msg_fake", "type": "message", "role": "assistant", "model": MODEL, "content": content,
                    "stop_reason": if calls.is_empty() { "end_turn" } else { "tool_use" }, "usage": usage})
            }
            Dialect::Gemini => {
                let call = |(name, arguments): &ToolCall| json!({"functionCall": {"name": name, "args": arguments}});
                let parts = std::iter::once(json!({"text": text})).chain(calls.iter().map(call)).collect();
                candidate(&parts, Some("STOP"), tokens)
            }
            Dialect::Ollama => {
                let call = |(name, arguments): &ToolCall| json!({"function": {"name": name, "arguments": arguments}});
                let calls: Vec<Value> = calls.iter().map(call).collect();
                line(&json!({"role": "assistant", "content": text, "tool_calls": calls}), Some("stop"), tokens)
            }
        }
    }

    /// Each lists a model for embeddings first, and tells how many tokens the other one takes where the wire has a word for it.
    pub(super) fn models(self, context: u64, takes_images: Option<bool>) -> Value {
        match self {
            Dialect::OpenAi | Dialect::Anthropic => json!({"object": "list", "has_more": false, "data": [
                {"id": "fake-embedding", "type": "model", "object": "model", "created": created(), "owned_by": "titan"},
                {"id": MODEL, "type": "model", "object": "model", "created": created(), "owned_by": "titan",
                    "display_name": "Fake", "max_input_tokens": context, "context_length": context,
                    "capabilities": {"vision": takes_images}},
            ]}),
            Dialect::Gemini => json!({"models": [
                {"name": "models/fake-embedding", "supportedGenerationMethods": ["embedContent"], "inputTokenLimit": 2048},
                {"name": format!("models/{MODEL}"), "supportedGenerationMethods": ["generateContent"],
                    "inputTokenLimit": context, "outputTokenLimit": 8192},
            ]}),
            Dialect::Ollama => json!({"models": [
                {"name": "fake-embedding", "model": "fake-embedding", "size": 1},
                {"name": MODEL, "model": MODEL, "size": 1},
            ]}),
        }
    }

    fn event(self, data: &Value) -> Bytes {
        Bytes::from(match self {
            Dialect::OpenAi | Dialect::Gemini => format!("data: {data}\n\n"),
            Dialect::Anthropic => {
                format!("event: {}\ndata: {data}\n\n", data.get("type").and_then(Value::as_str).unwrap_or_default())
            }
            Dialect::Ollama => format!("{data}\n"),
        })
    }
}

pub(super) fn pieces(text: &str, chunk_chars: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(chunk_chars.max(1)).map(|piece| piece.iter().collect()).collect()
}

fn completion(delta: Value, finish_reason: Option<&str>) -> Value {
    let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish_reason}]);
    object("chat.completion.chunk", choices, Value::Null)
}

fn object(kind: &str, choices: Value, usage: Value) -> Value {
    json!({
        "id": "chatcmpl-fake", "object": kind, "created": created(), "model": MODEL, "choices": choices, "usage": usage,
    })
}

fn usage(tokens: Option<Tokens>) -> Value {
    tokens.map_or(Value::Null, |tokens| {
        json!({"prompt_tokens": tokens.input, "completion_tokens": tokens.output,
            "total_tokens": tokens.input + tokens.output})
    })
}

fn candidate(parts: &Value, reason: Option<&str>, tokens: Option<Tokens>) -> Value {
    let mut candidate = json!({"content": {"role": "model", "parts": parts}, "index": 0});
    if let Some(reason) = reason {
        put(&mut candidate, "finishReason", json!(reason));
    }
    let mut response = json!({"candidates": [candidate], "modelVersion": MODEL});
    if let Some(tokens) = tokens {
        put(
            &mut response,
            "usageMetadata",
            json!({"promptTokenCount": tokens.input, "candidatesTokenCount": tokens.output,
            "totalTokenCount": tokens.input + tokens.output}),
        );
    }
    response
}

fn line(message: &Value, reason: Option<&str>, tokens: Option<Tokens>) -> Value {
    let mut line = json!({"model": MODEL, "created_at": chrono::Utc::now().to_rfc3339(), "message": message,
        "done": reason.is_some()});
    if let Some(reason) = reason {
        put(&mut line, "done_reason", json!(reason));
    }
    if let Some(tokens) = tokens.filter(|_| reason.is_some()) {
        put(&mut line, "prompt_eval_count", json!(tokens.input));
        put(&mut line, "eval_count", json!(tokens.output));
    }
    line
}

fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}

fn created() -> i64 {
    chrono::Utc::now().timestamp()
}
