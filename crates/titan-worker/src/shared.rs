//! What the threads and tasks of one worker share.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Weak};
use std::time::Duration;

use titan_core::blobs::Blobs;
use titan_core::db::Db;
use titan_core::engine::Committer;
use titan_core::queue::Notifier;
use titan_core::workers::Registration;
use tokio::runtime::Handle;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::claims::Claims;
use crate::handler::Registry;
use crate::in_hand::InHand;
use crate::outage::Outage;
use crate::pulse::Pulse;
use crate::slots::Slots;

pub(crate) struct Shared {
    /// Itself, for what it has the committer bring.
    pub(crate) me: Weak<Shared>,
    pub(crate) registration: Registration,
    pub(crate) db: Db,
    pub(crate) blobs: Blobs,
    pub(crate) committer: Committer,
    pub(crate) notifier: Notifier,
    pub(crate) handlers: Registry,
    /// The kinds that these can do.
    pub(crate) kinds: Arc<[String]>,
    pub(crate) lease: Duration,
    pub(crate) grace: Duration,
    /// Claims the jobs of this run and no others.
    pub(crate) only_run: Option<Uuid>,
    /// The queues that it was told to keep to; empty for all that there are.
    pub(crate) keeps_to: Vec<String>,
    pub(crate) slots: Slots,
    pub(crate) pulse: Pulse,
    pub(crate) in_hand: InHand,
    /// The tasks that carry out jobs, and where they run.
    pub(crate) jobs: TaskTracker,
    pub(crate) runtime: Handle,
    pub(crate) claims: Claims,
    pub(crate) claiming: Outage,
    pub(crate) stopping: AtomicBool,
}

impl Shared {
    pub(crate) fn worker_id(&self) -> Uuid {
        self.registration.id
    }

    /// There may be jobs.
    pub(crate) fn look_for_work(&self) {
        self.slots.ring();
        self.committer.wake();
    }

    /// The same from time to time, whether anybody said so or not.
    pub(crate) fn look_at_everything(&self) {
        self.slots.ring_for_all();
        self.committer.wake();
    }

    /// A job was put down.
    pub(crate) fn slot_is_free(&self, suspect: bool) {
        if self.slots.free(suspect) {
            self.committer.wake();
        }
    }

    pub(crate) fn know_queues(&self, names: Vec<String>) {
        let ours = names.into_iter().filter(|name| self.keeps_to.is_empty() || self.keeps_to.contains(name));
        self.slots.know_queues(ours);
    }
}
