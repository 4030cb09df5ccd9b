//! Summaries of what a request has no room for: the requests for one, in parts that fit, and a plain extract for when no model
//! gives one, so that the conversation goes on.

use crate::memory;
use crate::provider::{Message, ModelRequest, Part, Role};
use crate::tokens::most_tokens;

use super::limits::{Limits, size_of_request};
use super::parts::Summary;
use super::shorten::shorten;
use super::units::Unit;

const PROMPT: &str = include_str!("../../prompts/compaction.md");

/// Calls of a model for one summary. What is older still goes into the extract that the first of them is given.
const MOST_CHUNKS: usize = 8;
/// Tokens without which a chunk is not worth a call.
const LEAST_CHUNK: u64 = 64;
/// Characters of a message in an extract.
const EXTRACT_CHARS: usize = 160;
/// What a word takes at most, usually.
const TOKENS_PER_WORD: u64 = 2;

/// Older messages that are to become a summary.
#[derive(Debug, Clone, PartialEq)]
pub struct Compaction {
    /// The place of the last message that the summary will cover.
    pub up_to: i64,
    /// How many messages it will cover beyond those that the one before it does.
    pub messages: usize,
    /// Written down for a model to read, in parts that fit, oldest first.
    pub chunks: Vec<String>,
    /// What stands for everything before the chunks.
    pub previous: Option<String>,
    /// What stands for all of it when no model summarises it: the first sentence of each message.
    pub extract: String,
    limits: Limits,
}

impl Compaction {
    /// None when there is nothing to summarise, or no room to do it in.
    pub(super) fn of<'u>(
        previous: Option<Summary<'_>>,
        older: impl Iterator<Item = &'u Unit>,
        limits: Limits,
    ) -> Option<Self> {
        let older: Vec<&Unit> = older.collect();
        let up_to = older.iter().map(|unit| unit.last).max()?;
        let most = limits.summary_tokens();
        let previous = previous.map(|summary| shorten(summary.content, most));
        let extract = extract_of(previous.as_deref(), &older, most);
        let messages = older.iter().map(|unit| unit.messages.len()).sum();
        let mut compaction = Self { up_to, messages, chunks: Vec::new(), previous, extract, limits };

        let frame = size_of_request(&compaction.request("", "", Some(""))) + most;
        let room = limits.room().saturating_sub(frame);
        if most == 0 || room < LEAST_CHUNK {
            return Some(compaction);
        }
        let (mut chunks, mut begins): (Vec<String>, Vec<usize>) = (Vec::new(), Vec::new());
        let mut left = 0;
        for (index, unit) in older.iter().enumerate() {
            let text = shorten(&transcript(unit), room / 2);
            let tokens = most_tokens(&text) + 1;
            match chunks.last_mut().filter(|_| tokens <= left) {
                Some(chunk) => {
                    chunk.push('\n');
                    chunk.push_str(&text);
                    left -= tokens;
                }
                None => {
                    left = room.saturating_sub(tokens);
                    chunks.push(text);
                    begins.push(index);
                }
            }
        }
        let skipped = chunks.len().saturating_sub(MOST_CHUNKS);
        if let Some(begin) = begins.get(skipped).filter(|_| skipped > 0) {
            let oldest = older.get(..*begin).unwrap_or_default();
            compaction.previous = Some(extract_of(compaction.previous.as_deref(), oldest, most));
        }
        compaction.chunks = chunks.split_off(skipped);
        Some(compaction)
    }

    /// The request for the notes about one chunk, with the notes about those before it.
    #[must_use]
    pub fn request(&self, model: &str, chunk: &str, notes: Option<&str>) -> ModelRequest {
        let tokens = self.limits.summary_tokens();
        let words = (tokens / TOKENS_PER_WORD).max(1).to_string();
        let mut messages = vec![Message::new(Role::System, PROMPT.trim_end().replace("{words}", &words))];
        let earlier =
            notes.map(|notes| format!("Earlier notes:\n\n{}\n\n", shorten(notes, tokens))).unwrap_or_default();
        messages.push(Message::new(Role::User, format!("{earlier}The messages:\n\n{chunk}")));
        let mut request = ModelRequest::new(model, messages);
        request.max_output_tokens = self.limits.answer_limit(size_of_request(&request));
        request
    }

    /// What a model wrote, as it will be shown: never longer than the place that it has.
    #[must_use]
    pub fn notes(&self, written: &str) -> String {
        shorten(written.trim(), self.limits.summary_tokens())
    }
}

/// The first sentence of each message, the newest kept when not all fit.
fn extract_of(previous: Option<&str>, older: &[&Unit], most: u64) -> String {
    let previous = previous.map(|text| shorten(text, most / 2)).filter(|text| !text.is_empty());
    let mut left = most.saturating_sub(previous.as_deref().map_or(0, |text| most_tokens(text) + 2));
    let mut lines: Vec<String> = Vec::new();
    for message in older.iter().rev().flat_map(|unit| unit.messages.iter().rev()) {
        let sentence = first_sentence(&message.text());
        if sentence.is_empty() {
            continue;
        }
        let line = format!("- {}: {sentence}", who(message.role));
        match left.checked_sub(most_tokens(&line) + 1) {
            Some(rest) => left = rest,
            None => break,
        }
        lines.push(line);
    }
    lines.reverse();
    previous.into_iter().chain(lines).collect::<Vec<_>>().join("\n")
}

fn first_sentence(text: &str) -> String {
    let text = text.trim_start_matches(['#', '*', '>', '-', ' ', '\n']);
    let line = text.lines().next().unwrap_or_default();
    let ends = |(at, c): (usize, char)| {
        let next = line.get(at + c.len_utf8()..).and_then(|rest| rest.chars().next());
        (matches!(c, '.' | '!' | '?') && next.is_none_or(char::is_whitespace) || c == '。').then_some(at + c.len_utf8())
    };
    let end = line.char_indices().find_map(ends).unwrap_or(line.len());
    memory::shorten(line.get(..end).unwrap_or(line), EXTRACT_CHARS)
}

fn transcript(unit: &Unit) -> String {
    let said = |message: &Message| {
        let parts: Vec<String> = message.parts.iter().map(part).collect();
        format!("{}: {}\n", who(message.role), parts.join("\n"))
    };
    unit.messages.iter().map(said).collect()
}

fn part(part: &Part) -> String {
    match part {
        Part::Text(text) => text.trim().to_owned(),
        Part::Image(image) => format!("(an image, {})", image.media_type),
        Part::ToolCall(call) => format!("(calls the tool {} with {})", call.name, call.arguments),
        Part::ToolResult(result) => format!("(the tool {} says: {})", result.name, result.content.trim()),
    }
}

fn who(role: Role) -> &'static str {
    match role {
        Role::User => "Person",
        Role::Assistant => "Assistant",
        Role::System | Role::Tool => "Tool",
    }
}
