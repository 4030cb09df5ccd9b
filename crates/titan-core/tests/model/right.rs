//! The protocol as it is meant: every rule holds in every state, and from every state every job can still end without
//! another fault. Whoever is stopped or dead is not counted on for that while somebody else is up.

use crate::action::Action;
use crate::protocol::{Flaw, Protocol};
use crate::{TWO_WORKERS, explored, listed, of_processes};

/// Every kind of step of the protocol; one that is never taken is one that is not tested.
const ALL_KINDS: [&str; 41] = [
    "answer lost",
    "beats",
    "begins rescue",
    "cancel",
    "claim commits",
    "claim dies",
    "claim finds nothing",
    "connection lost",
    "continues",
    "crash",
    "exits",
    "fast rescue",
    "finish accepted",
    "finish refused",
    "forced cancel",
    "gives up asking",
    "grace ends",
    "hands back",
    "late beat",
    "learns that it was aborted",
    "learns that it was committed",
    "new leader",
    "overdue rescue",
    "reconnects",
    "release accepted",
    "release refused",
    "rescue dies",
    "restart of Postgres",
    "sends claim",
    "sends finish",
    "sends start",
    "shutdown",
    "slow rescue",
    "stale leader refused",
    "start accepted",
    "start refused",
    "starts anew",
    "stop",
    "takes in hand",
    "time passes",
    "write dies",
];

/// Explores a protocol that must be right. `at_least` states, so that an exploration of next to nothing is no success.
fn holds(what: &str, protocol: Protocol, at_least: usize) -> Vec<&'static str> {
    let explored = explored(what, &protocol);
    if let Some(broken) = explored.broken {
        panic!("{what}: broken is \"{}\" after\n{}", broken.rule, listed(&broken.way));
    }
    if let Some(way) = explored.stuck {
        panic!("{what}: a job cannot end after\n{}", listed(&way));
    }
    assert!(explored.states >= at_least, "{what}: only {} states", explored.states);
    explored.tried.into_keys().collect()
}

#[test]
fn whatever_two_things_go_wrong() {
    let tried = holds("2 workers, any 2 faults", TWO_WORKERS, 100_000);
    assert_eq!(tried, ALL_KINDS);
}

#[test]
fn two_jobs() {
    holds("2 jobs, any 1 fault", Protocol { jobs: 2, faults: 1, ..TWO_WORKERS }, 40_000);
}

#[test]
fn three_workers() {
    holds("3 workers, any 1 fault", Protocol { workers: 3, faults: 1, ..TWO_WORKERS }, 5_000);
}

/// A worker may then hold a job that it has lost, and the same job again.
#[test]
fn a_worker_may_claim_again_what_it_lost() {
    holds("2 workers of 2 slots, any 1 fault", Protocol { slots: 2, faults: 1, ..TWO_WORKERS }, 3_500);
}

#[test]
fn behind_a_pooler_the_lease_is_enough() {
    let may_fail = |action: &Action| matches!(action, Action::IsStopped(_) | Action::Crashes(_));
    let protocol = Protocol { fast_lane: false, may_fail, ..TWO_WORKERS };
    let tried = holds("2 workers without the fast lane, 2 stops or crashes", protocol, 5_000);
    assert!(tried.contains(&"slow rescue") && !tried.contains(&"fast rescue"));
}

/// Leaders that are replaced and do not know it are stopped by their term. If they were not, nothing would break either.
#[test]
fn two_leaders_at_once_do_no_harm() {
    let may_fail =
        |action: &Action| matches!(action, Action::TakesOver(_) | Action::Crashes(_) | Action::LosesConnection(_));
    let protocol = Protocol { may_fail, flaw: Some(Flaw::NoTerm), ..TWO_WORKERS };
    let tried = holds("2 leaders who do not check their term, 2 faults with a new leader among them", protocol, 10_000);
    assert!(tried.contains(&"new leader") && !tried.contains(&"stale leader refused"));
}

/// The claim raises the epoch, and the fence wants a running row: that alone would do. The rescue raises it as well, so that a
/// row never shows an epoch that somebody believes to hold and does not.
#[test]
fn it_is_enough_that_the_claim_raises_the_epoch() {
    let flaw = Some(Flaw::RescueKeepsEpoch);
    holds("a rescue that keeps the epoch, any 1 fault", Protocol { flaw, faults: 1, ..TWO_WORKERS }, 3_000);
}

#[test]
#[ignore = "takes minutes without optimisation: cargo test --release -p titan-core --test model -- --ignored"]
fn deeper() {
    holds("3 workers, any 2 faults", Protocol { workers: 3, ..TWO_WORKERS }, 300_000);
    holds("2 workers of 2 slots, any 2 faults", Protocol { slots: 2, ..TWO_WORKERS }, 200_000);
    let protocol = Protocol { faults: 3, may_fail: of_processes, ..TWO_WORKERS };
    holds("2 workers, 3 faults of processes", protocol, 300_000);
    holds("2 workers without the fast lane, any 2 faults", Protocol { fast_lane: false, ..TWO_WORKERS }, 80_000);
}
