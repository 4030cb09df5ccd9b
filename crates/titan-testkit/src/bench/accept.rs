//! Q4: how many tasks are accepted per second over HTTP, each durable before it is answered. No worker runs.

use std::time::{Duration, Instant};

use anyhow::ensure;

use super::Bench;
use super::database::Database;
use super::figure::{Against, Figure, Target};
use super::load;
use super::stack::Api;

const CLIENTS: usize = 64;

pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let (mut p50, mut p99) = (Vec::new(), Vec::new());
    let rates = bench.repeat(|| {
        let (rate, tally) = accept(bench)?;
        p50.push(tally.percentile(50.0));
        p99.push(tally.percentile(99.0));
        Ok(rate)
    })?;
    figures.push(
        Figure::new("Q4", "tasks accepted over HTTP, 64 clients", "tasks/s", rates)
            .against(Against::Inserts)
            .target(Target::AtLeast(4000.0))
            .note("each is a task, a run, two steps, a message, events and a job; counted in SQL"),
    );
    figures.push(Figure::new("Q4", "time to accept, p50", "ms", p50));
    figures.push(Figure::new("Q4", "time to accept, p99", "ms", p99).target(Target::Under(25.0)));
    Ok(())
}

fn accept(bench: &Bench) -> anyhow::Result<(f64, load::Tally)> {
    let mut database = Database::new()?;
    let api = Api::start(bench, &database, &[])?;
    let projects = bench.block_on(load::projects(api.address, 1))?;
    let project = projects.first().map_or("", String::as_str);
    bench.settle(&mut database)?;
    let length = Duration::from_secs(bench.pick(20, 2));
    let began = Instant::now();
    let next = |number| Some(load::post_task(project, number));
    let tally = bench.block_on(load::closed_loop(api.address, CLIENTS, began + length, None, next))?;
    let took = began.elapsed();
    tally.all_succeeded()?;
    let tasks = database.count("SELECT count(*) FROM tasks")?;
    let jobs = database.count("SELECT count(*) FROM jobs WHERE state = 'ready'")?;
    ensure!(
        u64::try_from(tasks)? == tally.succeeded && tasks == jobs,
        "{} tasks were accepted, but there are {tasks} with {jobs} jobs",
        tally.succeeded
    );
    Ok((tally.succeeded as f64 / took.as_secs_f64(), tally))
}
