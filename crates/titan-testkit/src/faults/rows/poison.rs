//! A job that ends the process of whoever takes it, among hundreds that do no harm: it is quarantined after a few deaths, and
//! the others are done. The workers are the bench's, which know such a job; somebody starts each one again that died.

use std::time::{Duration, Instant};

use anyhow::ensure;
use titan_core::queue::{self, NewJob};

use super::super::Row;
use super::super::history::Expect;
use super::super::load::Mix;
use super::super::trial::{Trial, until};

pub(super) const ROW: Row = Row::new("poison", "a job that aborts whoever takes it", harm).must_see("deaths");

const WORKERS: usize = 3;
const HARMLESS: usize = 300;
const PATIENCE: Duration = Duration::from_secs(60);
/// Three deaths make a suspect, two alone with it prove it; one more for a death that fell together with another fault.
const MOST_DEATHS: u64 = 6;

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(1)?;
    let url = trial.database.url.clone();
    let poisons = if trial.quick { 1 } else { trial.dice.number(1..=2) };
    // Chats go on beside it, on a worker that does not know that kind of job.
    trial.load(&Mix { clients: 2, ..Mix::default() })?;
    for _ in 0..WORKERS {
        trial.program_at("bench-worker", &url, &[])?;
    }
    enqueue(trial, "bench.noop", HARMLESS / 2, Expect::Completed)?;
    enqueue(trial, "bench.poison", usize::try_from(poisons)?, Expect::Failed)?;
    enqueue(trial, "bench.noop", HARMLESS / 2, Expect::Completed)?;
    let began = Instant::now();
    let mut deaths = 0;
    loop {
        deaths += bury(trial, &url)?;
        let left = trial.database.count("SELECT count(*) FROM jobs WHERE kind = 'bench.poison'")?;
        if left == 0 {
            break;
        }
        ensure!(began.elapsed() < PATIENCE, "a job that kills its workers is still there after {deaths} deaths");
        trial.moment(20..=100);
    }
    bury(trial, &url)?;
    trial.faults += deaths;
    trial.counted.insert("deaths", deaths);
    let most = MOST_DEATHS * poisons;
    ensure!(deaths <= most, "{deaths} workers died of {poisons} jobs, {most} would have been enough");
    let quarantined = trial.database.count("SELECT count(*) FROM dead_letters WHERE error LIKE 'quarantined:%'")?;
    ensure!(u64::try_from(quarantined)? == poisons, "{quarantined} of {poisons} were quarantined");
    // The queue moves on.
    enqueue(trial, "bench.noop", 20, Expect::Completed)?;
    until("the jobs behind it", Duration::from_secs(10), || {
        let left = "SELECT count(*) FROM jobs WHERE kind = 'bench.noop'";
        Ok((trial.database.count(left)? == 0).then_some(()))
    })
}

fn enqueue(trial: &Trial<'_>, kind: &str, count: usize, expect: Expect) -> anyhow::Result<()> {
    let ids = queue::enqueue(&mut trial.database.connect()?, &vec![NewJob::new(kind); count])?;
    trial.history.add_jobs(ids.into_iter().flatten(), expect);
    Ok(())
}

/// Takes away the dead and starts others; says how many there were.
fn bury(trial: &mut Trial<'_>, url: &secrecy::SecretString) -> anyhow::Result<u64> {
    let mut dead = 0;
    // The first one is the product's own.
    for place in (1..trial.workers.len()).rev() {
        if !trial.workers[place].daemon.is_running() {
            trial.workers.remove(place);
            dead += 1;
        }
    }
    for _ in 0..dead {
        trial.program_at("bench-worker", url, &[])?;
    }
    Ok(dead)
}
