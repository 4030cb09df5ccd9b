//! Q2: the whole product path. Chat tasks come in over HTTP and are done by a worker at the same time, on the same
//! machine: run, two steps, events and logs, output, memory, messages. What is counted is what is completed in SQL.

use std::time::{Duration, Instant};

use anyhow::{anyhow, ensure};

use super::Bench;
use super::database::Database;
use super::figure::{Against, Figure, Target};
use super::load::{self, Gate};
use super::peers::Measure;
use super::stack::{self, Api, INSTANT_MODEL};

const CLIENTS: usize = 64;
/// Tasks that are accepted and not done yet, at most: what is accepted per second is what is done.
const UNFINISHED: i64 = 2000;
const LOOK: Duration = Duration::from_millis(200);
/// What is under way when the time is over still has to end.
const PATIENCE: Duration = Duration::from_secs(300);

/// What must be true of every run afterwards, as (what is counted, query of those that are wrong).
const WRONG: [(&str, &str); 7] = [
    ("tasks that are not completed", "SELECT count(*) FROM tasks WHERE execution_status <> 'completed'"),
    ("runs that are not completed", "SELECT count(*) FROM runs WHERE status <> 'completed'"),
    (
        "runs without exactly two completed steps",
        "SELECT count(*) FROM runs r WHERE (SELECT array_agg(status) FROM steps s WHERE s.run_id = r.id) \
         IS DISTINCT FROM ARRAY['completed', 'completed']",
    ),
    (
        "runs without exactly one output",
        "SELECT count(*) FROM runs r WHERE (SELECT count(*) FROM outputs o WHERE o.run_id = r.id) <> 1",
    ),
    (
        "runs without exactly one memory",
        "SELECT count(*) FROM runs r LEFT JOIN (SELECT source_run_id, count(*) AS n FROM memories GROUP BY 1) m \
         ON m.source_run_id = r.id WHERE m.n IS DISTINCT FROM 1",
    ),
    (
        "runs without question and answer",
        "SELECT count(*) FROM runs r WHERE (SELECT count(*) FROM messages m WHERE m.run_id = r.id) <> 2",
    ),
    (
        "runs whose events have a gap",
        "SELECT count(*) FROM runs r LEFT JOIN (SELECT run_id, count(*) AS n, min(seq) AS first, max(seq) AS last \
         FROM run_events GROUP BY 1) e ON e.run_id = r.id WHERE (e.first, e.last, e.n) IS DISTINCT FROM (1, r.last_seq, r.last_seq)",
    ),
];

pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    for (projects, what) in [(1, "tasks from HTTP to completed, 1 project"), (8, "the same, 8 projects")] {
        let rates = bench.repeat(|| complete(bench, projects))?;
        figures.push(
            Figure::new("Q2", what, "tasks/s", rates)
                .against(Against::Inserts)
                .target(Target::AtLeast(3000.0))
                .note("two steps each; the offline model answers at once; all runs checked in SQL"),
        );
    }
    let one_project: Vec<f64> = figures.iter().rev().nth(1).map(|figure| figure.samples.clone()).unwrap_or_default();
    let peers = vec![(2.0, "restate 2-step", Measure::TwoSteps), (20.0, "dbos 2-step", Measure::TwoSteps)];
    figures.push(
        Figure::new("Q2", "tasks with two durable steps", "tasks/s", one_project)
            .target(Target::TimesPeers(peers))
            .compares(Measure::TwoSteps),
    );
    Ok(())
}

/// Completed runs per second.
fn complete(bench: &Bench, projects: usize) -> anyhow::Result<f64> {
    let mut database = Database::new()?;
    let api = Api::start(bench, &database, &[])?;
    let projects = bench.block_on(load::projects(api.address, projects))?;
    let _worker = stack::worker(bench, &database, &[INSTANT_MODEL])?;
    bench.settle(&mut database)?;
    let began = database.text("clock_timestamp()")?;
    let until = Instant::now() + Duration::from_secs(bench.pick(60, 5));
    let next = |number: u64| {
        let project = usize::try_from(number).ok().and_then(|number| projects.get(number % projects.len()))?;
        Some(load::post_task(project, number))
    };
    let gate = Gate::default();
    let tally = std::thread::scope(|scope| {
        let watch = scope.spawn(|| keep_up(&mut database, &gate, until));
        let tally = bench.block_on(load::closed_loop(api.address, CLIENTS, until, Some(&gate), next));
        watch.join().map_err(|_| anyhow!("the thread that counts what is unfinished has panicked"))??;
        tally
    })?;
    tally.all_succeeded()?;
    let rate = database.value(&format!(
        "SELECT count(*) / extract(epoch FROM clock_timestamp() - '{began}') FROM runs WHERE finished_at IS NOT NULL"
    ))?;
    check(&mut database, tally.succeeded)?;
    Ok(rate)
}

/// Lets in as many as may be unfinished. Each unfinished run has exactly one job, and jobs are few: cheap to count.
fn keep_up(database: &mut Database, gate: &Gate, until: Instant) -> anyhow::Result<()> {
    while Instant::now() < until {
        gate.open_for(UNFINISHED - database.count("SELECT count(*) FROM jobs")?);
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// Waits for what is under way, and counts that nothing was lost, doubled or left half done.
fn check(database: &mut Database, accepted: u64) -> anyhow::Result<()> {
    let give_up = Instant::now() + PATIENCE;
    while database.count("SELECT count(*) FROM jobs")? > 0 {
        ensure!(Instant::now() < give_up, "jobs are left after {PATIENCE:?}");
        std::thread::sleep(LOOK);
    }
    let runs = database.count("SELECT count(*) FROM runs")?;
    ensure!(u64::try_from(runs)? == accepted, "{accepted} tasks were accepted, but there are {runs} runs");
    for (what, query) in WRONG {
        let wrong = database.count(query)?;
        ensure!(wrong == 0, "there are {wrong} {what}");
    }
    Ok(())
}
