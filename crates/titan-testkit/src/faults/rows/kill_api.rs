//! `kill -9` of the API while people watch: their streams go on where they broke, and requests that were cut off are sent
//! again with their keys. The worker does not notice.

use super::super::Row;
use super::super::load::Mix;
use super::super::trial::Trial;
use super::nobody_was_rescued;

pub(super) const ROW: Row =
    Row::new("kill-api", "kill -9 of the API while streams are watched", harm).must_see("streams resumed");

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(1)?;
    trial.load(&Mix { watched: 2, ..Mix::default() })?;
    for _ in 0..if trial.quick { 1 } else { 3 } {
        trial.moment(400..=900);
        trial.apis[0].daemon.kill();
        trial.faults += 1;
        trial.moment(0..=400);
        trial.apis[0].restart();
    }
    trial.moment(300..=600);
    trial.stop_load()?;
    let resumed: usize = trial.watchers.seen().iter().map(|seen| seen.resumed).sum();
    trial.counted.insert("streams resumed", resumed as u64);
    nobody_was_rescued(trial)
}
