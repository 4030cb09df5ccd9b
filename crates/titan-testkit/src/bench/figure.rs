//! What a row of the bench comes to: figures with their samples, the limit they are held against, and the target.

use serde::Serialize;

use super::limits::Limits;
use super::peers::{Measure, Peers};

/// One line of the report.
#[derive(Debug, Clone, Serialize)]
pub struct Figure {
    /// The row of the quality targets, such as `Q1`.
    pub row: &'static str,
    pub what: String,
    pub unit: &'static str,
    /// One per repetition.
    pub samples: Vec<f64>,
    pub limit: Option<Held>,
    pub target: Target,
    /// What of a peer it is comparable with.
    pub compares: Option<Measure>,
    /// What a reader has to know to read the figure right.
    pub note: String,
}

/// What Postgres itself did right before and after.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Held {
    pub against: Against,
    /// Zero until it was measured.
    pub value: f64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Against {
    /// Limit a: single-row inserts by 8 clients.
    Inserts,
    /// Limit c: claim 100 and complete 100 by 8 clients.
    Batches,
}

/// What is wanted of a figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub enum Target {
    /// It is there to be known.
    None,
    AtLeast(f64),
    Under(f64),
    /// At least so many times what a peer reached, or a second of that kind, all of them.
    TimesPeers(Vec<(f64, &'static str, Measure)>),
    /// Not above the best of all peers that were measured.
    NotAboveBestPeer(Measure),
}

impl Figure {
    #[must_use]
    pub fn new(row: &'static str, what: impl Into<String>, unit: &'static str, samples: Vec<f64>) -> Self {
        Figure {
            row,
            what: what.into(),
            unit,
            samples,
            limit: None,
            target: Target::None,
            compares: None,
            note: String::new(),
        }
    }

    #[must_use]
    pub fn against(mut self, against: Against) -> Self {
        self.limit = Some(Held { against, value: 0.0 });
        self
    }

    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    #[must_use]
    pub fn compares(mut self, measure: Measure) -> Self {
        self.compares = Some(measure);
        self
    }

    #[must_use]
    pub fn note(mut self, note: impl Into<String>) -> Self {
        self.note = note.into();
        self
    }

    /// Fills in what the limit was.
    pub fn hold(&mut self, limits: &Limits) {
        if let Some(held) = &mut self.limit {
            held.value = match held.against {
                Against::Inserts => limits.inserts,
                Against::Batches => limits.batches,
            };
        }
    }

    #[must_use]
    pub fn median(&self) -> f64 {
        median(&self.samples)
    }

    /// Whether the target is met; `None` when there is none or what it is held against was not measured.
    #[must_use]
    pub fn met(&self, peers: &Peers) -> Option<bool> {
        if self.samples.is_empty() {
            return None;
        }
        let value = self.median();
        match &self.target {
            Target::None => None,
            Target::AtLeast(least) => Some(value >= *least),
            Target::Under(most) => Some(value < *most),
            Target::TimesPeers(all) => all.iter().try_fold(true, |met, (times, peer, measure)| {
                peers.median(peer, *measure).map(|theirs| met && value >= times * theirs)
            }),
            Target::NotAboveBestPeer(measure) => peers.best(*measure).map(|(_, best)| value <= best),
        }
    }
}

impl Against {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Against::Inserts => "a, 8 clients",
            Against::Batches => "c, 8 clients",
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Target::None => Ok(()),
            Target::AtLeast(least) => write!(f, "at least {}", number(*least)),
            Target::Under(most) => write!(f, "under {}", number(*most)),
            Target::TimesPeers(all) => {
                let each: Vec<_> = all.iter().map(|(times, peer, _)| format!("{times} x {peer}")).collect();
                write!(f, "at least {}", each.join(", "))
            }
            Target::NotAboveBestPeer(_) => write!(f, "not above the best peer"),
        }
    }
}

/// The middle one, or the mean of the two in the middle; 0 of none.
#[must_use]
pub fn median(samples: &[f64]) -> f64 {
    percentile(samples, 50.0)
}

/// By nearest rank, but for an even number of samples the median is the mean of the two in the middle.
#[must_use]
pub fn percentile(samples: &[f64], percent: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |rank: usize| sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default();
    if percent == 50.0 && sorted.len().is_multiple_of(2) {
        return f64::midpoint(at(sorted.len() / 2), at(sorted.len() / 2 + 1));
    }
    let mut rank = 1;
    while rank < sorted.len() && (rank as f64) * 100.0 < percent * sorted.len() as f64 {
        rank += 1;
    }
    at(rank)
}

/// As a person reads it: thousands apart, and as many decimals as the size deserves.
#[must_use]
pub fn number(value: f64) -> String {
    let decimals = match value.abs() {
        size if size >= 100.0 || size == 0.0 => 0,
        size if size >= 10.0 => 1,
        size if size >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.decimals$}");
    let (whole, rest) = text.split_at(text.find('.').unwrap_or(text.len()));
    let mut out = String::new();
    for (place, digit) in whole.chars().enumerate() {
        let left = whole.len() - place;
        if place > 0 && left.is_multiple_of(3) && !out.ends_with('-') {
            out.push(',');
        }
        out.push(digit);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_percentile_is_one_of_the_samples_and_a_median_the_middle() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!((percentile(&hundred, 99.0), median(&hundred)), (99.0, 50.5));
        assert_eq!((median(&[3.0, 1.0, 2.0]), percentile(&[7.0], 99.0), median(&[])), (2.0, 7.0, 0.0));
    }

    #[test]
    fn numbers_are_short_and_readable() {
        let texts: Vec<_> = [0.0, 0.1234, 1.5, 12.34, 999.6, 48_276.4, -1_234.0].into_iter().map(number).collect();
        assert_eq!(texts, ["0", "0.123", "1.50", "12.3", "1,000", "48,276", "-1,234"]);
    }
}
