//! The request for one chat message: who Jason is, what the project is, what is remembered, what was said, and the new
//! message, within a budget. Reading these from the database and storing the answer is the worker's.

use crate::provider::{Message, ModelRequest, Role};

/// Who Jason is and how he answers.
pub const SYSTEM_PROMPT: &str = include_str!("../prompts/chat.md");

/// Characters of a whole request, about 8,000 tokens: what even small local models can take in.
pub const DEFAULT_BUDGET_CHARS: usize = 32_000;

/// What the worker knows about the conversation. Memories and history are oldest first.
#[derive(Debug, Clone, Copy)]
pub struct Context<'a> {
    pub project_name: &'a str,
    pub project_description: Option<&'a str>,
    pub memories: &'a [String],
    /// Earlier messages, without the new one.
    pub history: &'a [Message],
    /// The message to answer.
    pub content: &'a str,
}

/// Builds the request. The system text, the project and the new message are always there, whole, even when they alone
/// exceed the budget. Of the rest, memories may take a quarter of what is left and the history what then remains; the
/// newest come first, nothing is cut in the middle, and there is no gap: what is older than the first that does not fit
/// is left out too.
#[must_use]
pub fn build_request(model: &str, context: &Context<'_>, budget_chars: usize) -> ModelRequest {
    let mut system =
        format!("{}\n\n## Project\n\nName: {}\n", SYSTEM_PROMPT.trim_end(), one_line(context.project_name));
    if let Some(description) = context.project_description.map(str::trim).filter(|text| !text.is_empty()) {
        system.push_str(&format!("\n{description}\n"));
    }
    let room = budget_chars.saturating_sub(count(&system) + count(context.content));

    let notes: Vec<String> = context.memories.iter().map(|memory| format!("- {}\n", one_line(memory))).collect();
    let notes = newest_that_fit(&notes, room / 4, |note| count(note));
    let room = room.saturating_sub(notes.iter().map(|note| count(note)).sum());
    if !notes.is_empty() {
        system.push_str("\n## Remembered\n\n");
        notes.iter().for_each(|note| system.push_str(note));
    }

    let history = newest_that_fit(context.history, room, |message| count(&message.text()));
    // Several models insist that the person speaks first.
    let begin = history.iter().position(|message| message.role == Role::User).unwrap_or(history.len());

    let mut messages = vec![Message::new(Role::System, system)];
    messages.extend(history.iter().skip(begin).cloned());
    messages.push(Message::new(Role::User, context.content));
    ModelRequest::new(model, messages)
}

/// The end of the list whose sizes sum up to at most `room`.
fn newest_that_fit<T>(items: &[T], mut room: usize, size: impl Fn(&T) -> usize) -> &[T] {
    let fitting = items
        .iter()
        .rev()
        .take_while(|item| match room.checked_sub(size(item)) {
            Some(left) => {
                room = left;
                true
            }
            None => false,
        })
        .count();
    items.get(items.len() - fitting..).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn count(text: &str) -> usize {
    text.chars().count()
}
