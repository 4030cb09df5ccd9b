//! Q12: `kill -9` of a worker with twenty jobs in flight, default settings: how long until all of them run again. Once with
//! 500 more that are queued and a new worker that is started at the moment of the kill, as the peers were measured; and
//! once with a second worker that stands by. The latter has nothing else queued: it would be busy with that.

use std::collections::HashSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use titan_core::queue::{self, NewJob};

use super::Bench;
use super::database::Database;
use super::figure::{Figure, Target};
use super::stack::Program;

/// What one worker of the bench does of them at once.
const IN_FLIGHT: i64 = 20;
const QUEUED: i64 = 500;
const LOOK: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(120);
/// What a worker says when it claims.
const STARTED: &str = "worker started";

pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let restarted = bench.repeat(|| crash(bench, QUEUED, false))?;
    figures.push(
        Figure::new("Q12", "run again after kill -9, 500 more queued, a new worker at once", "s", restarted)
            .target(Target::Under(2.0))
            .note("until the last of 20; none began twice at one epoch, none of the queued was lost"),
    );
    let standing_by = bench.repeat(|| crash(bench, 0, true))?;
    figures.push(
        Figure::new("Q12", "the same with a second worker standing by, nothing else queued", "s", standing_by)
            .target(Target::Under(2.0)),
    );
    Ok(())
}

/// Seconds until the last of the jobs in flight runs again.
fn crash(bench: &Bench, queued: i64, stands_by: bool) -> anyhow::Result<f64> {
    let mut database = Database::new()?;
    let hold = NewJob { timeout: Duration::from_secs(600), ..NewJob::new("bench.hold") };
    queue::enqueue(&mut database.connection, &vec![hold; usize::try_from(IN_FLIGHT + queued)?])?;
    let mut first = Program::start(bench, "bench-worker", &database, &[])?;
    wait_for(&mut database, "SELECT count(*) FROM jobs WHERE state = 'running'")?;
    database.execute("CREATE TEMP TABLE in_flight AS SELECT id, epoch FROM jobs WHERE state = 'running'")?;
    let mut second = None;
    if stands_by {
        second.insert(start(bench, &database)?).line(STARTED)?;
        // Past its first beat, as any worker that stands by.
        sleep(Duration::from_secs(2));
    }
    let killed = Instant::now();
    first.kill()?;
    let second = match second {
        Some(second) => second,
        None => start(bench, &database)?,
    };
    wait_for(
        &mut database,
        "SELECT count(*) FROM jobs j JOIN in_flight f ON f.id = j.id AND j.epoch > f.epoch WHERE j.state = 'running'",
    )?;
    let took = killed.elapsed().as_secs_f64();
    let there = database.count("SELECT count(*) FROM jobs")?;
    ensure!(there == IN_FLIGHT + queued, "of {} jobs {there} are left", IN_FLIGHT + queued);
    let mut seen = HashSet::new();
    for log in [first.log(), second.log()] {
        for line in log.lines().filter(|line| line.starts_with("hold ")) {
            ensure!(seen.insert(line.to_owned()), "a job began twice at the same epoch: {line}");
        }
    }
    Ok(took)
}

fn start(bench: &Bench, database: &Database) -> anyhow::Result<Program> {
    Program::start(bench, "bench-worker", database, &[]).context("a second worker")
}

/// Until so many are as the query says.
fn wait_for(database: &mut Database, query: &str) -> anyhow::Result<()> {
    let give_up = Instant::now() + PATIENCE;
    let mut count = 0;
    while Instant::now() < give_up {
        count = database.count(query)?;
        if count == IN_FLIGHT {
            return Ok(());
        }
        sleep(LOOK);
    }
    bail!("{count} instead of {IN_FLIGHT} after {PATIENCE:?}: {query}")
}
