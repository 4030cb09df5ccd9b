//! What a handler is: code for one kind of job. It gets the work, may report while it is at it, and returns an outcome.
//!
//! A handler is idempotent: it may be begun again after a crash, and writes only through its reporter and its outcome,
//! which are fenced. It holds no transaction open. When it is told to stop it returns soon, with any outcome: what
//! happens then follows from the reason, and a handler that does not return within five seconds is aborted.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use titan_core::db::Db;
use titan_core::engine::{Fence, Outcome, Started};

use crate::models::Models;
use crate::reporter::Reporter;
use crate::stop::Stop;

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
    /// For reading.
    pub db: Db,
}

/// The handlers by their kinds.
#[derive(Clone, Default)]
pub struct Registry(BTreeMap<&'static str, Arc<dyn Handler>>);

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
        let kind = handler.kind();
        if self.0.contains_key(kind) {
            return Err(DuplicateKind(kind));
        }
        self.0.insert(kind, Arc::new(handler));
        Ok(())
    }

    #[must_use]
    pub fn kinds(&self) -> Vec<String> {
        self.0.keys().map(|kind| (*kind).to_owned()).collect()
    }

    pub(crate) fn get(&self, kind: &str) -> Option<Arc<dyn Handler>> {
        self.0.get(kind).map(Arc::clone)
    }

    /// The models of the first handler that asks any.
    pub(crate) fn models(&self) -> Option<Arc<Models>> {
        self.0.values().find_map(|handler| handler.models())
    }
}
