//! One sample: what was seen of both sides in one interval, metric by metric.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What was seen of both sides in one interval, by the names of the metrics. A metric that is not in it has no data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sample {
    /// When the interval was over.
    pub at: DateTime<Utc>,
    pub baseline: BTreeMap<String, Reading>,
    pub canary: BTreeMap<String, Reading>,
}

/// A number, or why there is none.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    Number {
        number: f64,
        /// Requests, or whatever the number was made of; none where nothing is counted, as with a gauge.
        events: Option<u64>,
    },
    NoData(String),
}

impl Reading {
    #[must_use]
    pub fn no_data(why: impl Into<String>) -> Self {
        Reading::NoData(why.into())
    }

    /// The number, when it is one and was made of enough.
    ///
    /// # Errors
    /// Why it is no data.
    pub fn usable(&self, min_events: u64) -> Result<f64, String> {
        match self {
            Reading::NoData(why) => Err(why.clone()),
            Reading::Number { number, .. } if !number.is_finite() => Err(format!("{number} is no number to judge by")),
            Reading::Number { events: Some(events), .. } if *events < min_events => {
                Err(format!("{events} events are fewer than the {min_events} that it takes"))
            }
            Reading::Number { number, .. } => Ok(*number),
        }
    }
}
