//! The committer: gathers the transitions of a process into batches and answers each when its batch is durable.
//!
//! Group commit that adapts by itself: a thread takes whatever is waiting, up to [`MAX_BATCH`]. When idle that is one
//! transition at once; under load, what came while the last batch was being written. The threads are blocking, each with
//! a connection of its own. A batch that the database refuses is halved until the bad transition is alone, so that it never
//! harms strangers. When the answer to COMMIT is lost, `pg_xact_status` is asked on a new connection.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::sql_types::{Nullable, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use tokio::sync::oneshot;

use super::apply::{Batch, Failed, try_apply};
use super::transition::{
    Applied, Canceled, Executed, Finish, Finished, Report, Reported, Start, Started, Submission, Submitted, Transition,
};
use crate::db::Db;
use crate::queue::Notifier;
use crate::{Error, Result};

/// Transitions per transaction at most.
const MAX_BATCH: usize = 500;
/// Transitions that may wait; beyond that the caller is told that the database is not keeping up.
const QUEUE: usize = 10_000;
/// How long a batch is tried again while the database is away. Longer than a restart of Postgres.
const PATIENCE: Duration = Duration::from_secs(20);

type Answer = oneshot::Sender<Result<Applied>>;
struct Item {
    transition: Transition,
    answer: Answer,
}

/// A handle, cheap to clone. The threads end when the last handle is gone.
#[derive(Clone)]
pub struct Committer {
    items: SyncSender<Item>,
    _threads: Arc<Vec<JoinHandle<()>>>,
}

impl Committer {
    /// Starts `threads` threads. Hints go out through the notifier after each commit.
    ///
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start(db: &Db, notifier: &Notifier, threads: usize) -> Result<Self> {
        let (items, waiting) = sync_channel(QUEUE);
        let waiting = Arc::new(Mutex::new(waiting));
        let mut handles = Vec::new();
        for number in 0..threads.max(1) {
            let worker =
                Thread { db: db.clone(), notifier: notifier.clone(), waiting: Arc::clone(&waiting), connection: None };
            let handle = std::thread::Builder::new()
                .name(format!("committer-{number}"))
                .spawn(move || worker.run())
                .map_err(|error| Error::Internal(format!("no thread for the committer: {error}")))?;
            handles.push(handle);
        }
        Ok(Committer { items, _threads: Arc::new(handles) })
    }

    /// Has a transition applied, and waits until it is durable.
    ///
    /// # Errors
    /// The transition's own, or that the database did not take it.
    pub async fn apply(&self, transition: Transition) -> Result<Applied> {
        let (answer, answered) = oneshot::channel();
        match self.items.try_send(Item { transition, answer }) {
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
    pub async fn submit(&self, submission: Submission) -> Result<Submitted> {
        match self.apply(submission.into()).await? {
            Applied::Submitted(submitted) => Ok(submitted),
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

/// One thread with its connection.
struct Thread {
    db: Db,
    notifier: Notifier,
    waiting: Arc<Mutex<Receiver<Item>>>,
    connection: Option<PgConnection>,
}

impl Thread {
    fn run(mut self) {
        while let Some(items) = self.next() {
            let (transitions, answers): (Vec<_>, Vec<_>) =
                items.into_iter().map(|item| (item.transition, item.answer)).unzip();
            let results = self.commit(&transitions);
            for (answer, result) in answers.into_iter().zip(results) {
                // Who asked may be gone; what was done stays done.
                let _ = answer.send(result);
            }
        }
    }

    /// Everything that is waiting, at least one. `None` when nobody can send any more.
    fn next(&self) -> Option<Vec<Item>> {
        let waiting = self.waiting.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut items = vec![waiting.recv().ok()?];
        while items.len() < MAX_BATCH
            && let Ok(item) = waiting.try_recv()
        {
            items.push(item);
        }
        Some(items)
    }

    /// Applies a batch; halves it when it is refused.
    fn commit(&mut self, batch: &[Transition]) -> Vec<Result<Applied>> {
        match self.persist(batch) {
            Ok(Batch { answers, hints }) => {
                self.notifier.send(hints);
                answers
            }
            Err(error) if batch.len() > 1 && !error.may_pass() => {
                tracing::debug!(%error, batch.len = batch.len(), "a batch was refused and is halved");
                let (first, second) = batch.split_at(batch.len() / 2);
                let mut results = self.commit(first);
                results.extend(self.commit(second));
                results
            }
            Err(error) => batch.iter().map(|_| Err(error.clone())).collect(),
        }
    }

    /// Tries a batch until the database takes or refuses it, or patience ends.
    fn persist(&mut self, batch: &[Transition]) -> Result<Batch> {
        let give_up = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(20);
        loop {
            let failed = match self.attempt(batch) {
                Ok(done) => return Ok(done),
                Err(failed) => failed,
            };
            if failed.unsure.is_some() || failed.error.may_pass() {
                // A connection that failed once is not trusted again.
                self.connection = None;
            }
            match failed.unsure {
                Some((xid, done)) => match self.ask(&xid, give_up) {
                    Some(true) => return Ok(done),
                    Some(false) if !failed.error.may_pass() => return Err(failed.error),
                    Some(false) => {}
                    None => return Err(Error::Uncertain),
                },
                None if !failed.error.may_pass() => return Err(failed.error),
                None => {}
            }
            if Instant::now() + pause > give_up {
                return Err(failed.error);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    fn attempt(&mut self, batch: &[Transition]) -> std::result::Result<Batch, Failed> {
        if self.connection.is_none() {
            self.connection = Some(self.db.dedicated().map_err(|error| Failed { error, unsure: None })?);
        }
        match self.connection.as_mut() {
            Some(connection) => try_apply(connection, batch),
            None => Err(Failed { error: Error::Unavailable("no connection".to_owned()), unsure: None }),
        }
    }

    /// Whether a transaction was committed. `None` when nobody could be asked before time was up.
    ///
    /// A server that has lost its client may still be writing the commit, so `in progress` is asked again.
    fn ask(&mut self, xid: &str, give_up: Instant) -> Option<bool> {
        #[derive(QueryableByName)]
        struct Status {
            #[diesel(sql_type = Nullable<Text>)]
            status: Option<String>,
        }
        while Instant::now() < give_up {
            let asked = self.db.dedicated().and_then(|mut connection| {
                let query = sql_query("SELECT pg_xact_status($1::xid8) AS status").bind::<Text, _>(xid);
                Ok(query.get_result::<Status>(&mut connection)?)
            });
            match asked.map(|row| row.status) {
                Ok(Some(status)) if status == "committed" => return Some(true),
                Ok(Some(status)) if status == "aborted" => return Some(false),
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        }
        None
    }
}
