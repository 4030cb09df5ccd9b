//! What an analysis looks at, as data: metrics, each with where its numbers come from, when a sample is a success or a failure, and
//! how many failures there may be. The words are those of Argo Rollouts' AnalysisTemplate, and mean the same.
//!
//! A template is written in YAML; the one that is shipped is `default.yaml` beside this file.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use titan_core::templates::Problem;

use super::condition::{Condition, EXAMPLE};

const DEFAULT: &str = include_str!("default.yaml");
const MAX_BYTES: usize = 64 << 10;
const MAX_METRICS: usize = 20;
const MAX_SAMPLES: u32 = 200;
const MAX_NAME: usize = 60;
const MAX_LABELS: usize = 10;
const MAX_PATHS: usize = 20;
const RATE: (f64, f64) = (0.01, 50.0);
const INTERVAL: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3600));
const TIMEOUT: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(60));

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
        let problems = template.problems();
        if problems.is_empty() { Ok(template) } else { Err(problems) }
    }

    /// Samples of a metric.
    #[must_use]
    pub fn samples_of(&self, metric: &Metric) -> u32 {
        metric.samples.unwrap_or(self.samples)
    }

    fn problems(&self) -> Vec<Problem> {
        let mut found = Found::default();
        found.time("interval", self.interval, INTERVAL);
        found.samples("samples", self.samples);
        if let Some(probe) = &self.probe {
            probe.check(&mut found);
        }
        found.ensure((1..=MAX_METRICS).contains(&self.metrics.len()), "metrics", || {
            format!("must be 1 to {MAX_METRICS}, and are {}", self.metrics.len())
        });
        let mut names = BTreeSet::new();
        for (place, metric) in self.metrics.iter().take(MAX_METRICS).enumerate() {
            let at = format!("metrics[{place}]");
            found.ensure(names.insert(&metric.name), &format!("{at}.name"), || {
                format!("is {:?} like another's; each needs a name of its own", metric.name)
            });
            metric.check(&at, self.probe.is_some(), &mut found);
        }
        found.0
    }
}

impl Probe {
    fn check(&self, found: &mut Found) {
        found.ensure((1..=MAX_PATHS).contains(&self.paths.len()), "probe.paths", || {
            format!("must be 1 to {MAX_PATHS} such as /api/health, and are {}", self.paths.len())
        });
        for (place, path) in self.paths.iter().enumerate() {
            let fits =
                path.starts_with('/') && !path.starts_with("//") && path.bytes().all(|byte| byte.is_ascii_graphic());
            found.ensure(fits && !path.contains('#'), &format!("probe.paths[{place}]"), || {
                format!("must be a path such as /api/health, and is {path:?}")
            });
        }
        found.ensure((RATE.0..=RATE.1).contains(&self.rate), "probe.rate", || {
            format!("must be from {} to {} requests in a second, and is {}", RATE.0, RATE.1, self.rate)
        });
        found.time("probe.timeout", self.timeout, TIMEOUT);
    }
}

impl Metric {
    fn check(&self, at: &str, probes: bool, found: &mut Found) {
        let name = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        let fits = (1..=MAX_NAME).contains(&self.name.len()) && self.name.chars().all(name);
        found.ensure(fits, &format!("{at}.name"), || {
            format!("must be 1 to {MAX_NAME} of a-z, 0-9 and -, such as error-rate, and is {:?}", self.name)
        });
        let decided = self.success.is_some() || self.failure.is_some() || self.compare.is_some();
        found.ensure(decided, at, || {
            format!("needs success or failure, such as {EXAMPLE}, or compare; without them no sample says anything")
        });
        if let Some(samples) = self.samples {
            found.samples(&format!("{at}.samples"), samples);
        }
        if let Some(compare) = &self.compare {
            compare.check(&format!("{at}.compare"), found);
        }
        match &self.source {
            Source::Prometheus(number) => number.check(&format!("{at}.source.prometheus"), found),
            Source::Probe(probed) => {
                found.ensure(probes, &format!("{at}.source"), || "is probe, and the template has no probe".to_owned());
                if let Probed::Latency { q } = probed {
                    found.quantile(&format!("{at}.source.probe.latency.q"), *q);
                }
            }
        }
    }
}

impl Compare {
    fn check(&self, at: &str, found: &mut Found) {
        found.ensure((0.0..=100.0).contains(&self.tolerance), &format!("{at}.tolerance"), || {
            format!("must be a part of the baseline from 0 to 100, such as 0.25, and is {}", self.tolerance)
        });
        found.ensure(self.margin >= 0.0 && self.margin.is_finite(), &format!("{at}.margin"), || {
            format!("must be 0 or more, and is {}", self.margin)
        });
        found.ensure((0.5..1.0).contains(&self.confidence), &format!("{at}.confidence"), || {
            format!("must be from 0.5 to below 1, such as 0.98, and is {}", self.confidence)
        });
        found.ensure((3..=200).contains(&self.at_least), &format!("{at}.at_least"), || {
            format!("must be from 3 to 200, and is {}", self.at_least)
        });
    }
}

impl Number {
    fn check(&self, at: &str, found: &mut Found) {
        match self {
            Number::Rate(selector) => selector.check(&format!("{at}.rate"), found),
            Number::Value(selector) => selector.check(&format!("{at}.value"), found),
            Number::Ratio { of, to } => {
                of.check(&format!("{at}.ratio.of"), found);
                to.check(&format!("{at}.ratio.to"), found);
            }
            Number::Quantile { q, of } => {
                found.quantile(&format!("{at}.quantile.q"), *q);
                of.check(&format!("{at}.quantile.of"), found);
            }
        }
    }
}

impl Selector {
    fn check(&self, at: &str, found: &mut Found) {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        found.ensure(!self.name.is_empty() && self.name.chars().all(word), &format!("{at}.name"), || {
            format!("must be the name of a metric such as titan_http_requests_total, and is {:?}", self.name)
        });
        found.ensure(self.labels.len() <= MAX_LABELS, &format!("{at}.labels"), || {
            format!("must be at most {MAX_LABELS}, and are {}", self.labels.len())
        });
        for (label, pattern) in &self.labels {
            let inner = pattern.strip_prefix('!').unwrap_or(pattern);
            let fits = !inner.strip_suffix('*').unwrap_or(inner).contains('*');
            found.ensure(fits, &format!("{at}.labels.{label}"), || {
                format!("may have a * at its end alone, such as \"5*\" or \"!5*\", and is {pattern:?}")
            });
        }
    }
}

/// The problems so far.
#[derive(Default)]
struct Found(Vec<Problem>);

impl Found {
    fn ensure(&mut self, right: bool, path: &str, why: impl FnOnce() -> String) {
        if !right {
            self.0.push(problem(path, why()));
        }
    }

    fn time(&mut self, path: &str, time: Duration, (least, most): (Duration, Duration)) {
        self.ensure((least..=most).contains(&time), path, || {
            format!("must be from {least:?} to {most:?}, and is {time:?}")
        });
    }

    fn samples(&mut self, path: &str, samples: u32) {
        self.ensure((1..=MAX_SAMPLES).contains(&samples), path, || {
            format!("must be from 1 to {MAX_SAMPLES}, and is {samples}")
        });
    }

    fn quantile(&mut self, path: &str, q: f64) {
        self.ensure(q > 0.0 && q < 1.0, path, || format!("must be between 0 and 1, such as 0.95, and is {q}"));
    }
}

fn problem(path: &str, message: String) -> Problem {
    let path = if path.is_empty() || path == "." { "/".to_owned() } else { path.to_owned() };
    Problem { path, message }
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

    fn problems(text: &str) -> Vec<String> {
        let found = Template::parse(text).unwrap_err();
        found.into_iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect()
    }

    #[test]
    fn the_shipped_one_can_be_read_and_kept() {
        let shipped = Template::shipped().unwrap();
        let kept = serde_json::to_string(&shipped).unwrap();
        assert_eq!(serde_json::from_str::<Template>(&kept).unwrap(), shipped);
        assert!(shipped.metrics.iter().any(|metric| metric.compare.is_some()));
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
            let found = problems(text);
            assert!(
                found.iter().any(|line| line.starts_with(&format!("{at}: ")) && line.contains(why)),
                "{text}\n{found:#?}"
            );
        }
        // All of what can be known at once.
        assert!(problems("{interval: 1ms, samples: 0, metrics: []}").len() == 3);
    }
}
