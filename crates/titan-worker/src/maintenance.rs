//! The thread that leads, or waits to lead. All workers look several times a second whether the office of leader is
//! vacant; the one that has it does what must happen from time to time, each service in a transaction of its own, so that
//! one that fails does not hold up the others. What the services do is `titan-core`'s.
//!
//! Idle, a look is one or two small reads that lock nothing. A transaction is begun only when there is something to do.

use std::time::{Duration, Instant};

use titan_core::db::PgConnection;
use titan_core::engine::{ForceCancel, Transition};
use titan_core::meter::Meter;
use titan_core::queue::maintenance::leader::{self, Patience, Term};
use titan_core::queue::maintenance::{self, BATCH, Kept, Loss, Rescued, Sleepers, Speed};
use titan_core::queue::{self, Hint};
use titan_core::{Error, Result};
use uuid::Uuid;

use crate::bell::Bell;
use crate::outage::Outage;
use crate::shared::Shared;

const LOOK: Duration = Duration::from_millis(250);
/// A job that is due sooner than the next look is waited for, but not in smaller steps than this.
const SHORTEST: Duration = Duration::from_millis(5);
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// After connecting nobody is judged for this long: whoever was cut off may have been cut off together with the others.
const GRACE: Duration = Duration::from_secs(1);
/// What is done once an hour and failed is tried again after this.
const AGAIN: Duration = Duration::from_secs(60);
/// Transactions of one service in a row; the next look goes on.
const ROUNDS: usize = 20;

const BRIEF: Patience = Patience { statement_ms: 5_000, lock_ms: 1_000 };
const LONG: Patience = Patience { statement_ms: 20_000, lock_ms: 2_000 };

#[derive(Debug, Clone, Copy)]
enum Service {
    Rescue,
    Promote,
    Overdue,
    Quarantine,
    Cancels,
    Counters,
    Tallies,
    Reconcile,
    Analyse,
    Partitions,
    History,
    Retention,
}

/// What is done, what it is called in the log when it fails, and how often it is looked at.
const SERVICES: [(Service, &str, Duration); 12] = [
    (Service::Rescue, "rescuing jobs", Duration::ZERO),
    (Service::Promote, "waking jobs", Duration::ZERO),
    (Service::Overdue, "looking for handlers that hang", Duration::from_secs(5)),
    (Service::Quarantine, "looking for jobs that kill workers", Duration::from_secs(5)),
    (Service::Cancels, "ending what was canceled", Duration::from_secs(5)),
    (Service::Counters, "folding counters", Duration::from_secs(1)),
    (Service::Tallies, "folding tallies", Duration::from_secs(10)),
    (Service::Reconcile, "reconciling", Duration::from_secs(10)),
    (Service::Analyse, "analysing jobs", Duration::from_secs(10)),
    (Service::Partitions, "making partitions", Duration::from_secs(3600)),
    (Service::History, "dropping old history", Duration::from_secs(3600)),
    (Service::Retention, "forgetting what is old", Duration::from_secs(3600)),
];

pub(crate) fn run(shared: &Shared, bell: &Bell, runtime: &tokio::runtime::Handle, history_days: i32) {
    let mut keeper = Keeper { shared, runtime, history_days, link: None, office: None };
    let mut outage = Outage::new("maintenance");
    loop {
        let pause = match keeper.look() {
            Ok(pause) => {
                outage.worked();
                pause
            }
            Err(error) => {
                outage.failed(&error);
                keeper.link = None;
                LOOK
            }
        };
        if !bell.wait(pause) {
            keeper.leave();
            return;
        }
    }
}

struct Keeper<'a> {
    shared: &'a Shared,
    runtime: &'a tokio::runtime::Handle,
    history_days: i32,
    link: Option<Link>,
    office: Option<Office>,
}

struct Link {
    connection: PgConnection,
    since: Instant,
}

impl Link {
    fn speed(&self) -> Speed {
        if self.since.elapsed() >= GRACE { Speed::Fast } else { Speed::LeaseOnly }
    }
}

/// What this worker knows while it leads.
struct Office {
    term: Term,
    renewed: Instant,
    clocks: Vec<Clock>,
    /// Where the reconciler goes on.
    after_key: String,
    after_run: Uuid,
}

struct Clock {
    service: Service,
    every: Duration,
    next: Instant,
    outage: Outage,
}

impl Office {
    fn new(term: Term) -> Self {
        let clock =
            |(service, doing, every)| Clock { service, every, next: Instant::now(), outage: Outage::new(doing) };
        Office {
            term,
            renewed: Instant::now(),
            clocks: SERVICES.into_iter().map(clock).collect(),
            after_key: String::new(),
            after_run: Uuid::nil(),
        }
    }
}

/// Somebody else leads now.
struct Replaced;

impl Keeper<'_> {
    /// One look, and how long to sleep until the next one.
    fn look(&mut self) -> Result<Duration> {
        let worker_id = self.shared.worker_id();
        let link = connected(&mut self.link, self.shared)?;
        if self.office.is_none() && leader::vacant(&mut link.connection)? {
            let speed = link.speed();
            self.office = leader::take(&mut link.connection, worker_id, speed)?.map(|term| {
                tracing::info!(worker.id = %worker_id, term = term.number, "this worker leads the maintenance now");
                Office::new(term)
            });
        }
        let Some(mut office) = self.office.take() else { return Ok(LOOK) };
        match self.lead(&mut office) {
            Ok(Ok(pause)) => {
                self.office = Some(office);
                Ok(pause)
            }
            Ok(Err(Replaced)) => {
                tracing::warn!(worker.id = %worker_id, term = office.term.number, "another worker leads the maintenance now");
                Ok(LOOK)
            }
            Err(error) => {
                // Still in office as far as is known: the fence tells when the database is back.
                self.office = Some(office);
                Err(error)
            }
        }
    }

    fn lead(&mut self, office: &mut Office) -> Result<std::result::Result<Duration, Replaced>> {
        if office.renewed.elapsed() >= RENEW_EVERY {
            if !leader::renew(self.connection()?, &office.term)? {
                return Ok(Err(Replaced));
            }
            office.renewed = Instant::now();
        }
        let sleepers = maintenance::sleepers(self.connection()?)?;
        let mut clocks = std::mem::take(&mut office.clocks);
        let mut replaced = false;
        for place in 0..clocks.len() {
            let Some(clock) = clocks.get_mut(place) else { break };
            if replaced || Instant::now() < clock.next {
                continue;
            }
            clock.next = Instant::now() + clock.every;
            // A database that is away is one outage, not one of each service.
            if let Err(error) = connected(&mut self.link, self.shared) {
                office.clocks = clocks;
                return Err(error);
            }
            match self.serve(clock.service, office, &sleepers) {
                Ok(Some(())) => clock.outage.worked(),
                Ok(None) => replaced = true,
                Err(error) => {
                    clock.outage.failed(&error);
                    clock.next = Instant::now() + clock.every.min(AGAIN);
                    if error.may_pass() {
                        self.link = None;
                    }
                }
            }
        }
        office.clocks = clocks;
        if replaced {
            return Ok(Err(Replaced));
        }
        let until_due = sleepers.next_ms.filter(|ms| *ms > 0.0).map(|ms| Duration::from_secs_f64(ms / 1000.0));
        Ok(Ok(until_due.map_or(LOOK, |due| due.clamp(SHORTEST, LOOK))))
    }

    /// `None` when the fence said that somebody else leads.
    fn serve(&mut self, service: Service, office: &mut Office, sleepers: &Sleepers) -> Result<Option<()>> {
        let term = office.term;
        match service {
            Service::Rescue => self.rescue(&term),
            Service::Promote if sleepers.next_ms.is_none_or(|ms| ms > 0.0) => Ok(Some(())),
            Service::Promote => self.promote(&term),
            Service::Overdue => self.rescue_overdue(&term),
            Service::Quarantine => self.quarantine(&term),
            Service::Cancels => self.end_overdue_cancels(),
            Service::Counters if !sleepers.deltas => Ok(Some(())),
            Service::Counters => self.act(&term, LONG, queue::fold_counters).map(|folded| folded.map(|_| ())),
            Service::Tallies => self.act(&term, LONG, maintenance::fold_tallies).map(|folded| folded.map(|_| ())),
            Service::Reconcile => self.reconcile(office),
            Service::Analyse => self.act(&term, LONG, maintenance::analyse).map(|done| done.map(|_| ())),
            Service::Partitions => self.act(&term, LONG, queue::prepare_partitions).map(|made| made.map(|_| ())),
            Service::History => self.drop_history(&term),
            Service::Retention => self.forget(&term),
        }
    }

    fn rescue(&mut self, term: &Term) -> Result<Option<()>> {
        let link = connected(&mut self.link, self.shared)?;
        if link.speed() == Speed::LeaseOnly {
            return Ok(Some(()));
        }
        let lost = maintenance::candidates(&mut link.connection)?;
        if lost.is_empty() {
            return Ok(Some(()));
        }
        let Some(rescued) = self.act(term, BRIEF, |connection| maintenance::rescue_from(connection, &lost))? else {
            return Ok(None);
        };
        self.tell(&rescued);
        // A job that has killed its last worker is not to be claimed again first.
        if rescued.is_empty() { Ok(Some(())) } else { self.quarantine(term) }
    }

    fn rescue_overdue(&mut self, term: &Term) -> Result<Option<()>> {
        let Some(rescued) = self.act(term, BRIEF, queue::rescue_overdue)? else { return Ok(None) };
        self.tell(&rescued);
        Ok(Some(()))
    }

    fn tell(&self, rescued: &[Rescued]) {
        for job in rescued {
            let why = match job.loss {
                Loss::Died => "its worker died",
                Loss::Silent => "its worker was silent for too long",
                Loss::Stopped => "its worker stopped and had not given it back",
                Loss::Hung => "its handler hung beyond its deadline",
            };
            tracing::warn!(job.id = job.id, worker.id = %job.worker_id, "rescued: {why}");
        }
        Meter::get().rescued.add(rescued.len());
        if !rescued.is_empty() {
            self.jobs_are_ready();
        }
    }

    fn quarantine(&mut self, term: &Term) -> Result<Option<()>> {
        for quarantine in queue::poisoned(self.connection()?)? {
            tracing::error!(
                job.id = quarantine.job_id, run.id = %quarantine.run_id, rescues = quarantine.rescues,
                "quarantined: this job has lost too many workers"
            );
            self.have_applied(Transition::Quarantine(quarantine));
        }
        let Some(jobs) = self.act(term, BRIEF, maintenance::quarantine_jobs)? else { return Ok(None) };
        for job in &jobs {
            tracing::error!(
                job.id = job.id,
                job.kind,
                rescues = job.rescues,
                "quarantined: this job has lost too many workers"
            );
        }
        Meter::get().failed.add(jobs.len());
        if !jobs.is_empty() {
            // Their places may have gone to others.
            self.jobs_are_ready();
        }
        Ok(Some(()))
    }

    fn promote(&mut self, term: &Term) -> Result<Option<()>> {
        for _ in 0..ROUNDS {
            let Some(promoted) = self.act(term, BRIEF, queue::promote)? else { return Ok(None) };
            if promoted > 0 {
                self.jobs_are_ready();
            }
            if promoted < BATCH {
                break;
            }
        }
        let Some(woken) = self.act(term, BRIEF, maintenance::wake)? else { return Ok(None) };
        if woken > 0 {
            self.jobs_are_ready();
        }
        Ok(Some(()))
    }

    fn reconcile(&mut self, office: &mut Office) -> Result<Option<()>> {
        let after = std::mem::take(&mut office.after_key);
        let Some((admitted, next)) =
            self.act(&office.term, BRIEF, |connection| maintenance::admit_waiting(connection, &after))?
        else {
            return Ok(None);
        };
        office.after_key = next.unwrap_or_default();
        if admitted > 0 {
            tracing::warn!(admitted, "jobs waited although the limit of their key had room");
            self.jobs_are_ready();
        }
        let stranded = maintenance::stranded(self.connection()?, office.after_run)?;
        office.after_run = stranded.next.unwrap_or_default();
        if let Some(first) = stranded.runs.first() {
            let count = stranded.runs.len();
            tracing::error!(count, run.id = %first, "runs have neither a job nor anything to wait for; they will not end by themselves");
        }
        Ok(Some(()))
    }

    fn end_overdue_cancels(&mut self) -> Result<Option<()>> {
        let grace = i64::try_from(self.shared.grace.as_millis()).unwrap_or(i64::MAX);
        for ForceCancel { run_id } in queue::overdue_cancels(self.connection()?, grace)? {
            tracing::warn!(run.id = %run_id, "canceled by force: no worker ended it in time");
            self.have_applied(Transition::ForceCancel(ForceCancel { run_id }));
        }
        Ok(Some(()))
    }

    fn drop_history(&mut self, term: &Term) -> Result<Option<()>> {
        let keep = self.history_days;
        let Some(days) = self.act(term, LONG, |connection| maintenance::drop_history(connection, keep))? else {
            return Ok(None);
        };
        if days > 0 {
            tracing::info!(days, "dropped the history of jobs that ended long ago");
        }
        Ok(Some(()))
    }

    fn forget(&mut self, term: &Term) -> Result<Option<()>> {
        let days = self.history_days;
        let mut rows = 0;
        for kept in
            [Kept::StrayHistory { days }, Kept::DeadLetters, Kept::IdempotencyKeys, Kept::Workers, Kept::Tallies]
        {
            for _ in 0..ROUNDS {
                let Some(gone) = self.act(term, LONG, |connection| maintenance::forget(connection, kept))? else {
                    return Ok(None);
                };
                rows += gone;
                if gone < BATCH {
                    break;
                }
            }
        }
        if rows > 0 {
            tracing::info!(rows, "forgot what was old");
        }
        Ok(Some(()))
    }

    /// The engine's own connection writes it; that somebody else was faster is no fault.
    fn have_applied(&self, transition: Transition) {
        match self.runtime.block_on(self.shared.committer.apply(transition)) {
            Ok(_) | Err(Error::Fenced { .. } | Error::Conflict(_) | Error::NotFound(..)) => {}
            Err(error) => tracing::warn!(%error, "a run could not be ended; trying again soon"),
        }
    }

    fn jobs_are_ready(&self) {
        self.shared.work.ring();
        self.shared.notifier.send(vec![Hint::Jobs]);
    }

    fn act<T>(
        &mut self,
        term: &Term,
        patience: Patience,
        work: impl FnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<Option<T>> {
        leader::act(self.connection()?, term, patience, work)
    }

    fn connection(&mut self) -> Result<&mut PgConnection> {
        connected(&mut self.link, self.shared).map(|link| &mut link.connection)
    }

    /// The last thing: the next leader need not wait.
    fn leave(&mut self) {
        let (Some(office), Some(link)) = (self.office.take(), self.link.as_mut()) else { return };
        if let Err(error) = leader::give_up(&mut link.connection, &office.term) {
            tracing::debug!(%error, "the office of leader could not be given up; it is over by itself soon");
        }
    }
}

fn connected<'a>(link: &'a mut Option<Link>, shared: &Shared) -> Result<&'a mut Link> {
    match link {
        Some(open) => Ok(open),
        closed => Ok(closed.insert(Link { connection: shared.db.dedicated()?, since: Instant::now() })),
    }
}
