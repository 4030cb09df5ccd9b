//! The committer: gathers the transitions of a process into batches and answers each when its batch is durable.
//!
//! Group commit that adapts by itself: a thread takes whatever is waiting, up to [`MAX_BATCH`]. When idle that is one
//! transition at once; under load, what came while the last batch was being written, and what comes within [`LINGER`]. The threads are blocking, each with
//! a connection of its own. A batch that the database refuses is halved until the bad transition is alone, so that it never
//! harms strangers. When the answer to COMMIT is lost, `pg_xact_status` is asked on a new connection.

use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use diesel::sql_types::{Nullable, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use tokio::sync::oneshot;

use super::apply::{Batch, Failed, try_apply};
use super::transition::{
    Applied, Canceled, Executed, Finish, FinishJob, Finished, Report, Reported, Start, Started, Submission, Submitted,
    Taken, Transition,
};
use crate::db::Db;
use crate::meter::Meter;
use crate::queue::{Claim, NewJob, Notifier};
use crate::{Error, Result};

/// Transitions per transaction at most: beyond that a larger batch costs no less for each, and keeps the other threads idle.
const MAX_BATCH: usize = 256;
/// Transitions that may wait; beyond that the caller is told that the database is not keeping up.
const QUEUE: usize = 10_000;
/// From so many transitions in its last batch on, a thread waits for company at most this long, and looks for it this often. It
/// sleeps in between: to be woken by each that comes would cost more than it brings.
const CROWD: usize = 16;
const LINGER: Duration = Duration::from_millis(3);
const LOOK: Duration = Duration::from_micros(250);
/// A batch that meets a row which somebody else holds is halved like one that is refused, so that only who wants that row has
/// to come again. Then no lock is waited for longer than this, and there is an end to it when a whole table is locked.
const WHILE_SIFTING: &str = "SET LOCAL lock_timeout = '100ms'";
const SIFTING: Duration = Duration::from_secs(3);
/// How long a batch is tried again while the database is away. Longer than a restart of Postgres.
const PATIENCE: Duration = Duration::from_secs(20);

type Answer = oneshot::Sender<Result<Applied>>;
enum Item {
    Apply(Transition, Answer),
    /// There may be jobs to claim and nothing to write.
    Wake,
}

/// Who claims jobs with the batches of a committer: a worker's slots. The acknowledgement of one job then is the claim of
/// the next, in one transaction.
pub trait Intake: Send + Sync + 'static {
    /// What to claim with a batch in which so many jobs end. Their slots are free once the batch is durable.
    fn want(&self, ending: usize) -> Option<Claim>;

    /// What came of a claim that was wanted.
    fn took(&self, claim: &Claim, taken: Result<Vec<Taken>>);
}

/// A handle, cheap to clone. The threads end when the last handle is gone.
#[derive(Clone)]
pub struct Committer {
    items: SyncSender<Item>,
    intake: Arc<OnceLock<Weak<dyn Intake>>>,
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
        let intake = Arc::new(OnceLock::new());
        let mut handles = Vec::new();
        for number in 0..threads.max(1) {
            let worker = Thread {
                db: db.clone(),
                notifier: notifier.clone(),
                waiting: Arc::clone(&waiting),
                intake: Arc::clone(&intake),
                connection: None,
                life: String::new(),
                last: 0,
                sifting: None,
            };
            let handle = std::thread::Builder::new()
                .name(format!("committer-{number}"))
                .spawn(move || worker.run())
                .map_err(|error| Error::Internal(format!("no thread for the committer: {error}")))?;
            handles.push(handle);
        }
        Ok(Committer { items, intake, _threads: Arc::new(handles) })
    }

    /// From now on each batch may claim for this intake. Only the first call counts.
    pub fn feed(&self, intake: Weak<dyn Intake>) {
        let _ = self.intake.set(intake);
    }

    /// Has the intake asked soon, also when there is nothing to write.
    pub fn wake(&self) {
        // When the queue is full there is a batch to ride with anyway.
        let _ = self.items.try_send(Item::Wake);
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

/// Whether its slot is free afterwards.
fn ends_a_job(transition: &Transition) -> bool {
    match transition {
        Transition::Finish(finish) => finish.go_on.is_none(),
        Transition::FinishJob(_) => true,
        _ => false,
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
    intake: Arc<OnceLock<Weak<dyn Intake>>>,
    connection: Option<PgConnection>,
    /// In which life of Postgres the connection was made.
    life: String,
    /// Transitions of the last batch.
    last: usize,
    /// A batch is being sifted for what somebody else has locked, until then.
    sifting: Option<Instant>,
}

impl Thread {
    fn run(mut self) {
        while let Some(items) = self.next() {
            let mut transitions = Vec::with_capacity(items.len());
            let mut answers = Vec::with_capacity(items.len());
            for item in items {
                if let Item::Apply(transition, answer) = item {
                    transitions.push(transition);
                    answers.push(answer);
                }
            }
            self.last = transitions.len();
            let intake = self.intake.get().and_then(Weak::upgrade);
            let ending = transitions.iter().filter(|transition| ends_a_job(transition)).count();
            let claim = intake.as_ref().and_then(|intake| intake.want(ending));
            if transitions.is_empty() && claim.is_none() {
                continue;
            }
            let (results, taken) = self.commit(&transitions, claim.as_ref());
            self.sifting = None;
            for (answer, result) in answers.into_iter().zip(results) {
                if matches!(result, Err(Error::Fenced { .. })) {
                    Meter::get().fenced.one();
                }
                // Who asked may be gone; what was done stays done.
                let _ = answer.send(result);
            }
            if let (Some(intake), Some(claim)) = (intake, claim) {
                intake.took(&claim, taken);
            }
        }
    }

    /// Everything that is waiting, at least one. Under load it waits a little for company: a batch twice as large costs
    /// much less than two. `None` when nobody can send any more.
    fn next(&self) -> Option<Vec<Item>> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut items = vec![waiting.recv().ok()?];
        let until = Instant::now() + LINGER;
        // A little more than last time, so that batches may grow.
        let enough = MAX_BATCH.min(self.last + self.last / 4);
        loop {
            let before = items.len();
            items.extend(waiting.try_iter().take(MAX_BATCH - before));
            let nobody_came = items.len() == before && before > 1;
            if self.last < CROWD || items.len() >= enough || nobody_came || Instant::now() >= until {
                break;
            }
            std::thread::sleep(LOOK);
        }
        Some(items)
    }

    /// Applies a batch with its claim; halves it when it is refused, or held up by a lock.
    fn commit(&mut self, batch: &[Transition], claim: Option<&Claim>) -> (Vec<Result<Applied>>, Result<Vec<Taken>>) {
        let begun = Instant::now();
        let failed = match self.persist(batch, claim) {
            Ok(Batch { answers, taken, hints }) => {
                let meter = Meter::get();
                meter.flushes.one();
                meter.flushed.add(batch.len());
                meter.flush_us.time(begun.elapsed());
                self.notifier.send(hints);
                return (answers, Ok(taken));
            }
            Err(error) => error,
        };
        let locked = matches!(failed, Error::Locked(_));
        let sift = locked && Instant::now() < *self.sifting.get_or_insert_with(|| Instant::now() + SIFTING);
        if failed.may_pass() && !sift {
            return (batch.iter().map(|_| Err(failed.clone())).collect(), Err(failed));
        }
        Meter::get().refused.one();
        tracing::debug!(error = %failed, batch.len = batch.len(), claim = claim.is_some(), "a batch was refused");
        match claim {
            // The claim goes alone, and what it brings is started one by one, so that a run that cannot be read harms no other.
            Some(claim) if claim.context => {
                let plain = Claim { context: false, ..claim.clone() };
                let (_, taken) = self.commit(&[], Some(&plain));
                let results = if batch.is_empty() { Vec::new() } else { self.commit(batch, None).0 };
                (results, taken)
            }
            None if batch.len() > 1 => {
                let (first, second) = batch.split_at(batch.len() / 2);
                let mut results = self.commit(first, None).0;
                results.extend(self.commit(second, None).0);
                (results, Ok(Vec::new()))
            }
            _ => (batch.iter().map(|_| Err(failed.clone())).collect(), Err(failed)),
        }
    }

    /// Tries a batch until the database takes or refuses it, or patience ends.
    fn persist(&mut self, batch: &[Transition], claim: Option<&Claim>) -> Result<Batch> {
        let give_up = Instant::now() + PATIENCE;
        let mut pause = Duration::from_millis(20);
        loop {
            let failed = match self.attempt(batch, claim) {
                Ok(done) => return Ok(done),
                Err(failed) => failed,
            };
            let locked = matches!(failed.error, Error::Locked(_));
            if failed.unsure.is_some() || (failed.error.may_pass() && !locked) {
                // A connection that failed once is not trusted again.
                self.connection = None;
            }
            match failed.unsure {
                Some(unsure) => match self.ask(&unsure.0, give_up) {
                    Some(true) => return Ok(unsure.1),
                    Some(false) if !failed.error.may_pass() => return Err(failed.error),
                    Some(false) => {}
                    None => return Err(Error::Uncertain),
                },
                None if !failed.error.may_pass() || locked => return Err(failed.error),
                None => {}
            }
            // A claim that brings nothing to write is not worth the wait: the next one comes by itself.
            if batch.is_empty() || Instant::now() + pause > give_up {
                return Err(failed.error);
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(500));
        }
    }

    fn attempt(&mut self, batch: &[Transition], claim: Option<&Claim>) -> std::result::Result<Batch, Failed> {
        if self.connection.is_none() {
            let made =
                self.db.for_engine().and_then(|mut connection| Ok((self.db.on(&mut connection, life)?, connection)));
            let (life, connection) = made.map_err(|error| Failed { error, unsure: None })?;
            (self.life, self.connection) = (life, Some(connection));
        }
        let mut settings = self.db.engine_settings().map(str::to_owned);
        if self.sifting.is_some() {
            settings = Some(settings.map_or_else(String::new, |settings| settings + "; ") + WHILE_SIFTING);
        }
        match self.connection.as_mut() {
            Some(connection) => try_apply(connection, settings.as_deref(), batch, claim),
            None => Err(Failed { error: Error::Unavailable("no connection".to_owned()), unsure: None }),
        }
    }

    /// Whether a transaction was committed. `None` when nobody could be asked before time was up.
    ///
    /// A server that has lost its client may still be writing the commit, so `in progress` is asked again. After a crash the
    /// numbers of transactions that were not written down are given to others: then `committed` may be said of one of those.
    fn ask(&mut self, xid: &str, give_up: Instant) -> Option<bool> {
        #[derive(QueryableByName)]
        struct Status {
            #[diesel(sql_type = Nullable<Text>)]
            status: Option<String>,
        }
        while Instant::now() < give_up {
            let asked = self.db.dedicated().and_then(|mut connection| {
                let query = sql_query("SELECT pg_xact_status($1::xid8) AS status").bind::<Text, _>(xid);
                self.db.on(&mut connection, |connection| {
                    let row: Status = query.get_result(connection)?;
                    Ok((row.status, life(connection)?))
                })
            });
            match asked {
                Ok((Some(status), life)) if status == "committed" => return (life == self.life).then_some(true),
                Ok((Some(status), _)) if status == "aborted" => return Some(false),
                _ => std::thread::sleep(Duration::from_millis(100)),
            }
        }
        None
    }
}

/// Another text after each crash of Postgres, and the same after a restart in order: a crash throws the statistics away, and
/// this is since when there are any. Whoever resets them by hand makes no more than a doubt.
fn life(connection: &mut PgConnection) -> Result<String> {
    #[derive(QueryableByName)]
    struct Since {
        #[diesel(sql_type = Text)]
        since: String,
    }
    let since: Since =
        sql_query("SELECT coalesce(extract(epoch FROM stats_reset)::text, '') AS since FROM pg_stat_bgwriter")
            .get_result(connection)?;
    Ok(since.since)
}
