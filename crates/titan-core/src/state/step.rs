//! A step: `pending -> ready -> running -> completed | failed | skipped | canceled`. A retry is a new attempt inside it.

use super::text_enum;

text_enum! {
    StepStatus {
        Pending = "pending", Ready = "ready", Running = "running", Completed = "completed", Failed = "failed",
        Skipped = "skipped", Canceled = "canceled",
    }
}

text_enum! {
    /// What a step waits for while it holds no slot.
    WaitingOn {
        Approval = "approval", Input = "input", Timer = "timer", Child = "child", Event = "event", Budget = "budget",
    }
}

impl WaitingOn {
    /// For a sentence about it.
    #[must_use]
    pub fn what(self) -> &'static str {
        match self {
            WaitingOn::Approval => "an approval",
            WaitingOn::Input => "an answer",
            WaitingOn::Timer => "its time",
            WaitingOn::Child => "another run",
            WaitingOn::Event => "news",
            WaitingOn::Budget => "a budget",
        }
    }
}

impl StepStatus {
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, StepStatus::Completed | StepStatus::Failed | StepStatus::Skipped | StepStatus::Canceled)
    }

    /// `ready -> failed` is for a job that keeps killing its workers before it reports a start.
    #[must_use]
    pub fn may_become(self, next: StepStatus) -> bool {
        use StepStatus::{Canceled, Completed, Failed, Pending, Ready, Running, Skipped};
        matches!(
            (self, next),
            (Pending, Ready | Skipped | Canceled)
                | (Ready, Running | Skipped | Canceled | Failed)
                | (Running, Completed | Failed | Canceled)
        )
    }
}
