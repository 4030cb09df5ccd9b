//! The sign of life, and what is heard back: runs to stop, jobs that were lost, and strays, which are jobs that the
//! database thinks this worker has and nobody here knows of (the answer to a claim was lost).
//!
//! The connection is this thread's own and leads around a pooler. While it stands it holds the worker's lock, and the
//! worker beats on it three times a second: with both gone everybody knows that the process is dead. So when it breaks it
//! is made again at once. Where every way leads through a pooler, or the way around it is closed, there is no lock, and the
//! lease decides.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret as _, SecretString};
use titan_core::db::PgConnection;
use titan_core::meter::{Meter, Snapshot};
use titan_core::queue::{self, Hint};
use titan_core::workers::{self, Beat, Pulse};
use titan_core::{Error, Result};

use crate::bell::Bell;
use crate::in_hand::Key;
use crate::outage::Outage;
use crate::shared::Shared;
use crate::stop::StopReason;

/// Three beats fit into the second after which a worker without its lock counts as gone.
const BEAT: Duration = Duration::from_millis(300);
/// The fuller beat, and the only one when there is no lock.
const PULSE: Duration = Duration::from_secs(1);
/// After a failure: at once, then after these pauses.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_millis(200);
/// How often a way around the pooler that is closed is tried again: each try may cost the time of several beats.
const DIRECT_EVERY: Duration = Duration::from_secs(10);
/// A worker that cannot beat claims nothing: its jobs would be taken from it again and again, and look as if they killed it.
const SILENCE: Duration = Duration::from_secs(1);
/// Where the lease decides; it is at least two seconds.
const SILENCE_WITHOUT_LOCK: Duration = Duration::from_millis(1900);
const LOG_EVERY: Duration = Duration::from_secs(60);

/// `direct` is the address at which a session is Postgres's own, if there is one.
pub(crate) fn run(shared: &Shared, bell: &Bell, direct: Option<SecretString>) {
    let mut heart = Heart::new(shared, direct);
    let outage = Outage::new("heartbeat");
    let mut log = Log::new();
    loop {
        let pause = match heart.beat(shared) {
            Ok(()) => {
                outage.worked();
                if !shared.pulse.beaten(heart.silence()) {
                    shared.look_for_work();
                }
                heart.rhythm()
            }
            Err(error) => {
                outage.failed(&error);
                heart.broken()
            }
        };
        log.now_and_then(shared);
        if !bell.wait(pause) {
            return;
        }
    }
}

struct Heart {
    direct: Option<SecretString>,
    /// `DATABASE_URL` is another way to the database, which may do while the direct one is closed.
    detour: bool,
    connection: Option<PgConnection>,
    is_direct: bool,
    next_direct: Instant,
    direct_outage: Outage,
    /// The connection holds the worker's lock.
    locked: bool,
    next_pulse: Instant,
    said_stopping: bool,
    /// What looked like a stray at the last pulse.
    strays: HashMap<Key, u64>,
    /// Grows while the database is away.
    pause: Duration,
}

impl Heart {
    fn new(shared: &Shared, direct: Option<SecretString>) -> Self {
        let detour = direct.as_ref().is_some_and(|url| url.expose_secret() != shared.db.url().expose_secret());
        Heart {
            direct,
            detour,
            connection: None,
            is_direct: false,
            next_direct: Instant::now(),
            direct_outage: Outage::new("the worker's lock at DATABASE_DIRECT_URL"),
            locked: false,
            next_pulse: Instant::now(),
            said_stopping: false,
            strays: HashMap::new(),
            pause: Duration::ZERO,
        }
    }

    fn rhythm(&mut self) -> Duration {
        self.pause = Duration::ZERO;
        if self.is_direct { BEAT } else { PULSE }
    }

    /// How long after a beat jobs may still be claimed: before anybody could think that this worker is gone.
    fn silence(&self) -> Duration {
        if self.locked { SILENCE } else { SILENCE_WITHOUT_LOCK }
    }

    fn broken(&mut self) -> Duration {
        self.connection = None;
        self.locked = false;
        let pause = self.pause;
        self.pause = (self.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
        pause
    }

    fn beat(&mut self, shared: &Shared) -> Result<()> {
        self.connect(shared)?;
        let lock_key = self.hold_lock(shared)?;
        let stopping = shared.stopping.load(Ordering::SeqCst);
        if Instant::now() < self.next_pulse && stopping == self.said_stopping {
            let known =
                self.ask(shared, |connection| workers::sign_of_life(connection, shared.worker_id(), lock_key))?;
            return if known { Ok(()) } else { self.register(shared) };
        }
        self.pulse(shared, lock_key, stopping)?;
        self.said_stopping = stopping;
        self.next_pulse = Instant::now() + PULSE;
        Ok(())
    }

    fn connect(&mut self, shared: &Shared) -> Result<()> {
        let Some(url) = self.direct.as_ref().filter(|_| !(self.connection.is_some() && self.is_direct)) else {
            return self.take_the_detour(shared);
        };
        if self.detour && Instant::now() < self.next_direct {
            return self.take_the_detour(shared);
        }
        match workers::connect_to_beat(url) {
            Ok(connection) => {
                (self.connection, self.is_direct, self.locked) = (Some(connection), true, false);
                self.direct_outage.worked();
                Ok(())
            }
            Err(error) if self.detour => {
                self.direct_outage.failed(&error);
                self.next_direct = Instant::now() + DIRECT_EVERY;
                self.take_the_detour(shared)
            }
            Err(error) => Err(error),
        }
    }

    /// Any connection will do to beat on.
    fn take_the_detour(&mut self, shared: &Shared) -> Result<()> {
        if self.connection.is_none() {
            (self.connection, self.is_direct) = (Some(shared.db.dedicated()?), false);
        }
        Ok(())
    }

    /// The worker's lock, when this connection has it. Somebody else may for a while: a session of this worker's that broke
    /// and that Postgres still believes in, or a rescuer. The beats go on meanwhile.
    fn hold_lock(&mut self, shared: &Shared) -> Result<Option<i64>> {
        if !self.is_direct {
            return Ok(None);
        }
        let key = workers::lock_key(shared.worker_id());
        if !self.locked {
            self.locked = workers::hold_lock(self.connection()?, key)?;
        }
        Ok(self.locked.then_some(key))
    }

    fn pulse(&mut self, shared: &Shared, lock_key: Option<i64>, stopping: bool) -> Result<()> {
        // Asked before the database is: what is claimed after this moment cannot be missing from its answer.
        let held_before = shared.in_hand.keys();
        let (current_tasks, runs) = shared.in_hand.tasks_and_runs();
        let beat = Beat {
            stopping,
            running: i32::try_from(held_before.len()).unwrap_or(i32::MAX),
            current_tasks,
            runs,
            lock_key,
            queues: shared.slots.queues(),
            stats: Meter::get().snapshot(),
        };
        let (known, pulse) = self.ask(shared, |connection| workers::beat(connection, shared.worker_id(), &beat))?;
        if !known {
            self.register(shared)?;
        }
        follow(shared, &pulse, &held_before);
        shared.committer.in_a_fleet_of(usize::try_from(pulse.fleet).unwrap_or(1));
        self.release_strays(shared, &pulse)
    }

    fn register(&mut self, shared: &Shared) -> Result<()> {
        tracing::warn!(worker.id = %shared.worker_id(), "this worker was forgotten; registering again");
        self.ask(shared, |connection| workers::register(connection, &shared.registration))
    }

    /// Gives back what is claimed and not in the hand, once every claim is over that may be just handing it over.
    fn release_strays(&mut self, shared: &Shared, pulse: &Pulse) -> Result<()> {
        let settled = |key: &Key| self.strays.get(key).is_some_and(|number| shared.claims.over_before(*number));
        let settled: HashSet<Key> = pulse.held.iter().copied().filter(settled).collect();
        // In this order: what a claim that is over has brought is in the hand by now.
        let in_hand = shared.in_hand.keys();
        let next = shared.claims.next();
        let unknown = pulse.held.iter().filter(|key| !in_hand.contains(key));
        let unknown: HashMap<Key, u64> =
            unknown.map(|key| (*key, self.strays.get(key).copied().unwrap_or(next))).collect();
        let strays: Vec<Key> = unknown.keys().filter(|key| settled.contains(key)).copied().collect();
        self.strays = unknown;
        if strays.is_empty() {
            return Ok(());
        }
        let released = self.ask(shared, |connection| queue::release(connection, shared.worker_id(), &strays))?;
        tracing::warn!(jobs = ?strays, released, "gave back jobs that were claimed but never arrived here");
        shared.notifier.send(vec![Hint::Jobs]);
        Ok(())
    }

    fn ask<T>(&mut self, shared: &Shared, query: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
        let is_direct = self.is_direct;
        let connection = self.connection()?;
        if is_direct { query(connection) } else { shared.db.on(connection, query) }
    }

    fn connection(&mut self) -> Result<&mut PgConnection> {
        self.connection.as_mut().ok_or_else(|| Error::Unavailable("not connected".to_owned()))
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

/// A line a minute.
struct Log {
    last: Instant,
    before: Snapshot,
}

impl Log {
    fn new() -> Self {
        Log { last: Instant::now(), before: Meter::get().snapshot() }
    }

    fn now_and_then(&mut self, shared: &Shared) {
        if self.last.elapsed() < LOG_EVERY {
            return;
        }
        let now = Meter::get().snapshot();
        tracing::info!(
            worker.id = %shared.worker_id(), slots = shared.registration.slots, running = shared.in_hand.len(),
            claimed = now.claimed - self.before.claimed, finished = now.finished - self.before.finished, "worker alive"
        );
        *self = Log { last: Instant::now(), before: now };
    }
}
