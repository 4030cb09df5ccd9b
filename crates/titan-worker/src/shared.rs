//! What the threads and tasks of one worker share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use titan_core::db::Db;
use titan_core::engine::Committer;
use titan_core::queue::Notifier;
use titan_core::workers::Registration;
use tokio_util::task::TaskTracker;
use uuid::Uuid;

use crate::bell::Bell;
use crate::handler::Registry;
use crate::in_hand::InHand;

pub(crate) struct Shared {
    pub(crate) registration: Registration,
    pub(crate) db: Db,
    pub(crate) committer: Committer,
    pub(crate) notifier: Notifier,
    pub(crate) handlers: Registry,
    pub(crate) slots: usize,
    pub(crate) lease: Duration,
    pub(crate) grace: Duration,
    pub(crate) in_hand: InHand,
    /// The tasks that carry out jobs.
    pub(crate) jobs: TaskTracker,
    /// Wakes the claimer.
    pub(crate) work: Bell,
    /// The last claim took all it could: a slot that gets free is worth another one.
    pub(crate) more_waiting: AtomicBool,
    /// A claim is under way: what it brings is not in the hand yet.
    pub(crate) claiming: AtomicBool,
    pub(crate) stopping: AtomicBool,
    pub(crate) claimed: AtomicU64,
    pub(crate) finished: AtomicU64,
}

impl Shared {
    pub(crate) fn worker_id(&self) -> Uuid {
        self.registration.id
    }

    /// A job was put down.
    pub(crate) fn slot_is_free(&self) {
        if self.more_waiting.load(Ordering::SeqCst) {
            self.work.ring();
        }
    }
}
