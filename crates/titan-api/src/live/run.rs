//! The stream of one run: its history, then what happens, then the end.
//!
//! The stream reads the database itself, a page at a time and only when the client has taken the last one, so that a slow
//! client costs no memory. Hints and heartbeats only wake it. What it sends is therefore always exactly the stored events,
//! each once and in order.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use futures_util::Stream;
use serde::Serialize;
use titan_core::events::{self, RunEvent};
use titan_core::runs::{self, Position};
use titan_core::state::RunStatus;
use tokio::sync::{OwnedSemaphorePermit, watch};
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

use super::hub::{Follower, RunNews};
use super::sse;
use crate::state::AppState;

/// Events that are read at a time, at most.
const PAGE: i64 = 500;
/// Bytes after which a page ends: so much may wait for a client that does not read. Only a single event may be larger.
const PAGE_BYTES: usize = 64 * 1024;
/// How often the database is looked into without being told to: while hints are heard, and while they are not.
const POLL: Duration = Duration::from_secs(5);
const POLL_WHILE_DEAF: Duration = Duration::from_millis(500);

/// A model is at work: the data of `event: heartbeat`, stored nowhere.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Heartbeat {
    pub run_id: Uuid,
    pub step: i16,
    pub attempt: i32,
    pub output_tokens: i64,
    pub at: DateTime<Utc>,
}

/// The run has ended and everything was sent: the data of `event: end`.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct StreamEnd {
    pub status: RunStatus,
}

/// Follows a run after the event with this number.
pub fn stream(
    state: Arc<AppState>,
    run_id: Uuid,
    after: i64,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    // Before the first look: what happens from here on is not missed.
    let follower = state.hub.follow(run_id);
    let listening = state.hub.listening();
    let now = Instant::now();
    let following = Following {
        state,
        run_id,
        after,
        page: PAGE,
        follower,
        listening,
        phase: Phase::Opening,
        look: true,
        looked: now,
        spoke: now,
        _permit: permit,
    };
    futures_util::stream::unfold(following, |mut following| async move {
        let bytes = following.next().await?;
        following.spoke = Instant::now();
        Some((Ok(bytes), following))
    })
}

#[derive(PartialEq)]
enum Phase {
    Opening,
    Following,
    Ended,
}

struct Following {
    state: Arc<AppState>,
    run_id: Uuid,
    after: i64,
    /// How many events are read next: about as many as can be sent, so that large ones are not read again and again.
    page: i64,
    follower: Follower,
    listening: watch::Receiver<bool>,
    phase: Phase,
    /// There may be something to read.
    look: bool,
    looked: Instant,
    spoke: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Following {
    /// The next bytes to send; `None` closes the stream.
    async fn next(&mut self) -> Option<Bytes> {
        match self.phase {
            Phase::Opening => {
                self.phase = Phase::Following;
                return Some(Bytes::from_static(sse::OPENING));
            }
            Phase::Ended => return None,
            Phase::Following => {}
        }
        loop {
            if self.look {
                self.looked = Instant::now();
                match self.read().await {
                    Ok((_, events)) if !events.is_empty() => return Some(self.render(&events)),
                    Ok((position, _)) if position.status.is_terminal() && self.after >= position.last_seq => {
                        self.phase = Phase::Ended;
                        return Some(sse::event("end", &StreamEnd { status: position.status }));
                    }
                    Ok(_) => self.look = false,
                    // Its project was deleted.
                    Err(titan_core::Error::NotFound(..)) => return None,
                    Err(error) => {
                        tracing::debug!(run.id = %self.run_id, %error, "a stream could not read; it tries again");
                        self.look = false;
                    }
                }
            }
            if let Some(bytes) = self.wait().await? {
                return Some(bytes);
            }
        }
    }

    /// Waits for a reason to look, or for something to send that needs no look. `None` when the server stops.
    async fn wait(&mut self) -> Option<Option<Bytes>> {
        let poll = if *self.listening.borrow_and_update() { POLL } else { POLL_WHILE_DEAF };
        let listening = self.listening.clone();
        let changed = async {
            let mut listening = listening;
            // The hub's end is the server's end, which is told apart below.
            if listening.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = self.state.stopping.cancelled() => None,
            news = self.follower.news.recv() => match news? {
                RunNews::Events { seq } => {
                    self.look = seq > self.after;
                    Some(None)
                }
                RunNews::Look => {
                    self.look = true;
                    Some(None)
                }
                RunNews::Beat { step, attempt, output_tokens } => {
                    let beat = Heartbeat { run_id: self.run_id, step, attempt, output_tokens, at: Utc::now() };
                    Some(Some(sse::event("heartbeat", &beat)))
                }
            },
            () = tokio::time::sleep_until(self.looked + poll) => {
                self.look = true;
                Some(None)
            }
            () = tokio::time::sleep_until(self.spoke + sse::KEEP_ALIVE) => {
                self.spoke = Instant::now();
                Some(Some(Bytes::from_static(sse::KEEP_ALIVE_COMMENT)))
            }
            () = changed => Some(None),
        }
    }

    async fn read(&self) -> titan_core::Result<(Position, Vec<RunEvent>)> {
        let (run_id, after, page) = (self.run_id, self.after, self.page);
        self.state
            .db
            .run(move |connection| {
                // In this order: events that come between are sent now and the end a look later.
                let position = runs::position(connection, run_id)?;
                Ok((position, events::after(connection, run_id, after, page)?))
            })
            .await
    }

    fn render(&mut self, events: &[RunEvent]) -> Bytes {
        let (mut out, mut sent) = (Vec::new(), 0);
        for event in events {
            sse::write(&mut out, Some(event.seq), "run_event", event);
            self.after = event.seq;
            sent += 1;
            if out.len() >= PAGE_BYTES {
                break;
            }
        }
        self.page = (sent * 2).min(PAGE);
        out.into()
    }
}
