//! `kill -9` of a worker at random moments, three times; another one goes on, and the dead one's place is taken a little
//! later.

use std::time::Instant;

use super::super::Row;
use super::super::load::Mix;
use super::super::trial::Trial;

pub(super) const ROW: Row =
    Row::new("kill-worker", "kill -9 of a worker, three times", harm).must_see("jobs in its hands");

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(2)?;
    trial.load(&Mix::default())?;
    for _ in 0..if trial.quick { 1 } else { 3 } {
        trial.moment(200..=900);
        let victim = trial.dice.index(trial.workers.len());
        let (killed, held) = (Instant::now(), trial.kill_worker(victim)?);
        *trial.counted.entry("jobs in its hands").or_default() += held.len() as u64;
        if trial.dice.coin() {
            trial.worker()?;
            trial.resumed(&held, killed)?;
        } else {
            trial.resumed(&held, killed)?;
            trial.worker()?;
        }
    }
    Ok(())
}
