//! The life of one claimed job: carried out by its handler within its time, and finished. Every word of it is fenced, and a
//! claim that is lost is dropped without a word to the database.
//!
//! The first word about a step begins it: a report, or the outcome of one that ends at once. One that says nothing is written
//! down as begun after a moment. While its turn lasts, a job that leads on to another one brings it along.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use titan_core::engine::{Fence, Finish, FinishJob, Finished, Outcome, Start, Started, Taken, Write};
use titan_core::meter::Meter;
use titan_core::queue::{self, ClaimedJob, Hint};
use titan_core::state::RunStatus;
use titan_core::{Error, Result};
use tokio::task::{JoinError, JoinHandle};
use tokio::time::{Instant, sleep, sleep_until, timeout};

use crate::handler::{Entry, Handler, JobHandler, LoneJob, Work};
use crate::in_hand::Key;
use crate::reporter::{Last, Reporter};
use crate::shared::Shared;
use crate::slot::Slot;
use crate::stop::{Stop, StopReason};

/// How long a handler may take to return once it was told to stop.
const AFTER_STOP: Duration = Duration::from_secs(5);
/// What was done is told for so long at least. The committer alone tries for a part of that before it says no, and the lease
/// goes on as long as the heartbeat does.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tries while the database is away, and before a job that cannot be begun is given back.
const PAUSE: Duration = Duration::from_millis(200);
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_secs(5);
/// For what is to be written down of work that is handed back.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// After this time a step is written down as begun. Most reports of a model's answer come earlier.
const UNWRITTEN: Duration = Duration::from_millis(40);

pub(crate) async fn carry_out(shared: Arc<Shared>, taken: Taken, stop: Stop) {
    let mut slot = Slot::of(&shared, &taken.job);
    let mut hand = Some((taken, stop));
    while let Some((taken, stop)) = hand {
        slot.hold(&taken.job);
        hand = carry_out_one(&shared, taken, stop, &slot).await;
    }
}

/// Returns the next one, when there is one to go on with.
async fn carry_out_one(shared: &Shared, taken: Taken, stop: Stop, slot: &Slot<'_>) -> Option<(Taken, Stop)> {
    let Taken { job, context } = taken;
    match (shared.handlers.get(&job.kind), job.run_id, job.step) {
        (Some(Entry::Step(handler)), Some(run_id), Some(step)) => {
            let fence = Fence { job_id: job.id, epoch: job.epoch, run_id, step };
            return carry_out_step(shared, &job, fence, context, handler, stop, slot).await;
        }
        (Some(Entry::Lone(handler)), None, _) => carry_out_alone(shared, &job, handler, stop).await,
        _ => {
            tracing::error!(job.id, job.kind, run.id = ?job.run_id, "no handler for a job that was claimed");
            let _ = timeout(PAUSE_AFTER_REFUSAL, stop.requested()).await;
            hand_back(shared, slot.key()).await;
        }
    }
    None
}

async fn carry_out_step(
    shared: &Shared,
    job: &ClaimedJob,
    fence: Fence,
    context: Option<Started>,
    handler: Arc<dyn Handler>,
    stop: Stop,
    slot: &Slot<'_>,
) -> Option<(Taken, Stop)> {
    let key = (job.id, job.epoch);
    let started = match context {
        Some(context) => context,
        None => begin(shared, &fence, &stop).await?,
    };
    Meter::get().started.one();
    let at = Instant::now();
    let leads_on = started.leads_on;
    let names = Names::of(&fence, &started);
    let attempt = started.attempt;
    names.log("started", || format!("attempt {attempt}"));

    let reporter = Reporter::new(&shared.committer, &shared.notifier, fence, started.attempt, &stop);
    let work = Work {
        started,
        fence,
        reporter: reporter.clone(),
        stop: stop.clone(),
        db: shared.db.clone(),
        blobs: shared.blobs.clone(),
    };
    let time = time_of(job);
    let outcome = {
        let (working, silence) = (run(async move { handler.run(work).await }, &stop, time), sleep(UNWRITTEN));
        tokio::pin!(working);
        tokio::select! {
            biased;
            outcome = &mut working => outcome,
            // Once it is being written it is waited for, so that the outcome cannot overtake it.
            () = silence => tokio::join!(working, write_down(shared, fence, &reporter, &stop)).0,
        }
    };
    match verdict(stop.reason(), outcome, time) {
        Verdict::Finish(outcome) => {
            let outcome = put_aside(shared, outcome).await;
            shared.in_hand.finishing(key);
            let (word, came) = (word(&outcome), Came::of(&outcome));
            let go_on = slot.go_on().filter(|_| leads_on);
            // What it brings may be seen in the database before it is in the hand.
            let _claim = go_on.as_ref().map(|_| shared.claims.open());
            let Last { events, calls } = reporter.take_last();
            let finish = Finish { fence, events, calls, outcome, go_on };
            match finish_step(shared, finish).await {
                Ok(finished) => {
                    came.count(finished.run_status == RunStatus::Failed);
                    let seconds = at.elapsed().as_secs_f32();
                    names.log("finished", || format!("{word} after {seconds:.2} s, run {}", finished.run_status));
                    let next = finished.next?;
                    Meter::get().claimed.one();
                    if shared.stopping.load(Ordering::SeqCst) {
                        hand_back(shared, (next.job.id, next.job.epoch)).await;
                        return None;
                    }
                    let stop = shared.take_in_hand(&next);
                    return Some((*next, stop));
                }
                Err(Error::Fenced { .. }) => names.warn("dropped", "the claim was lost before the outcome was written"),
                Err(error) => names.warn("dropped", &format!("the outcome could not be written: {error}")),
            }
        }
        Verdict::HandBack => {
            if stop.reason() == Some(StopReason::Unsure) {
                // That it was begun may be what was not written. Whoever comes next is to know that this attempt was made.
                let _ = start(shared, fence).await;
            }
            if stop.reason() == Some(StopReason::Shutdown) {
                // What calls have cost until now is known here and nowhere else.
                let _ = timeout(LAST_WORDS, reporter.flush()).await;
            }
            hand_back(shared, key).await;
            names.warn("handed back", why_back(stop.reason()));
        }
        Verdict::Drop => names.warn("dropped", "the claim was lost"),
    }
    None
}

/// A step that has said nothing for a while is written down as begun.
async fn write_down(shared: &Shared, fence: Fence, reporter: &Reporter, stop: &Stop) {
    if reporter.has_spoken() {
        return;
    }
    let written = tokio::select! {
        // Whoever is to stop does not wait for a database that is away.
        () = stop.requested() => return,
        written = start(shared, fence) => written,
    };
    match written {
        Err(Error::Fenced { .. }) => stop.because(StopReason::Lost),
        // The outcome says so too.
        Err(error) => tracing::debug!(job.id = fence.job_id, %error, "the start of a step was not written down"),
        Ok(_) => {}
    }
}

async fn carry_out_alone(shared: &Shared, job: &ClaimedJob, handler: Arc<dyn JobHandler>, stop: Stop) {
    let key = (job.id, job.epoch);
    Meter::get().started.one();
    let work = LoneJob {
        id: job.id,
        kind: job.kind.clone(),
        epoch: job.epoch,
        attempt: job.attempt,
        payload: job.payload.clone().unwrap_or_default(),
        stop: stop.clone(),
        db: shared.db.clone(),
        blobs: shared.blobs.clone(),
        committer: shared.committer.clone(),
        notifier: shared.notifier.clone(),
    };
    let time = time_of(job);
    let outcome = run(async move { handler.run(work).await }, &stop, time).await;
    match verdict(stop.reason(), outcome, time) {
        Verdict::Finish(outcome) => {
            shared.in_hand.finishing(key);
            let finish = FinishJob { job_id: job.id, epoch: job.epoch, outcome };
            match patiently(shared.lease, || shared.committer.finish_job(finish.clone())).await {
                Ok(()) => Came::of(&finish.outcome).count(job.attempt >= job.max_attempts),
                Err(error) => tracing::warn!(job.id, job.kind, %error, "the outcome of a job was not written"),
            }
        }
        Verdict::HandBack => hand_back(shared, key).await,
        Verdict::Drop => tracing::warn!(job.id, job.kind, "dropped: the claim was lost"),
    }
}

fn time_of(job: &ClaimedJob) -> Duration {
    Duration::from_millis(u64::try_from(job.timeout_ms).unwrap_or(0))
}

/// What an outcome counts as, once it is durable.
#[derive(Clone, Copy)]
enum Came {
    Well,
    /// Or to an end, when it was the last attempt.
    BackOrNot,
    ToNothing,
    ToBeCanceled,
}

impl Came {
    fn of(outcome: &Outcome) -> Self {
        match outcome {
            Outcome::Done(_) | Outcome::Snooze { .. } | Outcome::Wait { .. } => Came::Well,
            Outcome::Retry { .. } => Came::BackOrNot,
            Outcome::Fail { .. } => Came::ToNothing,
            Outcome::Cancel { .. } => Came::ToBeCanceled,
        }
    }

    fn count(self, was_last: bool) {
        let meter = Meter::get();
        meter.finished.one();
        match self {
            Came::Well => {}
            Came::BackOrNot if !was_last => meter.retried.one(),
            Came::BackOrNot | Came::ToNothing => meter.failed.one(),
            Came::ToBeCanceled => meter.canceled.one(),
        }
    }
}

/// What the log lines of a job carry.
struct Names {
    fence: Fence,
    task_id: uuid::Uuid,
    trace_id: String,
    step: String,
}

impl Names {
    fn of(fence: &Fence, started: &Started) -> Self {
        let (trace_id, step) = (started.trace_id.clone(), started.step_name.clone());
        Self { fence: *fence, task_id: started.task_id, trace_id, step }
    }

    /// What every job does. Thousands of them in a second must not be slowed down by it.
    fn log(&self, what: &str, detail: impl FnOnce() -> String) {
        if tracing::enabled!(tracing::Level::DEBUG) {
            tracing::debug!(
                task.id = %self.task_id, run.id = %self.fence.run_id, job.id = self.fence.job_id, trace.id = self.trace_id,
                step = self.step, detail = detail(), "{what}"
            );
        }
    }

    fn warn(&self, what: &str, detail: &str) {
        tracing::warn!(
            task.id = %self.task_id, run.id = %self.fence.run_id, job.id = self.fence.job_id, trace.id = self.trace_id,
            step = self.step, detail, "{what}"
        );
    }
}

/// What a step leaves behind is where it belongs before its outcome names it. What cannot be kept was not done.
async fn put_aside(shared: &Shared, outcome: Outcome) -> Outcome {
    let Outcome::Done(mut done) = outcome else { return outcome };
    for write in &mut done.writes {
        let Write::Output { content, .. } = write else { continue };
        let put = || async {
            let mut put = content.clone();
            shared.blobs.put(&mut put).await.map(|()| put)
        };
        match patiently(shared.lease, put).await {
            Ok(put) => *content = put,
            Err(error) => return Outcome::Retry { error: error.to_string(), after: None },
        }
    }
    Outcome::Done(done)
}

/// To say it twice changes nothing, so it is said again when nobody knows whether it was heard.
async fn start(shared: &Shared, fence: Fence) -> Result<Started> {
    let ask = || async {
        match shared.committer.begin(Start { fence }).await {
            Err(Error::Uncertain) => Err(Error::Unavailable("the start may have been written or not".to_owned())),
            other => other,
        }
    };
    patiently(shared.lease, ask).await
}

/// Begins a step of which the claim did not tell what is to be known.
async fn begin(shared: &Shared, fence: &Fence, stop: &Stop) -> Option<Started> {
    match start(shared, *fence).await {
        Ok(started) => {
            shared.in_hand.begun((fence.job_id, fence.epoch), started.task_id);
            Some(started)
        }
        Err(Error::Fenced { .. }) => {
            tracing::info!(run.id = %fence.run_id, job.id = fence.job_id, "lost before it was begun");
            None
        }
        Err(error) => {
            tracing::error!(run.id = %fence.run_id, job.id = fence.job_id, %error, "a job could not be begun");
            let _ = timeout(PAUSE_AFTER_REFUSAL, stop.requested()).await;
            hand_back(shared, (fence.job_id, fence.epoch)).await;
            None
        }
    }
}

/// Runs the handler within its time. `None` when it was told to stop and did not return.
async fn run(work: impl Future<Output = Outcome> + Send + 'static, stop: &Stop, time: Duration) -> Option<Outcome> {
    let mut task = AbortOnDrop(tokio::spawn(work));
    let by = Instant::now() + time;
    let ended = tokio::select! {
        ended = &mut task.0 => return Some(outcome_of(ended)),
        () = stop.requested() => timeout(AFTER_STOP, &mut task.0).await,
        () = sleep_until(by) => {
            stop.because(StopReason::Deadline);
            timeout(AFTER_STOP, &mut task.0).await
        }
    };
    ended.ok().map(outcome_of)
}

struct AbortOnDrop(JoinHandle<Outcome>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A handler that panics has failed its attempt, and nothing else.
fn outcome_of(ended: std::result::Result<Outcome, JoinError>) -> Outcome {
    match ended {
        Ok(outcome) => outcome,
        Err(error) => {
            let why = match error.try_into_panic() {
                Ok(panic) => panic
                    .downcast_ref::<&str>()
                    .map(|text| (*text).to_owned())
                    .or_else(|| panic.downcast_ref::<String>().cloned())
                    .unwrap_or_else(|| "no message".to_owned()),
                Err(error) => error.to_string(),
            };
            Outcome::Retry { error: format!("the handler panicked: {why}"), after: None }
        }
    }
}

#[derive(Debug)]
enum Verdict {
    Finish(Outcome),
    HandBack,
    Drop,
}

/// What becomes of a job: work that was done in spite of an order to stop counts, unless the claim is lost.
fn verdict(reason: Option<StopReason>, outcome: Option<Outcome>, time: Duration) -> Verdict {
    match (reason, outcome) {
        (Some(StopReason::Lost), _) => Verdict::Drop,
        // Work that was done is no use either: part of what it said may be missing from its story.
        (Some(StopReason::Unsure), _) => Verdict::HandBack,
        (_, Some(done @ Outcome::Done(_))) => Verdict::Finish(done),
        (Some(StopReason::Canceled), _) => Verdict::Finish(Outcome::Cancel { reason: "canceled".to_owned() }),
        (Some(StopReason::Deadline), _) => {
            let error = format!("timed out after {} s", time.as_secs_f32());
            Verdict::Finish(Outcome::Retry { error, after: None })
        }
        (Some(StopReason::Shutdown), _) => Verdict::HandBack,
        (None, Some(outcome)) => Verdict::Finish(outcome),
        (None, None) => Verdict::HandBack,
    }
}

fn why_back(reason: Option<StopReason>) -> &'static str {
    match reason {
        Some(StopReason::Unsure) => "nobody knows whether its last report was written",
        _ => "this worker is stopping",
    }
}

fn word(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Done(_) => "done",
        Outcome::Retry { .. } => "to be retried",
        Outcome::Snooze { .. } => "snoozed",
        Outcome::Wait { .. } => "waiting",
        Outcome::Fail { .. } => "failed",
        Outcome::Cancel { .. } => "canceled",
    }
}

/// Writes the outcome. One that the database will not take, whatever is done, fails the step instead of haunting it.
async fn finish_step(shared: &Shared, finish: Finish) -> Result<Finished> {
    let failed = matches!(finish.outcome, Outcome::Fail { .. });
    let ask = || {
        // It may have been told to stop since the last try.
        let goes_on = !shared.stopping.load(Ordering::SeqCst);
        shared.committer.finish(Finish { go_on: finish.go_on.clone().filter(|_| goes_on), ..finish.clone() })
    };
    match patiently(shared.lease, ask).await {
        Err(error @ (Error::Refused(_) | Error::Internal(_) | Error::Invalid { .. })) if !failed => {
            let outcome = Outcome::Fail { error: format!("what the step left behind was refused: {error}") };
            let finish = Finish { events: Vec::new(), outcome, go_on: None, ..finish };
            patiently(shared.lease, || shared.committer.finish(finish.clone())).await
        }
        other => other,
    }
}

async fn hand_back(shared: &Shared, key: Key) {
    let worker_id = shared.worker_id();
    match shared.db.run(move |connection| queue::release(connection, worker_id, &[key])).await {
        Ok(_) => shared.notifier.send(vec![Hint::Jobs]),
        Err(error) => {
            tracing::warn!(job.id = key.0, %error, "could not be given back; it is rescued when the lease ends");
        }
    }
}

/// Asks until the answer is final, or nobody would care any more.
async fn patiently<T, F>(lease: Duration, ask: impl Fn() -> F) -> Result<T>
where
    F: Future<Output = Result<T>>,
{
    let give_up = Instant::now() + lease.max(PATIENCE);
    loop {
        match ask().await {
            Err(error) if error.may_pass() && !matches!(error, Error::Uncertain) && Instant::now() < give_up => {
                sleep(PAUSE).await;
            }
            answer => return answer,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use titan_core::engine::Done;

    const TIME: Duration = Duration::from_millis(1500);

    fn retry() -> Option<Outcome> {
        Some(Outcome::Retry { error: "x".to_owned(), after: None })
    }

    #[test]
    fn work_that_was_done_counts_unless_the_claim_is_lost() {
        for reason in [None, Some(StopReason::Canceled), Some(StopReason::Deadline), Some(StopReason::Shutdown)] {
            let verdict = verdict(reason, Some(Outcome::Done(Done::default())), TIME);
            assert!(matches!(verdict, Verdict::Finish(Outcome::Done(_))), "{reason:?}");
        }
        let lost = verdict(Some(StopReason::Lost), Some(Outcome::Done(Done::default())), TIME);
        assert!(matches!(lost, Verdict::Drop));
        let unsure = verdict(Some(StopReason::Unsure), Some(Outcome::Done(Done::default())), TIME);
        assert!(matches!(unsure, Verdict::HandBack));
    }

    #[test]
    fn otherwise_the_reason_decides() {
        assert!(matches!(verdict(None, retry(), TIME), Verdict::Finish(Outcome::Retry { .. })));
        assert!(matches!(verdict(Some(StopReason::Canceled), None, TIME), Verdict::Finish(Outcome::Cancel { .. })));
        assert!(matches!(verdict(Some(StopReason::Shutdown), retry(), TIME), Verdict::HandBack));
        let Verdict::Finish(Outcome::Retry { error, .. }) = verdict(Some(StopReason::Deadline), None, TIME) else {
            panic!("a deadline is a retry");
        };
        assert_eq!(error, "timed out after 1.5 s");
    }
}
