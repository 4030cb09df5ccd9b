//! The protocol of claim, start, fence, rescue and finish as a state model, explored exhaustively within its bounds: the right
//! one keeps every rule in every state, and each flawed one is caught by the same rules. `docs/QUEUE.md` says what is
//! modelled and what is not. The real statements are tested in `tests/it`.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stdout)]

mod action;
mod database;
mod explore;
mod faults;
mod leader;
mod protocol;
mod rules;
mod state;
mod worker;

use explore::{Explored, explore};
use protocol::{Flaw, Protocol};

/// More than this is a mistake in the bounds.
const MOST_STATES: usize = 3_000_000;

const SMALL: Protocol = Protocol { jobs: 1, workers: 2, slots: 1, faults: 2, fast_lane: true, flaw: None };

fn run(name: &str, protocol: Protocol) -> Explored<action::Action> {
    let at = std::time::Instant::now();
    let explored = explore(&protocol, MOST_STATES);
    println!("{name}: {} states, {} steps, {:?} {:?}", explored.states, explored.steps, at.elapsed(), explored.tried);
    explored
}

#[test]
fn measure() {
    for (n, p) in [
        ("j1w2s1f1", Protocol { faults: 1, ..SMALL }),
        ("j1w2s1f2", SMALL),
        ("j1w2s2f2", Protocol { slots: 2, ..SMALL }),
        ("j1w2s1f3", Protocol { faults: 3, ..SMALL }),
        ("j1w3s1f1", Protocol { workers: 3, faults: 1, ..SMALL }),
        ("j2w2s1f1", Protocol { jobs: 2, faults: 1, ..SMALL }),
    ] {
        let e = run(n, p);
        if let Some(b) = e.broken {
            println!("BROKEN {}\n{:#?}", b.rule, b.way.iter().map(|a| format!("{a:?}")).collect::<Vec<_>>());
        }
        if let Some(b) = e.stuck {
            println!("STUCK\n{:#?}", b.iter().map(|a| format!("{a:?}")).collect::<Vec<_>>());
        }
    }
    let _ = Flaw::NoFence;
}
