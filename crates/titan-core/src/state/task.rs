//! A task's execution status, and the words beside it.

use super::text_enum;

text_enum! {
    ExecutionStatus {
        Pending = "pending", Queued = "queued", InProgress = "in_progress", Paused = "paused", Blocked = "blocked",
        Completed = "completed", Failed = "failed", Canceled = "canceled",
    }
}

text_enum! {
    /// Who does it: a person, Titan with a person's yes, or Titan alone.
    ExecutionType { Manual = "manual", SemiAutomated = "semi_automated", FullyAutomated = "fully_automated" }
}

text_enum! {
    /// The status for simple clients, derived from the execution status.
    SimpleStatus { Queued = "queued", Running = "running", Completed = "completed", Failed = "failed" }
}

impl ExecutionStatus {
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, ExecutionStatus::Completed | ExecutionStatus::Failed | ExecutionStatus::Canceled)
    }

    /// The moves that happen by themselves or by a plain command. The one way out of a final state, `reopen`, is apart
    /// because it is explicit and counted: see [`ExecutionStatus::may_reopen`].
    #[must_use]
    pub fn may_become(self, next: ExecutionStatus) -> bool {
        use ExecutionStatus::{Blocked, Canceled, Completed, Failed, InProgress, Paused, Pending, Queued};
        matches!(
            (self, next),
            (Pending, Queued | InProgress | Blocked | Canceled)
                | (Queued, InProgress | Failed | Canceled)
                | (InProgress, Completed | Failed | Paused | Blocked | Queued | Canceled)
                | (Paused, Queued | InProgress | Completed | Failed | Canceled)
                | (Blocked, Queued | InProgress | Failed | Canceled)
                // A person gives it up; what waits for it may be done without it.
                | (Failed, Canceled)
        )
    }

    #[must_use]
    pub fn may_reopen(self) -> bool {
        matches!(self, ExecutionStatus::Completed | ExecutionStatus::Failed)
    }

    #[must_use]
    pub fn simple(self) -> SimpleStatus {
        match self {
            ExecutionStatus::Pending | ExecutionStatus::Queued => SimpleStatus::Queued,
            ExecutionStatus::InProgress | ExecutionStatus::Paused | ExecutionStatus::Blocked => SimpleStatus::Running,
            ExecutionStatus::Completed => SimpleStatus::Completed,
            ExecutionStatus::Failed | ExecutionStatus::Canceled => SimpleStatus::Failed,
        }
    }
}
