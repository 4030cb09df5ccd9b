//! What a request is made of, as the worker finds it.

use crate::agents::Agent;
use crate::provider::Message;

#[derive(Debug, Clone, Copy)]
pub struct Parts<'a> {
    pub agent: &'a Agent,
    pub project: Project<'a>,
    /// The one most worth having first.
    pub memories: &'a [String],
    /// Who the people are that the message names, a line each.
    pub contacts: &'a [String],
    /// Passages of the project's documents that have to do with the message, the best first.
    pub documents: &'a [String],
    /// What was done in the project lately, a line each, the newest first.
    pub recent: &'a [String],
    /// What stands in for the older messages.
    pub summary: Option<Summary<'a>>,
    /// Oldest first, without the message to answer. Those that the summary covers may be among them: the last of them are shown
    /// all the same.
    pub history: &'a [Said],
    /// The message to answer, with what is attached to it.
    pub question: &'a Message,
    /// Its place. What was said after it is shown, but a summary ends before it: it would stand in for a message that it never saw.
    pub asked_at: i64,
}

#[derive(Debug, Clone, Copy)]
pub struct Project<'a> {
    pub name: &'a str,
    pub description: Option<&'a str>,
    /// What the project has bound itself to. Always shown whole.
    pub charter: Option<&'a str>,
}

/// A message and its place in the conversation.
#[derive(Debug, Clone, PartialEq)]
pub struct Said {
    pub ordinal: i64,
    pub message: Message,
}

#[derive(Debug, Clone, Copy)]
pub struct Summary<'a> {
    /// The place of the last message that it covers.
    pub up_to: i64,
    pub content: &'a str,
}
