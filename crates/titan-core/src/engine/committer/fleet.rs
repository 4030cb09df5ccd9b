//! How many threads of a committer write at once: all of them, and one in a large fleet.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// From so many workers on each writes with one thread. Each claim has to step over the rows that the others hold, and so many
/// keep the processors of one Postgres busy without a second thread.
const LARGE: usize = 8;

#[derive(Default)]
pub(super) struct Fleet {
    large: AtomicBool,
    /// Whoever has it may write. Not a thread's for good: should one die, another goes on.
    turn: Mutex<()>,
}

impl Fleet {
    pub(super) fn has(&self, workers: usize) {
        self.large.store(workers >= LARGE, Ordering::Relaxed);
    }

    /// To be held from before a batch is gathered until it is answered. `None` when all may write at once.
    pub(super) fn turn(&self) -> Option<MutexGuard<'_, ()>> {
        let large = || self.large.load(Ordering::Relaxed);
        let turn = large().then(|| self.turn.lock().unwrap_or_else(PoisonError::into_inner));
        // The fleet may have become small while the turn was waited for.
        turn.filter(|_| large())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_are_taken_in_a_large_fleet_only() {
        let fleet = Fleet::default();
        fleet.has(LARGE - 1);
        assert!(fleet.turn().is_none());
        fleet.has(LARGE);
        let turn = fleet.turn();
        assert!(turn.is_some() && fleet.turn.try_lock().is_err());
        drop(turn);
        assert!(fleet.turn.try_lock().is_ok());
    }

    #[test]
    fn who_waits_for_a_turn_goes_on_when_the_fleet_has_become_small() {
        let fleet = Fleet::default();
        fleet.has(LARGE);
        let turn = fleet.turn();
        std::thread::scope(|scope| {
            let waits = scope.spawn(|| fleet.turn().is_none());
            fleet.has(1);
            drop(turn);
            assert!(waits.join().unwrap());
        });
    }

    #[test]
    fn a_thread_that_died_with_its_turn_leaves_it_to_the_others() {
        let fleet = Fleet::default();
        fleet.has(LARGE);
        let dies = || {
            let _turn = fleet.turn();
            panic!("on purpose");
        };
        assert!(std::thread::scope(|scope| scope.spawn(dies).join()).is_err());
        assert!(fleet.turn().is_some());
    }
}
