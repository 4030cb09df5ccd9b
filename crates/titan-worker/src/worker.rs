//! Starting and stopping a worker. The daemon runs one; a test may run several in its own process.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use chrono::TimeDelta;
use titan_core::blobs::Blobs;
use titan_core::config::{BEYOND_GRACE, Config};
use titan_core::db::Db;
use titan_core::engine::{Committer, Intake, Transition};
use titan_core::queue::{self, Hint, Listener, Notifier};
use titan_core::workers::{self, Registration};
use titan_core::{daemon, ids, memories};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::task::{AbortOnDropHandle, TaskTracker};
use uuid::Uuid;

use crate::bell::Bell;
use crate::claims::Claims;
use crate::handler::Registry;
use crate::in_hand::InHand;
use crate::outage::Outage;
use crate::pulse::Pulse;
use crate::shared::Shared;
use crate::slots::Slots;
use crate::stop::StopReason;
use crate::{agents, heartbeat, hints, leftovers, maintenance, poll};

/// Connections for the reads of handlers; claims, heartbeats, maintenance and commits have their own.
const POOL: u32 = 8;
const COMMITTERS: usize = 2;
/// After the grace: how long jobs have to notice that they are handed back, and the database to hear the last words.
const HAND_BACK: Duration = Duration::from_secs(7);
const LAST_WORDS: Duration = Duration::from_secs(3);
const _: () = assert!(2 * LAST_WORDS.as_secs() + HAND_BACK.as_secs() < BEYOND_GRACE.as_secs());

pub struct Worker;

/// A running worker. Dropping it without [`WorkerHandle::stop`] is like a crash: its jobs are rescued by others.
pub struct WorkerHandle {
    shared: Arc<Shared>,
    heart: Arc<Bell>,
    maintenance: Arc<Bell>,
    threads: Vec<JoinHandle<()>>,
    _tasks: Vec<AbortOnDropHandle<()>>,
    _listener: Listener,
}

impl Worker {
    /// Registers, and begins to claim whatever its handlers can do. Call it within a tokio runtime.
    ///
    /// # Errors
    /// When the database does not answer, or the operating system refuses a thread.
    pub async fn start(config: &Config, handlers: Registry) -> anyhow::Result<WorkerHandle> {
        start(config, handlers, None).await
    }

    /// A worker that claims the jobs of one run only. It names no kinds, so that nobody counts on it for other work.
    ///
    /// # Errors
    /// As above.
    pub async fn start_for_run(config: &Config, handlers: Registry, run_id: Uuid) -> anyhow::Result<WorkerHandle> {
        start(config, handlers, Some(run_id)).await
    }
}

async fn start(config: &Config, handlers: Registry, only_run: Option<Uuid>) -> anyhow::Result<WorkerHandle> {
    let db = Db::of(config, POOL)?;
    let notifier = Notifier::start(&db)?;
    let committer = Committer::start(&db, &notifier, COMMITTERS)?;
    let blobs = Blobs::of(db.clone(), &config.blobs.store)?;
    let sandbox = match handlers.workshop() {
        Some(workshop) if only_run.is_none() => Some(workshop.describe().await),
        _ => None,
    };
    let registration = Registration { sandbox, ..registration(config, &handlers, only_run) };
    let row = registration.clone();
    db.run(move |connection| workers::register(connection, &row)).await.context("the worker could not register")?;
    let shared = Arc::new_cyclic(|me| Shared {
        me: me.clone(),
        registration,
        db,
        blobs,
        committer,
        notifier,
        slots: Slots::new(config.worker_slots, first_queues(config, only_run)),
        pulse: Pulse::default(),
        kinds: handlers.kinds().into(),
        handlers,
        lease: config.lease,
        grace: config.grace,
        only_run,
        keeps_to: config.worker_queues.clone(),
        in_hand: InHand::default(),
        jobs: TaskTracker::new(),
        runtime: Handle::current(),
        claims: Claims::default(),
        claiming: Outage::new("claiming jobs"),
        stopping: AtomicBool::new(false),
    });
    let intake: Arc<dyn Intake> = shared.clone();
    shared.committer.feed(Arc::downgrade(&intake))?;
    let listener = if config.listen { Listener::start(&config.database_direct_url) } else { Listener::deaf() };
    let mut tasks = vec![
        AbortOnDropHandle::new(tokio::spawn(hints::hear(Arc::clone(&shared), listener.subscribe()))),
        AbortOnDropHandle::new(tokio::spawn(poll::run(Arc::clone(&shared)))),
    ];
    if let Some(models) = shared.handlers.models() {
        let db = shared.db.clone();
        tasks.push(AbortOnDropHandle::new(tokio::spawn(async move {
            agents::publish(&db).await;
            models.keep_published(&db).await;
        })));
    }
    if shared.handlers.get(memories::EMBED).is_some() && only_run.is_none() {
        let committer = shared.committer.clone();
        // Memories from before there was a model for it, or from that of another.
        tasks.push(AbortOnDropHandle::new(tokio::spawn(async move {
            if let Err(error) =
                committer.apply(Transition::Enqueue(vec![memories::embed_missing(TimeDelta::zero())])).await
            {
                tracing::debug!(%error, "memories without an embedding wait for the next one that is written");
            }
        })));
    }
    if only_run.is_none() {
        for chore in shared.handlers.chores() {
            let db = shared.db.clone();
            tasks.push(AbortOnDropHandle::new(tokio::spawn(async move { chore.keep_on(db).await })));
        }
        tasks.push(AbortOnDropHandle::new(tokio::spawn(leftovers::keep_clear(
            shared.db.clone(),
            config.data_dir.clone(),
        ))));
    }
    let mut handle = WorkerHandle {
        shared: Arc::clone(&shared),
        heart: Arc::default(),
        maintenance: Arc::default(),
        threads: Vec::new(),
        _tasks: tasks,
        _listener: listener,
    };
    let runtime = Handle::current();
    let (of_heart, bell, direct) = (Arc::clone(&shared), Arc::clone(&handle.heart), config.direct().cloned());
    handle.thread("heartbeat", move || heartbeat::run(&of_heart, &bell, direct))?;
    let (kept, bell) = (Arc::clone(&shared), Arc::clone(&handle.maintenance));
    let keep = maintenance::Keep {
        history_days: config.history_days,
        memory_days: config.memory.retention_days,
        blobs: config.blobs.grace,
    };
    handle.thread("maintenance", move || maintenance::run(&kept, &bell, &runtime, keep))?;
    let worker = shared.registration.clone();
    tracing::info!(worker.id = %worker.id, worker.name, slots = config.worker_slots, kinds = ?worker.kinds, "worker started");
    Ok(handle)
}

/// Those that it was told to keep to; else the first look tells which there are. A single run is a queue of its own.
fn first_queues(config: &Config, only_run: Option<Uuid>) -> Vec<String> {
    only_run.map_or_else(|| config.worker_queues.clone(), |run_id| vec![run_id.to_string()])
}

fn registration(config: &Config, handlers: &Registry, only_run: Option<Uuid>) -> Registration {
    Registration {
        id: ids::new(),
        name: config.worker_name.clone(),
        host: daemon::host_name(),
        pid: i32::try_from(std::process::id()).unwrap_or(0),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        kinds: match only_run {
            None => handlers.kinds(),
            Some(_) => Vec::new(),
        },
        slots: i32::try_from(config.worker_slots).unwrap_or(i32::MAX),
        lease_ms: i64::try_from(config.lease.as_millis()).unwrap_or(i64::MAX),
        sandbox: None,
    }
}

impl WorkerHandle {
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.shared.worker_id()
    }

    /// How many jobs it holds.
    #[must_use]
    pub fn running(&self) -> usize {
        self.shared.in_hand.len()
    }

    /// Stops in order: claims nothing more, lets what runs finish for up to `grace`, hands the rest back, and says that it
    /// is gone.
    pub async fn stop(mut self, grace: Duration) {
        let shared = Arc::clone(&self.shared);
        shared.stopping.store(true, Ordering::SeqCst);
        shared.slots.close();
        self.heart.ring();
        // A claim that is under way still brings its jobs.
        let _ = timeout(LAST_WORDS, async {
            while !shared.claims.all_over() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        })
        .await;
        shared.jobs.close();
        if timeout(grace, shared.jobs.wait()).await.is_err() {
            tracing::info!(running = shared.in_hand.len(), "the grace period is over; handing back what still runs");
            shared.in_hand.stop_all(StopReason::Shutdown);
            if timeout(HAND_BACK, shared.jobs.wait()).await.is_err() {
                release_all(&shared).await;
            }
        }
        self.maintenance.close();
        self.heart.close();
        self.join("maintenance").await;
        self.join("heartbeat").await;
        let id = shared.worker_id();
        match timeout(LAST_WORDS, shared.db.run(move |connection| workers::stopped(connection, id))).await {
            Ok(Ok(())) => tracing::info!(worker.id = %id, "worker stopped"),
            _ => tracing::warn!(worker.id = %id, "worker stopped, but the database could not be told"),
        }
    }

    fn thread(&mut self, name: &'static str, run: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(run);
        self.threads.push(thread.with_context(|| format!("no thread for the {name}"))?);
        Ok(())
    }

    /// Waits for a thread that was told to end; not for ever, since it may be waiting for a database that is away.
    async fn join(&mut self, name: &str) {
        let Some(at) = self.threads.iter().position(|thread| thread.thread().name() == Some(name)) else { return };
        let thread = self.threads.swap_remove(at);
        let joined = timeout(LAST_WORDS, tokio::task::spawn_blocking(move || thread.join())).await;
        if !matches!(joined, Ok(Ok(Ok(())))) {
            tracing::warn!(thread = name, "a thread did not end in order");
        }
    }
}

impl Drop for WorkerHandle {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        self.shared.slots.close();
        self.heart.close();
        self.maintenance.close();
        self.shared.in_hand.stop_all(StopReason::Lost);
    }
}

/// For handlers that would not return: their claims are withdrawn, so nothing that they still do counts.
async fn release_all(shared: &Shared) {
    let (id, jobs) = (shared.worker_id(), shared.in_hand.keys().into_iter().collect::<Vec<_>>());
    let count = jobs.len();
    match timeout(LAST_WORDS, shared.db.run(move |connection| queue::release(connection, id, &jobs))).await {
        Ok(Ok(_)) => shared.notifier.send(vec![Hint::Jobs]),
        _ => tracing::warn!(count, "jobs could not be handed back; they are rescued when the lease ends"),
    }
}
