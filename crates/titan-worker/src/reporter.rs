//! How a handler speaks while it works: events for good, beats that are only shown. Everything is fenced: once the claim
//! is lost nothing is written, and the handler is told to stop.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use titan_core::Result;
use titan_core::engine::{Committer, EndedCall, Fence, NewEvent, Report, Reserve, Reserved, Transition};
use titan_core::queue::{Hint, NewJob, Notifier};

use crate::stop::{Stop, StopReason};

/// Between two tries while the database is away.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Clone)]
pub struct Reporter {
    committer: Committer,
    notifier: Notifier,
    fence: Fence,
    attempt: i32,
    stop: Stop,
    spoken: Arc<AtomicBool>,
    last: Arc<Mutex<Last>>,
}

/// What goes with the outcome.
#[derive(Default)]
pub(crate) struct Last {
    pub(crate) events: Vec<NewEvent>,
    pub(crate) calls: Vec<EndedCall>,
}

impl Reporter {
    pub(crate) fn new(committer: &Committer, notifier: &Notifier, fence: Fence, attempt: i32, stop: &Stop) -> Self {
        Self {
            committer: committer.clone(),
            notifier: notifier.clone(),
            fence,
            attempt,
            stop: stop.clone(),
            spoken: Arc::default(),
            last: Arc::default(),
        }
    }

    /// Appends events to the run, and returns when they are durable. Without events it is a sign of life of the step. The first
    /// report writes down that the step was begun: a handler reports before it does what cannot be undone.
    /// While the database is away it goes on trying until the work is told to stop.
    ///
    /// # Errors
    /// [`titan_core::Error::Fenced`] when the claim is lost, or what the database has against the events.
    pub async fn report(&self, events: Vec<NewEvent>) -> Result<()> {
        self.report_all(Last { events, calls: Vec::new() }).await
    }

    /// Writes now what was kept for the outcome: for a handler that has done a part which is not to be done again.
    ///
    /// # Errors
    /// As [`Reporter::report`].
    pub async fn flush(&self) -> Result<()> {
        self.report_all(self.take_last()).await
    }

    async fn report_all(&self, said: Last) -> Result<()> {
        let Last { events, calls } = said;
        let report =
            || self.committer.report(Report { fence: self.fence, events: events.clone(), calls: calls.clone() });
        let reported = self.insist(report).await?;
        // The way to hear of a cancel when no hint gets through.
        if reported.cancel_requested {
            self.stop.because(StopReason::Canceled);
        }
        Ok(())
    }

    /// Asks whether a call of a model may be made, and writes it down if it may: before it is made.
    ///
    /// # Errors
    /// As [`Reporter::report`].
    pub async fn reserve(&self, reserve: Reserve) -> Result<Reserved> {
        let reserved = self.insist(|| self.committer.reserve(reserve.clone())).await?;
        if reserved == Reserved::Stop {
            self.stop.because(StopReason::Canceled);
        }
        Ok(reserved)
    }

    /// While the database is away it goes on trying until the work is told to stop.
    async fn insist<T, F: Future<Output = Result<T>>>(&self, write: impl Fn() -> F) -> Result<T> {
        self.spoken.store(true, Ordering::Relaxed);
        loop {
            match write().await {
                Ok(written) => return Ok(written),
                // Written or not, nobody knows: saying it again might say it twice.
                Err(error @ titan_core::Error::Uncertain) => {
                    self.stop.because(StopReason::Unsure);
                    return Err(error);
                }
                Err(error) if error.may_pass() && self.stop.reason().is_none() => {
                    tokio::select! {
                        () = tokio::time::sleep(PAUSE) => {}
                        () = self.stop.requested() => return Err(error),
                    }
                }
                Err(error) => {
                    if matches!(error, titan_core::Error::Fenced { .. }) {
                        self.stop.because(StopReason::Lost);
                    }
                    return Err(error);
                }
            }
        }
    }

    /// Has a job done beside the run. Nobody waits for it, and one that does not get into the queue is missed by nobody.
    pub fn enqueue(&self, job: NewJob) {
        let committer = self.committer.clone();
        tokio::spawn(async move {
            let kind = job.kind.clone();
            if let Err(error) = committer.apply(Transition::Enqueue(vec![job])).await {
                tracing::debug!(%error, job.kind = kind, "a job beside a run was not enqueued");
            }
        });
    }

    /// Keeps an event for the moment of the outcome, so that both are one commit.
    pub fn at_the_end(&self, event: NewEvent) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).events.push(event);
    }

    /// Keeps what came of a call for the moment of the outcome, whatever that will be.
    pub fn ended(&self, call: EndedCall) {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).calls.push(call);
    }

    /// Shows that a model is at work; stored nowhere.
    pub fn beat(&self, output_tokens: u64) {
        let output_tokens = i64::try_from(output_tokens).unwrap_or(i64::MAX);
        let (run_id, step, attempt) = (self.fence.run_id, self.fence.step, self.attempt);
        self.notifier.send(vec![Hint::Beat { run_id, step, attempt, output_tokens }]);
    }

    /// Whether anything was reported, or is just being written.
    pub(crate) fn has_spoken(&self) -> bool {
        self.spoken.load(Ordering::Relaxed)
    }

    /// Whether calls have ended that are not written down yet.
    pub(crate) fn has_ended_calls(&self) -> bool {
        !self.last.lock().unwrap_or_else(PoisonError::into_inner).calls.is_empty()
    }

    pub(crate) fn take_last(&self) -> Last {
        std::mem::take(&mut *self.last.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
