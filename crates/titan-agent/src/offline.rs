//! The provider for when no model is configured. It answers with a fixed text that says so, in the same way a real model
//! would: word by word, with usage, stopping when told to. It pretends nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use futures_util::stream;
use titan_core::budgets::Price;
use tokio_util::sync::CancellationToken;

use crate::catalogue::Facts;
use crate::error::ProviderError;
use crate::memory::shorten;
use crate::provider::{
    Chunk, ChunkStream, FinishReason, Message, Model, ModelRequest, Probe, ProbeState, Provider, ProviderKind, Role,
    Usage,
};
use crate::tokens::estimate_tokens;

pub const NAME: &str = "offline";

/// What every offline answer begins with.
pub const LABEL: &str = "[offline]";

/// The pauses are for the eyes of a person. When more answers than this are under way nobody reads them all, and a worker
/// with much to do does not dawdle.
const READ_AT_ONCE: usize = 4;

/// Characters of the message that the answer quotes.
const QUOTE_CHARS: usize = 80;

#[derive(Debug, Clone)]
pub struct Offline {
    /// Pause before each word after the first; with none, the whole answer is one chunk.
    delay: Duration,
    /// Who gives an answer holds a copy.
    answering: Arc<()>,
}

impl Offline {
    #[must_use]
    pub fn new(delay: Duration) -> Self {
        Self { delay, answering: Arc::default() }
    }
}

#[async_trait]
impl Provider for Offline {
    fn name(&self) -> &str {
        NAME
    }

    fn kind(&self) -> ProviderKind {
        ProviderKind::Offline
    }

    fn default_model(&self) -> &str {
        NAME
    }

    fn wants_context(&self) -> bool {
        false
    }

    fn catalogued(&self, _: &str) -> Option<Facts> {
        Some(Facts { price: Some(Price::default()), ..Facts::default() })
    }

    async fn stream(&self, request: ModelRequest, cancel: CancellationToken) -> Result<ChunkStream, ProviderError> {
        if cancel.is_cancelled() {
            return Err(ProviderError::Canceled);
        }
        let answer = answer_to(&request);
        let usage = Usage {
            input_tokens: request.estimate_tokens(),
            cached_tokens: 0,
            output_tokens: estimate_tokens(&answer),
            estimated: true,
        };
        let answering = Arc::clone(&self.answering);
        let delay = if Arc::strong_count(&answering) > READ_AT_ONCE + 1 { Duration::ZERO } else { self.delay };
        let words: Vec<String> =
            if delay.is_zero() { vec![answer] } else { answer.split_inclusive(' ').map(str::to_owned).collect() };
        let end = [Chunk::Usage(usage), Chunk::Finished { reason: FinishReason::Stop }];
        let chunks = words.into_iter().map(Chunk::Text).chain(end).enumerate();
        let canceled = cancel.clone();
        let paced = stream::iter(chunks).then(move |(index, chunk)| {
            let canceled = canceled.clone();
            let answering = Arc::clone(&answering);
            async move {
                let _answering = answering;
                if index > 0 && !delay.is_zero() && matches!(chunk, Chunk::Text(_)) {
                    tokio::select! {
                        () = canceled.cancelled() => {}
                        () = tokio::time::sleep(delay) => {}
                    }
                }
                if canceled.is_cancelled() { Err(ProviderError::Canceled) } else { Ok(chunk) }
            }
        });
        Ok(ends_with_error(paced.boxed()))
    }

    async fn probe(&self) -> Probe {
        Probe {
            state: ProbeState::Ready,
            models: vec![Model::named(NAME)],
            detail: Some("No model is configured: answers are a fixed text. Set the key of a provider, such as OPENAI_API_KEY, ANTHROPIC_API_KEY or GEMINI_API_KEY, or OLLAMA_BASE_URL, and restart the worker.".to_owned()),
        }
    }
}

/// The same stream, over after its first error.
fn ends_with_error(chunks: ChunkStream) -> ChunkStream {
    stream::unfold(Some(chunks), |chunks| async move {
        let mut chunks = chunks?;
        let next = chunks.next().await?;
        let rest = next.is_ok().then_some(chunks);
        Some((next, rest))
    })
    .boxed()
}

fn answer_to(request: &ModelRequest) -> String {
    let question = request.messages.iter().rev().find(|message| message.role == Role::User);
    let question = question.map(Message::text).unwrap_or_default();
    let words = question.split_whitespace().count();
    let noun = if words == 1 { "word" } else { "words" };
    format!(
        "{LABEL} No language model is configured, so this is a fixed text and not an answer to what you wrote. \
         Your message arrived safely: it has {words} {noun} and reads \"{}\". \
         Everything around the answer is real: the task was queued, a worker claimed it, and this text was streamed to \
         you, stored, and put up for your approval. \
         To get real answers, set the key of a model provider (OPENAI_API_KEY, ANTHROPIC_API_KEY, GEMINI_API_KEY or \
         OPENROUTER_API_KEY), or OLLAMA_BASE_URL for models of your own, and restart the worker.",
        shorten(&question, QUOTE_CHARS)
    )
}
