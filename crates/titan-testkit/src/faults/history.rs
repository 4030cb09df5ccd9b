//! What a client has done and was told: the history that the database is held against afterwards.

use std::sync::{Arc, Mutex, PoisonError};

use uuid::Uuid;

/// How a run is to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Expect {
    Completed,
    /// After all its attempts, with a reason.
    Failed,
    Canceled,
}

impl Expect {
    pub(crate) fn status(self) -> &'static str {
        match self {
            Expect::Completed => "completed",
            Expect::Failed => "failed",
            Expect::Canceled => "canceled",
        }
    }
}

/// One request that makes a task, however often it had to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    /// The message, which begins with the idempotency key and so is no other's.
    pub(crate) content: String,
    pub(crate) expect: Expect,
    /// What the server has confirmed.
    pub(crate) acknowledged: Option<Acknowledged>,
    /// The last answer of one that never was.
    pub(crate) refusal: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    pub(crate) task: Uuid,
    pub(crate) run: Uuid,
}

/// Written by many, read at the end.
#[derive(Debug, Clone, Default)]
pub(crate) struct History(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    operations: Vec<Operation>,
    /// Jobs without a run whose insert was committed, and how they are to end.
    jobs: Vec<(i64, Expect)>,
}

impl History {
    pub(crate) fn add(&self, operation: Operation) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).operations.push(operation);
    }

    pub(crate) fn add_jobs(&self, ids: impl IntoIterator<Item = i64>, expect: Expect) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.jobs.extend(ids.into_iter().map(|id| (id, expect)));
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).operations.clone()
    }

    pub(crate) fn jobs(&self) -> Vec<(i64, Expect)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).jobs.clone()
    }
}
