//! What a provider is: something that answers a list of messages with a stream of text and of calls of tools. Retrying,
//! storing and showing the answer is for those who call it.

use async_trait::async_trait;
use bytes::Bytes;
use futures_util::stream::BoxStream;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use titan_core::budgets::Price;
use tokio_util::sync::CancellationToken;

use crate::catalogue::Facts;
use crate::error::ProviderError;
use crate::tokens::estimate_tokens;

/// A streamed answer: any number of [`Chunk::Text`], then the [`Chunk::ToolCall`]s, then one [`Chunk::Usage`], then
/// [`Chunk::Finished`], then the end. Before an error usage may come as well, as far as it was told; after one nothing follows; an answer without `Finished` is not whole. Dropping the
/// stream ends the call.
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

    /// The model by its own name, where the one that was asked for only stands for it.
    ///
    /// # Errors
    /// When the provider cannot be asked which it is.
    async fn model_for(&self, asked: &str) -> Result<String, ProviderError> {
        Ok(asked.to_owned())
    }

    /// What is publicly known of a model of its, apart from what it tells itself.
    fn catalogued(&self, _model: &str) -> Option<Facts> {
        None
    }

    /// Asks the model. Returns when the provider has begun to answer, and stops at once, with
    /// [`ProviderError::Canceled`], when `cancel` is triggered, be it before or during the answer.
    ///
    /// # Errors
    /// When the provider does not begin to answer; what goes wrong later comes through the stream.
    async fn stream(&self, request: ModelRequest, cancel: CancellationToken) -> Result<ChunkStream, ProviderError>;

    /// The directions of what texts mean, one for each, in their order. At most [`MAX_EMBEDDED`] texts at once.
    ///
    /// # Errors
    /// [`ProviderError::Misconfigured`] from who has no embeddings, and whatever else may go wrong with a call.
    async fn embed(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        let _ = (model, texts);
        Err(ProviderError::Misconfigured { message: format!("{} offers no embeddings", self.name()) })
    }

    /// Looks whether the provider could answer and with which models, without asking one anything. Takes a few seconds at most.
    async fn probe(&self) -> Probe;
}

/// Texts that are embedded in one call.
pub const MAX_EMBEDDED: usize = 64;

/// The wire that it speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProviderKind {
    Offline,
    OpenAi,
    Anthropic,
    Gemini,
    Ollama,
}

impl ProviderKind {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
            Self::Gemini => "gemini",
            Self::Ollama => "ollama",
        }
    }
}

/// A model, as far as its provider tells about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub id: String,
    /// Tokens of a request and its answer together, or of the request alone where the provider counts so.
    pub context_tokens: Option<u64>,
    pub max_output_tokens: Option<u64>,
    pub price: Option<Price>,
    pub takes_images: Option<bool>,
}

impl Model {
    #[must_use]
    pub fn named(id: impl Into<String>) -> Self {
        Self { id: id.into(), context_tokens: None, max_output_tokens: None, price: None, takes_images: None }
    }
}

/// What is asked: the model by the provider's own name for it, and the messages, oldest first.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ModelRequest {
    pub model: String,
    pub messages: Vec<Message>,
    /// What the model may call.
    pub tools: Vec<Tool>,
    /// The answer is JSON of this form.
    pub format: Option<Format>,
    /// Where the wire insists on a limit and none is given, it is that of [`DEFAULT_OUTPUT_TOKENS`].
    pub max_output_tokens: Option<u64>,
}

/// Tokens of an answer that even small models can give.
pub const DEFAULT_OUTPUT_TOKENS: u64 = 8192;

impl ModelRequest {
    #[must_use]
    pub fn new(model: impl Into<String>, messages: Vec<Message>) -> Self {
        Self { model: model.into(), messages, ..Self::default() }
    }

    /// A guess; see [`estimate_tokens`].
    #[must_use]
    pub fn estimate_tokens(&self) -> u64 {
        let messages: u64 = self.messages.iter().map(Message::estimate_tokens).sum();
        let described = |tool: &Tool| {
            estimate_tokens(&tool.name)
                + estimate_tokens(&tool.description)
                + estimate_tokens(&tool.parameters.to_string())
        };
        messages + self.tools.iter().map(described).sum::<u64>()
    }
}

/// A function that the model may have called.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Tool {
    pub name: String,
    pub description: String,
    /// The JSON Schema of its arguments: an object.
    pub parameters: Value,
}

/// The JSON Schema of an answer, with a name that some wires insist on.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Format {
    pub name: String,
    pub schema: Value,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    pub role: Role,
    pub parts: Vec<Part>,
}

/// A piece of a message.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    Text(String),
    Image(Image),
    ToolCall(ToolCall),
    ToolResult(ToolResult),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    /// `image/png`, `image/jpeg`, `image/webp` or `image/gif`.
    pub media_type: String,
    pub bytes: Bytes,
}

/// The model wants a tool to be called.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Tells the calls of one conversation apart.
    pub id: String,
    pub name: String,
    pub arguments: Value,
    /// What the provider wants to see again when the call is shown to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ToolResult {
    pub id: String,
    pub name: String,
    pub content: String,
    pub is_error: bool,
}

/// Tokens that an image is about, for models of any kind.
const IMAGE_TOKENS: u64 = 1500;

impl Message {
    #[must_use]
    pub fn new(role: Role, text: impl Into<String>) -> Self {
        Self { role, parts: vec![Part::Text(text.into())] }
    }

    /// Its text, without anything else.
    #[must_use]
    pub fn text(&self) -> String {
        let text = |part: &Part| match part {
            Part::Text(text) => Some(text.clone()),
            _ => None,
        };
        self.parts.iter().filter_map(text).collect()
    }

    #[must_use]
    pub fn estimate_tokens(&self) -> u64 {
        let tokens = |part: &Part| match part {
            Part::Text(text) => estimate_tokens(text),
            Part::Image(_) => IMAGE_TOKENS,
            Part::ToolCall(call) => estimate_tokens(&call.name) + estimate_tokens(&call.arguments.to_string()),
            Part::ToolResult(result) => estimate_tokens(&result.content),
        };
        self.parts.iter().map(tokens).sum()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    System,
    User,
    Assistant,
    /// Results of tools.
    Tool,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Chunk {
    Text(String),
    ToolCall(ToolCall),
    Usage(Usage),
    Finished { reason: FinishReason },
}

/// Tokens that a call took. `estimated` when the provider did not say and they were guessed from the texts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Usage {
    /// Those that the provider had in its cache included.
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// Of the input, what was read from the provider's cache.
    pub cached_tokens: u64,
    pub estimated: bool,
}

/// Why the model stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FinishReason {
    /// It had said everything.
    Stop,
    /// It waits for what its tools say.
    ToolCalls,
    /// It reached its limit of tokens: the answer is cut short.
    Length,
    /// The provider's filter ended the answer.
    ContentFilter,
    /// A reason of the provider's own.
    Other(String),
}

impl FinishReason {
    /// A word of the provider's that has no meaning here.
    #[must_use]
    pub fn other(word: &str) -> Self {
        Self::Other(word.chars().take(64).collect())
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Stop => "stop",
            Self::ToolCalls => "tool_calls",
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
    /// Those that can chat, as far as the provider tells.
    pub models: Vec<Model>,
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
