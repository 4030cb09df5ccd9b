//! Q6: what a claim costs while there is nothing else in the tables, and with a long history and many jobs that wait for
//! their time. Timed in an open transaction, as the engine claims, so that the disk's share stays out.

use std::time::Instant;

use anyhow::ensure;
use diesel::Connection as _;
use titan_core::queue::{self, Claim, NewJob};

use super::Bench;
use super::database::Database;
use super::figure::{Figure, Target, median};

const KIND: &str = "bench.noop";
const CLAIMS: usize = 200;
/// Rows per statement of the filling.
const SLICE: u64 = 500_000;

pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let mut database = Database::new()?;
    let before = claims(bench, &mut database)?;
    let (history, scheduled) = (bench.pick(10_000_000, 100_000), bench.pick(1_000_000, 10_000));
    fill(&mut database, history, scheduled)?;
    let after = claims(bench, &mut database)?;
    let what = ["claim of one job", "claim that finds nothing"];
    for (what, (before, after)) in what.into_iter().zip(before.into_iter().zip(after)) {
        let growth = median(&after) / median(&before).max(f64::MIN_POSITIVE);
        figures.push(Figure::new("Q6", format!("{what}, empty tables"), "ms", before));
        figures.push(Figure::new(
            "Q6",
            format!("{what}, {history} rows of history and {scheduled} scheduled jobs"),
            "ms",
            after,
        ));
        figures.push(
            Figure::new("Q6", format!("{what}: how many times as long"), "times", vec![growth])
                .target(Target::Under(1.2)),
        );
    }
    Ok(())
}

/// Medians in milliseconds: of claims that find a job, and of claims that do not.
fn claims(bench: &Bench, database: &mut Database) -> anyhow::Result<[Vec<f64>; 2]> {
    let (mut finding, mut empty) = (Vec::new(), Vec::new());
    for _ in 0..bench.repetitions {
        queue::enqueue(&mut database.connection, &vec![NewJob::new(KIND); CLAIMS])?;
        bench.settle(database)?;
        finding.push(median(&time(database, 1)?));
        empty.push(median(&time(database, 0)?));
        database.execute("DELETE FROM jobs WHERE state = 'running'")?;
    }
    Ok([finding, empty])
}

fn time(database: &Database, expected: usize) -> anyhow::Result<Vec<f64>> {
    let mut connection = database.db().for_engine()?;
    let claim = Claim::simple(titan_core::ids::new(), vec![KIND.to_owned()], 1);
    (0..CLAIMS)
        .map(|_| {
            connection.transaction(|connection| {
                let began = Instant::now();
                let jobs = queue::claim(connection, &claim)?;
                ensure!(jobs.len() == expected, "a claim brought {} jobs instead of {expected}", jobs.len());
                Ok(began.elapsed().as_secs_f64() * 1000.0)
            })
        })
        .collect()
}

fn fill(database: &mut Database, history: u64, scheduled: u64) -> anyhow::Result<()> {
    for begin in (0..history).step_by(usize::try_from(SLICE)?) {
        // Ids of jobs that never were, out of the way of those that come.
        database.execute(&format!(
            "INSERT INTO job_history (id, finished_at, kind, queue, outcome, attempt, rescues, epoch, created_at) \
             SELECT -n, now(), '{KIND}', 'default', 'completed', 1, 0, 1, now() FROM generate_series({begin} + 1, {}) AS n",
            history.min(begin + SLICE)
        ))?;
    }
    database.execute(&format!(
        "INSERT INTO jobs (kind, state, run_at, max_attempts, timeout_ms) \
         SELECT '{KIND}', 'scheduled', now() + interval '1 day', 3, 60000 FROM generate_series(1, {scheduled})"
    ))?;
    database.execute("VACUUM ANALYZE")
}
