//! The states of runs, steps and tasks, and the only moves between them, as pure functions.
//!
//! Postgres refuses any update that no sequence of these moves leads to (migration `late_start`): what begins and ends in one
//! batch is written once. `tests/it/states.rs` compares the two pair by pair, so that neither changes alone.

mod group;
mod run;
mod step;
mod task;
mod text_enum;

pub use group::rolled_up;
pub use run::{RunStage, RunStatus};
pub use step::{StepStatus, WaitingOn};
pub use task::{ExecutionStatus, ExecutionType, SimpleStatus};
pub(crate) use text_enum::text_enum;

text_enum! {
    /// What a person decided about an output.
    Review { Pending = "pending", Approved = "approved", Rejected = "rejected" }
}

text_enum! {
    /// How loud an event is as a log line.
    Level { Debug = "debug", Info = "info", Warn = "warn", Error = "error" }
}

impl Level {
    /// This level and all louder ones, as they are stored.
    #[must_use]
    pub fn at_least(self) -> Vec<&'static str> {
        Level::ALL.iter().filter(|level| **level >= self).map(|level| level.as_str()).collect()
    }
}
