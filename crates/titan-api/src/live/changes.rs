//! The stream of change hints: no history, no payload, only "look at this again". Where hints may have been missed, or
//! cannot be heard at all, it says `resync`.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::Stream;
use serde::Serialize;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, broadcast, watch};
use tokio::time::Instant;
use utoipa::ToSchema;
use uuid::Uuid;

use super::hub::{ChangeHint, Changes};
use super::sse;
use crate::state::AppState;

/// While nothing is heard, everything may have changed.
const RESYNC_WHILE_DEAF: Duration = Duration::from_secs(2);

/// Something may have been missed: the data of `event: resync`, which is empty.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Resync {}

/// All hints, or those of one project and those that belong to none.
pub fn stream(
    state: Arc<AppState>,
    project_id: Option<Uuid>,
    permit: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Bytes, Infallible>> {
    let (changes, listening) = (state.hub.changes(), state.hub.listening());
    let now = Instant::now();
    let following =
        Following { state, project_id, changes, listening, opened: false, spoke: now, resynced: now, _permit: permit };
    futures_util::stream::unfold(following, |mut following| async move {
        let bytes = following.next().await?;
        following.spoke = Instant::now();
        Some((Ok(bytes), following))
    })
}

struct Following {
    state: Arc<AppState>,
    project_id: Option<Uuid>,
    changes: broadcast::Receiver<Changes>,
    listening: watch::Receiver<bool>,
    opened: bool,
    spoke: Instant,
    resynced: Instant,
    _permit: OwnedSemaphorePermit,
}

impl Following {
    async fn next(&mut self) -> Option<Bytes> {
        if !std::mem::replace(&mut self.opened, true) {
            return Some(Bytes::from_static(sse::OPENING));
        }
        loop {
            let deaf = !*self.listening.borrow_and_update();
            let mut listening = self.listening.clone();
            tokio::select! {
                () = self.state.stopping.cancelled() => return None,
                heard = self.changes.recv() => match heard {
                    Ok(Changes::Hints(hints)) => {
                        if let Some(bytes) = self.render(&hints) {
                            return Some(bytes);
                        }
                    }
                    Ok(Changes::Resync) | Err(RecvError::Lagged(_)) => return Some(self.resync()),
                    Err(RecvError::Closed) => return None,
                },
                () = tokio::time::sleep_until(self.resynced + RESYNC_WHILE_DEAF), if deaf => return Some(self.resync()),
                () = tokio::time::sleep_until(self.spoke + sse::KEEP_ALIVE) => {
                    return Some(Bytes::from_static(sse::KEEP_ALIVE_COMMENT));
                }
                Ok(()) = listening.changed() => {}
            }
        }
    }

    fn resync(&mut self) -> Bytes {
        self.resynced = Instant::now();
        sse::event("resync", &Resync {})
    }

    fn render(&self, hints: &[ChangeHint]) -> Option<Bytes> {
        let mut out = Vec::new();
        for hint in hints {
            let wanted = match (self.project_id, hint.project_id) {
                (Some(only), Some(of)) => only == of,
                _ => true,
            };
            if wanted {
                sse::write(&mut out, None, "change", hint);
            }
        }
        (!out.is_empty()).then(|| out.into())
    }
}
