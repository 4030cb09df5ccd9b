//! The claims of this worker that are under way, by number: what one of them brings is not in the hand yet.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub(crate) struct Claims(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    next: u64,
    open: BTreeSet<u64>,
}

impl Claims {
    pub(crate) fn begin(&self) -> u64 {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.open.insert(number);
        number
    }

    /// One that ends when the guard is dropped.
    pub(crate) fn open(&self) -> Open<'_> {
        Open { claims: self, number: self.begin() }
    }

    /// What it brought is in the hand.
    pub(crate) fn end(&self, number: u64) {
        self.lock().open.remove(&number);
    }

    /// The number that the next one will have.
    pub(crate) fn next(&self) -> u64 {
        self.lock().next
    }

    pub(crate) fn over_before(&self, number: u64) -> bool {
        self.lock().open.first().is_none_or(|first| *first >= number)
    }

    pub(crate) fn all_over(&self) -> bool {
        self.lock().open.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) struct Open<'a> {
    claims: &'a Claims,
    number: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.claims.end(self.number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_claims_do_not_keep_earlier_ones_open() {
        let claims = Claims::default();
        let first = claims.begin();
        let seen = claims.next();
        assert!(!claims.over_before(seen));
        let second = claims.begin();
        claims.end(first);
        assert!(claims.over_before(seen) && !claims.all_over());
        claims.end(second);
        assert!(claims.all_over());
    }
}
