//! `pg_terminate_backend` of the daemons' sessions: random ones, and the one on which a worker beats. A worker whose
//! connection breaks connects again, and nobody takes it for dead.

use serde::Deserialize;

use super::super::Row;
use super::super::load::Mix;
use super::super::trial::Trial;
use super::nobody_was_rescued;

pub(super) const ROW: Row =
    Row::new("end-sessions", "pg_terminate_backend of sessions, the heartbeat's too", harm).must_see("heartbeats");

#[derive(Deserialize)]
struct Session {
    pid: i32,
    beats: bool,
}

fn harm(trial: &mut Trial<'_>) -> anyhow::Result<()> {
    trial.set_up(2)?;
    trial.load(&Mix::default())?;
    for round in 0..if trial.quick { 4 } else { 10 } {
        trial.moment(100..=400);
        let sessions: Vec<Session> = trial.database.rows(
            "SELECT pid, query LIKE 'UPDATE workers SET heartbeat_at%' OR query LIKE 'SELECT id, epoch FROM jobs%' AS beats \
             FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'titan' \
             AND pid <> pg_backend_pid() ORDER BY pid",
        )?;
        let beating: Vec<&Session> = sessions.iter().filter(|session| session.beats).collect();
        // The heart every third time, else anybody.
        let among = if round % 3 == 0 && !beating.is_empty() { beating } else { sessions.iter().collect() };
        for _ in 0..trial.dice.number(1..=3) {
            let Some(session) = among.get(trial.dice.index(among.len())) else { continue };
            let ended = trial.database.count(&format!("SELECT pg_terminate_backend({})::int", session.pid))?;
            trial.faults += u64::try_from(ended)?;
            if session.beats {
                *trial.counted.entry("heartbeats").or_default() += 1;
            }
        }
    }
    trial.stop_load()?;
    trial.everybody_lives()?;
    nobody_was_rescued(trial)
}
