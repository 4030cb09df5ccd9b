//! What any worker may do for all: wake what slept, rescue what was lost, end what nobody ends, and tidy up. Usually one
//! worker does it, because the others find its lock taken; every action is harmless when two do it.

use std::time::{Duration, Instant};

use titan_core::db::PgConnection;
use titan_core::engine::{ForceCancel, Quarantine, Transition};
use titan_core::queue::{self, Hint, Rescued};
use titan_core::{Error, Result};

use crate::bell::Bell;
use crate::outage::Outage;
use crate::shared::Shared;

const EVERY: Duration = Duration::from_millis(500);
const FOLD_EVERY: Duration = Duration::from_secs(1);
const CANCELS_EVERY: Duration = Duration::from_secs(5);
const TIDY_EVERY: Duration = Duration::from_secs(3600);

pub(crate) fn run(shared: &Shared, bell: &Bell, runtime: &tokio::runtime::Handle) {
    let mut upkeep = Upkeep {
        shared,
        runtime,
        connection: None,
        fold: Due::every(FOLD_EVERY),
        cancels: Due::every(CANCELS_EVERY),
        tidy: Due::every(TIDY_EVERY),
    };
    let outage = Outage::new("upkeep");
    loop {
        match upkeep.once() {
            Ok(()) => outage.worked(),
            Err(error) => {
                outage.failed(&error);
                upkeep.connection = None;
            }
        }
        if !bell.wait(EVERY) {
            return;
        }
    }
}

/// When something was done last, and how often it is to be done.
struct Due {
    every: Duration,
    next: Instant,
}

impl Due {
    fn every(every: Duration) -> Self {
        Self { every, next: Instant::now() }
    }

    fn now(&mut self) -> bool {
        let due = Instant::now() >= self.next;
        if due {
            self.next = Instant::now() + self.every;
        }
        due
    }
}

struct Upkeep<'a> {
    shared: &'a Shared,
    runtime: &'a tokio::runtime::Handle,
    connection: Option<PgConnection>,
    fold: Due,
    cancels: Due,
    tidy: Due,
}

/// What one look at the queue found.
struct Found {
    promoted: usize,
    rescued: Vec<Rescued>,
    overdue: Vec<Rescued>,
    poisoned: Vec<Quarantine>,
}

impl Upkeep<'_> {
    /// Each part is a transaction of its own, so that one that fails does not hold up the others for ever.
    fn once(&mut self) -> Result<()> {
        let queue = self.look_after_queue();
        let fold = if self.fold.now() { self.alone("counters", queue::fold_counters).map(|_| ()) } else { Ok(()) };
        let cancels = if self.cancels.now() { self.end_overdue_cancels() } else { Ok(()) };
        let tidy = if self.tidy.now() { self.tidy_up() } else { Ok(()) };
        queue.and(fold).and(cancels).and(tidy)
    }

    fn look_after_queue(&mut self) -> Result<()> {
        let found = self.alone("queue", |connection| {
            Ok(Found {
                promoted: queue::promote(connection)?,
                rescued: queue::rescue(connection)?,
                overdue: queue::rescue_overdue(connection)?,
                poisoned: queue::poisoned(connection)?,
            })
        })?;
        let Some(found) = found else { return Ok(()) };
        for job in &found.rescued {
            tracing::warn!(job.id = job.id, worker.id = %job.worker_id, "rescued: its worker was silent for too long");
        }
        for job in &found.overdue {
            tracing::warn!(job.id = job.id, worker.id = %job.worker_id, "rescued: its handler hung beyond its deadline");
        }
        for quarantine in found.poisoned {
            tracing::error!(
                job.id = quarantine.job_id, run.id = %quarantine.run_id, rescues = quarantine.rescues,
                "quarantined: this job has lost too many workers"
            );
            self.have_applied(Transition::Quarantine(quarantine));
        }
        if found.promoted + found.rescued.len() + found.overdue.len() > 0 {
            self.shared.look_for_work();
            self.shared.notifier.send(vec![Hint::Jobs]);
        }
        Ok(())
    }

    fn end_overdue_cancels(&mut self) -> Result<()> {
        let grace = i64::try_from(self.shared.grace.as_millis()).unwrap_or(i64::MAX);
        let overdue = self.alone("cancels", |connection| queue::overdue_cancels(connection, grace))?;
        for ForceCancel { run_id } in overdue.unwrap_or_default() {
            tracing::warn!(run.id = %run_id, "canceled by force: no worker ended it in time");
            self.have_applied(Transition::ForceCancel(ForceCancel { run_id }));
        }
        Ok(())
    }

    fn tidy_up(&mut self) -> Result<()> {
        let connection = self.connection()?;
        let forgotten = queue::forget(connection)?;
        let partitions = queue::prepare_partitions(connection)?;
        if partitions + forgotten > 0 {
            tracing::info!(partitions, forgotten, "tidied up");
        }
        Ok(())
    }

    /// The engine's own connection writes it; that somebody else was faster is no fault.
    fn have_applied(&self, transition: Transition) {
        match self.runtime.block_on(self.shared.committer.apply(transition)) {
            Ok(_) | Err(Error::Fenced { .. } | Error::Conflict(_) | Error::NotFound(..)) => {}
            Err(error) => tracing::warn!(%error, "a run could not be ended; trying again soon"),
        }
    }

    fn alone<T>(&mut self, what: &str, work: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<Option<T>> {
        queue::alone(self.connection()?, what, work)
    }

    fn connection(&mut self) -> Result<&mut PgConnection> {
        match &mut self.connection {
            Some(open) => Ok(open),
            closed => Ok(closed.insert(self.shared.db.dedicated()?)),
        }
    }
}
