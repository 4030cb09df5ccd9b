//! Takes one sample: scrapes both sides, watches them for an interval while the probes ask, and scrapes again.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use tokio::time::{Instant, sleep_until};
use url::Url;

use super::measure::{Seen, readings};
use super::probe::{self, Answers, address};
use super::sample::Sample;
use super::scrape::{MAX_BYTES, Scrape};
use super::template::Template;
use crate::target::Side;

const SCRAPE_TIMEOUT: Duration = Duration::from_secs(5);
const METRICS: &str = "/metrics";

/// Speaks with the daemons for an analysis.
#[derive(Debug, Clone)]
pub struct Collector {
    client: reqwest::Client,
}

impl Collector {
    /// # Errors
    /// When there is no client for HTTP.
    pub fn new() -> Result<Self, String> {
        // Longer than any probe may take; each has its own time.
        Ok(Collector { client: probe::client(Duration::from_secs(61))? })
    }

    /// One sample, which takes the template's interval and some seconds at most. A side without an address has no data.
    pub async fn sample(&self, template: &Template, baseline: Option<&Url>, canary: Option<&Url>) -> Sample {
        let sides: Vec<(Side, Url)> = [(Side::Production, baseline), (Side::Canary, canary)]
            .into_iter()
            .filter_map(|(side, address)| Some((side, address?.clone())))
            .collect();
        let (before, begun) = (self.scrapes(&sides).await, Instant::now());
        let mut answers = match &template.probe {
            Some(probe) => probe::run(probe, &self.client, &sides, template.interval).await,
            None => BTreeMap::new(),
        };
        sleep_until(begun + template.interval).await;
        let between = begun.elapsed();
        let mut after = self.scrapes(&sides).await;
        let mut of_side = BTreeMap::new();
        for (side, before) in before {
            let after = after.remove(&side).unwrap_or_else(|| Err("it was not scraped".to_owned()));
            let scrapes = before.and_then(|before| Ok((before, after?)));
            let answers: Option<Answers> = answers.remove(&side);
            of_side.insert(side, readings(template, &Seen { side, scrapes, between, answers }));
        }
        let mut take = |side| of_side.remove(&side).unwrap_or_default();
        Sample { at: Utc::now(), baseline: take(Side::Production), canary: take(Side::Canary) }
    }

    async fn scrapes(&self, sides: &[(Side, Url)]) -> BTreeMap<Side, Result<Scrape, String>> {
        let mut found = BTreeMap::new();
        for (side, base) in sides {
            let scraped = tokio::time::timeout(SCRAPE_TIMEOUT, self.scrape(base)).await;
            found.insert(*side, scraped.unwrap_or_else(|_| Err(format!("{METRICS} does not answer in time"))));
        }
        found
    }

    async fn scrape(&self, base: &Url) -> Result<Scrape, String> {
        let mut answer =
            self.client.get(address(base, METRICS)).send().await.map_err(|_| format!("{METRICS} does not answer"))?;
        if !answer.status().is_success() {
            return Err(format!("{METRICS} answers {}", answer.status().as_u16()));
        }
        let mut text = Vec::new();
        while let Some(part) = answer.chunk().await.map_err(|_| format!("{METRICS} stops in the middle"))? {
            if text.len() + part.len() > MAX_BYTES {
                return Err(format!("{METRICS} answers more than {MAX_BYTES} bytes"));
            }
            text.extend_from_slice(&part);
        }
        let text = String::from_utf8(text).map_err(|_| format!("{METRICS} answers what is not UTF-8"))?;
        Scrape::parse(&text).map_err(|error| error.to_string())
    }
}
