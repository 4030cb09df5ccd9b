//! Whether this worker was heard of lately. Who was not claims nothing.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

#[derive(Debug, Default)]
pub(crate) struct Pulse(Mutex<Option<Instant>>);

impl Pulse {
    /// A beat was written; it is good for this long. True when the one before still was.
    pub(crate) fn beaten(&self, good_for: Duration) -> bool {
        let mut until = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let was_alive = until.is_some_and(|until| now < until);
        *until = Some(now + good_for);
        was_alive
    }

    pub(crate) fn is_felt(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(|until| Instant::now() < until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_felt_after_a_beat_and_for_no_longer_than_that_is_good_for() {
        let pulse = Pulse::default();
        assert!(!pulse.is_felt());
        assert!(!pulse.beaten(Duration::from_secs(60)));
        assert!(pulse.is_felt());
        assert!(pulse.beaten(Duration::ZERO));
        assert!(!pulse.is_felt());
    }
}
