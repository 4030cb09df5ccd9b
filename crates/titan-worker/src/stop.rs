//! The word to stop, with its reason. The first reason counts; what becomes of the job because of it is decided by the
//! runner, not by the handler.

use std::sync::{Arc, OnceLock};

use tokio_util::sync::CancellationToken;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// A person canceled the run.
    Canceled,
    /// The attempt took longer than its step allows.
    Deadline,
    /// The claim is gone: another worker has the job by now, or the run has ended. Nothing may be written any more.
    Lost,
    /// Nobody knows whether what the work reported was written: another attempt begins afresh.
    Unsure,
    /// This worker is going; the job is handed back.
    Shutdown,
}

/// Shared by the handler, the runner and whoever may stop it.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    token: CancellationToken,
    reason: Arc<OnceLock<StopReason>>,
}

impl Stop {
    /// Says that the work is to stop. Later reasons change nothing.
    pub fn because(&self, reason: StopReason) {
        let _ = self.reason.set(reason);
        self.token.cancel();
    }

    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        self.reason.get().copied()
    }

    /// Resolves once the work is to stop.
    pub async fn requested(&self) {
        self.token.cancelled().await;
    }

    /// For calls that take a token and know no reasons.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_reason_counts() {
        let stop = Stop::default();
        assert_eq!(stop.reason(), None);
        stop.because(StopReason::Canceled);
        stop.because(StopReason::Lost);
        stop.requested().await;
        assert_eq!(stop.reason(), Some(StopReason::Canceled));
    }
}
