//! The protocol of claim, start, fence, rescue and finish as a state model, explored exhaustively within its bounds: the right
//! one keeps every rule in every state, and each flawed one is caught by the same rules. `docs/QUEUE.md` says what is
//! modelled and what is not. The real statements are tested in `tests/it`.
//!
//! The explorer is our own: the question "can every job still end?" goes backwards over the whole graph, which the model
//! checkers at hand cannot ask (`eventually` of stateright does not look at cycles), and it costs no dependency.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod action;
mod database;
mod explore;
mod faults;
mod flawed;
mod leader;
mod protocol;
mod right;
mod rules;
mod state;
mod worker;

use std::fmt::Debug;

use action::Action;
use explore::{Explored, explore};
use protocol::Protocol;

/// The smallest protocol that is worth looking at, with whatever two things may go wrong in it.
const TWO_WORKERS: Protocol = Protocol {
    jobs: 1,
    workers: 2,
    slots: 1,
    faults: 2,
    may_fail: |_| true,
    fast_lane: true,
    names_matter: false,
    rules: rules::ALL,
    flaw: None,
};

/// More than this is a mistake in the bounds.
const MOST_STATES: usize = 1_000_000;

fn explored(what: &str, protocol: &Protocol) -> Explored<Action> {
    let explored = explore(protocol, MOST_STATES);
    println!("{what}: {} states, {} steps between them", explored.states, explored.steps);
    explored
}

/// A way as a numbered list, one action a line.
fn listed(way: &[impl Debug]) -> String {
    way.iter().enumerate().map(|(place, action)| format!("{:3}. {action:?}\n", place + 1)).collect()
}

/// What a process and its connections can suffer.
fn of_processes(action: &Action) -> bool {
    matches!(action, Action::IsStopped(_) | Action::Crashes(_) | Action::LosesConnection(_) | Action::BeatsLate(_))
}
