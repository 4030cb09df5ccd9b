//! One line when the database goes and one when it is back, however often a thread tries in between.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use titan_core::Error;

#[derive(Debug)]
pub(crate) struct Outage {
    doing: &'static str,
    since: Mutex<Option<Instant>>,
}

impl Outage {
    /// `doing` names what does not work, as in "claiming jobs".
    pub(crate) fn new(doing: &'static str) -> Self {
        Self { doing, since: Mutex::default() }
    }

    pub(crate) fn failed(&self, error: &Error) {
        let mut since = self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_none() {
            *since = Some(Instant::now());
            tracing::warn!(%error, doing = self.doing, "the database does not answer; trying until it does");
        }
    }

    pub(crate) fn worked(&self) {
        if let Some(since) = self.since.lock().unwrap_or_else(PoisonError::into_inner).take() {
            tracing::info!(doing = self.doing, seconds = since.elapsed().as_secs_f32(), "the database answers again");
        }
    }
}
