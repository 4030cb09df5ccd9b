//! The verdict: a state, a sample, the next state. Nothing else goes in, so that a worker may keep the state after each sample, be
//! killed, and go on from it.
//!
//! A metric that has ended stays as it ended. It fails once there are more failures than its limit, is inconclusive once there are more
//! inconclusive samples or gaps than theirs, and is a success only when all of its samples were taken and the comparison of both
//! sides, where there is one, finds it no worse. All of it fails with the first metric that does.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::comparison::{Comparison, median, rounded};
use super::condition::Condition;
use super::sample::{Reading, Sample};
use super::template::{Metric, Template};

/// Times the samples of a metric that are tried, until it is given up as one without data.
const PATIENCE: u32 = 3;
/// Measurements that are kept to be shown; all of them are counted.
const KEPT: usize = 200;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    Running,
    Success,
    Failure,
    Inconclusive,
}

/// The state of an analysis.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Analysis {
    pub phase: Phase,
    /// Why, in words.
    pub reason: String,
    pub metrics: Vec<Judged>,
}

/// The state of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    pub name: String,
    pub phase: Phase,
    pub reason: String,
    /// How many samples there are to be.
    pub samples: u32,
    pub required: bool,
    /// What it is held against, in words. A state that is older has none.
    #[serde(default)]
    pub thresholds: Vec<String>,
    pub successful: u32,
    pub failed: u32,
    pub inconclusive: u32,
    /// Samples without data, and how many of them came last.
    pub no_data: u32,
    pub consecutive_no_data: u32,
    /// The numbers of both sides, oldest first.
    pub baseline: Vec<f64>,
    pub canary: Vec<f64>,
    /// Once the samples were taken.
    pub comparison: Option<Comparison>,
    /// The newest of them.
    pub measurements: Vec<Measurement>,
}

/// A sample of a metric, as it was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    pub at: DateTime<Utc>,
    /// None: there was no data.
    pub phase: Option<Phase>,
    pub baseline: Option<f64>,
    pub canary: Option<f64>,
    pub reason: String,
}

impl Analysis {
    /// Before the first sample.
    #[must_use]
    pub fn begin(template: &Template) -> Self {
        let metrics = template.metrics.iter().map(|metric| Judged::begin(template, metric)).collect();
        Analysis { phase: Phase::Running, reason: "no sample yet".to_owned(), metrics }
    }

    /// What was measured of production before there was a canary, where both cannot run side by side.
    #[must_use]
    pub fn with_baseline(mut self, template: &Template, sample: &Sample) -> Self {
        for (metric, judged) in template.metrics.iter().zip(&mut self.metrics) {
            judged.add_baseline(metric, sample);
        }
        self
    }

    /// From the beginning, with what was measured of production before there was a canary: that cannot be measured any more. Where
    /// both run side by side, the samples of the last time are not comparable with those to come, and are forgotten.
    #[must_use]
    pub fn again(&self, template: &Template, side_by_side: bool) -> Self {
        let mut fresh = Self::begin(template);
        if !side_by_side {
            for (metric, had) in fresh.metrics.iter_mut().zip(&self.metrics) {
                metric.baseline.clone_from(&had.baseline);
            }
        }
        fresh
    }

    /// The next state. Of one that has ended, it is the same.
    #[must_use]
    pub fn take(mut self, template: &Template, sample: &Sample) -> Self {
        if self.phase != Phase::Running {
            return self;
        }
        for (metric, judged) in template.metrics.iter().zip(&mut self.metrics) {
            judged.take(metric, sample);
        }
        (self.phase, self.reason) = self.overall();
        self
    }

    fn overall(&self) -> (Phase, String) {
        let of = |phase| self.metrics.iter().filter(move |judged| judged.phase == phase);
        let in_words = |phase| {
            let words: Vec<String> = of(phase).map(|judged| format!("{}: {}", judged.name, judged.reason)).collect();
            words.join("; ")
        };
        if of(Phase::Failure).next().is_some() {
            return (Phase::Failure, in_words(Phase::Failure));
        }
        if of(Phase::Running).next().is_some() {
            let (taken, wanted) = self.metrics.iter().fold((0, 0), |(taken, wanted), judged| {
                (taken + judged.measured().min(judged.samples), wanted + judged.samples)
            });
            return (Phase::Running, format!("{taken} of {wanted} samples"));
        }
        if of(Phase::Inconclusive).any(|judged| judged.required || judged.measured() > 0) {
            return (Phase::Inconclusive, in_words(Phase::Inconclusive));
        }
        match of(Phase::Success).count() {
            0 => (Phase::Inconclusive, "no metric has any data".to_owned()),
            count => (
                Phase::Success,
                format!("{count} of {} metrics found the canary as good as it has to be", self.metrics.len()),
            ),
        }
    }
}

impl Judged {
    fn begin(template: &Template, metric: &Metric) -> Self {
        Judged {
            name: metric.name.clone(),
            phase: Phase::Running,
            reason: "no sample yet".to_owned(),
            samples: template.samples_of(metric),
            required: metric.required,
            thresholds: metric.thresholds(),
            successful: 0,
            failed: 0,
            inconclusive: 0,
            no_data: 0,
            consecutive_no_data: 0,
            baseline: Vec::new(),
            canary: Vec::new(),
            comparison: None,
            measurements: Vec::new(),
        }
    }

    /// Samples that had data.
    fn measured(&self) -> u32 {
        self.successful + self.failed + self.inconclusive
    }

    fn add_baseline(&mut self, metric: &Metric, sample: &Sample) -> Option<f64> {
        let number = rounded(sample.baseline.get(&metric.name)?.usable(metric.min_events).ok()?);
        if self.baseline.len() < KEPT * 3 {
            self.baseline.push(number);
        }
        Some(number)
    }

    fn take(&mut self, metric: &Metric, sample: &Sample) {
        if self.phase != Phase::Running {
            return;
        }
        let baseline = self.add_baseline(metric, sample);
        let missing = Reading::no_data("the sample does not have it");
        let (phase, canary, reason) =
            match sample.canary.get(&metric.name).unwrap_or(&missing).usable(metric.min_events) {
                Err(why) => (None, None, why),
                Ok(number) => {
                    let number = rounded(number);
                    // Where both do not run side by side, what counts is how production was before.
                    let against = baseline.or_else(|| median(&self.baseline));
                    let (phase, reason) = judge(metric, number, against);
                    (Some(phase), Some(number), reason)
                }
            };
        self.count(phase, canary);
        self.measurements.push(Measurement { at: sample.at, phase, baseline, canary, reason: reason.clone() });
        if self.measurements.len() > KEPT {
            self.measurements.remove(0);
        }
        (self.phase, self.reason) = self.assess(metric, &reason);
    }

    fn count(&mut self, phase: Option<Phase>, canary: Option<f64>) {
        self.canary.extend(canary);
        match phase {
            None => {
                self.no_data += 1;
                self.consecutive_no_data += 1;
                return;
            }
            Some(Phase::Success) => self.successful += 1,
            Some(Phase::Failure) => self.failed += 1,
            Some(Phase::Inconclusive | Phase::Running) => self.inconclusive += 1,
        }
        self.consecutive_no_data = 0;
    }

    fn assess(&mut self, metric: &Metric, last: &str) -> (Phase, String) {
        let (measured, samples) = (self.measured(), self.samples);
        if self.failed > metric.failure_limit {
            let allowed = metric.failure_limit;
            return (
                Phase::Failure,
                format!("{} of {measured} samples failed, and {allowed} may; the last: {last}", self.failed),
            );
        }
        if self.inconclusive > metric.inconclusive_limit {
            let (count, allowed) = (self.inconclusive, metric.inconclusive_limit);
            let reason =
                format!("{count} of {measured} samples say neither yes nor no, and {allowed} may; the last: {last}");
            return (Phase::Inconclusive, reason);
        }
        if self.consecutive_no_data > metric.consecutive_error_limit {
            return (
                Phase::Inconclusive,
                format!("{} samples without data follow each other: {last}", self.consecutive_no_data),
            );
        }
        if measured < samples {
            if measured + self.no_data >= samples.saturating_mul(PATIENCE) {
                return (
                    Phase::Inconclusive,
                    format!("{measured} of {samples} samples after {} without data: {last}", self.no_data),
                );
            }
            return (Phase::Running, format!("{measured} of {samples} samples; the last: {last}"));
        }
        self.compare(metric)
    }

    /// All samples were taken, and few enough of them failed.
    fn compare(&mut self, metric: &Metric) -> (Phase, String) {
        let of = format!("{} of {} samples succeeded", self.successful, self.samples);
        let Some(compare) = &metric.compare else { return (Phase::Success, of) };
        self.comparison = Comparison::of(compare, metric.direction, &self.baseline, &self.canary);
        match &self.comparison {
            Some(found) => {
                let numbers = format!(
                    "canary {} against baseline {}, tolerated {}, p {} with {} and {} samples",
                    short(found.canary_median),
                    short(found.baseline_median),
                    short(found.tolerated),
                    short(found.p_value),
                    found.canary_samples,
                    found.baseline_samples
                );
                if found.worse {
                    (Phase::Failure, format!("worse than the baseline: {numbers}"))
                } else {
                    (Phase::Success, format!("{of}; no worse than the baseline: {numbers}"))
                }
            }
            // The thresholds alone decide, if there are any that could.
            None if self.successful > 0 && asks_without_baseline(metric) => {
                (Phase::Success, format!("{of}; the baseline has too few samples to compare with"))
            }
            None => (
                Phase::Inconclusive,
                "the baseline has too few samples to compare with, and there is no other threshold".to_owned(),
            ),
        }
    }
}

/// One sample against the thresholds.
fn judge(metric: &Metric, canary: f64, baseline: Option<f64>) -> (Phase, String) {
    let holds =
        |condition: &Option<Condition>| condition.as_ref().and_then(|condition| condition.holds(canary, baseline));
    let (success, failure) = (holds(&metric.success), holds(&metric.failure));
    let phase = if failure == Some(true) {
        Phase::Failure
    } else if holds(&metric.inconclusive) == Some(true) {
        Phase::Inconclusive
    } else {
        match (success, failure, &metric.failure) {
            (Some(true), _, _) => Phase::Success,
            // Neither holds: it lies between.
            (Some(false), _, Some(_)) => Phase::Inconclusive,
            (Some(false), _, None) => Phase::Failure,
            (None, Some(false), _) if metric.success.is_none() => Phase::Success,
            // Nothing could be asked of this sample: the comparison of all of them will tell, or it is nobody's to tell.
            (None, _, _) if metric.compare.is_some() => Phase::Success,
            _ => Phase::Inconclusive,
        }
    };
    let decided = match phase {
        Phase::Failure if failure == Some(true) => metric.failure.as_ref(),
        _ => metric.success.as_ref().or(metric.failure.as_ref()),
    };
    let bounds = decided
        .map(|condition| format!(", {} {condition}", if failure == Some(true) { "fails at" } else { "threshold" }));
    let against = baseline.map(|baseline| format!(", baseline {}", short(baseline)));
    (phase, format!("canary {}{}{}", short(canary), against.unwrap_or_default(), bounds.unwrap_or_default()))
}

fn asks_without_baseline(metric: &Metric) -> bool {
    let alone = |condition: &Option<Condition>| {
        condition
            .as_ref()
            .is_some_and(|condition| condition.thresholds().iter().any(|threshold| !threshold.of_baseline))
    };
    alone(&metric.success) || alone(&metric.failure)
}

/// As many digits as somebody reads.
fn short(number: f64) -> String {
    let digits = if number == 0.0 || number.abs() >= 100.0 {
        0
    } else if number.abs() >= 1.0 {
        2
    } else {
        4
    };
    if number != 0.0 && number.abs() < 0.0001 { format!("{number:.1e}") } else { format!("{number:.digits$}") }
}
