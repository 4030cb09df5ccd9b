//! The thread that leads, or waits to lead. All workers look several times a second whether the office of leader is
//! vacant; the one that has it does what must happen from time to time, each service in a transaction of its own, so that
//! one that fails does not hold up the others. How a service works is `titan-core`'s.
//!
//! Idle, a look is one or two small reads that lock nothing. A transaction is begun only when there is something to do.

mod services;

use std::time::{Duration, Instant};

use titan_core::Result;
use titan_core::db::PgConnection;
use titan_core::queue::maintenance::leader::{self, Patience, Term};
use titan_core::queue::maintenance::{self, Speed};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use crate::bell::Bell;
use crate::outage::Outage;
use crate::shared::Shared;

use services::{SERVICES, Service};

const LOOK: Duration = Duration::from_millis(250);
/// A job that is due sooner than the next look is waited for, but not in smaller steps than this.
const SHORTEST: Duration = Duration::from_millis(5);
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// After connecting nobody is judged for this long: whoever was cut off may have been cut off together with the others.
const GRACE: Duration = Duration::from_secs(1);
/// What is done once an hour and failed is tried again after this.
const AGAIN: Duration = Duration::from_secs(60);

/// For how long what is stored.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Keep {
    pub(crate) history_days: i32,
    pub(crate) memory_days: Option<i32>,
    /// What nothing names is kept in the store of blobs for so long.
    pub(crate) blobs: Duration,
}

pub(crate) fn run(shared: &Shared, bell: &Bell, runtime: &tokio::runtime::Handle, keep: Keep) {
    let mut keeper = Keeper { shared, runtime, keep, link: None, office: None, collecting: None };
    let outage = Outage::new("maintenance");
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
    keep: Keep,
    link: Option<Link>,
    office: Option<Office>,
    /// Goes on beside the looks, since a store outside may take its time.
    collecting: Option<AbortOnDropHandle<()>>,
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
        if self.office.is_none() && self.ask(leader::vacant)? {
            let speed = connected(&mut self.link, self.shared)?.speed();
            let taken = self.ask(|connection| leader::take(connection, worker_id, speed))?;
            self.office = taken.map(|term| {
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
            if !self.ask(|connection| leader::renew(connection, &office.term))? {
                return Ok(Err(Replaced));
            }
            office.renewed = Instant::now();
        }
        let sleepers = self.ask(maintenance::sleepers)?;
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

    fn act<T>(
        &mut self,
        term: &Term,
        patience: Patience,
        work: impl FnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<Option<T>> {
        self.ask(|connection| leader::act(connection, term, patience, work))
    }

    fn ask<T>(&mut self, query: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
        let link = connected(&mut self.link, self.shared)?;
        self.shared.db.on(&mut link.connection, query)
    }

    /// The last thing: the next leader need not wait.
    fn leave(&mut self) {
        let (Some(office), Some(_)) = (self.office.take(), &self.link) else { return };
        if let Err(error) = self.ask(|connection| leader::give_up(connection, &office.term)) {
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
