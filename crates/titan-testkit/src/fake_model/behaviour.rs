//! How a request is answered: programmed by the test, or by words in the message.

use std::collections::HashMap;
use std::time::Duration;

use titan_agent::memory::shorten;

use super::KEPT;
use super::dialect::ToolCall;

/// What happens to one request.
#[derive(Debug, Clone)]
pub enum Behaviour {
    Answer(Answer),
    /// 429, with `Retry-After` as given: seconds or a date.
    RateLimited {
        retry_after: Option<String>,
    },
    /// 500 with an error object.
    ServerError,
    /// Any status with any body and headers, also redirects.
    Status {
        status: u16,
        headers: Vec<(String, String)>,
        body: String,
    },
    /// A stream whose second event is not JSON.
    MalformedJson,
    /// The connection breaks after so many pieces of the answer.
    CutAfter(usize),
    /// The answer ends properly after so many pieces, but without a reason and the mark of the end.
    EndAfter(usize),
    /// Nothing comes, not even a status. That the client has left is not noticed here.
    Hang,
    /// Nothing more comes after so many pieces, but for the comments with which servers keep a connection open.
    HangAfter(usize),
    /// An error object comes after so many pieces.
    ErrorInStream {
        after: usize,
    },
    /// The whole answer with its reason, and then nothing: no usage, no mark of the end, and no end of the connection.
    NoEnd,
    /// A whole answer, of which usage is not reported.
    NoUsage,
    /// The answer in one JSON object although a stream was asked for.
    NotStreamed,
    /// Status 200 and exactly these bytes.
    Raw {
        content_type: String,
        body: Vec<u8>,
    },
}

/// A whole answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Without one, a text that repeats the message.
    pub text: Option<String>,
    /// Characters in each piece of the stream.
    pub chunk_chars: usize,
    /// Pause before each piece.
    pub delay: Duration,
    /// Tools that the model calls after its text.
    pub calls: Vec<ToolCall>,
}

impl Default for Answer {
    fn default() -> Self {
        Self { text: None, chunk_chars: 8, delay: Duration::ZERO, calls: Vec::new() }
    }
}

impl Answer {
    #[must_use]
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    #[must_use]
    pub fn with_delay(self, delay: Duration) -> Self {
        Self { delay, ..self }
    }

    #[must_use]
    pub fn with_calls(self, calls: Vec<ToolCall>) -> Self {
        Self { calls, ..self }
    }

    #[must_use]
    pub fn with_chunk_chars(self, chunk_chars: usize) -> Self {
        Self { chunk_chars, ..self }
    }
}

impl Default for Behaviour {
    fn default() -> Self {
        Self::Answer(Answer::default())
    }
}

/// What is said when the test does not care.
pub(super) fn default_text(content: &str) -> String {
    format!(
        "This is the fake model, answering over the real wire. You wrote: \"{}\". It says the same every time, so that \
         a test can compare it.",
        shorten(content, 200)
    )
}

/// Pieces and pace of the answer to `[slow]`: eight seconds.
const SLOW_PIECES: usize = 40;
const SLOW_DELAY: Duration = Duration::from_millis(200);

/// What a message asks for in words. `obeyed` counts how often a word of this message was obeyed before; those that make
/// an answer fail are obeyed as often as they stand there, so that the next try succeeds, except `[cut]` and `[hang]`.
pub(super) fn told_by(content: &str, mut obeyed: impl FnMut(&'static str) -> usize) -> Option<Behaviour> {
    let says = |word: &str| content.contains(word);
    let mut still = |word: &'static str| says(word) && obeyed(word) < content.matches(word).count();
    if still("[429]") {
        return Some(Behaviour::RateLimited { retry_after: Some("1".to_owned()) });
    }
    if still("[500]") {
        return Some(Behaviour::ServerError);
    }
    if still("[malformed]") {
        return Some(Behaviour::MalformedJson);
    }
    if says("[cut]") || still("[cut-once]") {
        return Some(Behaviour::CutAfter(3));
    }
    if says("[hang]") {
        return Some(Behaviour::HangAfter(1));
    }
    let text = if says("[echo]") { content.to_owned() } else { default_text(content) };
    if says("[slow]") {
        let chunk_chars = text.chars().count().div_ceil(SLOW_PIECES);
        return Some(Behaviour::Answer(Answer::of(text).with_chunk_chars(chunk_chars).with_delay(SLOW_DELAY)));
    }
    says("[echo]").then(|| Behaviour::Answer(Answer::of(text)))
}

/// How often each word of a message was obeyed.
#[derive(Default)]
pub(super) struct Obeyed(HashMap<(String, &'static str), usize>);

impl Obeyed {
    /// Counts once more, and says how often it was before.
    pub(super) fn count(&mut self, content: &str, word: &'static str) -> usize {
        if self.0.len() >= KEPT {
            self.0.clear();
        }
        let times = self.0.entry((content.to_owned(), word)).or_default();
        *times += 1;
        *times - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_asked_for_in_words_happens_as_often_as_it_is_and_in_order() {
        let mut obeyed = Obeyed::default();
        let mut told = |content: &str| told_by(content, |word| obeyed.count(content, word));
        assert!(matches!(told("a [500] and [429]"), Some(Behaviour::RateLimited { .. })));
        assert!(matches!(told("a [500] and [429]"), Some(Behaviour::ServerError)));
        assert!(told("a [500] and [429]").is_none());
        assert!((0..2).all(|_| matches!(told("[429] and another [429]"), Some(Behaviour::RateLimited { .. }))));
        assert!(told("[429] and another [429]").is_none());
        assert!(matches!(told("[cut-once]"), Some(Behaviour::CutAfter(_))));
        assert!(told("[cut-once]").is_none());
        assert!((0..3).all(|_| matches!(told("[cut]"), Some(Behaviour::CutAfter(_)))));
        assert!(told("nothing special").is_none());
    }

    #[test]
    fn slow_takes_about_eight_seconds_and_says_the_same() {
        let Some(Behaviour::Answer(answer)) = told_by("[slow] [echo] a message", |_| 0) else { panic!("no answer") };
        let text = answer.text.unwrap();
        assert_eq!(text, "[slow] [echo] a message");
        let Some(Behaviour::Answer(answer)) = told_by("[slow]", |_| 0) else { panic!("no answer") };
        let pieces = answer.text.unwrap().chars().count().div_ceil(answer.chunk_chars);
        assert!((30..=40).contains(&pieces), "{pieces}");
    }
}
