//! Postgres is restarted under load, in order ("fast") or as after a crash ("immediate"): ready again within ten seconds, no
//! daemon ends, and nobody loses a job to it.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::super::Row;
use super::super::load::Mix;
use super::super::trial::Trial;
use super::nobody_was_rescued;

const READY_WITHIN: Duration = Duration::from_secs(10);

pub(super) const ROW: Row = Row::new("restart-postgres", "Postgres is restarted, fast or immediate", harm);

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(2)?;
    trial.load(&Mix::default())?;
    trial.moment(300..=1200);
    if trial.dice.coin() {
        trial.cluster.restart();
        *trial.counted.entry("fast").or_default() += 1;
    } else {
        trial.cluster.crash();
        trial.moment(0..=500);
        trial.cluster.start_again();
        *trial.counted.entry("immediate").or_default() += 1;
    }
    let back = Instant::now();
    trial.faults += 1;
    trial.until("an API that is ready", || {
        let ready = trial.block_on(async |trial| {
            let answer = trial.http.get(format!("{}/readyz", trial.apis[0].url)).timeout(READY_WITHIN).send().await;
            answer.is_ok_and(|answer| answer.status().is_success())
        });
        Ok(ready.then_some(()))
    })?;
    ensure!(back.elapsed() < READY_WITHIN, "ready after {:?}", back.elapsed());
    trial.moment(800..=1200);
    trial.everybody_lives()?;
    trial.stop_load()?;
    nobody_was_rescued(trial)
}
