//! The sign of life each second, and what is heard back: runs to stop, jobs that were lost, and strays, which are jobs that
//! the database thinks this worker has and nobody here knows of (the answer to a claim was lost).

use std::collections::HashSet;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use titan_core::Result;
use titan_core::db::{Db, PgConnection};
use titan_core::meter::Meter;
use titan_core::queue::{self, Hint};
use titan_core::workers::{self, Beat, Pulse};

use crate::bell::Bell;
use crate::in_hand::Key;
use crate::outage::Outage;
use crate::shared::Shared;
use crate::stop::StopReason;

const EVERY: Duration = Duration::from_secs(1);
const LOG_EVERY: Duration = Duration::from_secs(60);

pub(crate) fn run(shared: &Shared, bell: &Bell) {
    let mut heart = Heart { connection: None, suspects: HashSet::new(), outage: Outage::new("heartbeat") };
    let mut logged = Instant::now();
    let mut before = Meter::get().snapshot();
    while bell.wait(EVERY) {
        match heart.beat(shared) {
            Ok(()) => heart.outage.worked(),
            Err(error) => {
                heart.outage.failed(&error);
                heart.connection = None;
            }
        }
        if logged.elapsed() >= LOG_EVERY {
            logged = Instant::now();
            let now = Meter::get().snapshot();
            tracing::info!(
                worker.id = %shared.worker_id(), slots = shared.registration.slots, running = shared.in_hand.len(),
                claimed = now.claimed - before.claimed, finished = now.finished - before.finished, "worker alive"
            );
            before = now;
        }
    }
}

struct Heart {
    connection: Option<PgConnection>,
    /// What looked like a stray at the last beat.
    suspects: HashSet<Key>,
    outage: Outage,
}

impl Heart {
    fn beat(&mut self, shared: &Shared) -> Result<()> {
        // Asked before the database is: what is claimed after this moment cannot be missing from its answer.
        let held_before = shared.in_hand.keys();
        let (current_tasks, runs) = shared.in_hand.tasks_and_runs();
        let beat = Beat {
            stopping: shared.stopping.load(Ordering::SeqCst),
            running: i32::try_from(held_before.len()).unwrap_or(i32::MAX),
            current_tasks,
            runs,
        };
        let connection = connected(&mut self.connection, &shared.db)?;
        let (known, pulse) = workers::beat(connection, shared.worker_id(), &beat)?;
        if !known {
            tracing::warn!(worker.id = %shared.worker_id(), "this worker was forgotten; registering again");
            workers::register(connection, &shared.registration)?;
        }
        follow(shared, &pulse, &held_before);
        self.release_strays(shared, &pulse)
    }

    /// Gives back what has looked like a stray twice in a row: once may be a claim whose jobs are just being handed over.
    fn release_strays(&mut self, shared: &Shared, pulse: &Pulse) -> Result<()> {
        if shared.claiming.load(Ordering::SeqCst) > 0 {
            self.suspects.clear();
            return Ok(());
        }
        let in_hand = shared.in_hand.keys();
        let unknown: HashSet<Key> = pulse.held.iter().copied().filter(|key| !in_hand.contains(key)).collect();
        let strays: Vec<Key> = unknown.intersection(&self.suspects).copied().collect();
        self.suspects = unknown;
        if strays.is_empty() {
            return Ok(());
        }
        let released = queue::release(connected(&mut self.connection, &shared.db)?, shared.worker_id(), &strays)?;
        tracing::warn!(jobs = ?strays, released, "gave back jobs that were claimed but never arrived here");
        shared.notifier.send(vec![Hint::Jobs]);
        Ok(())
    }
}

fn follow(shared: &Shared, pulse: &Pulse, held_before: &HashSet<Key>) {
    for run_id in &pulse.canceled_runs {
        shared.in_hand.stop_run(*run_id, StopReason::Canceled);
    }
    let ours: HashSet<Key> = pulse.held.iter().copied().collect();
    for (job_id, epoch) in shared.in_hand.stop_lost(held_before, &ours) {
        tracing::warn!(job.id = job_id, job.epoch = epoch, "lost: another worker has it, or its run has ended");
    }
}

fn connected<'a>(connection: &'a mut Option<PgConnection>, db: &Db) -> Result<&'a mut PgConnection> {
    match connection {
        Some(open) => Ok(open),
        closed => Ok(closed.insert(db.dedicated()?)),
    }
}
