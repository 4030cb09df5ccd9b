//! One line when the database goes and one when it is back, however often a thread tries in between.

use std::time::Instant;

use titan_core::Error;

#[derive(Debug)]
pub(crate) struct Outage {
    doing: &'static str,
    since: Option<Instant>,
}

impl Outage {
    /// `doing` names what does not work, as in "claiming jobs".
    pub(crate) fn new(doing: &'static str) -> Self {
        Self { doing, since: None }
    }

    pub(crate) fn failed(&mut self, error: &Error) {
        if self.since.is_none() {
            self.since = Some(Instant::now());
            tracing::warn!(%error, doing = self.doing, "the database does not answer; trying until it does");
        }
    }

    pub(crate) fn worked(&mut self) {
        if let Some(since) = self.since.take() {
            tracing::info!(doing = self.doing, seconds = since.elapsed().as_secs_f32(), "the database answers again");
        }
    }
}
