//! The committer: gathers the transitions of a process into batches and answers each when its batch is durable.
//!
//! Group commit that adapts by itself: a thread takes whatever is waiting, up to a limit. When idle that is one transition at
//! once; under load, what came while the last batch was being written, and what comes a little later. The threads are blocking,
//! each with a connection of its own. A batch that the database refuses is halved until the bad transition is alone, so that it
//! never harms strangers. When the answer to COMMIT is lost, `pg_xact_status` is asked on a new connection.

mod feed;
mod fleet;
mod thread;
mod writer;

use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, Weak};

use tokio::sync::oneshot;

use self::feed::Feed;
use self::fleet::Fleet;
use self::thread::Thread;
use self::writer::Writer;
use super::call::{Reserve, Reserved, Wake};
use super::transition::{
    Applied, Canceled, Executed, Finish, FinishJob, Finished, Report, Reported, Start, Started, Submission, Submitted,
    Taken, Transition,
};
use crate::db::Db;
use crate::queue::{Claim, NewJob, Notifier};
use crate::{Error, Result};

/// Transitions that may wait; beyond that the caller is told that the database is not keeping up.
const QUEUE: usize = 10_000;

type Answer = oneshot::Sender<Result<Applied>>;
enum Item {
    Apply(Transition, Answer),
    /// There may be jobs to claim and nothing to write.
    Wake,
}

/// Who claims jobs with the batches of a committer: a worker's slots. The acknowledgement of one job then is the claim of
/// the next, in one transaction. While batches are slow, claims go apart from them.
pub trait Intake: Send + Sync + 'static {
    /// What to claim with a batch in which so many jobs end. Their slots are free once the batch is durable.
    fn want(&self, ending: usize) -> Option<Claim>;

    /// What to claim while batches are slow, when that is asked often: a part of what there is room for, so that there is always
    /// some room for whoever has the next turn.
    fn want_some(&self) -> Option<Claim>;

    /// What came of a claim that was wanted.
    fn took(&self, claim: &Claim, taken: Result<Vec<Taken>>);
}

/// A handle, cheap to clone. The threads end when the last handle is gone.
#[derive(Clone)]
pub struct Committer {
    items: SyncSender<Item>,
    feed: Arc<Feed>,
    fleet: Arc<Fleet>,
    db: Db,
    notifier: Notifier,
}

impl Committer {
    /// Starts `threads` threads. Hints go out through the notifier after each commit.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start(db: &Db, notifier: &Notifier, threads: usize) -> Result<Self> {
        let (items, waiting) = sync_channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        let feed = Arc::new(Feed::default());
        let fleet = Arc::new(Fleet::default());
        for number in 0..threads.max(1) {
            let (waiting, feed, fleet) = (Arc::clone(&waiting), Arc::clone(&feed), Arc::clone(&fleet));
            let thread = Thread::new(Writer::new(db, notifier), waiting, feed, fleet);
            spawn(format!("committer-{number}"), move || thread.run())?;
        }
        Ok(Committer { items, feed, fleet, db: db.clone(), notifier: notifier.clone() })
    }

    /// How many workers share the database, this one among them. In a large fleet one thread writes at a time.
    pub fn in_a_fleet_of(&self, workers: usize) {
        self.fleet.has(workers);
    }

    /// From now on each batch may claim for this intake, and a thread of its own does while they are slow; it connects with
    /// its first claim. Only the first call counts.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn feed(&self, intake: Weak<dyn Intake>) -> Result<()> {
        let (knocks, knocked) = sync_channel(1);
        if self.feed.open(intake.clone(), knocks) {
            let writer = Writer::new(&self.db, &self.notifier);
            spawn("claimer".to_owned(), move || feed::claim_apart(writer, &knocked, &intake))?;
        }
        Ok(())
    }

    /// Has the intake asked soon, also when there is nothing to write.
    pub fn wake(&self) {
        if !self.feed.knock_if_slow() {
            // When the queue is full there is a batch to ride with anyway.
            let _ = self.items.try_send(Item::Wake);
        }
    }

    /// Has a transition applied, and waits until it is durable.
    ///
    /// # Errors
    /// The transition's own, or that the database did not take it.
    pub async fn apply(&self, transition: Transition) -> Result<Applied> {
        let (answer, answered) = oneshot::channel();
        match self.items.try_send(Item::Apply(transition, answer)) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => {
                return Err(Error::Unavailable(format!("{QUEUE} changes are waiting to be written already")));
            }
            Err(TrySendError::Disconnected(_)) => return Err(Error::Internal("the committer has stopped".to_owned())),
        }
        answered.await.map_err(|_| Error::Internal("the committer gave no answer".to_owned()))?
    }

    /// # Errors
    /// As [`Committer::apply`].
    pub async fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Option<i64>>> {
        match self.apply(Transition::Enqueue(jobs)).await? {
            Applied::Enqueued(ids) => Ok(ids),
            other => Err(mismatch(&other)),
        }
    }

    /// # Errors
    /// [`Error::Fenced`] when the job was lost, or as [`Committer::apply`].
    pub async fn finish_job(&self, finish: FinishJob) -> Result<()> {
        match self.apply(finish.into()).await? {
            Applied::JobFinished => Ok(()),
            other => Err(mismatch(&other)),
        }
    }

    /// # Errors
    /// As [`Committer::apply`].
    pub async fn submit(&self, submission: Submission) -> Result<Submitted> {
        match self.apply(submission.into()).await? {
            Applied::Submitted(submitted) => Ok(submitted),
            other => Err(mismatch(&other)),
        }
    }

    /// # Errors
    /// As [`Committer::apply`].
    pub async fn approve(&self, approve: super::Approve) -> Result<super::Approved> {
        match self.apply(approve.into()).await? {
            Applied::Approved(approved) => Ok(approved),
            other => Err(mismatch(&other)),
        }
    }

    /// A person says that a task is done.
    ///
    /// # Errors
    /// As [`Committer::apply`].
    pub async fn complete(&self, task_id: uuid::Uuid) -> Result<()> {
        match self.apply(Transition::CompleteTask { task_id }).await? {
            Applied::Completed => Ok(()),
            other => Err(mismatch(&other)),
        }
    }

    /// # Errors
    /// As [`Committer::apply`].
    pub async fn execute(&self, execute: super::Execute) -> Result<Executed> {
        match self.apply(execute.into()).await? {
            Applied::Executed(executed) => Ok(executed),
            other => Err(mismatch(&other)),
        }
    }

    /// # Errors
    /// [`Error::Fenced`] when the job was lost, or as [`Committer::apply`].
    pub async fn begin(&self, start: Start) -> Result<Started> {
        match self.apply(start.into()).await? {
            Applied::Started(started) => Ok(*started),
            other => Err(mismatch(&other)),
        }
    }

    /// # Errors
    /// [`Error::Fenced`] when the job was lost, or as [`Committer::apply`].
    pub async fn report(&self, report: Report) -> Result<Reported> {
        match self.apply(report.into()).await? {
            Applied::Reported(reported) => Ok(reported),
            other => Err(mismatch(&other)),
        }
    }

    /// # Errors
    /// [`Error::Fenced`] when the job was lost, or as [`Committer::apply`].
    pub async fn reserve(&self, reserve: Reserve) -> Result<Reserved> {
        match self.apply(reserve.into()).await? {
            Applied::Reserved(reserved) => Ok(reserved),
            other => Err(mismatch(&other)),
        }
    }

    /// How many steps of the run look again.
    ///
    /// # Errors
    /// As [`Committer::apply`].
    pub async fn wake_run(&self, wake: Wake) -> Result<usize> {
        match self.apply(wake.into()).await? {
            Applied::Woken(steps) => Ok(steps),
            other => Err(mismatch(&other)),
        }
    }

    /// # Errors
    /// [`Error::Fenced`] when the job was lost, or as [`Committer::apply`].
    pub async fn finish(&self, finish: Finish) -> Result<Finished> {
        match self.apply(finish.into()).await? {
            Applied::Finished(finished) => Ok(finished),
            other => Err(mismatch(&other)),
        }
    }

    /// Cancels by [`Transition::CancelRun`], [`Transition::CancelTask`] or [`Transition::ForceCancel`].
    ///
    /// # Errors
    /// As [`Committer::apply`].
    pub async fn cancel(&self, transition: Transition) -> Result<Canceled> {
        match self.apply(transition).await? {
            Applied::Canceled(canceled) => Ok(canceled),
            other => Err(mismatch(&other)),
        }
    }
}

fn mismatch(applied: &Applied) -> Error {
    Error::Internal(format!("an answer to another question: {applied:?}"))
}

fn spawn(name: String, run: impl FnOnce() + Send + 'static) -> Result<()> {
    match std::thread::Builder::new().name(name).spawn(run) {
        Ok(_) => Ok(()),
        Err(error) => Err(Error::Internal(format!("no thread for the committer: {error}"))),
    }
}
