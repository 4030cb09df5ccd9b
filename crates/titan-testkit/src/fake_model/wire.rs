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
        Behaviour::HangAfter(_) => parts.push_back(Part::Pause(FOREVER)),
        Behaviour::MalformedJson => parts.push_back(Part::Bytes(Bytes::from_static(b"data: {\"choices\": [{\n\n"))),
        Behaviour::ErrorInStream { .. } => parts.push_back(event(&json!({
            "error": {"message": "the model ran out of memory", "type": "server_error", "code": 503}
        }))),
        _ => {
            parts.push_back(event(&chunk(json!({}), Some("stop"))));
            let asked = request.body["stream_options"]["include_usage"] == true;
            if asked && !matches!(behaviour, Behaviour::NoUsage) {
                let mut last = chunk(json!({}), None);
                last["choices"] = json!([]);
                last["usage"] = usage(&text, request);
                parts.push_back(event(&last));
            }
            parts.push_back(Part::Bytes(Bytes::from_static(b"data: [DONE]\n\n")));
        }
    }
    parts
}

/// The answer as one object.
pub(super) fn whole(behaviour: &Behaviour, request: &RecordedRequest) -> Value {
    let answer = match behaviour {
        Behaviour::Answer(answer) => answer.clone(),
        _ => Answer::default(),
    };
    let text = text_of(&answer, request);
    let mut object = json!({
        "id": "chatcmpl-fake", "object": "chat.completion", "created": created(), "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
    });
    if !matches!(behaviour, Behaviour::NoUsage) {
        object["usage"] = usage(&text, request);
    }
    object
}

/// The parts as a body.
pub(super) fn body(parts: VecDeque<Part>, watch: Watch) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold((parts, Some(watch)), |(mut parts, mut watch)| async move {
        loop {
            match parts.pop_front() {
                Some(Part::Bytes(bytes)) => return Some((Ok(bytes), (parts, watch))),
                Some(Part::Pause(time)) if time.is_zero() => {}
                Some(Part::Pause(time)) => tokio::time::sleep(time).await,
                Some(Part::Break) => {
                    watch.take().map(Watch::whole);
                    return Some((Err(io::ErrorKind::ConnectionReset.into()), (parts, watch)));
                }
                None => {
                    watch.take().map(Watch::whole);
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
    json!({
        "id": "chatcmpl-fake", "object": "chat.completion.chunk", "created": created(), "model": MODEL,
        "choices": [{"index": 0, "delta": delta, "finish_reason": finish_reason}], "usage": null,
    })
}

fn event(data: &Value) -> Part {
    Part::Bytes(Bytes::from(format!("data: {data}\n\n")))
}

fn created() -> i64 {
    chrono::Utc::now().timestamp()
}
