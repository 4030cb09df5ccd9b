//! What a handler is: code for one kind of job. It gets the work, may report while it is at it, and returns an outcome.
//!
//! A handler is idempotent: it may be begun again after a crash, and writes only through its reporter and its outcome,
//! which are fenced, but for what is only a cache. It holds no transaction open. When it is told to stop it returns soon, with any outcome: what
//! happens then follows from the reason, and a handler that does not return within five seconds is aborted.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use titan_core::blobs::Blobs;
use titan_core::db::Db;
use titan_core::engine::{Committer, Fence, Outcome, Started};
use titan_core::queue::Notifier;

use crate::models::Models;
use crate::reporter::Reporter;
use crate::stop::Stop;
use crate::workshop::Workshop;

#[async_trait]
pub trait Handler: Send + Sync + 'static {
    /// The permanent name of the jobs it does.
    fn kind(&self) -> &'static str;

    async fn run(&self, work: Work) -> Outcome;

    /// The models it asks, so that the worker can publish them.
    fn models(&self) -> Option<Arc<Models>> {
        None
    }
}

/// One attempt at one step.
#[derive(Clone)]
pub struct Work {
    /// The task with its payload, the outputs of the steps before, and the attempt.
    pub started: Started,
    pub fence: Fence,
    pub reporter: Reporter,
    pub stop: Stop,
    /// For reading, and for what is only a cache.
    pub db: Db,
    pub blobs: Blobs,
}

/// Does jobs without a run: maintenance, and whatever needs no task. The same rules hold; it writes with the connections
/// that it is given, and nothing but its outcome is fenced.
#[async_trait]
pub trait JobHandler: Send + Sync + 'static {
    /// The permanent name of the jobs it does.
    fn kind(&self) -> &'static str;

    async fn run(&self, job: LoneJob) -> Outcome;
}

/// One attempt at one job without a run.
#[derive(Clone)]
pub struct LoneJob {
    pub id: i64,
    pub kind: String,
    pub epoch: i64,
    pub attempt: i16,
    pub payload: Value,
    pub stop: Stop,
    pub db: Db,
    pub blobs: Blobs,
    pub committer: Committer,
    pub notifier: Notifier,
}

/// What a worker does beside its jobs, for as long as it runs. Nothing of it is fenced, so that it writes only what is as good twice.
#[async_trait]
pub trait Chore: Send + Sync + 'static {
    async fn keep_on(&self, db: Db);
}

/// The handlers by their kinds.
#[derive(Clone, Default)]
pub struct Registry {
    by_kind: BTreeMap<&'static str, Entry>,
    /// Where those that run commands do so.
    workshop: Option<Arc<Workshop>>,
    chores: Vec<Arc<dyn Chore>>,
}

#[derive(Clone)]
pub(crate) enum Entry {
    Step(Arc<dyn Handler>),
    Lone(Arc<dyn JobHandler>),
}

/// Two handlers want the same jobs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DuplicateKind(pub &'static str);

impl std::fmt::Display for DuplicateKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "two handlers are registered for jobs of kind {}", self.0)
    }
}

impl std::error::Error for DuplicateKind {}

impl Registry {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// # Errors
    /// [`DuplicateKind`] when there is a handler for this kind already; the worker is not to start then.
    pub fn add(&mut self, handler: impl Handler) -> Result<(), DuplicateKind> {
        self.insert(handler.kind(), Entry::Step(Arc::new(handler)))
    }

    /// # Errors
    /// As above.
    pub fn add_job(&mut self, handler: impl JobHandler) -> Result<(), DuplicateKind> {
        self.insert(handler.kind(), Entry::Lone(Arc::new(handler)))
    }

    fn insert(&mut self, kind: &'static str, entry: Entry) -> Result<(), DuplicateKind> {
        if self.by_kind.contains_key(kind) {
            return Err(DuplicateKind(kind));
        }
        self.by_kind.insert(kind, entry);
        Ok(())
    }

    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        self.by_kind.keys().map(|kind| (*kind).to_owned()).collect()
    }

    pub(crate) fn get(&self, kind: &str) -> Option<Entry> {
        self.by_kind.get(kind).cloned()
    }

    /// Adds what is done beside the jobs.
    pub fn keep_on(&mut self, chore: impl Chore) {
        self.chores.push(Arc::new(chore));
    }

    pub(crate) fn chores(&self) -> impl Iterator<Item = Arc<dyn Chore>> {
        self.chores.iter().cloned()
    }

    /// Says where commands are run, so that the worker can tell.
    pub fn run_in(&mut self, workshop: Arc<Workshop>) {
        self.workshop = Some(workshop);
    }

    pub(crate) fn workshop(&self) -> Option<&Workshop> {
        self.workshop.as_deref()
    }

    /// The models of the first handler that asks any.
    pub(crate) fn models(&self) -> Option<Arc<Models>> {
        self.by_kind.values().find_map(|entry| match entry {
            Entry::Step(handler) => handler.models(),
            Entry::Lone(_) => None,
        })
    }
}
