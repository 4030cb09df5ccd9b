//! The faults, in the order in which they are tried.

mod cut_commit;
mod end_sessions;
mod exhaust;
mod freeze_worker;
mod held_snapshot;
mod kill_api;
mod kill_worker;
mod long_writer;
mod model;
mod partition;
mod poison;
mod restart_postgres;
mod same_key;
mod slow_reader;
mod wrong_clock;

use anyhow::ensure;

use super::Row;
use super::trial::Trial;

pub(super) const ALL: &[Row] = &[
    kill_worker::ROW,
    cut_commit::KILL,
    freeze_worker::ROW,
    partition::ROW,
    poison::ROW,
    wrong_clock::ROW,
    kill_api::ROW,
    slow_reader::ROW,
    same_key::ROW,
    restart_postgres::ROW,
    end_sessions::ROW,
    exhaust::ROW,
    cut_commit::ROW,
    long_writer::ROW,
    held_snapshot::ROW,
    model::ROW,
];

/// Where no worker was harmed, none may lose a job.
fn nobody_was_rescued(trial: &Trial<'_>) -> anyhow::Result<()> {
    let ended = trial.database.count("SELECT coalesce(sum(rescues), 0) FROM job_history")?;
    let there = trial.database.count("SELECT coalesce(sum(rescues), 0) FROM jobs")?;
    ensure!(ended + there == 0, "F: {} times a job was taken from a worker that lives", ended + there);
    Ok(())
}
