//! Messages that must not be parted: a call of a tool and what came of it. Everything else is a unit by itself.

use crate::provider::{Message, Part, Role};

use super::limits::size;
use super::parts::Said;
use super::shorten::shorten_message;

/// How many of the last messages of the person, and of the questions that the model asked since, are shown whatever happens.
const PINNED: usize = 3;

#[derive(Debug, Clone)]
pub(super) struct Unit {
    pub(super) messages: Vec<Message>,
    /// The place of its last message.
    pub(super) last: i64,
    pub(super) tokens: u64,
    /// A call waits for its result.
    pub(super) open: bool,
    /// Shown before anything else of the history.
    pub(super) pinned: bool,
}

impl Unit {
    fn of(messages: Vec<Message>, last: i64) -> Self {
        let tokens = messages.iter().map(size).sum();
        let calls: Vec<&str> = parts(&messages).filter_map(call).collect();
        let open = calls.iter().any(|id| !parts(&messages).filter_map(result).any(|done| done == *id));
        Self { messages, last, tokens, open, pinned: false }
    }

    /// The same in so many tokens, if it can be had.
    pub(super) fn shortened(&self, tokens: u64) -> Self {
        if self.tokens <= tokens {
            return self.clone();
        }
        let each = tokens / (self.messages.len() as u64).max(1);
        let messages = self.messages.iter().map(|message| shorten_message(message, each)).collect();
        Self { pinned: self.pinned, ..Self::of(messages, self.last) }
    }

    fn is_from(&self, role: Role) -> bool {
        self.messages.first().is_some_and(|message| message.role == role)
    }

    /// An assistant's message that ends by asking.
    fn asks(&self) -> bool {
        let ends = |text: &str| text.trim_end_matches(['*', '_', '"', '”', ')', ' ', '\n']).ends_with(['?', '？', '؟']);
        self.is_from(Role::Assistant) && self.messages.last().is_some_and(|message| ends(&message.text()))
    }
}

/// The history as units, oldest first.
pub(super) fn units(history: &[Said]) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    let mut group: Vec<Message> = Vec::new();
    let mut last = 0;
    for said in history {
        let follows = said.message.role == Role::Tool && !group.is_empty();
        if !follows && !group.is_empty() {
            units.push(Unit::of(std::mem::take(&mut group), last));
        }
        last = said.ordinal;
        let calls = said.message.parts.iter().any(|part| call(part).is_some());
        if follows || calls {
            group.push(said.message.clone());
        } else if said.message.role != Role::Tool {
            // The result of a call that is not there is refused by every wire.
            units.push(Unit::of(vec![said.message.clone()], last));
        }
    }
    if !group.is_empty() {
        units.push(Unit::of(group, last));
    }
    pin(&mut units);
    units
}

/// Marks the last messages of the person, and what the model asked since the first of them.
fn pin(units: &mut [Unit]) {
    let (mut said, mut asked) = (0, 0);
    for unit in units.iter_mut().rev() {
        if unit.is_from(Role::User) {
            unit.pinned = true;
            said += 1;
            if said == PINNED {
                break;
            }
        } else if unit.asks() && asked < PINNED {
            unit.pinned = true;
            asked += 1;
        }
    }
}

fn parts(messages: &[Message]) -> impl Iterator<Item = &Part> {
    messages.iter().flat_map(|message| &message.parts)
}

fn call(part: &Part) -> Option<&str> {
    match part {
        Part::ToolCall(call) => Some(&call.id),
        _ => None,
    }
}

fn result(part: &Part) -> Option<&str> {
    match part {
        Part::ToolResult(result) => Some(&result.id),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::provider::{ToolCall, ToolResult};

    fn calls(id: &str) -> Message {
        let call = ToolCall { id: id.to_owned(), name: "t".to_owned(), arguments: json!({}), signature: None };
        Message { role: Role::Assistant, parts: vec![Part::ToolCall(call)] }
    }

    fn results(id: &str) -> Message {
        let result =
            ToolResult { id: id.to_owned(), name: "t".to_owned(), content: "done".to_owned(), is_error: false };
        Message { role: Role::Tool, parts: vec![Part::ToolResult(result)] }
    }

    #[test]
    fn a_call_and_its_results_are_one_and_a_result_without_a_call_is_none() {
        let said = |role, text: &str| Message::new(role, text);
        let history: Vec<Said> = [
            results("lost"),
            said(Role::User, "a"),
            said(Role::Assistant, "Which one?"),
            calls("1"),
            results("1"),
            said(Role::Assistant, "b"),
            said(Role::User, "c"),
            calls("2"),
        ]
        .into_iter()
        .zip(1..)
        .map(|(message, ordinal)| Said { ordinal, message })
        .collect();
        let found: Vec<_> =
            units(&history).iter().map(|unit| (unit.messages.len(), unit.last, unit.open, unit.pinned)).collect();
        assert_eq!(
            found,
            [
                (1, 2, false, true),
                (1, 3, false, true),
                (2, 5, false, false),
                (1, 6, false, false),
                (1, 7, false, true),
                (1, 8, true, false)
            ]
        );
    }
}
