//! What other queues reached in the same run: read from the JSON lines of the peers' own driver, one object per line.
//!
//! Only the lines that are compared are understood (`drain`, `enq1`, `bulk`, `lat`, `kill`); the rest is left alone.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use serde::Serialize;
use serde_json::Value;

use super::figure::median;

/// What was measured of a peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Measure {
    /// Jobs per second until the last one is committed, by one worker process.
    Drain1,
    /// The same by two.
    Drain2,
    /// Runs with two durable steps per second.
    TwoSteps,
    /// One by one, by 8 callers, jobs per second.
    Enqueue,
    /// A thousand at a time, jobs per second.
    Bulk,
    /// From the call to the handler, milliseconds.
    StartP50,
    StartP99,
    /// After `kill -9`, until the last of its jobs runs again, seconds.
    Restart,
}

/// Samples by peer and measure; empty when no file was named.
#[derive(Debug, Default)]
pub struct Peers(BTreeMap<(String, Measure), Vec<f64>>);

impl Peers {
    /// # Errors
    /// When the file cannot be read, or a line is no JSON.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        Self::parse(&text).with_context(|| format!("{} is not what the peers' driver writes", path.display()))
    }

    fn parse(text: &str) -> anyhow::Result<Self> {
        let mut peers = Peers::default();
        for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line: Value = serde_json::from_str(line).with_context(|| format!("line {} is no JSON", index + 1))?;
            peers.take(&line);
        }
        Ok(peers)
    }

    fn take(&mut self, line: &Value) {
        let Some(peer) = line.get("peer").and_then(Value::as_str) else { return };
        let mut add = |measure, field: &str| {
            if let Some(value) = line.get(field).and_then(Value::as_f64) {
                self.0.entry((peer.to_owned(), measure)).or_default().push(value);
            }
        };
        match line.get("k").and_then(Value::as_str).unwrap_or_default() {
            "drain" => {
                let rate = if line.get("rate_to_committed").is_some() { "rate_to_committed" } else { "rate" };
                match line.get("workers").and_then(Value::as_i64) {
                    // Their driver tells these by the name.
                    Some(1) if peer.ends_with("2-step") => add(Measure::TwoSteps, rate),
                    Some(1) => add(Measure::Drain1, rate),
                    Some(2) => add(Measure::Drain2, rate),
                    _ => {}
                }
            }
            "enq1" => add(Measure::Enqueue, "rate"),
            "bulk" => add(Measure::Bulk, "rate"),
            "lat" => {
                add(Measure::StartP50, "p50");
                add(Measure::StartP99, "p99");
            }
            "kill" => add(Measure::Restart, "last_s"),
            _ => {}
        }
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Their names, each once.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.0.keys().map(|(peer, _)| peer.as_str()).collect();
        names.dedup();
        names
    }

    #[must_use]
    pub fn median(&self, peer: &str, measure: Measure) -> Option<f64> {
        self.0.get(&(peer.to_owned(), measure)).map(|samples| median(samples))
    }

    /// The peer with the smallest median.
    #[must_use]
    pub fn best(&self, measure: Measure) -> Option<(&str, f64)> {
        let of_measure = self.0.iter().filter(|((_, other), _)| *other == measure);
        of_measure
            .map(|((peer, _), samples)| (peer.as_str(), median(samples)))
            .min_by(|one, other| one.1.total_cmp(&other.1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_driver_become_medians() {
        let text = r#"
            {"k": "limit", "what": "a insert c=8", "rate": 15000}
            {"k": "drain", "peer": "one", "workers": 1, "rate": 9, "rate_to_committed": 10}
            {"k": "drain", "peer": "one", "workers": 1, "rate": 19, "rate_to_committed": 20}
            {"k": "drain", "peer": "two", "workers": 2, "rate": 5}
            {"k": "drain", "peer": "two 2-step", "workers": 1, "rate": 3}
            {"k": "lat", "peer": "one", "samples": 200, "p50": 2.5, "p95": 3, "p99": 9}
            {"k": "lat", "peer": "two", "samples": 200, "p50": 2.0, "p95": 3, "p99": 4}
            {"k": "kill", "peer": "two", "last_s": null}"#;
        let peers = Peers::parse(text).unwrap();
        assert_eq!(peers.median("one", Measure::Drain1), Some(15.0));
        assert_eq!(peers.median("two", Measure::Drain2), Some(5.0));
        assert_eq!(peers.median("two 2-step", Measure::TwoSteps), Some(3.0));
        assert_eq!(peers.median("two", Measure::Restart), None);
        assert_eq!(peers.best(Measure::StartP99), Some(("two", 4.0)));
        assert_eq!(peers.names(), ["one", "two", "two 2-step"]);
    }
}
