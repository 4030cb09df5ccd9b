//! People who watch: each follows one run's stream from its first event to its end, and comes back with `Last-Event-ID`
//! whenever the stream breaks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use chrono::{DateTime, Utc};
use eventsource_stream::Eventsource as _;
use futures_util::StreamExt as _;
use serde_json::Value;
use tokio::runtime::Handle;
use uuid::Uuid;

/// A run is watched this long at most.
const PATIENCE: Duration = Duration::from_secs(120);
/// Keep-alives come more often.
const SILENCE: Duration = Duration::from_secs(40);
const BEFORE_AGAIN: Duration = Duration::from_millis(50);

/// What one of them saw.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    pub(crate) run: Uuid,
    /// The numbers of the events, as they came.
    pub(crate) seqs: Vec<i64>,
    /// How often the stream broke and was resumed.
    pub(crate) resumed: usize,
    pub(crate) ended: bool,
    pub(crate) finished: bool,
    /// The longest time from an event to its arrival, of those that happened while it was connected.
    pub(crate) latest: Duration,
}

/// All of them.
#[derive(Clone)]
pub(crate) struct Watchers {
    runtime: Handle,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Watchers {
    pub(crate) fn new(runtime: Handle) -> Self {
        Watchers { runtime, seen: Arc::default() }
    }

    /// One more.
    pub(crate) fn watch(&self, http: &reqwest::Client, api: &str, run: Uuid) {
        let place = {
            let mut all = self.lock();
            all.push(Seen { run, ..Seen::default() });
            all.len() - 1
        };
        let (own, http, url) = (self.clone(), http.clone(), format!("{api}/api/runs/{run}/events"));
        self.runtime.spawn(async move {
            let give_up = Instant::now() + PATIENCE;
            while Instant::now() < give_up && !own.lock()[place].ended {
                own.follow(&http, &url, place).await;
                if !own.lock()[place].ended {
                    own.lock()[place].resumed += 1;
                    tokio::time::sleep(BEFORE_AGAIN).await;
                }
            }
            own.lock()[place].finished = true;
        });
    }

    /// What they have seen so far.
    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.lock().clone()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Seen>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until the stream ends or breaks.
    async fn follow(&self, http: &reqwest::Client, url: &str, place: usize) {
        let last = self.lock()[place].seqs.last().copied();
        let mut request = http.get(url).header("accept", "text/event-stream");
        if let Some(seq) = last {
            request = request.header("last-event-id", seq.to_string());
        }
        let Ok(Ok(response)) = request.send().await.map(reqwest::Response::error_for_status) else { return };
        let there = Utc::now();
        let mut events = Box::pin(response.bytes_stream().eventsource());
        while let Ok(Some(Ok(event))) = tokio::time::timeout(SILENCE, events.next()).await {
            let mut all = self.lock();
            let seen = &mut all[place];
            match event.event.as_str() {
                "run_event" => {
                    let Ok(data) = serde_json::from_str::<Value>(&event.data) else { return };
                    seen.seqs.push(data["seq"].as_i64().unwrap_or(-1));
                    let at = data["at"].as_str().and_then(|at| at.parse::<DateTime<Utc>>().ok());
                    if let Some(late) = at.filter(|at| *at > there).and_then(|at| (Utc::now() - at).to_std().ok()) {
                        seen.latest = seen.latest.max(late);
                    }
                }
                "end" => {
                    seen.ended = true;
                    return;
                }
                _ => {}
            }
        }
    }
}
