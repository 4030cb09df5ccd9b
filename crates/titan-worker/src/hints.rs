//! What other processes say: there is work, a run is to stop. Never needed, only faster than the poll and the heartbeat.

use std::sync::Arc;

use titan_core::queue::{Heard, Hint};
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use crate::shared::Shared;
use crate::stop::StopReason;

pub(crate) async fn hear(shared: Arc<Shared>, mut heard: Receiver<Heard>) {
    loop {
        match heard.recv().await {
            Ok(Heard::Hints(hints)) => hints.iter().for_each(|hint| follow(&shared, hint)),
            // Something may have been missed; the next heartbeat hears of cancels.
            Ok(Heard::Connected) | Err(RecvError::Lagged(_)) => shared.look_for_work(),
            Ok(Heard::Lost) => {}
            Err(RecvError::Closed) => return,
        }
    }
}

fn follow(shared: &Shared, hint: &Hint) {
    match hint {
        Hint::Jobs => shared.look_for_work(),
        Hint::Cancel { run_id } => shared.in_hand.stop_run(*run_id, StopReason::Canceled),
        Hint::Run { .. } | Hint::Beat { .. } | Hint::Change { .. } => {}
    }
}
