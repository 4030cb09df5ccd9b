//! One worker is cut off from Postgres: nothing passes for longer than its lease, and nobody is told that a connection has
//! ended. Others have its jobs by then; when the cable is in again, what it had sent before arrives, and is refused.

use std::time::{Duration, Instant};

use super::super::Row;
use super::super::load::Mix;
use super::super::trial::{LEASE, Trial};
use super::freeze_worker::count_refused;
use crate::proxy::Proxy;

pub(super) const ROW: Row =
    Row::new("partition", "a worker is cut off from Postgres past its lease", harm).slow().must_see("refused writes");

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    let proxy = Proxy::before(&trial.database.url);
    trial.set_up(1)?;
    trial.worker_at(&proxy.url, &[])?;
    trial.load(&Mix { clients: 10, ..Mix::default() })?;
    trial.moment(600..=1500);
    proxy.hold();
    let (cut, id) = (Instant::now(), trial.workers[1].id);
    let held = trial.held(id)?;
    trial.faults += 1;
    trial.counted.insert("jobs in its hands", held.len() as u64);
    trial.resumed(&held, cut)?;
    let rest = (LEASE + Duration::from_secs(if trial.quick { 1 } else { 8 })).saturating_sub(cut.elapsed());
    std::thread::sleep(rest);
    proxy.release();
    trial.moment(1000..=2000);
    trial.everybody_lives()?;
    count_refused(trial)
}
