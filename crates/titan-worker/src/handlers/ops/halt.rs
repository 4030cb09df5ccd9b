//! Why a stage does not come to its end, and what that means for its step.

use std::time::Duration;

use chrono::{DateTime, Utc};
use titan_core::Error;
use titan_core::engine::Outcome;
use titan_core::ops::Fault;
use titan_core::state::WaitingOn;
use titan_ops::forge::ForgeError;
use titan_ops::repository::RepositoryError;
use titan_ops::target::TargetError;

use crate::workshop::run::Trouble;

/// Reasons that are told of one stage; the rest are counted.
const MOST_REASONS: usize = 20;

#[derive(Debug)]
pub(super) enum Halt {
    /// It will be the same the next time.
    Failed(String),
    /// It may be different the next time. Counted.
    Passing(String),
    /// Not now, and no failure.
    Later { after: Duration, reason: String },
    /// Not now, and no failure: the forge or the target has to get there. Word of it may come sooner, and wakes the step.
    Expect { after: Duration, reason: String },
    /// Not before a person does something about it.
    Wait { on: WaitingOn, reason: String, since: DateTime<Utc> },
    /// It was told to stop.
    Stopped,
}

/// While a person is waited for: what they do at the forge wakes nobody where no webhook is set up, and a delivery may be lost.
const LOOK_AGAIN: Duration = Duration::from_secs(30 * 60);

impl Halt {
    pub(super) fn outcome(self) -> Outcome {
        match self {
            Halt::Failed(error) => Outcome::Fail { error },
            Halt::Passing(error) => Outcome::Retry { error, after: None },
            Halt::Later { after, reason } => Outcome::Snooze { after, reason },
            Halt::Expect { after, reason } => {
                Outcome::Wait { on: WaitingOn::Event, reason, since: Utc::now(), look_again: Some(after) }
            }
            Halt::Wait { on, reason, since } => Outcome::Wait { on, reason, since, look_again: Some(LOOK_AGAIN) },
            // What becomes of it is decided by why.
            Halt::Stopped => Outcome::Retry { error: "told to stop".to_owned(), after: None },
        }
    }

    /// Rules that are broken, all of them in one sentence each.
    pub(super) fn faults(what: &str, faults: &[Fault]) -> Self {
        let told: Vec<String> =
            faults.iter().take(MOST_REASONS).map(|fault| format!("{}: {}", fault.field, fault.message)).collect();
        let more = faults.len().saturating_sub(MOST_REASONS);
        let rest = if more > 0 { format!("; and {more} more") } else { String::new() };
        Halt::Failed(format!("{what}: {}{rest}", told.join("; ")))
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        match error {
            Error::Fenced { .. } | Error::Uncertain => Halt::Stopped,
            Error::Invalid { .. } | Error::NotFound(..) => Halt::Failed(error.to_string()),
            other => Halt::Passing(other.to_string()),
        }
    }
}

impl From<Trouble> for Halt {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Failed(error) => Halt::Failed(error),
            Trouble::Passing(error) => Halt::Passing(error),
            Trouble::Stopped => Halt::Stopped,
        }
    }
}

impl From<ForgeError> for Halt {
    fn from(error: ForgeError) -> Self {
        match error {
            ForgeError::RateLimited { after, why } => Halt::Later { after, reason: why },
            ForgeError::Unavailable(why) => Halt::Passing(why),
            other => Halt::Failed(other.to_string()),
        }
    }
}

impl From<TargetError> for Halt {
    fn from(error: TargetError) -> Self {
        match error {
            TargetError::RateLimited { after, why } => Halt::Later { after, reason: why },
            TargetError::Unavailable(why) => Halt::Passing(why),
            TargetError::Refused(why) => Halt::Failed(why),
        }
    }
}

impl From<RepositoryError> for Halt {
    fn from(error: RepositoryError) -> Self {
        match error {
            // What is broken is this machine or its mirror: another attempt, or another worker, may come through.
            RepositoryError::Unavailable(why) | RepositoryError::Broken(why) => Halt::Passing(why),
            RepositoryError::Faults(faults) => Halt::faults("the patches do not fit", &faults),
            other => Halt::Failed(other.to_string()),
        }
    }
}
