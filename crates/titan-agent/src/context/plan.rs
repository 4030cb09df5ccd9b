//! Decides what a model is shown. Everything, when that fits. Else lists are cut at their ends, long messages lose their middle,
//! and what is still too much is to be summarised first.
//!
//! What survives, in this order: the agent's instructions, the rules and the project's charter; the message to answer; calls of
//! tools that wait for their results; the summary; the last three messages of the person and what the model asked since; newer
//! messages before older ones; the description; recent work; memories.

use crate::provider::{Message, ModelRequest, Role};

use super::compaction::Compaction;
use super::limits::{Limits, size, size_of_request};
use super::parts::Parts;
use super::system::{self, Shares};
use super::units::{Unit, units};

/// Of the room for the history, one part in so many is what a single message may take when not all of it fits whole: the messages
/// that are always shown then fit together.
const LONGEST_PART: u64 = 12;

#[derive(Debug, Clone, PartialEq)]
pub enum Plan {
    Fits(Fitted),
    /// First the older messages must be summarised. Plan again with the summary in [`Parts::summary`].
    Compact(Compaction),
    /// What cannot give way is too much for the model.
    TooLarge {
        what: &'static str,
        tokens: u64,
        limit: u64,
    },
}

/// A request that fits.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    pub request: ModelRequest,
    /// A bound for what it takes.
    pub tokens: u64,
}

/// Shown where a conversation would begin with the model: several insist that the person speaks first.
const BEGINNING: &str = "(Earlier messages are not shown.)";

#[must_use]
pub fn plan(model: &str, parts: &Parts<'_>, limits: Limits) -> Plan {
    let room = limits.room();
    let all = units(parts.history);
    let covered = parts.summary.map_or(i64::MIN, |summary| summary.up_to);
    let history: Vec<&Unit> = all.iter().filter(|unit| unit.last > covered || unit.pinned || unit.open).collect();

    let whole = request(model, parts, Shares::ALL, history.iter().copied(), limits);
    if whole.tokens <= room {
        return Plan::Fits(whole);
    }
    let open = || history.iter().copied().filter(|unit| unit.open);
    let least = request(model, parts, Shares::NONE, open(), limits);
    let Some(rest) = room.checked_sub(least.tokens) else {
        return too_large(parts, open().map(|unit| unit.tokens).sum(), least.tokens, room);
    };

    let mut shares = Shares::of(rest, limits.summary_tokens());
    let left = |shares| room.saturating_sub(request(model, parts, shares, open(), limits).tokens + beginning());
    let chosen = Chosen::of(&history, left(shares));
    if chosen.left_out(&history).any(|unit| unit.last > covered) {
        // The summary to come takes its whole share, and half of what is left stays free for what is said next.
        let half = left(Shares { summary: 0, ..shares }).saturating_sub(shares.summary) / 2;
        let stays = Chosen::of(&history, half);
        let older =
            stays.older(&history).filter(|unit| unit.last > covered && unit.last < parts.asked_at && !unit.open);
        if let Some(compaction) = Compaction::of(parts.summary, older, limits) {
            return Plan::Compact(compaction);
        }
    }
    let fitted = request(model, parts, shares, chosen.units.iter(), limits);
    // What nobody else needs goes to the memories.
    shares.memories += room.saturating_sub(fitted.tokens);
    let fuller = request(model, parts, shares, chosen.units.iter(), limits);
    let best = [fuller, fitted].into_iter().find(|fitted| fitted.tokens <= room);
    Plan::Fits(best.unwrap_or(least))
}

/// What is shown of the history.
struct Chosen {
    /// Oldest first.
    units: Vec<Unit>,
    /// From here on nothing is left out; before it only what is open or pinned is shown.
    from: usize,
}

impl Chosen {
    /// What is shown in so many tokens besides open calls, which always are: the pinned units, then the newest without a gap.
    fn of(history: &[&Unit], tokens: u64) -> Self {
        let all: u64 = history.iter().filter(|unit| !unit.open).map(|unit| unit.tokens).sum();
        let longest = if all <= tokens { u64::MAX } else { tokens / LONGEST_PART };
        let mut left = tokens;
        let mut take = |unit: &Unit| match left.checked_sub(unit.tokens) {
            Some(rest) => {
                left = rest;
                true
            }
            None => false,
        };
        let short = |unit: &&Unit| if unit.open { Unit::clone(unit) } else { unit.shortened(longest) };
        let mut units: Vec<(Unit, bool)> = history.iter().map(|unit| (short(unit), unit.open)).collect();
        for (unit, shown) in units.iter_mut().rev().filter(|(unit, _)| unit.pinned && !unit.open) {
            *shown = take(unit);
        }
        let mut from = units.len();
        for (unit, shown) in units.iter_mut().rev() {
            if !*shown && !take(unit) {
                break;
            }
            *shown = true;
            from -= 1;
        }
        Self { units: units.into_iter().filter(|(_, shown)| *shown).map(|(unit, _)| unit).collect(), from }
    }

    fn older<'h>(&self, history: &'h [&'h Unit]) -> impl Iterator<Item = &'h Unit> {
        history.iter().take(self.from).copied()
    }

    fn left_out<'h>(&'h self, history: &'h [&'h Unit]) -> impl Iterator<Item = &'h Unit> {
        self.older(history).filter(|unit| !self.units.iter().any(|shown| shown.last == unit.last))
    }
}

fn request<'u>(
    model: &str,
    parts: &Parts<'_>,
    shares: Shares,
    history: impl Iterator<Item = &'u Unit>,
    limits: Limits,
) -> Fitted {
    let mut messages = vec![Message::new(Role::System, system::text(parts, shares))];
    messages.extend(history.flat_map(|unit| unit.messages.iter().cloned()));
    if messages.get(1).is_some_and(|first| first.role != Role::User) {
        messages.insert(1, Message::new(Role::User, BEGINNING));
    }
    messages.push(parts.question.clone());
    let mut request = ModelRequest::new(model, messages);
    let tokens = size_of_request(&request);
    request.max_output_tokens = limits.answer_limit(tokens);
    Fitted { request, tokens }
}

fn beginning() -> u64 {
    size(&Message::new(Role::User, BEGINNING))
}

/// Names the largest of what cannot give way.
fn too_large(parts: &Parts<'_>, open: u64, tokens: u64, limit: u64) -> Plan {
    let question = size(parts.question);
    let system = tokens.saturating_sub(open + question);
    let what = match question.max(open).max(system) {
        most if most == question => "the message and what is attached to it",
        most if most == open => "the calls of tools that wait for their results",
        _ => "the agent's instructions and the project's charter",
    };
    Plan::TooLarge { what, tokens, limit }
}
