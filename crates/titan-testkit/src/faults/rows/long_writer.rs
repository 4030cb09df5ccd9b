//! A writer elsewhere holds a transaction open: it has written events, and holds the row of a project. Live views of all the
//! others go on.

use std::time::Duration;

use anyhow::ensure;
use diesel::connection::SimpleConnection as _;

use super::super::Row;
use super::super::load::Mix;
use super::super::trial::Trial;

pub(super) const ROW: Row =
    Row::new("long-writer", "a writer elsewhere holds its transaction", harm).slow().not_in_tests();

const LATE: Duration = Duration::from_secs(3);

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(1)?;
    let mut writer = trial.database.connect()?;
    writer.batch_execute(
        "INSERT INTO projects (id, name, type) VALUES ('00000000-0000-7000-8000-000000000001', 'Elsewhere', 'test'); \
         BEGIN; \
         UPDATE projects SET name = 'Elsewhere, still' WHERE id = '00000000-0000-7000-8000-000000000001'; \
         INSERT INTO run_events (run_id, seq, project_id, task_id, kind) SELECT '00000000-0000-7000-8000-000000000002', n, \
           '00000000-0000-7000-8000-000000000001', '00000000-0000-7000-8000-000000000003', 'log' FROM generate_series(1, 1000) n",
    )?;
    trial.faults += 1;
    trial.load(&Mix { watched: 2, ..Mix::default() })?;
    std::thread::sleep(Duration::from_secs(if trial.quick { 3 } else { 10 }));
    trial.stop_load()?;
    // While it is still open: whoever watched has seen the end, and in time.
    trial.until("the end of all streams", || Ok(trial.watchers.seen().iter().all(|seen| seen.ended).then_some(())))?;
    let seen = trial.watchers.seen();
    let latest = seen.iter().map(|seen| seen.latest).max().unwrap_or_default();
    ensure!(latest < LATE, "an event reached a watcher after {latest:?}");
    trial.counted.insert("streams to their end", seen.len() as u64);
    writer.batch_execute("ROLLBACK")?;
    Ok(())
}
