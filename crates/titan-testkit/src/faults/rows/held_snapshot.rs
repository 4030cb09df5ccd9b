//! A reader holds a snapshot under load, so that vacuum removes nothing: the load goes on at half its pace or more, and the
//! gauges on /metrics tell of it.

use std::time::{Duration, Instant};

use anyhow::ensure;
use diesel::connection::SimpleConnection as _;

use super::super::Row;
use super::super::load::Mix;
use super::super::trial::Trial;
use crate::fake_model::{Answer, Behaviour};

pub(super) const ROW: Row =
    Row::new("held-snapshot", "a reader holds a snapshot under load", harm).slow().not_in_tests();

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(1)?;
    // About as many as can be done, since what is measured is the pace.
    trial.model.set_default(Behaviour::Answer(Answer::of("Tea is a drink.")));
    let mix = Mix { clients: 8, pause: 40..=80, limited: 0, watched: 0, ..Mix::default() };
    trial.load(&mix)?;
    std::thread::sleep(Duration::from_secs(2));
    let (without, with) = if trial.quick { (3, 5) } else { (10, 25) };
    let before = pace(trial, Duration::from_secs(without))?;
    let mut reader = trial.database.connect()?;
    reader.batch_execute("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM jobs")?;
    trial.faults += 1;
    pace(trial, Duration::from_secs(with - 3))?;
    let during = pace(trial, Duration::from_secs(3))?;
    let seconds = trial.metric("titan_database_oldest_transaction_seconds")?;
    let age = trial.metric("titan_database_oldest_transaction_age")?;
    reader.batch_execute("ROLLBACK")?;
    trial.stop_load()?;
    ensure!(during * 2.0 >= before, "{during:.0} runs per second under a snapshot, {before:.0} without");
    ensure!(seconds >= (with - 1) as f64, "the oldest transaction is said to be {seconds} s old after {with} s");
    ensure!(age > 100.0, "the oldest snapshot is said to be {age} transactions old");
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    for (name, value) in [("runs/s before", before), ("runs/s under it", during), ("transactions old", age)] {
        *trial.counted.entry(name).or_default() += value as u64;
    }
    Ok(())
}

/// Completed runs per second.
fn pace(trial: &Trial<'_>, time: Duration) -> anyhow::Result<f64> {
    let completed = || trial.database.count("SELECT count(*) FROM runs WHERE status = 'completed'");
    let (began, before) = (Instant::now(), completed()?);
    std::thread::sleep(time);
    let count = completed()? - before;
    #[allow(clippy::cast_precision_loss)]
    Ok(count as f64 / began.elapsed().as_secs_f64())
}
