//! Hears the database's hints once for the whole process and hands them to the streams that they concern.
//!
//! A hint that a slow stream has no room for is dropped: the stream looks into the database anyway when it is ready, and
//! learns more than the hint would have said.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use titan_core::queue::{Heard, Hint, Listener};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;
use utoipa::ToSchema;
use uuid::Uuid;

/// Streams that follow a run, at once.
pub const MOST_RUN_STREAMS: usize = 2_000;
/// Streams of change hints, at once.
pub const MOST_CHANGE_STREAMS: usize = 20_000;
/// News of a run that a stream may be behind.
const ROOM: usize = 16;
/// Batches of change hints that a stream may be behind before it is told to fetch everything again.
const CHANGES_ROOM: usize = 256;

/// Something changed: who shows it fetches it again. The data of `event: change`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct ChangeHint {
    /// `project`, `plan`, `task`, `run`, `output`, `memory`, `message`, `contact`, `document`, `offer`, `lead`, `preview`, `files`,
    /// `template`, `worker` or `queue`; the id is nil for the last one, and where many changed at once. Of a template it is that of
    /// its install, if that is what changed.
    pub kind: String,
    pub id: Uuid,
    pub project_id: Option<Uuid>,
    /// Set for a run.
    pub run_id: Option<Uuid>,
    /// The run has events up to this number.
    pub seq: Option<i64>,
}

/// What a follower of one run hears.
#[derive(Debug, Clone, Copy)]
pub enum RunNews {
    /// There are events up to this number.
    Events { seq: i64 },
    /// A model is at work.
    Beat { step: i16, attempt: i32, output_tokens: i64 },
    /// Something may have been missed.
    Look,
}

/// What a follower of changes hears.
#[derive(Debug, Clone)]
pub enum Changes {
    Hints(Arc<Vec<ChangeHint>>),
    Resync,
}

type Followers = HashMap<Uuid, Vec<(u64, mpsc::Sender<RunNews>)>>;

#[derive(Default)]
struct Runs {
    next: u64,
    followers: Followers,
}

struct Inner {
    runs: Mutex<Runs>,
    changes: broadcast::Sender<Changes>,
    listening: watch::Sender<bool>,
    run_streams: Arc<Semaphore>,
    change_streams: Arc<Semaphore>,
}

#[derive(Clone)]
pub struct Hub(Arc<Inner>);

/// Ends with the follower.
pub struct Follower {
    pub news: mpsc::Receiver<RunNews>,
    number: u64,
    run_id: Uuid,
    hub: Hub,
}

impl Hub {
    /// Begins to listen, until the token is cancelled.
    #[must_use]
    pub fn start(listener: Listener, stopping: CancellationToken) -> Self {
        let hub = Hub(Arc::new(Inner {
            runs: Mutex::default(),
            changes: broadcast::channel(CHANGES_ROOM).0,
            listening: watch::channel(false).0,
            run_streams: Arc::new(Semaphore::new(MOST_RUN_STREAMS)),
            change_streams: Arc::new(Semaphore::new(MOST_CHANGE_STREAMS)),
        }));
        let heard = listener.subscribe();
        let pump = hub.clone();
        tokio::spawn(async move {
            // The listener lives as long as somebody hears it.
            let _listener = listener;
            tokio::select! {
                () = pump.pump(heard) => {}
                () = stopping.cancelled() => {}
            }
        });
        hub
    }

    /// Follows a run from now on. Who wants its history too reads that afterwards, so that nothing falls between.
    #[must_use]
    pub fn follow(&self, run_id: Uuid) -> Follower {
        let (sender, news) = mpsc::channel(ROOM);
        let mut runs = self.runs();
        runs.next += 1;
        let number = runs.next;
        runs.followers.entry(run_id).or_default().push((number, sender));
        Follower { news, number, run_id, hub: self.clone() }
    }

    #[must_use]
    pub fn changes(&self) -> broadcast::Receiver<Changes> {
        self.0.changes.subscribe()
    }

    /// Whether hints are being heard; otherwise streams must look by themselves.
    #[must_use]
    pub fn listening(&self) -> watch::Receiver<bool> {
        self.0.listening.subscribe()
    }

    /// A place for one more stream of a run, given back when it is dropped.
    #[must_use]
    pub fn run_stream(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.run_streams).try_acquire_owned().ok()
    }

    /// The same for a stream of changes.
    #[must_use]
    pub fn change_stream(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.change_streams).try_acquire_owned().ok()
    }

    async fn pump(&self, mut heard: broadcast::Receiver<Heard>) {
        loop {
            match heard.recv().await {
                Ok(Heard::Hints(hints)) => {
                    self.0.listening.send_if_modified(|listening| !std::mem::replace(listening, true));
                    self.hand_out(&hints);
                }
                Ok(Heard::Connected) => {
                    self.0.listening.send_replace(true);
                    self.resync();
                }
                Ok(Heard::Lost) => {
                    self.0.listening.send_replace(false);
                }
                Err(RecvError::Lagged(_)) => self.resync(),
                Err(RecvError::Closed) => return,
            }
        }
    }

    fn hand_out(&self, hints: &[Hint]) {
        let mut changes = Vec::new();
        {
            let runs = self.runs();
            for hint in hints {
                match hint {
                    Hint::Run { id, project_id, seq, .. } => {
                        tell(&runs.followers, *id, RunNews::Events { seq: *seq });
                        changes.push(ChangeHint {
                            kind: "run".to_owned(),
                            id: *id,
                            project_id: Some(*project_id),
                            run_id: Some(*id),
                            seq: Some(*seq),
                        });
                    }
                    Hint::Beat { run_id, step, attempt, output_tokens } => {
                        let beat = RunNews::Beat { step: *step, attempt: *attempt, output_tokens: *output_tokens };
                        tell(&runs.followers, *run_id, beat);
                    }
                    Hint::Change { kind, id, project_id } => changes.push(ChangeHint {
                        kind: kind.clone(),
                        id: *id,
                        project_id: *project_id,
                        run_id: None,
                        seq: None,
                    }),
                    // For workers only.
                    Hint::Jobs | Hint::Cancel { .. } => {}
                }
            }
        }
        if !changes.is_empty() {
            // Nobody may be following; that is no error.
            let _ = self.0.changes.send(Changes::Hints(Arc::new(changes)));
        }
    }

    fn resync(&self) {
        let runs = self.runs();
        for id in runs.followers.keys() {
            tell(&runs.followers, *id, RunNews::Look);
        }
        let _ = self.0.changes.send(Changes::Resync);
    }

    fn runs(&self) -> MutexGuard<'_, Runs> {
        // Nothing that holds this lock can leave it half changed.
        self.0.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(followers: &Followers, run_id: Uuid, news: RunNews) {
    for (_, follower) in followers.get(&run_id).into_iter().flatten() {
        let _ = follower.try_send(news);
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        let mut runs = self.hub.runs();
        if let Some(followers) = runs.followers.get_mut(&self.run_id) {
            followers.retain(|(number, _)| *number != self.number);
            if followers.is_empty() {
                runs.followers.remove(&self.run_id);
            }
        }
    }
}
