//! One slot in use: the job that is in it, put down whatever its end was, and how long the steps of a run may follow each other in it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use titan_core::engine::GoOn;
use titan_core::queue::ClaimedJob;
use tokio::time::Instant;

use crate::in_hand::Key;
use crate::shared::Shared;

/// How long the steps of a run may follow each other in one slot before others have their turn.
const TURN: Duration = Duration::from_millis(100);

/// Puts the job down at the end, whatever the end was.
pub(crate) struct Slot<'a> {
    shared: &'a Shared,
    /// The job that is in it.
    key: Key,
    suspect: bool,
    since: Instant,
}

impl<'a> Slot<'a> {
    pub(crate) fn of(shared: &'a Shared, job: &ClaimedJob) -> Self {
        Slot { shared, key: (job.id, job.epoch), suspect: job.suspect, since: Instant::now() }
    }

    /// This job is in it from now on, and no other.
    pub(crate) fn hold(&mut self, job: &ClaimedJob) {
        let last = std::mem::replace(&mut self.key, (job.id, job.epoch));
        if last != self.key {
            self.shared.in_hand.put_down(last);
        }
    }

    pub(crate) fn key(&self) -> Key {
        self.key
    }

    /// Whether the next step of a run may follow here: while the turn lasts, unless this worker is to claim nothing, or the job may
    /// be what kills workers.
    pub(crate) fn go_on(&self) -> Option<GoOn> {
        let shared = self.shared;
        let claims = !shared.stopping.load(Ordering::SeqCst) && shared.pulse.is_felt() && !self.suspect;
        let may = claims && self.since.elapsed() < TURN;
        may.then(|| GoOn { worker_id: shared.worker_id(), kinds: Arc::clone(&shared.kinds) })
    }
}

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        self.shared.in_hand.put_down(self.key);
        self.shared.slot_is_free(self.suspect);
    }
}
