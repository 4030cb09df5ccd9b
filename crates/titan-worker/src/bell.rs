//! What a thread of this worker sleeps on: it wakes when somebody rings, when its time has come, or for the last time
//! when the bell is closed.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(crate) struct Bell {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    rung: bool,
    closed: bool,
}

impl Bell {
    /// Wakes the sleeper now, or keeps it from its next sleep.
    pub(crate) fn ring(&self) {
        self.lock().rung = true;
        self.changed.notify_all();
    }

    /// From now on every wait ends at once.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Sleeps until it rings, at most this long. False once the bell is closed.
    pub(crate) fn wait(&self, at_most: Duration) -> bool {
        let until = Instant::now() + at_most;
        let mut state = self.lock();
        while !state.rung && !state.closed {
            let Some(left) = until.checked_duration_since(Instant::now()).filter(|left| !left.is_zero()) else { break };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        state.rung = false;
        !state.closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_ring_before_the_wait_is_not_lost_and_counts_once() {
        let bell = Bell::default();
        bell.ring();
        bell.ring();
        assert!(bell.wait(LONG));
        let began = Instant::now();
        assert!(bell.wait(Duration::from_millis(20)));
        assert!(began.elapsed() >= Duration::from_millis(20));
    }

    #[test]
    fn a_closed_bell_lets_nobody_sleep() {
        let bell = Bell::default();
        std::thread::scope(|scope| {
            let sleeper = scope.spawn(|| bell.wait(LONG));
            bell.close();
            assert!(!sleeper.join().unwrap());
        });
        assert!(!bell.wait(LONG));
    }
}
