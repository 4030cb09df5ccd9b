//! SIGSTOP of a worker past its lease, then SIGCONT: others have its jobs by then, and what it still wants to write is
//! refused.

use std::time::{Duration, Instant};

use super::super::Row;
use super::super::load::Mix;
use super::super::trial::{LEASE, Trial, until};

pub(super) const ROW: Row = Row::new("freeze-worker", "SIGSTOP of a worker past its lease, then SIGCONT", harm)
    .must_see("refused writes")
    .not_in_tests();

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.late_comers = true;
    trial.set_up(2)?;
    // More of it than usual, so that there is always something on its way to the database.
    trial.load(&Mix { clients: 10, limited: 6, ..Mix::default() })?;
    for _ in 0..if trial.quick { 1 } else { 2 } {
        trial.moment(300..=900);
        // Not the leader: nobody would take anything from a leader before its term is over.
        let victim = usize::from(trial.leads(trial.workers[0].id)?);
        let id = trial.workers[victim].id;
        trial.workers[victim].daemon.freeze();
        let frozen = Instant::now();
        trial.faults += 1;
        let held = trial.held(id)?;
        std::thread::sleep(LEASE);
        trial.moment(200..=1500);
        // What it has locked it may still write: nobody could take that from it.
        let gone = trial.held(id)?;
        trial.workers[victim].daemon.thaw();
        trial.resumed(&held, frozen)?;
        *trial.counted.entry("jobs taken from it").or_default() += held.len().saturating_sub(gone.len()) as u64;
    }
    count_refused(trial)
}

/// Adds what the workers say about writes that were refused. They say it once a second.
pub(super) fn count_refused(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    let name = "titan_fenced_total";
    // None at all is for the row to judge, over all its seeds.
    let _ =
        until(
            "refused writes in the metrics",
            Duration::from_secs(3),
            || Ok((trial.metric(name)? > 0.0).then_some(())),
        );
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    let refused = trial.metric(name)? as u64;
    *trial.counted.entry("refused writes").or_default() += refused;
    Ok(())
}
