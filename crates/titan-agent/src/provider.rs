//! What a provider is: something that answers a list of messages with a stream of text. Retrying, storing and showing
//! the answer is for those who call it.

use async_trait::async_trait;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::error::ProviderError;

/// A streamed answer: any number of [`Chunk::Text`], then one [`Chunk::Usage`], then [`Chunk::Finished`], then the end.
/// After an error nothing follows; an answer without `Finished` is not whole. Dropping the stream ends the call.
pub type ChunkStream = BoxStream<'static, Result<Chunk, ProviderError>>;

#[async_trait]
pub trait Provider: std::fmt::Debug + Send + Sync {
    /// What it is called in lists and in `name:model`.
    fn name(&self) -> &str;

    fn kind(&self) -> ProviderKind;

    /// The model that answers when nobody names one.
    fn default_model(&self) -> &str;

    /// Whether an answer depends on anything but the message itself. Who says no is not read the conversation and the
    /// memories of the project.
    fn wants_context(&self) -> bool {
        true
    }

    /// Asks the model. Returns when the provider has begun to answer, and stops at once, with
    /// [`ProviderError::Canceled`], when `cancel` is triggered, be it before or during the answer.
    ///
    /// # Errors
    /// When the provider does not begin to answer; what goes wrong later comes through the stream.
    async fn stream(&self, request: ModelRequest, cancel: CancellationToken) -> Result<ChunkStream, ProviderError>;

    /// Looks whether the provider could answer, without asking a model anything. Takes a few seconds at most.
    async fn probe(&self) -> Probe;
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    Offline,
    OpenAi,
}

impl ProviderKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::OpenAi => "openai",
        }
    }
}

/// What is asked: the model by the provider's own name for it, and the messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ModelRequest {
    pub model: String,
    pub messages: Vec<Message>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    pub role: Role,
    pub content: String,
}

impl Message {
    #[must_use]
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chunk {
    Text(String),
    Usage(Usage),
    Finished { reason: FinishReason },
}

/// Tokens that a call took. `estimated` when the provider did not say and they were guessed from the texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    pub input_tokens: u64,
    pub output_tokens: u64,
    pub estimated: bool,
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishReason {
    /// It had said everything.
    Stop,
    /// It reached its limit of tokens: the answer is cut short.
    Length,
    /// The provider's filter ended the answer.
    ContentFilter,
    /// A reason of the provider's own.
    Other(String),
}

impl FinishReason {
    /// As the OpenAI wire writes it.
    #[must_use]
    pub fn from_wire(word: &str) -> Self {
        match word {
            "stop" => Self::Stop,
            "length" => Self::Length,
            "content_filter" => Self::ContentFilter,
            other => Self::Other(other.chars().take(64).collect()),
        }
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ContentFilter => "content_filter",
            Self::Other(word) => word,
        }
    }
}

/// What [`Provider::probe`] found. `detail` is a sentence for people and holds no secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    pub state: ProbeState,
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProbeState {
    Ready,
    Failing,
    /// It could not be told, for example because the server has nothing that could be asked for free.
    Unknown,
}

impl ProbeState {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Failing => "failing",
            Self::Unknown => "unknown",
        }
    }
}
