//! The model's faults: 429 with Retry-After, 500, malformed JSON, a cut stream once and always, a stream that hangs. Each
//! run ends as it should, and nothing is stuck.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::ensure;

use super::super::Row;
use super::super::history::Expect;
use super::super::load::Mix;
use super::super::trial::Trial;

pub(super) const ROW: Row = Row::new("model", "429, 500, malformed, cut and hanging answers", harm);

const WORDS: &[(&str, Expect)] = &[
    ("", Expect::Completed),
    ("[429]", Expect::Completed),
    ("[500]", Expect::Completed),
    ("[malformed]", Expect::Completed),
    ("[cut-once]", Expect::Completed),
    ("[429] [500]", Expect::Completed),
    ("[cut]", Expect::Failed),
    // A person has enough of it.
    ("[hang]", Expect::Canceled),
];
/// What the fake says in `Retry-After`.
const RETRY_AFTER: Duration = Duration::from_secs(1);

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(1)?;
    let clients = if trial.quick { 4 } else { 6 };
    trial.load(&Mix { clients, words: WORDS, max_retries: Some(2), ..Mix::default() })?;
    if trial.quick {
        trial.moment(1500..=2000)
    } else {
        trial.moment(3000..=4000)
    }
    trial.stop_load()?;
    let bad = trial.history.operations().iter().filter(|operation| operation.content.contains('[')).count();
    trial.faults += bad as u64;
    trial
        .until("the end of all jobs", || Ok((trial.database.count("SELECT count(*) FROM jobs")? == 0).then_some(())))?;
    retry_after_was_kept(trial)
}

/// The second request of each message that was answered with 429 came no sooner than it was asked to.
fn retry_after_was_kept(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    let mut asked: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    for request in trial.model.requests().iter().filter(|request| request.content().contains("[429]")) {
        asked.entry(request.content().to_owned()).or_default().push(request.instant);
    }
    for times in asked.values() {
        if let [first, second, ..] = times.as_slice() {
            let waited = *second - *first;
            ensure!(waited >= RETRY_AFTER, "asked again {waited:?} after a 429 with Retry-After {RETRY_AFTER:?}");
        }
    }
    trial.counted.insert("Retry-After kept", asked.len() as u64);
    Ok(())
}
