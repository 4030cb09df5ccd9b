//! What a template has to keep to beyond its shape: limits, names that are used once, and conditions that decide something.

use std::collections::BTreeSet;
use std::time::Duration;

use titan_core::templates::Problem;

use super::condition::EXAMPLE;
use super::template::{Compare, Metric, Number, Probe, Probed, Selector, Source, Template};

const MAX_METRICS: usize = 20;
const MAX_SAMPLES: u32 = 200;
const MAX_NAME: usize = 60;
const MAX_LABELS: usize = 10;
const MAX_PATHS: usize = 20;
const RATE: (f64, f64) = (0.01, 50.0);
const INTERVAL: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(3600));
const TIMEOUT: (Duration, Duration) = (Duration::from_millis(10), Duration::from_secs(60));

/// All that is wrong with it.
pub(super) fn problems(template: &Template) -> Vec<Problem> {
    let mut found = Found::default();
    found.time("interval", template.interval, INTERVAL);
    found.samples("samples", template.samples);
    if let Some(probe) = &template.probe {
        probe.check(&mut found);
    }
    found.ensure((1..=MAX_METRICS).contains(&template.metrics.len()), "metrics", || {
        format!("must be 1 to {MAX_METRICS}, and are {}", template.metrics.len())
    });
    let mut names = BTreeSet::new();
    for (place, metric) in template.metrics.iter().take(MAX_METRICS).enumerate() {
        let at = format!("metrics[{place}]");
        found.ensure(names.insert(&metric.name), &format!("{at}.name"), || {
            format!("is {:?} like another's; each needs a name of its own", metric.name)
        });
        metric.check(&at, template.probe.is_some(), &mut found);
    }
    found.0
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

pub(super) fn problem(path: &str, message: String) -> Problem {
    let path = if path.is_empty() || path == "." { "/".to_owned() } else { path.to_owned() };
    Problem { path, message }
}
