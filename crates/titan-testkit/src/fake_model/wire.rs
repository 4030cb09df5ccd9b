//! The bytes of an answer, planned before the first is sent: pieces, pauses, and how it ends.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{self, Stream};
use serde_json::Value;
use titan_agent::tokens::estimate_tokens;

use super::behaviour::{Answer, Behaviour, default_text};
use super::dialect::{Tokens, pieces};
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
    let dialect = request.dialect;
    let answer = answer_of(behaviour);
    let text = text_of(&answer, request);
    let tokens = tokens(behaviour, &text, request);
    let mut parts: VecDeque<Part> = dialect.begin(tokens).into_iter().map(Part::Bytes).collect();
    let pieces = pieces(&text, answer.chunk_chars);
    let said = match behaviour {
        Behaviour::CutAfter(n) | Behaviour::EndAfter(n) | Behaviour::HangAfter(n) => *n,
        Behaviour::ErrorInStream { after } => *after,
        Behaviour::MalformedJson => 1,
        _ => pieces.len(),
    };
    for piece in pieces.into_iter().take(said) {
        parts.push_back(Part::Pause(answer.delay));
        parts.push_back(Part::Bytes(dialect.piece(&piece)));
    }
    match behaviour {
        Behaviour::CutAfter(_) => parts.extend([Part::Pause(BEFORE_BREAK), Part::Break]),
        Behaviour::EndAfter(_) => {}
        Behaviour::HangAfter(_) => parts.extend(comments(request)),
        Behaviour::NoEnd => {
            parts.extend(dialect.reason(false, None).into_iter().map(Part::Bytes));
            parts.extend(comments(request));
        }
        Behaviour::MalformedJson => parts.push_back(Part::Bytes(dialect.malformed())),
        Behaviour::ErrorInStream { .. } => parts.push_back(Part::Bytes(dialect.error_in_stream())),
        _ => {
            let calls = dialect.calls(&answer.calls);
            let end = dialect.end(tokens.filter(|_| request.wants_usage()));
            let end = dialect.reason(!calls.is_empty(), tokens).into_iter().chain(end);
            parts.extend(calls.into_iter().filter(|_| !answer.calls.is_empty()).chain(end).map(Part::Bytes));
        }
    }
    parts
}

/// The server goes on, the model does not.
fn comments(request: &RecordedRequest) -> impl Iterator<Item = Part> + use<> {
    let times = FOREVER.as_millis() / COMMENT_EVERY.as_millis();
    let comment = request.dialect.comment();
    (0..times).flat_map(move |_| [Part::Pause(COMMENT_EVERY), Part::Bytes(comment.clone())])
}

/// The answer as one object.
pub(super) fn whole(behaviour: &Behaviour, request: &RecordedRequest) -> Value {
    let answer = answer_of(behaviour);
    let text = text_of(&answer, request);
    request.dialect.whole(&text, &answer.calls, tokens(behaviour, &text, request))
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

fn answer_of(behaviour: &Behaviour) -> Answer {
    match behaviour {
        Behaviour::Answer(answer) => answer.clone(),
        _ => Answer::default(),
    }
}

fn text_of(answer: &Answer, request: &RecordedRequest) -> String {
    answer.text.clone().unwrap_or_else(|| default_text(request.content()))
}

fn tokens(behaviour: &Behaviour, text: &str, request: &RecordedRequest) -> Option<Tokens> {
    let input = request.texts().map(estimate_tokens).sum();
    (!matches!(behaviour, Behaviour::NoUsage)).then(|| Tokens { input, output: estimate_tokens(text) })
}
