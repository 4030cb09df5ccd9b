//! Q12: `kill -9` of a worker with twenty jobs in flight, default settings but for the slots: how long until all of them run again, while 500
//! more want to run. Once with a new worker that is started at the moment of the kill, as the peers were measured; and once
//! with a second worker that stands by. Whoever takes over has room for all, so that nothing but the loss is waited for.

use std::collections::HashSet;
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use titan_core::queue::{self, NewJob};

use super::Bench;
use super::database::Database;
use super::figure::{Figure, Target};
use super::peers::Measure;
use super::stack::Program;

const IN_FLIGHT: i64 = 20;
const QUEUED: i64 = 500;
const LOOK: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(120);
/// The first worker has room for [`IN_FLIGHT`] jobs, the second for all.
const JUST_THOSE: (&str, &str) = ("TITAN_WORKER_SLOTS", "20");
const ROOM: (&str, &str) = ("TITAN_WORKER_SLOTS", "1000");
/// What a worker says when it claims.
const STARTED: &str = "worker started";

pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    for (what, stands_by) in [
        ("run again after kill -9, a new worker started at once", false),
        ("the same with a second worker that stood by", true),
    ] {
        let figure = Figure::new("Q12", what, "s", bench.repeat(|| crash(bench, stands_by))?)
            .target(Target::Under(2.0))
            .note("until the last of 20, with 500 queued; none began twice at one epoch, none was lost");
        figures.push(if stands_by { figure } else { figure.compares(Measure::Restart) });
    }
    Ok(())
}

/// Seconds until the last of the jobs in flight runs again.
fn crash(bench: &Bench, stands_by: bool) -> anyhow::Result<f64> {
    let mut database = Database::new()?;
    enqueue(&mut database, IN_FLIGHT)?;
    let mut first = Program::start(bench, "bench-worker", &database, &[JUST_THOSE])?;
    wait_for(&mut database, "SELECT count(*) FROM jobs WHERE state = 'running'")?;
    database.execute("CREATE TEMP TABLE in_flight AS SELECT id, epoch FROM jobs WHERE state = 'running'")?;
    let second = if stands_by {
        let mut second = start_second(bench, &database)?;
        second.line(STARTED)?;
        // Past its first beat, as any worker that stands by.
        sleep(Duration::from_secs(2));
        Some(second)
    } else {
        enqueue(&mut database, QUEUED)?;
        None
    };
    let killed = Instant::now();
    first.kill()?;
    let second = match second {
        Some(second) => {
            // The one that stood by would have taken them before.
            enqueue(&mut database, QUEUED)?;
            second
        }
        None => start_second(bench, &database)?,
    };
    wait_for(
        &mut database,
        "SELECT count(*) FROM jobs j JOIN in_flight f ON f.id = j.id AND j.epoch > f.epoch WHERE j.state = 'running'",
    )?;
    let took = killed.elapsed().as_secs_f64();
    let there = database.count("SELECT count(*) FROM jobs")?;
    ensure!(there == IN_FLIGHT + QUEUED, "of {} jobs {there} are left", IN_FLIGHT + QUEUED);
    let mut seen = HashSet::new();
    for log in [first.log(), second.log()] {
        for line in log.lines().filter(|line| line.starts_with("hold ")) {
            ensure!(seen.insert(line.to_owned()), "a job began twice at the same epoch: {line}");
        }
    }
    Ok(took)
}

fn enqueue(database: &mut Database, count: i64) -> anyhow::Result<()> {
    let hold = NewJob { timeout: Duration::from_secs(600), ..NewJob::new("bench.hold") };
    queue::enqueue(&mut database.connection, &vec![hold; usize::try_from(count)?])?;
    Ok(())
}

fn start_second(bench: &Bench, database: &Database) -> anyhow::Result<Program> {
    Program::start(bench, "bench-worker", database, &[ROOM]).context("a second worker")
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
