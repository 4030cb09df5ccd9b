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
    trial.late_comers = true;
    let proxy = Proxy::before(&trial.database.url);
    let direct = trial.database.url.clone();
    trial.api(&direct)?;
    // Who comes first becomes the leader; that one may be cut off as well.
    let victim = usize::from(trial.quick || trial.dice.coin());
    for place in 0..2 {
        trial.worker_at(if place == victim { &proxy.url } else { &direct }, &[])?;
    }
    trial.load(&Mix { clients: 10, limited: 6, ..Mix::default() })?;
    trial.moment(600..=1500);
    proxy.hold();
    let (cut, id) = (Instant::now(), trial.workers[victim].id);
    let leads = trial.leads(id)?;
    let held = trial.held(id)?;
    trial.faults += 1;
    trial.counted.insert("jobs in its hands", held.len() as u64);
    if leads {
        *trial.counted.entry("leaders").or_default() += 1;
        trial.resumed_under_a_new_leader(&held, cut)?;
    } else {
        trial.resumed(&held, cut)?;
    }
    let rest = (LEASE + Duration::from_secs(if trial.quick { 1 } else { 8 })).saturating_sub(cut.elapsed());
    std::thread::sleep(rest);
    proxy.release();
    trial.moment(1000..=2000);
    trial.everybody_lives()?;
    count_refused(trial)
}
