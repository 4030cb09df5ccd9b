//! One answer while it comes in: from events to chunks, with every way in which it can end.

use std::collections::VecDeque;

use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::{self, BoxStream};
use reqwest::Response;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::failure::Failures;
use super::frames::Frames;
use super::sse::{MAX_EVENT_BYTES, SseError};
use crate::error::{ProviderError, TimeoutPhase};
use crate::memory::shorten;
use crate::provider::{Chunk, ChunkStream, FinishReason, ModelRequest, Usage};
use crate::tokens::estimate_tokens;
use crate::wire::{Framing, Heard, Reader, Unreadable};

/// What the wire adds to the text may be this many times the text, and a megabyte for good measure.
const WIRE_OVERHEAD: usize = 256;

pub(super) struct Answer {
    failures: Failures,
    reader: Box<dyn Reader>,
    heard: Heard,
    /// When the next event must have come, and what it is waited for as. Comments, with which servers keep connections
    /// open, are no events: a model that hangs behind them hangs.
    event_by: Instant,
    phase: TimeoutPhase,
    input_tokens: u64,
    /// Quarters of estimated tokens would be lost when summed up chunk by chunk, so the text is kept for its length.
    text: String,
    chars: u64,
    wire_bytes: usize,
    ready: VecDeque<Chunk>,
}

/// What an answer is read from.
struct Source {
    parts: BoxStream<'static, reqwest::Result<Bytes>>,
    frames: Frames,
    cancel: CancellationToken,
}

impl Answer {
    pub(super) fn new(request: &ModelRequest, reader: Box<dyn Reader>, failures: Failures, event_by: Instant) -> Self {
        Self {
            failures,
            reader,
            heard: Heard::default(),
            event_by,
            phase: TimeoutPhase::FirstToken,
            input_tokens: request.estimate_tokens(),
            text: String::new(),
            chars: 0,
            wire_bytes: 0,
            ready: VecDeque::new(),
        }
    }

    /// An answer that came in one piece.
    pub(super) fn whole(mut self, body: &[u8]) -> Result<ChunkStream, ProviderError> {
        self.take_event(&String::from_utf8_lossy(body))?;
        let ended = self.end("it does not say why it ends");
        let chunks = self.ready.into_iter().map(Ok);
        match (ended, self.heard.usage) {
            (Ok(()), _) => Ok(stream::iter(chunks).boxed()),
            (Err(error), None) => Err(error),
            (Err(error), Some(usage)) => {
                Ok(stream::iter(chunks.chain([Ok(Chunk::Usage(usage)), Err(error)]).collect::<Vec<_>>()).boxed())
            }
        }
    }

    pub(super) fn streamed(self, response: Response, framing: Framing, cancel: CancellationToken) -> ChunkStream {
        let source = Source { parts: response.bytes_stream().boxed(), frames: Frames::new(framing), cancel };
        stream::unfold((self, Ok(Some(source))), |(mut answer, mut source)| async move {
            loop {
                if let Ok(Some(open)) = &source
                    && open.cancel.is_cancelled()
                {
                    answer.ready.clear();
                    source = Err(ProviderError::Canceled);
                }
                // What came before a failure still counts: the caller may show or keep it.
                if let Some(chunk) = answer.ready.pop_front() {
                    return Some((Ok(chunk), (answer, source)));
                }
                // Without its source the answer is over, and the connection closed.
                match source {
                    Ok(None) => return None,
                    // What it has cost so far is paid for, whatever it is worth.
                    Err(error) if error != ProviderError::Canceled && answer.heard.usage.is_some() => {
                        answer.ready.extend(answer.heard.usage.take().map(Chunk::Usage));
                        source = Err(error);
                    }
                    Err(error) => return Some((Err(error), (answer, Ok(None)))),
                    Ok(Some(mut open)) => source = answer.read(&mut open).await.map(|more| more.then_some(open)),
                }
            }
        })
        .boxed()
    }

    /// Reads one part of the wire. False when the answer is over.
    async fn read(&mut self, source: &mut Source) -> Result<bool, ProviderError> {
        let part = tokio::select! {
            biased;
            () = source.cancel.cancelled() => return Err(ProviderError::Canceled),
            part = tokio::time::timeout_at(self.event_by, source.parts.next()) => part,
        };
        let part = match part {
            Ok(Some(Ok(part))) => part,
            // The answer was whole already: what should have followed is not worth an error.
            Ok(Some(Err(_))) | Err(_) if self.heard.finish.is_some() => return self.end("").map(|()| false),
            Ok(Some(Err(error))) => return Err(self.failures.of_transport(error, self.chars)),
            Ok(None) => {
                let last = source.frames.finish().map_err(|error| self.unreadable(error))?;
                match last.map(|data| self.take_event(&data)) {
                    // Half an event says nothing; whether the answer was whole without it is decided below.
                    None | Some(Ok(_) | Err(ProviderError::MalformedAnswer { .. })) => {}
                    Some(Err(error)) => return Err(error),
                }
                return self.end("the connection was closed before the end of the answer").map(|()| false);
            }
            Err(_) => {
                let timeouts = self.failures.timeouts;
                let first = self.phase == TimeoutPhase::FirstToken;
                let after = if first { timeouts.first_token } else { timeouts.idle };
                return Err(ProviderError::Timeout { phase: self.phase, after });
            }
        };
        let limit_bytes = self.failures.timeouts.max_answer_bytes;
        self.wire_bytes += part.len();
        if self.wire_bytes > limit_bytes.saturating_mul(WIRE_OVERHEAD).saturating_add(1024 * 1024) {
            return Err(ProviderError::TooLong { limit_bytes });
        }
        for data in source.frames.push(&part).map_err(|error| self.unreadable(error))? {
            if !self.take_event(&data)? {
                continue;
            }
            let timeouts = &self.failures.timeouts;
            self.phase = TimeoutPhase::Idle;
            self.event_by = Instant::now() + if self.heard.finish.is_some() { timeouts.trailer } else { timeouts.idle };
            if self.heard.done {
                return self.end("").map(|()| false);
            }
        }
        Ok(true)
    }

    /// Whether it said anything.
    fn take_event(&mut self, event: &str) -> Result<bool, ProviderError> {
        let said = self.reader.take(event, &mut self.heard).map_err(|unreadable| match unreadable {
            // First without the key, then shorter: half a key would not be recognised.
            Unreadable::Malformed(message) => {
                self.failures.malformed(format!("{message} in {}", shorten(&self.failures.quote(event), 200)))
            }
            Unreadable::Failure(error) => self.failures.of_object(&error),
            Unreadable::Filtered(message) => ProviderError::Refused { message: self.failures.quote(&message) },
        })?;
        let limit_bytes = self.failures.timeouts.max_answer_bytes;
        while let Some(text) = self.heard.texts.pop_front() {
            self.text.push_str(&text);
            self.chars += text.chars().count() as u64;
            self.ready.push_back(Chunk::Text(text));
        }
        if self.text.len() + self.heard.call_bytes() > limit_bytes {
            return Err(ProviderError::TooLong { limit_bytes });
        }
        Ok(said)
    }

    /// The end of the wire. It is the end of the answer only if the model said that it is.
    fn end(&mut self, cut: &str) -> Result<(), ProviderError> {
        let Some(reason) = self.heard.finish.take() else {
            return Err(ProviderError::CutStream { received_chars: self.chars, message: cut.to_owned() });
        };
        let calls = self.heard.take_calls().map_err(|message| self.failures.malformed(message))?;
        if self.text.trim().is_empty() && calls.is_empty() {
            return Err(match reason {
                FinishReason::ContentFilter => {
                    ProviderError::Refused { message: "its content filter let nothing through".to_owned() }
                }
                reason => self.failures.malformed(format!("it has no text (finish reason {})", reason.as_str())),
            });
        }
        let said = |tokens: u64, arguments: String| tokens + estimate_tokens(&arguments);
        let usage = self.heard.usage.take().unwrap_or_else(|| Usage {
            input_tokens: self.input_tokens,
            output_tokens: calls.iter().map(|call| call.arguments.to_string()).fold(estimate_tokens(&self.text), said),
            cached_tokens: 0,
            estimated: true,
        });
        // Not every server says so itself.
        let waits = reason == FinishReason::Stop && !calls.is_empty();
        let reason = if waits { FinishReason::ToolCalls } else { reason };
        self.ready.extend(calls.into_iter().map(Chunk::ToolCall));
        self.ready.extend([Chunk::Usage(usage), Chunk::Finished { reason }]);
        Ok(())
    }

    fn unreadable(&self, error: SseError) -> ProviderError {
        match error {
            SseError::TooLong => ProviderError::TooLong { limit_bytes: MAX_EVENT_BYTES },
            SseError::NotUtf8 => self.failures.malformed("it is not UTF-8"),
        }
    }
}
