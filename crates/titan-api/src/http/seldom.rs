//! A line in the log now and then, for what others may cause as often as they like.

use std::sync::Mutex;
use std::time::{Duration, Instant};

const PAUSE: Duration = Duration::from_secs(10);

/// Counts what is not said.
pub struct Seldom(Mutex<State>);

struct State {
    said: Option<Instant>,
    unsaid: u64,
}

impl Seldom {
    #[must_use]
    pub const fn new() -> Self {
        Seldom(Mutex::new(State { said: None, unsaid: 0 }))
    }

    /// Whether it is time to say something, and how often it was not since the last time.
    pub fn may_say(&self) -> Option<u64> {
        self.at(Instant::now())
    }

    fn at(&self, now: Instant) -> Option<u64> {
        let mut state = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if state.said.is_some_and(|said| now.saturating_duration_since(said) < PAUSE) {
            state.unsaid += 1;
            return None;
        }
        state.said = Some(now);
        Some(std::mem::take(&mut state.unsaid))
    }
}

impl Default for Seldom {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_is_said_and_then_one_for_many() {
        let (seldom, now) = (Seldom::new(), Instant::now());
        assert_eq!(seldom.at(now), Some(0));
        assert_eq!((seldom.at(now), seldom.at(now + PAUSE / 2)), (None, None));
        assert_eq!(seldom.at(now + PAUSE), Some(2));
        assert_eq!(seldom.at(now + PAUSE * 3), Some(0));
    }
}
