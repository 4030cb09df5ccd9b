//! The bytes of an answer, planned before the first is sent: pieces, pauses, and how it ends.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use serde_json::{Value, json};
use titan_agent::tokens::estimate_tokens;

use super::MODEL;
use super::behaviour::{Answer, Behaviour, default_text};
use super::recorded::RecordedRequest;
use super::watch::Watch;

/// A client that waits longer than this has no timeout at all.
pub(super) const FOREVER: Duration = Duration::from_secs(300);

/// Long enough for what was said before to leave the server's buffers.
const BEFORE_BREAK: Duration = Duration::from_millis(20);

/// A server that only waits does not notice that its client has left; one that writes does.
const COMMENT_EVERY: Duration = Duration::from_millis(100);

pub(super) enum Part {
    Bytes(Bytes),
    Pause(Duration),
    Break,
}

/// The parts of a streamed answer.
pub(super) fn plan(behaviour: &Behaviour, request: &RecordedRequest) -> VecDeque<Part> {
    let answer = match behaviour {
        Behaviour::Answer(answer) => answer.clone(),
        _ => Answer::default(),
    };
    let text = text_of(&answer, request);
    let mut parts = VecDeque::from([event(&chunk(json!({"role": "assistant", "content": ""}), None))]);
    let pieces = pieces(&text, answer.chunk_chars);
    let said = match behaviour {
        Behaviour::CutAfter(n) | Behaviour::EndAfter(n) | Behaviour::HangAfter(n) => *n,
        Behaviour::ErrorInStream { after } => *after,
        Behaviour::MalformedJson => 1,
        _ => pieces.len(),
    };
    for piece in pieces.into_iter().take(said) {
        parts.push_back(Part::Pause(answer.delay));
        parts.push_back(event(&chunk(json!({"content": piece}), None)));
    }
    match behaviour {
        Behaviour::CutAfter(_) => parts.extend([Part::Pause(BEFORE_BREAK), Part::Break]),
        Behaviour::EndAfter(_) => {}
        Behaviour::HangAfter(_) => parts.extend(comments()),
        Behaviour::NoEnd => {
            parts.push_back(event(&chunk(json!({}), Some("stop"))));
            parts.extend(comments());
        }
        Behaviour::MalformedJson => parts.push_back(Part::Bytes(Bytes::from_static(b"data: {\"choices\": [{\n\n"))),
        Behaviour::ErrorInStream { .. } => parts.push_back(event(&json!({
            "error": {"message": "the model ran out of memory", "type": "server_error", "code": 503}
        }))),
        _ => {
            parts.push_back(event(&chunk(json!({}), Some("stop"))));
            if request.asks_for("/stream_options/include_usage") && !matches!(behaviour, Behaviour::NoUsage) {
                parts.push_back(event(&object("chat.completion.chunk", json!([]), usage(&text, request))));
            }
            parts.push_back(Part::Bytes(Bytes::from_static(b"data: [DONE]\n\n")));
        }
    }
    parts
}

/// The server goes on, the model does not.
fn comments() -> impl Iterator<Item = Part> {
    let times = FOREVER.as_millis() / COMMENT_EVERY.as_millis();
    (0..times).flat_map(|_| [Part::Pause(COMMENT_EVERY), Part::Bytes(Bytes::from_static(b": still here\n\n"))])
}

/// The answer as one object.
pub(super) fn whole(behaviour: &Behaviour, request: &RecordedRequest) -> Value {
    let answer = match behaviour {
        Behaviour::Answer(answer) => answer.clone(),
        _ => Answer::default(),
    };
    let text = text_of(&answer, request);
    let usage = match behaviour {
        Behaviour::NoUsage => Value::Null,
        _ => usage(&text, request),
    };
    let message = json!({"role": "assistant", "content": text});
    object("chat.completion", json!([{"index": 0, "message": message, "finish_reason": "stop"}]), usage)
}

/// The parts as a body.
pub(super) fn body(parts: VecDeque<Part>, watch: Watch) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold((parts, watch), |(mut parts, mut watch)| async move {
        loop {
            match parts.pop_front() {
                Some(Part::Bytes(bytes)) => return Some((Ok(bytes), (parts, watch))),
                Some(Part::Pause(time)) if time.is_zero() => {}
                Some(Part::Pause(time)) => tokio::time::sleep(time).await,
                Some(Part::Break) => {
                    watch.whole();
                    return Some((Err(io::ErrorKind::ConnectionReset.into()), (parts, watch)));
                }
                None => {
                    watch.whole();
                    return None;
                }
            }
        }
    })
}

pub(super) fn models() -> Value {
    json!({"object": "list", "data": [
        {"id": "fake-embedding", "object": "model", "created": created(), "owned_by": "titan"},
        {"id": MODEL, "object": "model", "created": created(), "owned_by": "titan"},
    ]})
}

pub(super) fn error(message: &str, kind: &str) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": null}})
}

fn text_of(answer: &Answer, request: &RecordedRequest) -> String {
    answer.text.clone().unwrap_or_else(|| default_text(request.content()))
}

fn pieces(text: &str, chunk_chars: usize) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    chars.chunks(chunk_chars.max(1)).map(|piece| piece.iter().collect()).collect()
}

fn usage(text: &str, request: &RecordedRequest) -> Value {
    let (input, output) = (request.texts().map(estimate_tokens).sum::<u64>(), estimate_tokens(text));
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

fn chunk(delta: Value, finish_reason: Option<&str>) -> Value {
    let choices = json!([{"index": 0, "delta": delta, "finish_reason": finish_reason}]);
    object("chat.completion.chunk", choices, Value::Null)
}

fn object(kind: &str, choices: Value, usage: Value) -> Value {
    json!({
        "id": "chatcmpl-fake", "object": kind, "created": created(), "model": MODEL, "choices": choices, "usage": usage,
    })
}

fn event(data: &Value) -> Part {
    Part::Bytes(Bytes::from(format!("data: {data}\n\n")))
}

fn created() -> i64 {
    chrono::Utc::now().timestamp()
}
