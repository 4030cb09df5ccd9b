//! Nobody gets a connection, because strangers hold all that Postgres has and the daemons' own are ended; or nobody gets
//! on, because a stranger holds a lock on a table. Afterwards it goes on by itself.

use anyhow::ensure;
use diesel::connection::SimpleConnection as _;
use secrecy::ExposeSecret as _;
use titan_core::db;

use super::super::Row;
use super::super::load::Mix;
use super::super::trial::Trial;

pub(super) const ROW: Row = Row::new("exhaust", "no connection to be had, or a table locked, for seconds", harm);

/// More than Postgres has.
const GREED: usize = 200;
const TABLES: [&str; 4] = ["jobs", "run_events", "workers", "tasks"];

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(2)?;
    trial.load(&Mix::default())?;
    trial.moment(300..=800);
    if trial.dice.coin() {
        hold_connections(trial)?
    } else {
        lock_table(trial)?
    }
    trial.moment(300..=800);
    trial.everybody_lives()?;
    trial.stop_load()
}

fn hold_connections(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    let url = trial.database.url.expose_secret().to_owned();
    let mut own = trial.database.beside()?;
    let mut held = Vec::new();
    for round in 0..3 {
        let before = held.len();
        while held.len() < GREED
            && let Ok(connection) = db::connect(&url)
        {
            held.push(connection);
        }
        ensure!(held.len() < GREED, "Postgres has more than {GREED} connections");
        ensure!(round > 0 || held.len() > before, "nobody could be shut out");
        // Some of the daemons' sessions end, and their places are taken at once.
        let sql = format!(
            "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE datname = '{}' \
             AND application_name = 'titan' AND state = 'idle' AND backend_start < now() - interval '1 s' \
             AND query NOT LIKE 'SET %' ORDER BY pid LIMIT 4) AS s",
            trial.database.name
        );
        own.batch_execute(&sql)?;
        trial.faults += 1;
        trial.moment(200..=500);
    }
    *trial.counted.entry("connections held").or_default() += held.len() as u64;
    trial.moment(1000..=2000);
    Ok(())
}

fn lock_table(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    let table = TABLES[trial.dice.index(TABLES.len())];
    let mut stranger = trial.database.connect()?;
    stranger.batch_execute(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))?;
    trial.faults += 1;
    *trial.counted.entry("tables locked").or_default() += 1;
    trial.moment(1500..=3500);
    stranger.batch_execute("ROLLBACK")?;
    Ok(())
}
