//! A call of a model as the engine sees it: reserved before it is made, and settled with what it came to.

use std::time::Duration;

use uuid::Uuid;

use super::transition::{Fence, NewEvent};
use crate::budgets::{Need, Refusal};
use crate::state::{WaitingOn, text_enum};

text_enum! {
    /// What a call is for.
    Purpose { Answer = "answer", Memory = "memory", Summary = "summary", Plan = "plan" }
}

text_enum! {
    /// How a call stands. A lost one was under way when its worker was: whether it was made nobody knows, so it counts as made.
    CallState { Open = "open", Answered = "answered", Failed = "failed", Canceled = "canceled", Lost = "lost" }
}

/// Which model is asked, and what for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallOf {
    pub id: Uuid,
    pub purpose: Purpose,
    pub provider: String,
    pub model: String,
    /// 0 for the model that was wanted, more for those that are asked in its place.
    pub fallback: i16,
}

/// May this call be made? When it may, it is written down before it is.
#[derive(Debug, Clone)]
pub struct Reserve {
    pub fence: Fence,
    pub call: CallOf,
    pub need: Need,
    /// What is to be said when it may.
    pub events: Vec<NewEvent>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reserved {
    /// With so much output at most, when a budget says so.
    Granted {
        output_tokens: Option<i64>,
    },
    Refused(Refusal),
    /// Somebody wants the run to stop.
    Stop,
}

/// What came of a call.
#[derive(Debug, Clone)]
pub struct EndedCall {
    pub call: CallOf,
    /// Whether it was reserved; what asks nobody and costs nothing is not.
    pub reserved: bool,
    pub state: CallState,
    pub error: Option<String>,
    pub input_tokens: i64,
    /// Of the input, what the provider still had.
    pub cached_tokens: i64,
    pub output_tokens: i64,
    /// The provider did not tell, and the tokens are guessed.
    pub estimated: bool,
    /// Millionths of a US dollar; none when the price is not known.
    pub cost_micros: Option<i64>,
    pub finish_reason: Option<String>,
    pub first_token_ms: Option<i32>,
    pub duration_ms: i32,
}

/// Steps of a run that wait for something are to look again.
#[derive(Debug, Clone, Copy)]
pub struct Wake {
    pub run_id: Uuid,
    pub on: WaitingOn,
    /// What has happened, to follow "looks again: ".
    pub why: &'static str,
    /// The longest that it may still sleep, waiting for the same as before; none: it stops waiting now.
    pub within: Option<Duration>,
}

impl Wake {
    /// There may be room in a budget.
    #[must_use]
    pub fn for_budget(run_id: Uuid) -> Self {
        Wake { run_id, on: WaitingOn::Budget, why: "a budget was changed", within: None }
    }

    /// A person has spoken.
    #[must_use]
    pub fn for_person(run_id: Uuid, on: WaitingOn) -> Self {
        Wake { run_id, on, why: "somebody has said what is to be done", within: None }
    }

    /// There is word from outside, perhaps the first of much: what comes within this time is seen by the same look.
    #[must_use]
    pub fn for_news(run_id: Uuid, on: WaitingOn, within: Duration) -> Self {
        Wake { run_id, on, why: "there is news from outside", within: Some(within) }
    }
}
