//! Connections are cut during COMMIT, before or after it reached Postgres. Each daemon asks what became of it, and nothing
//! happens twice. In the second row the worker is killed at that moment, so that nobody asks.

use std::time::{Duration, Instant};

use super::super::Row;
use super::super::load::Mix;
use super::super::trial::{Trial, until};
use crate::proxy::{Cut, Proxy};

pub(super) const ROW: Row = Row::new("cut-commit", "the connection is cut during COMMIT", harm);
pub(super) const KILL: Row =
    Row::new("kill-at-commit", "a worker's connection is cut during COMMIT, and it is killed", kill)
        .must_see("jobs in its hands")
        .not_in_tests();

/// A COMMIT comes by then.
const PATIENCE: Duration = Duration::from_secs(10);

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    let proxies = [Proxy::before(&trial.database.url), Proxy::before(&trial.database.url)];
    trial.api(&proxies[0].url)?;
    trial.worker_at(&proxies[1].url, &[])?;
    trial.load(&Mix::default())?;
    for _ in 0..if trial.quick { 3 } else { 8 } {
        trial.moment(50..=300);
        let proxy = &proxies[trial.dice.index(2)];
        cut_one(trial, proxy)?;
    }
    trial.everybody_lives()
}

fn kill(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(1)?;
    for round in 0..3 {
        let proxy = Proxy::before(&trial.database.url);
        trial.worker_at(&proxy.url, &[])?;
        if round == 0 {
            trial.load(&Mix::default())?;
        }
        trial.moment(200..=600);
        cut_one(trial, &proxy)?;
        // The last to come.
        let (killed, held) = (Instant::now(), trial.kill_worker(1)?);
        *trial.counted.entry("jobs in its hands").or_default() += held.len() as u64;
        trial.resumed(&held, killed)?;
    }
    Ok(())
}

fn cut_one(trial: &mut Trial<'_>, proxy: &Proxy) -> anyhow::Result<()> {
    let (cut, name) = if trial.dice.coin() { (Cut::After, "after COMMIT") } else { (Cut::Before, "before COMMIT") };
    let before = proxy.cuts();
    proxy.cut(cut, trial.dice.index(6));
    until("a COMMIT that is cut", PATIENCE, || Ok((proxy.cuts() > before).then_some(())))?;
    trial.faults += 1;
    *trial.counted.entry(name).or_default() += 1;
    Ok(())
}
