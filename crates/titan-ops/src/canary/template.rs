//! What an analysis looks at, as data: metrics, each with where its numbers come from, when a sample is a success or a failure, and
//! how many failures there may be. The words are those of Argo Rollouts' AnalysisTemplate, and mean the same.
//!
//! A template is written in YAML; the one that is shipped is `default.yaml` beside this file.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use titan_core::templates::Problem;

use super::check::{problem, problems};
use super::condition::Condition;

const DEFAULT: &str = include_str!("default.yaml");
const MAX_BYTES: usize = 64 << 10;

/// What an analysis looks at.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// How long one sample is watched.
    #[serde(with = "span")]
    pub interval: Duration,
    /// Samples of each metric that says nothing else. Argo calls it `count`.
    pub samples: u32,
    /// Requests that the analysis itself sends, to both sides alike. None: it only watches.
    #[serde(default)]
    pub probe: Option<Probe>,
    pub metrics: Vec<Metric>,
}

/// Requests with GET, in turns to one side and the other.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Probe {
    pub paths: Vec<String>,
    /// Requests in a second to each side.
    pub rate: f64,
    /// An answer that takes longer is a failure that took so long.
    #[serde(with = "span")]
    pub timeout: Duration,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Metric {
    pub name: String,
    pub source: Source,
    /// What a worse canary has.
    pub direction: Direction,
    /// A sample is a success when it holds; with no `failure`, a sample for which it does not hold is a failure.
    #[serde(default)]
    pub success: Option<Condition>,
    /// A sample is a failure when it holds, whatever else holds; with no `success`, any other sample is a success.
    #[serde(default)]
    pub failure: Option<Condition>,
    /// A sample that is no failure is inconclusive when it holds.
    #[serde(default)]
    pub inconclusive: Option<Condition>,
    /// Compares all samples of both sides, once they are there.
    #[serde(default)]
    pub compare: Option<Compare>,
    /// Instead of the template's.
    #[serde(default)]
    pub samples: Option<u32>,
    /// Failures that there may be; one more, and the metric has failed.
    #[serde(default)]
    pub failure_limit: u32,
    /// Inconclusive samples that there may be; one more, and the metric is inconclusive.
    #[serde(default)]
    pub inconclusive_limit: u32,
    /// Samples without data that may follow each other; one more, and the metric is inconclusive. (With Argo these are errors.)
    #[serde(default = "consecutive_error_limit")]
    pub consecutive_error_limit: u32,
    /// A sample with fewer requests than this is one without data.
    #[serde(default = "one")]
    pub min_events: u64,
    /// Whether the analysis can succeed without it. A metric without data never succeeds; one that is not required then says
    /// nothing, instead of making all of it inconclusive.
    #[serde(default = "yes")]
    pub required: bool,
}

impl Metric {
    /// What it is held against, in words such as `success <= 0.01`.
    #[must_use]
    pub fn thresholds(&self) -> Vec<String> {
        let conditions = [("success", &self.success), ("failure", &self.failure), ("inconclusive", &self.inconclusive)];
        let named = |(name, condition): (&str, &Option<Condition>)| Some(format!("{name} {}", condition.as_ref()?));
        conditions.into_iter().filter_map(named).chain(self.compare.map(|compare| compare.to_string())).collect()
    }
}

/// The rank test of all samples of both sides, in the way of Kayenta: worse is what is worse by more than a tolerance, and for sure.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Compare {
    /// As a part of the baseline: 0.25 lets a canary be a quarter worse.
    #[serde(default)]
    pub tolerance: f64,
    /// Added to that, in the metric's own unit, for baselines that are near zero.
    #[serde(default)]
    pub margin: f64,
    /// How sure it must be that it is worse, as a probability.
    #[serde(default = "confidence")]
    pub confidence: f64,
    /// Samples of each side below which nothing is compared, and the thresholds alone decide.
    #[serde(default = "at_least")]
    pub at_least: usize,
}

impl fmt::Display for Compare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no worse than the baseline")?;
        match (self.tolerance > 0.0, self.margin > 0.0) {
            (false, false) => Ok(()),
            (true, false) => write!(f, " by more than {} x baseline", self.tolerance),
            (false, true) => write!(f, " by more than {}", self.margin),
            (true, true) => write!(f, " by more than {} x baseline + {}", self.tolerance, self.margin),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    LowerIsBetter,
    HigherIsBetter,
    /// Any change is for the worse.
    Either,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// What the daemon tells on `/metrics`.
    Prometheus(Number),
    /// What the analysis' own requests found.
    Probe(Probed),
}

/// How series of a scrape become one number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Number {
    /// How much counters grew in a second.
    Rate(Selector),
    /// How much some counters grew, as a part of how much others did; those are the events.
    Ratio { of: Selector, to: Selector },
    /// Of a histogram's growth, in its unit, as Prometheus' `histogram_quantile` does.
    Quantile { q: f64, of: Selector },
    /// Gauges as they stand at the end, added up.
    Value(Selector),
}

/// What becomes of the probes' answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Probed {
    /// The part of requests that got no answer, or one with a status of 400 or above.
    Errors,
    /// A quantile of how long they took, in seconds.
    Latency { q: f64 },
}

/// The series of a name whose labels fit: `"200"` is that word, `"5*"` all that begin so, `"!5*"` all that do not, and `{side}` in it
/// is `production` or `canary`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Selector {
    pub name: String,
    #[serde(default)]
    pub labels: BTreeMap<String, String>,
}

impl Template {
    /// The one that is shipped.
    ///
    /// # Errors
    /// Never: that it can be read is a test.
    pub fn shipped() -> Result<Self, Vec<Problem>> {
        Self::parse(DEFAULT)
    }

    /// Reads one in YAML.
    ///
    /// # Errors
    /// What is wrong, where, and what would be right; all of it where that can be known.
    pub fn parse(text: &str) -> Result<Self, Vec<Problem>> {
        if text.len() > MAX_BYTES {
            return Err(vec![problem("", format!("must have at most {MAX_BYTES} bytes, and has {}", text.len()))]);
        }
        let value: serde_json::Value = serde_saphyr::from_str(text).map_err(|error| {
            let line = error.location().map(|location| format!("line {}", location.line())).unwrap_or_default();
            vec![problem(
                &line,
                format!("is not YAML: {}", titan_core::error::one_line(&error.without_snippet().to_string())),
            )]
        })?;
        let template: Template = serde_path_to_error::deserialize(value).map_err(|error| {
            let path = error.path().to_string();
            vec![problem(&path, titan_core::error::one_line(&error.inner().to_string()))]
        })?;
        let problems = problems(&template);
        if problems.is_empty() { Ok(template) } else { Err(problems) }
    }

    /// Samples of a metric.
    #[must_use]
    pub fn samples_of(&self, metric: &Metric) -> u32 {
        metric.samples.unwrap_or(self.samples)
    }
}

fn consecutive_error_limit() -> u32 {
    4
}

fn one() -> u64 {
    1
}

fn yes() -> bool {
    true
}

fn confidence() -> f64 {
    0.98
}

fn at_least() -> usize {
    4
}

/// Times such as `500ms`, `10s` and `2m`.
mod span {
    use std::time::Duration;

    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    const UNITS: [(&str, u64); 3] = [("ms", 1), ("s", 1_000), ("m", 60_000)];

    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&format!("{}ms", time.as_millis()))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        let text = String::deserialize(from)?;
        let millis =
            UNITS.iter().find_map(|(unit, factor)| text.strip_suffix(unit)?.parse::<u64>().ok()?.checked_mul(*factor));
        let wrong = || D::Error::custom(format!("must be a time such as 500ms, 10s or 2m, and is {text:?}"));
        millis.map(Duration::from_millis).ok_or_else(wrong)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let wrong = Template::parse(text).unwrap_err();
        wrong.into_iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect()
    }

    #[test]
    fn the_shipped_one_can_be_read_and_kept() {
        let shipped = Template::shipped().unwrap();
        let kept = serde_json::to_string(&shipped).unwrap();
        assert_eq!(serde_json::from_str::<Template>(&kept).unwrap(), shipped);
        assert!(shipped.metrics.iter().any(|metric| metric.compare.is_some()));
    }

    #[test]
    fn what_a_metric_is_held_against_is_told_in_words() {
        let of = |rest: &str| {
            let text = format!(
                "{{interval: 10s, samples: 1, metrics: [{{name: a, direction: lower_is_better, source: {{prometheus: {{rate: {{name: x}}}}}}, {rest}}}]}}"
            );
            Template::parse(&text).unwrap().metrics.first().unwrap().thresholds()
        };
        assert_eq!(of("success: '<= 0.01'"), ["success <= 0.01"]);
        assert_eq!(
            of("success: '<= 0.01', failure: ['> 0.05', '> 2 x baseline'], compare: {margin: 0.01}"),
            ["success <= 0.01", "failure > 0.05 and > 2 x baseline", "no worse than the baseline by more than 0.01"]
        );
        assert_eq!(of("compare: {}"), ["no worse than the baseline"]);
        assert_eq!(
            of("compare: {tolerance: 0.25, margin: 0.03}"),
            ["no worse than the baseline by more than 0.25 x baseline + 0.03"]
        );
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        let metric = "name: a, direction: lower_is_better, source: {prometheus: {rate: {name: x}}}";
        for (text, at, why) in [
            ("a: [", "line 1", "is not YAML"),
            ("samples: 1", "/", "missing field"),
            ("{interval: 10, samples: 1, metrics: []}", "interval", "expected a string"),
            ("{interval: 10h, samples: 1, metrics: []}", "interval", "such as 500ms, 10s or 2m, and is \"10h\""),
            ("{interval: 10s, samples: 0, metrics: []}", "samples", "from 1 to 200, and is 0"),
            ("{interval: 10s, samples: 1, metrics: []}", "metrics", "must be 1 to 20, and are 0"),
            (
                &format!("{{interval: 10s, samples: 1, metrics: [{{{metric}}}]}}"),
                "metrics[0]",
                "needs success or failure",
            ),
            (
                &format!("{{interval: 10s, samples: 1, metrics: [{{{metric}, success: '0.1'}}]}}"),
                "metrics[0].success",
                "must be a comparison",
            ),
            (
                &format!("{{interval: 10s, samples: 1, metrics: [{{{metric}, sucess: '< 1'}}]}}"),
                "metrics[0].sucess",
                "unknown field",
            ),
            (
                &format!(
                    "{{interval: 10s, samples: 1, metrics: [{{{metric}, success: '< 1', compare: {{confidence: 98}}}}]}}"
                ),
                "metrics[0].compare.confidence",
                "such as 0.98, and is 98",
            ),
            (
                "{interval: 10s, samples: 1, metrics: [{name: a, direction: lower_is_better, source: {probe: errors}, success: '< 1'}]}",
                "metrics[0].source",
                "has no probe",
            ),
            (
                "{interval: 10s, samples: 1, probe: {paths: ['//h'], rate: 1, timeout: 1s}, metrics: [{name: a, direction: lower_is_better, source: {probe: {latency: {q: 95}}}, success: '< 1'}]}",
                "probe.paths[0]",
                "must be a path",
            ),
        ] {
            let found = found(text);
            assert!(
                found.iter().any(|line| line.starts_with(&format!("{at}: ")) && line.contains(why)),
                "{text}\n{found:#?}"
            );
        }
        // All of what can be known at once.
        assert!(found("{interval: 1ms, samples: 0, metrics: []}").len() == 3);
    }
}
