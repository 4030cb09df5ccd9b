//! The protocol and its bounds, and the ways in which it can be wrong. What happens to the rows stands in `database.rs`, what
//! workers do in `worker.rs`, what leaders do in `leader.rs`, what goes wrong in `faults.rs`.

use crate::action::Action;
use crate::rules::Rule;
use crate::state::State;

/// Attempts that a job has.
pub(crate) const MAX_ATTEMPTS: u8 = 2;

#[derive(Debug, Clone, Copy)]
pub(crate) struct Protocol {
    pub(crate) jobs: usize,
    pub(crate) workers: usize,
    /// Jobs that one worker does at once at most.
    pub(crate) slots: usize,
    /// Faults and acts of people on any one way.
    pub(crate) faults: u8,
    /// Which of them there are.
    pub(crate) may_fail: fn(&Action) -> bool,
    /// Without it (behind a pooler) only the lease rescues.
    pub(crate) fast_lane: bool,
    /// Whether states that differ only in the workers' names are kept apart: a counterexample is easier to read so.
    pub(crate) names_matter: bool,
    pub(crate) rules: &'static [Rule],
    pub(crate) flaw: Option<Flaw>,
}

/// One thing left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A write needs nothing but a row with the job's id.
    NoFence,
    /// A write needs the attempt that was claimed, instead of the epoch.
    FenceOnAttempt,
    /// The fence is read, and the write comes later: a join or EXISTS without a lock on the row.
    FenceWithoutLock,
    /// Neither a rescue nor the claim after it raises the epoch.
    ReclaimKeepsEpoch,
    /// A rescue does not raise the epoch, but the claim after it does.
    RescueKeepsEpoch,
    /// A free lock alone is enough for a fast rescue, however young the beat.
    LockAlone,
    /// A fast rescue finds the lock free, but does not take it.
    LockNotTaken,
    /// Rescues go on as usual just after Postgres has started.
    NoGrace,
    /// A worker claims although it holds no lock and its beats do not arrive.
    ClaimsOutOfTouch,
    /// A write whose answer was lost is sent again without asking what became of it.
    ResendsUnasked,
    /// The heartbeat does not give back what was claimed and never arrived.
    StraysStay,
    /// Leaders do not check their term.
    NoTerm,
}

impl Protocol {
    pub(crate) fn has(&self, flaw: Flaw) -> bool {
        self.flaw == Some(flaw)
    }
}

/// Adds a step: a copy of the state, changed.
pub(crate) fn step(next: &mut Vec<(Action, State)>, state: &State, action: Action, change: impl FnOnce(&mut State)) {
    let mut after = state.clone();
    if action.is_fault() {
        after.faults_left -= 1;
    }
    change(&mut after);
    next.push((action, after));
}
