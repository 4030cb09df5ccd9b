//! Writes of one forge, one after the other: GitHub counts those that run at once against a limit of its own.

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard};

use super::ForgeError;

/// A commit of many files takes many requests; whoever waits for longer than this comes back later.
const MAX_WAIT: Duration = Duration::from_secs(120);

#[derive(Debug, Default)]
pub(crate) struct Turns(Mutex<()>);

impl Turns {
    /// Held until it is dropped.
    pub(crate) async fn take(&self) -> Result<MutexGuard<'_, ()>, ForgeError> {
        tokio::time::timeout(MAX_WAIT, self.0.lock()).await.map_err(|_| ForgeError::RateLimited {
            after: MAX_WAIT,
            why: format!("other writes to the forge are not done after {} s", MAX_WAIT.as_secs()),
        })
    }
}
