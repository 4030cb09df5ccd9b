//! A run: `queued -> running -> completed | failed | canceled`, and it never goes back. A re-run is a new run.

use super::text_enum;

text_enum! {
    RunStatus {
        Queued = "queued", Running = "running", Completed = "completed", Failed = "failed", Canceled = "canceled",
    }
}

text_enum! {
    /// How far the work is for the person who asked: it only moves on.
    RunStage { Intake = "intake", Processing = "processing", Review = "review", Done = "done" }
}

impl RunStatus {
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, RunStatus::Completed | RunStatus::Failed | RunStatus::Canceled)
    }

    /// Whether a run may move from here to there. Staying is no move.
    #[must_use]
    pub fn may_become(self, next: RunStatus) -> bool {
        use RunStatus::{Canceled, Completed, Failed, Queued, Running};
        matches!((self, next), (Queued, Running | Canceled | Failed) | (Running, Completed | Failed | Canceled))
    }
}

impl RunStage {
    #[must_use]
    pub fn may_become(self, next: RunStage) -> bool {
        next > self
    }
}
