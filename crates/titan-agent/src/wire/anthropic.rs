//! Anthropic's messages.
//!
//! Source: <https://docs.anthropic.com/en/api/messages> and <https://docs.anthropic.com/en/docs/build-with-claude/streaming>.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Framing, Heard, Path, Reader, Unreadable, Wire, base64, put, turns};
use crate::provider::{
    DEFAULT_OUTPUT_TOKENS, FinishReason, Format, Message, Model, ModelRequest, Part, ProviderKind, Role, Tool, Usage,
};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Anthropic;

impl Wire for Anthropic {
    fn kind(&self) -> ProviderKind {
        ProviderKind::Anthropic
    }

    fn key_header(&self) -> (&'static str, &'static str) {
        ("x-api-key", "")
    }

    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        &[("anthropic-version", "2023-06-01")]
    }

    fn framing(&self) -> Framing {
        Framing::Sse
    }

    fn path(&self, _: &str) -> Path {
        Path::of(&["messages"])
    }

    fn body(&self, model: &str, request: &ModelRequest) -> Value {
        let is_system = |message: &&Message| message.role == Role::System;
        let system: Vec<String> = request.messages.iter().filter(is_system).map(Message::text).collect();
        let turns = turns(&request.messages, "assistant", block).into_iter();
        let messages: Vec<Value> = turns.map(|(role, content)| json!({"role": role, "content": content})).collect();
        let mut body = json!({
            "model": model,
            "max_tokens": request.max_output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS),
            "messages": messages,
            "stream": true,
        });
        if !system.is_empty() {
            put(&mut body, "system", json!(system.join("\n\n")));
        }
        let mut tools: Vec<Value> = request.tools.iter().map(tool).collect();
        if let Some(format) = &request.format {
            // An answer of a given form is what the only tool that it may call is called with: every version can do that.
            tools.push(tool(&as_tool(format)));
            put(
                &mut body,
                "tool_choice",
                json!({"type": "tool", "name": format.name, "disable_parallel_tool_use": true}),
            );
        }
        if !tools.is_empty() {
            put(&mut body, "tools", Value::Array(tools));
        }
        body
    }

    fn reader(&self, request: &ModelRequest) -> Box<dyn Reader> {
        Box::new(Events { format: request.format.as_ref().map(|format| format.name.clone()), ..Events::default() })
    }

    fn models_path(&self) -> Path {
        Path::of(&["models"]).with(&[("limit", "1000")])
    }

    fn models(&self, list: &Value) -> Option<Vec<Model>> {
        let model = |model: &Value| {
            Some(Model {
                id: model.get("id")?.as_str()?.to_owned(),
                context_tokens: model.get("max_input_tokens").and_then(Value::as_u64),
                max_output_tokens: model.get("max_tokens").and_then(Value::as_u64),
                price: None,
                takes_images: None,
            })
        };
        Some(list.get("data")?.as_array()?.iter().filter_map(model).collect())
    }
}

fn tool(tool: &Tool) -> Value {
    json!({"name": tool.name, "description": tool.description, "input_schema": tool.parameters})
}

fn as_tool(format: &Format) -> Tool {
    let description = "Gives the answer.".to_owned();
    Tool { name: format.name.clone(), description, parameters: format.schema.clone() }
}

fn block(part: &Part) -> Option<Value> {
    Some(match part {
        // An empty text is refused.
        Part::Text(text) if text.trim().is_empty() => return None,
        Part::Text(text) => json!({"type": "text", "text": text}),
        Part::Image(image) => json!({"type": "image",
            "source": {"type": "base64", "media_type": image.media_type, "data": base64(&image.bytes)}}),
        Part::ToolCall(call) => {
            json!({"type": "tool_use", "id": call.id, "name": call.name, "input": call.arguments})
        }
        Part::ToolResult(result) => json!({"type": "tool_result", "tool_use_id": result.id,
            "content": result.content, "is_error": result.is_error}),
    })
}

#[derive(Default)]
struct Events {
    /// The tool whose arguments are the answer.
    format: Option<String>,
    /// The place of its call.
    answer_at: Option<u64>,
    input: Option<Input>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Started,
    },
    ContentBlockStart {
        index: u64,
        content_block: Block,
    },
    ContentBlockDelta {
        index: u64,
        delta: Delta,
    },
    MessageDelta {
        #[serde(default)]
        delta: Option<Stop>,
        #[serde(default)]
        usage: Option<Output>,
    },
    MessageStop,
    Error {
        error: Value,
    },
    /// A whole answer, from a server that does not stream.
    Message {
        content: Vec<Block>,
        stop_reason: Option<String>,
        usage: Option<Both>,
    },
    /// Only says that the server is there.
    Ping,
    /// Ends of blocks, and what later versions add.
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Started {
    #[serde(default)]
    usage: Option<Input>,
}

/// What was read from the cache and written to it is not among the input tokens here.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct Input {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Output {
    output_tokens: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Both {
    #[serde(flatten)]
    input: Input,
    output_tokens: Option<u64>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    ToolUse {
        id: String,
        name: String,
        #[serde(default)]
        input: Value,
    },
    /// What the model thinks is not part of its answer.
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    Input { partial_json: String },
    #[serde(other)]
    Other,
}

#[derive(Debug, Deserialize)]
struct Stop {
    #[serde(default)]
    stop_reason: Option<String>,
}

impl Events {
    fn is_answer(&self, name: &str) -> bool {
        self.format.as_deref() == Some(name)
    }

    fn usage(&self, output_tokens: Option<u64>) -> Option<Usage> {
        let input = self.input?;
        let cached_tokens = input.cache_read_input_tokens.unwrap_or_default();
        let input_tokens = input.input_tokens? + cached_tokens + input.cache_creation_input_tokens.unwrap_or_default();
        Some(Usage { input_tokens, output_tokens: output_tokens?, cached_tokens, estimated: false })
    }

    fn stop(&self, reason: Option<String>, heard: &mut Heard) {
        let Some(reason) = reason else { return };
        heard.finish = Some(match reason.as_str() {
            "end_turn" | "stop_sequence" => FinishReason::Stop,
            "tool_use" if self.answer_at.is_some() => FinishReason::Stop,
            "tool_use" => FinishReason::ToolCalls,
            "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
            "refusal" => FinishReason::ContentFilter,
            other => FinishReason::other(other),
        });
    }
}

impl Reader for Events {
    fn take(&mut self, event: &str, heard: &mut Heard) -> Result<bool, Unreadable> {
        match serde_json::from_str(event)? {
            Event::MessageStart { message } => self.input = message.usage,
            Event::ContentBlockStart { content_block, index } => match content_block {
                Block::Text { text } => heard.text(Some(text)),
                Block::ToolUse { name, .. } if self.is_answer(&name) => self.answer_at = Some(index),
                Block::ToolUse { id, name, .. } => heard.call(index, Some(&id), Some(&name), ""),
                Block::Other => {}
            },
            Event::ContentBlockDelta { index, delta } => match delta {
                Delta::Text { text } => heard.text(Some(text)),
                Delta::Input { partial_json } if self.answer_at == Some(index) => heard.text(Some(partial_json)),
                Delta::Input { partial_json } => heard.call(index, None, None, &partial_json),
                Delta::Other => {}
            },
            Event::MessageDelta { delta, usage } => {
                if let Some(usage) = self.usage(usage.and_then(|usage| usage.output_tokens)) {
                    heard.usage = Some(usage);
                }
                self.stop(delta.and_then(|delta| delta.stop_reason), heard);
            }
            Event::MessageStop => heard.done = true,
            Event::Error { error } => return Err(Unreadable::Failure(error)),
            Event::Message { content, stop_reason, usage } => {
                for block in content {
                    match block {
                        Block::Text { text } => heard.text(Some(text)),
                        Block::ToolUse { name, input, .. } if self.is_answer(&name) => {
                            self.answer_at = Some(0);
                            heard.text(Some(input.to_string()));
                        }
                        Block::ToolUse { id, name, input } => heard.whole_call(Some(&id), &name, &input, None),
                        Block::Other => {}
                    }
                }
                self.input = usage.as_ref().map(|usage| usage.input);
                heard.usage = self.usage(usage.and_then(|usage| usage.output_tokens));
                self.stop(stop_reason, heard);
                heard.done = true;
            }
            Event::Ping => return Ok(false),
            Event::Other => {}
        }
        Ok(true)
    }
}
