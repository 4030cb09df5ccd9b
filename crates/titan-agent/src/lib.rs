//! Model providers, and what an agent does with them. Nothing here knows the database, the queue or HTTP serving: a
//! worker brings the words in and carries the answer out.
//!
//! A map, in reading order.
//!
//! - [`provider`]: the trait every provider fulfils, the request it gets and the chunks it gives.
//! - [`error`]: what can go wrong with one, as types; which of it may pass when tried again.
//! - [`offline`]: the provider that needs nothing and says so.
//! - `http`: the providers over HTTP, and what all of them share.
//! - [`catalogue`]: prices and limits of models that do not tell them.
//! - `wire`: how each interface writes a request and an answer.
//! - [`models`]: which provider and model answer, chosen from the settings.
//! - [`agents`]: who may answer, as data.
//! - [`context`]: the request for one message of a conversation, and what gives way when not all of it fits.
//! - [`deltas`]: a stream of words as a few events a second.
//! - [`memory`]: the plain record of an exchange.
//! - [`extraction`]: the facts of an exchange, for which a model is asked.
//! - [`plan`]: the request for a plan, its sections as they come, and the plan without a model.
//! - [`tokens`]: how many tokens a text is, about and at most.

pub mod provider;

pub mod error;

pub mod offline;

mod http;

mod wire;

pub mod catalogue;

pub mod models;

pub mod agents;

pub mod context;

pub mod deltas;

pub mod memory;

pub mod extraction;

pub mod plan;

pub mod tokens;

pub use error::{ProviderError, TimeoutPhase};
pub use http::{AUTO_MODEL, Timeouts};
pub use models::{ProviderSettings, Registry};
pub use provider::{
    Chunk, ChunkStream, FinishReason, Format, Image, Message, Model, ModelRequest, Part, Probe, ProbeState, Provider,
    ProviderKind, Role, Tool, ToolCall, ToolResult, Usage,
};
