//! What a model takes, and how much of it a request may use. Counts of tokens are bounds made without the model's vocabulary
//! ([`most_tokens`]), so a part of the model's context is kept free for what they get wrong.

use crate::provider::{DEFAULT_OUTPUT_TOKENS, Message, ModelRequest, Part};
use crate::tokens::most_tokens;

/// What nearly every model takes; assumed where nobody tells.
pub const DEFAULT_CONTEXT_TOKENS: u64 = 8192;

/// One part in so many of the context stays free: wires wrap messages in marks of their own, and a text in a script that the
/// vocabulary hardly knows may take more than its bound.
const MARGIN: u64 = 20;
/// What a message and a request take besides their texts.
const PER_MESSAGE: u64 = 8;
const PER_REQUEST: u64 = 16;
/// More than vendors count for an image of the usual size.
const PER_IMAGE: u64 = 2048;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of the request and its answer together.
    pub context_tokens: u64,
    /// Kept free for the answer.
    pub output_tokens: u64,
    /// The longest answer that the model gives, where that is known.
    most_output: Option<u64>,
    /// Whether the context is known and not assumed.
    told: bool,
}

impl Limits {
    /// From what the provider, or a list of models, tells.
    #[must_use]
    pub fn told(context_tokens: Option<u64>, max_output_tokens: Option<u64>) -> Self {
        let context = context_tokens.filter(|tokens| *tokens > 0);
        let most_output = max_output_tokens.filter(|tokens| *tokens > 0);
        let tokens = context.unwrap_or(DEFAULT_CONTEXT_TOKENS);
        let output_tokens = most_output.unwrap_or(DEFAULT_OUTPUT_TOKENS).min(DEFAULT_OUTPUT_TOKENS).min(tokens / 4);
        Self { context_tokens: tokens, output_tokens, most_output, told: context.is_some() }
    }

    /// What a request may take, by its bound.
    #[must_use]
    pub fn room(&self) -> u64 {
        self.context_tokens.saturating_sub(self.output_tokens).saturating_sub(self.context_tokens / MARGIN)
    }

    /// What a summary of older messages may take.
    #[must_use]
    pub fn summary_tokens(&self) -> u64 {
        (self.room() / 8).min(2048)
    }

    /// The limit to name in a request of that size: none as long as a usual answer fits beside it. A context that is only assumed
    /// limits no answer.
    #[must_use]
    pub fn answer_limit(&self, request: u64) -> Option<u64> {
        let left = self.context_tokens.saturating_sub(request).max(1);
        let limit = self.most_output.unwrap_or(u64::MAX).min(if self.told { left } else { u64::MAX });
        (limit < DEFAULT_OUTPUT_TOKENS).then_some(limit)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::told(None, None)
    }
}

/// A bound for what a message takes.
#[must_use]
pub fn size(message: &Message) -> u64 {
    let tokens = |part: &Part| match part {
        Part::Text(text) => most_tokens(text),
        Part::Image(_) => PER_IMAGE,
        Part::ToolCall(call) => most_tokens(&call.name) + most_tokens(&call.arguments.to_string()),
        Part::ToolResult(result) => most_tokens(&result.name) + most_tokens(&result.content),
    };
    PER_MESSAGE + message.parts.iter().map(tokens).sum::<u64>()
}

/// A bound for what a request takes.
#[must_use]
pub fn size_of_request(request: &ModelRequest) -> u64 {
    PER_REQUEST + request.messages.iter().map(size).sum::<u64>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quarter_at_most_is_kept_for_the_answer() {
        let small = Limits::default();
        assert_eq!((small.context_tokens, small.output_tokens, small.room()), (8192, 2048, 5735));
        let large = Limits::told(Some(200_000), Some(64_000));
        assert_eq!((large.output_tokens, large.room()), (8192, 181_808));
        assert_eq!(Limits::told(Some(100), None).room(), 70);
        assert_eq!(Limits::told(Some(0), Some(0)), Limits::default());
    }

    #[test]
    fn an_answer_is_limited_only_where_it_has_to_be() {
        assert_eq!(Limits::default().answer_limit(5000), None, "an assumed context limits nothing");
        assert_eq!(Limits::told(Some(8192), None).answer_limit(5000), Some(3192));
        assert_eq!(Limits::told(Some(200_000), Some(64_000)).answer_limit(5000), None);
        assert_eq!(Limits::told(Some(200_000), Some(4096)).answer_limit(5000), Some(4096));
    }
}
