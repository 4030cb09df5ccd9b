//! Makes a number of two scrapes, or of the probes' answers.
//!
//! A counter that went back, or is gone, belongs to a process that was begun anew in between: what it counted before is lost, so
//! there is no number.

use std::collections::BTreeMap;
use std::time::Duration;

use super::probe::Answers;
use super::sample::Reading;
use super::scrape::{Scrape, Series};
use super::template::{Number, Probed, Selector, Source, Template};
use crate::target::Side;

/// What was seen of one side in one interval.
#[derive(Debug, Clone)]
pub struct Seen {
    pub side: Side,
    /// The scrapes at its beginning and its end, or why there are none.
    pub scrapes: Result<(Scrape, Scrape), String>,
    /// The time between the scrapes.
    pub between: Duration,
    pub answers: Option<Answers>,
}

/// The numbers of all metrics.
#[must_use]
pub fn readings(template: &Template, seen: &Seen) -> BTreeMap<String, Reading> {
    let reading = |source: &Source| match source {
        Source::Prometheus(number) => match &seen.scrapes {
            Ok((before, after)) => {
                Growth { before, after, side: seen.side, seconds: seen.between.as_secs_f64() }.number(number)
            }
            Err(why) => Reading::no_data(why.clone()),
        },
        Source::Probe(probed) => match &seen.answers {
            Some(answers) => probed_number(probed, answers),
            None => Reading::no_data("nothing was asked"),
        },
    };
    template.metrics.iter().map(|metric| (metric.name.clone(), reading(&metric.source))).collect()
}

#[allow(clippy::cast_precision_loss)]
fn probed_number(probed: &Probed, answers: &Answers) -> Reading {
    let asked = answers.asked;
    if asked == 0 {
        return Reading::no_data("nothing was asked");
    }
    let number = match probed {
        Probed::Errors => answers.failed as f64 / asked as f64,
        Probed::Latency { q } => match quantile_of(&answers.seconds, *q) {
            Some(number) => number,
            None => return Reading::no_data("nothing answered"),
        },
    };
    Reading::Number { number, events: Some(asked) }
}

/// The smallest number that this part of them does not exceed.
#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn quantile_of(numbers: &[f64], q: f64) -> Option<f64> {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (q * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied()
}

/// Two scrapes of one process.
struct Growth<'s> {
    before: &'s Scrape,
    after: &'s Scrape,
    side: Side,
    seconds: f64,
}

impl Growth<'_> {
    fn number(&self, number: &Number) -> Reading {
        let found = match number {
            Number::Rate(selector) => self.rate(selector),
            Number::Ratio { of, to } => self.ratio(of, to),
            Number::Quantile { q, of } => self.quantile(*q, of),
            Number::Value(selector) => self.value(selector),
        };
        found.unwrap_or_else(Reading::NoData)
    }

    fn rate(&self, selector: &Selector) -> Result<Reading, String> {
        let grown = self.sum(selector)?;
        if self.seconds <= 0.0 {
            return Err("no time went by".to_owned());
        }
        Ok(Reading::Number { number: grown / self.seconds, events: Some(whole(grown)) })
    }

    fn ratio(&self, of: &Selector, to: &Selector) -> Result<Reading, String> {
        let all = self.sum(to)?;
        if all <= 0.0 {
            return Err(format!("{} did not grow: there was nothing to count", to.name));
        }
        // That the part has no series yet means that it has not happened; the whole is what must be there.
        let part = if self.any(of) { self.sum(of)? } else { 0.0 };
        Ok(Reading::Number { number: part / all, events: Some(whole(all)) })
    }

    fn quantile(&self, q: f64, of: &Selector) -> Result<Reading, String> {
        let buckets = self.grown(&Selector { name: format!("{}_bucket", of.name), labels: of.labels.clone() })?;
        let mut by_bound: Vec<(f64, f64)> = Vec::new();
        for (series, grown) in buckets {
            let bound = series.labels.get("le").and_then(|bound| bound.parse::<f64>().ok());
            let bound = bound.ok_or_else(|| format!("a bucket of {} has no bound", of.name))?;
            match by_bound.iter_mut().find(|(other, _)| *other == bound) {
                Some((_, count)) => *count += grown,
                None => by_bound.push((bound, grown)),
            }
        }
        by_bound.sort_by(|a, b| a.0.total_cmp(&b.0));
        let all = by_bound.last().filter(|(bound, _)| *bound == f64::INFINITY).map(|(_, count)| *count);
        let all = all.ok_or_else(|| format!("{} has no bucket without a bound", of.name))?;
        if all <= 0.0 {
            return Err(format!("{} did not grow: there was nothing to count", of.name));
        }
        let number =
            in_buckets(&by_bound, q * all).ok_or_else(|| format!("the buckets of {} cannot be read", of.name))?;
        Ok(Reading::Number { number, events: Some(whole(all)) })
    }

    fn value(&self, selector: &Selector) -> Result<Reading, String> {
        let mut found =
            self.after.of(&selector.name).filter(|(series, _)| fits(series, selector, self.side)).peekable();
        if found.peek().is_none() {
            return Err(format!("there is no {}", selector.name));
        }
        Ok(Reading::Number { number: found.map(|(_, value)| value).sum(), events: None })
    }

    fn any(&self, selector: &Selector) -> bool {
        self.after
            .of(&selector.name)
            .chain(self.before.of(&selector.name))
            .any(|(series, _)| fits(series, selector, self.side))
    }

    fn sum(&self, selector: &Selector) -> Result<f64, String> {
        Ok(self.grown(selector)?.iter().map(|(_, grown)| grown).sum())
    }

    /// How much each of these counters grew.
    fn grown(&self, selector: &Selector) -> Result<Vec<(&Series, f64)>, String> {
        let restarted = || format!("{} went back: the process was begun anew", selector.name);
        let of = |scrape: &'_ Scrape| {
            scrape.of(&selector.name).filter(|(series, _)| fits(series, selector, self.side)).count()
        };
        if of(self.after) == 0 {
            return Err(if of(self.before) == 0 { format!("there is no {}", selector.name) } else { restarted() });
        }
        let gone = self.before.of(&selector.name).any(|(series, _)| self.after.get(series).is_none());
        if gone {
            return Err(restarted());
        }
        let mut grown = Vec::new();
        for (series, now) in self.after.of(&selector.name).filter(|(series, _)| fits(series, selector, self.side)) {
            // One that was not there yet has counted nothing until then.
            let before = self.before.get(series).unwrap_or(0.0);
            let by = now - before;
            if !by.is_finite() {
                return Err(format!("{} is {now}", selector.name));
            }
            if by < 0.0 {
                return Err(restarted());
            }
            grown.push((series, by));
        }
        Ok(grown)
    }
}

/// Where in a bucket the number of this rank stands, as if they were spread evenly in it; in the last one it is its lower bound.
fn in_buckets(by_bound: &[(f64, f64)], rank: f64) -> Option<f64> {
    let (mut lower, mut below) = (0.0, 0.0);
    for (bound, count) in by_bound {
        if *count >= rank {
            if *bound == f64::INFINITY || *count <= below {
                return Some(lower);
            }
            let start: f64 = if lower == 0.0 && *bound <= 0.0 { *bound } else { lower };
            return Some(start + (bound - start) * ((rank - below) / (count - below)));
        }
        (lower, below) = (*bound, *count);
    }
    None
}

fn fits(series: &Series, selector: &Selector, side: Side) -> bool {
    selector.labels.iter().all(|(label, pattern)| {
        let pattern = pattern.replace("{side}", side.name());
        let value = series.labels.get(label).map_or("", String::as_str);
        let (wanted, pattern) = pattern.strip_prefix('!').map_or((true, pattern.as_str()), |pattern| (false, pattern));
        let is = pattern.strip_suffix('*').map_or(value == pattern, |prefix| value.starts_with(prefix));
        is == wanted
    })
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn whole(count: f64) -> u64 {
    count.max(0.0) as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrape(text: &str) -> Scrape {
        Scrape::parse(text).unwrap()
    }

    fn number(before: &str, after: &str, yaml: &str) -> Reading {
        let number: Number = serde_saphyr::from_str(yaml).unwrap();
        let (before, after) = (scrape(before), scrape(after));
        Growth { before: &before, after: &after, side: Side::Canary, seconds: 10.0 }.number(&number)
    }

    fn is(reading: &Reading, wanted: f64, events: Option<u64>) -> bool {
        matches!(reading, Reading::Number { number, events: found } if (number - wanted).abs() < 1e-9 && *found == events)
    }

    const ERRORS: &str = "ratio: {of: {name: r, labels: {s: '5*'}}, to: {name: r}}";

    #[test]
    fn counters_become_rates_and_ratios() {
        let (before, after) = ("r{s=\"200\"} 10\n", "r{s=\"200\"} 28\nr{s=\"503\"} 2\n");
        assert!(is(&number(before, after, "rate: {name: r}"), 2.0, Some(20)));
        assert!(is(&number(before, after, "rate: {name: r, labels: {s: '!5*'}}"), 1.8, Some(18)));
        assert!(is(&number(before, after, ERRORS), 0.1, Some(20)));
        // No error yet: none of twenty, and not unknown.
        assert!(is(&number(before, "r{s=\"200\"} 30\n", ERRORS), 0.0, Some(20)));
        let own = "rate: {name: j, labels: {worker: '{side}*'}}";
        assert!(is(&number("", "j{worker=\"canary\"} 10\nj{worker=\"production\"} 50\n", own), 1.0, Some(10)));
    }

    #[test]
    fn what_is_missing_or_went_back_is_no_data() {
        for (before, after, what, why) in [
            ("r{s=\"200\"} 10\n", "r{s=\"200\"} 9\n", "rate: {name: r}", "went back"),
            ("r{s=\"200\"} 10\n", "r{s=\"201\"} 11\n", "rate: {name: r}", "went back"),
            ("r 1\n", "", "rate: {name: r}", "went back"),
            ("", "", "rate: {name: r}", "there is no r"),
            ("r 1\n", "r NaN\n", "rate: {name: r}", "is NaN"),
            ("r 1\n", "r 1\n", ERRORS, "did not grow"),
            ("", "", "value: {name: g}", "there is no g"),
            (
                "h_bucket{le=\"1\"} 1\n",
                "h_bucket{le=\"1\"} 2\n",
                "quantile: {q: 0.5, of: {name: h}}",
                "no bucket without",
            ),
        ] {
            assert!(
                matches!(number(before, after, what), Reading::NoData(found) if found.contains(why)),
                "{before} {after}"
            );
        }
        assert!(is(&number("", "g{a=\"1\"} 2\ng{a=\"2\"} 3\n", "value: {name: g}"), 5.0, None));
    }

    /// As Prometheus' documentation of `histogram_quantile` has it: spread evenly within a bucket.
    #[test]
    fn a_quantile_is_found_within_its_bucket() {
        let before = "h_bucket{le=\"0.1\"} 5\nh_bucket{le=\"0.2\"} 5\nh_bucket{le=\"+Inf\"} 5\n";
        let after = "h_bucket{le=\"0.1\"} 10\nh_bucket{le=\"0.2\"} 14\nh_bucket{le=\"+Inf\"} 15\n";
        let quantile = |q: f64| number(before, after, &format!("quantile: {{q: {q}, of: {{name: h}}}}"));
        assert!(is(&quantile(0.25), 0.05, Some(10)));
        assert!(is(&quantile(0.7), 0.15, Some(10)));
        // Beyond the last bound it is known no better than that.
        assert!(is(&quantile(0.99), 0.2, Some(10)));
    }

    #[test]
    fn answers_of_probes_become_numbers() {
        let answers = Answers { asked: 4, failed: 1, seconds: vec![0.4, 0.1, 0.3, 0.2], faults: BTreeMap::new() };
        assert!(is(&probed_number(&Probed::Errors, &answers), 0.25, Some(4)));
        assert!(is(&probed_number(&Probed::Latency { q: 0.5 }, &answers), 0.2, Some(4)));
        assert!(is(&probed_number(&Probed::Latency { q: 0.9 }, &answers), 0.4, Some(4)));
        assert!(matches!(probed_number(&Probed::Errors, &Answers::default()), Reading::NoData(_)));
    }
}
