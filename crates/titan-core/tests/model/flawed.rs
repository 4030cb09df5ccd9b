//! One thing left out at a time: the same rules must notice, or the model would prove nothing. Run with `--nocapture` to read
//! the counterexamples.

use crate::action::Action;
use crate::protocol::{Flaw, Protocol};
use crate::rules::{ENDED_BY_ITS_HOLDER, Rule};
use crate::{TWO_WORKERS, explored, listed};

/// Where names matter a counterexample reads as it happened.
const FLAWED: Protocol = Protocol { names_matter: true, faults: 1, ..TWO_WORKERS };

/// Explores until a rule is broken, which must be this one. Returns the shortest way there.
fn caught(protocol: Protocol, rule: &str) -> Vec<Action> {
    let what = format!("{:?}", protocol.flaw);
    let broken = explored(&what, &protocol).broken.unwrap_or_else(|| panic!("{what} was not noticed"));
    println!(
        "{what} is caught after {} steps: \"{}\" is broken.\n{}",
        broken.way.len(),
        broken.rule,
        listed(&broken.way)
    );
    assert_eq!(broken.rule, rule, "{what}");
    broken.way
}

/// A worker that is stopped past its lease and continues: the oldest trap of queues with leases.
fn with_a_stop(flaw: Flaw) -> Protocol {
    Protocol { flaw: Some(flaw), may_fail: |action| matches!(action, Action::IsStopped(_)), ..FLAWED }
}

const FENCED: &str = "only the holder writes, and only under the row's epoch";

#[test]
fn no_fence() {
    caught(with_a_stop(Flaw::NoFence), FENCED);
    // The same as somebody sees it who knows nothing of epochs: what one worker is doing is ended by another one.
    const SEEN: &[Rule] = &[ENDED_BY_ITS_HOLDER];
    let way = caught(Protocol { rules: SEEN, ..with_a_stop(Flaw::NoFence) }, ENDED_BY_ITS_HOLDER.says);
    assert!(matches!(way.last(), Some(Action::WriteCommits { .. })), "{:?}", way.last());
    assert!(way.iter().any(|action| matches!(action, Action::IsStopped(_))));
}

#[test]
fn a_fence_on_the_attempt() {
    // A rescue gives the attempt back, so the next claim counts the same number again.
    caught(with_a_stop(Flaw::FenceOnAttempt), FENCED);
}

#[test]
fn a_fence_that_locks_nothing() {
    caught(with_a_stop(Flaw::FenceWithoutLock), FENCED);
}

#[test]
fn a_reclaim_that_keeps_the_epoch() {
    caught(with_a_stop(Flaw::ReclaimKeepsEpoch), "an epoch is handed out once, to one worker");
}

#[test]
fn a_fast_rescue_without_a_look_at_the_beat() {
    // A connection that breaks for a moment frees the lock of a worker that is well.
    caught(Protocol { flaw: Some(Flaw::LockAlone), ..FLAWED }, "nobody who is up and in touch is rescued from");
}

#[test]
fn a_fast_rescue_that_does_not_take_the_lock() {
    caught(Protocol { flaw: Some(Flaw::LockNotTaken), ..FLAWED }, "a fast rescue finds the lock free and the beat old");
}

#[test]
fn no_grace_after_a_restart_of_postgres() {
    let way = caught(Protocol { flaw: Some(Flaw::NoGrace), ..FLAWED }, "nobody who is up and in touch is rescued from");
    assert!(way.contains(&Action::PostgresRestarts));
}

#[test]
fn a_worker_that_claims_while_it_cannot_beat() {
    caught(Protocol { flaw: Some(Flaw::ClaimsOutOfTouch), ..FLAWED }, "every rescue has a fault of its own");
}

#[test]
fn a_write_that_is_sent_again_unasked() {
    let rule = "under one epoch a start is recorded once, and never after the finish";
    caught(Protocol { flaw: Some(Flaw::ResendsUnasked), ..FLAWED }, rule);
}

/// No rule is broken, but the job never ends: its holder is well and knows nothing of it.
#[test]
fn a_stray_that_nobody_gives_back() {
    let protocol = Protocol { flaw: Some(Flaw::StraysStay), ..FLAWED };
    let explored = explored("StraysStay", &protocol);
    assert!(explored.broken.is_none());
    let way = explored.stuck.expect("a job that cannot end");
    println!("StraysStay: no job ends any more after {} steps\n{}", way.len(), listed(&way));
    assert!(way.iter().any(|action| matches!(action, Action::AnswerIsLost(_))));
}
