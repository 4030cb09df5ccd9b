//! Q8: what both daemons cost while nobody wants anything, Postgres' share included.

use std::thread::sleep;
use std::time::{Duration, Instant};

use super::Bench;
use super::database::Database;
use super::figure::{Figure, Target};
use super::processes::{cpu_seconds, resident_kib};
use super::stack::{self, Api};

pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let mut database = Database::new()?;
    let api = Api::start(bench, &database, &[])?;
    let worker = stack::worker(bench, &database, &[])?;
    bench.settle(&mut database)?;
    sleep(Duration::from_secs(bench.pick(10, 1)));
    let pids = [api.program.pid(), worker.pid()];
    let daemons = || pids.iter().map(|pid| cpu_seconds(*pid)).sum::<f64>();
    let (began, daemons_before, postgres_before) = (Instant::now(), daemons(), database.cpu_seconds());
    sleep(Duration::from_secs(bench.pick(30, 3)));
    let (ours, postgres) = (daemons() - daemons_before, database.cpu_seconds() - postgres_before);
    let share = |seconds: f64| vec![seconds * 100.0 / began.elapsed().as_secs_f64()];
    let resident = pids.iter().map(|pid| resident_kib(*pid)).sum::<anyhow::Result<f64>>()?;
    figures.push(
        Figure::new("Q8", "idle: both daemons and Postgres", "% of one core", share(ours + postgres))
            .target(Target::Under(2.0)),
    );
    figures.push(Figure::new("Q8", "of that, Postgres", "% of one core", share(postgres)));
    figures.push(
        Figure::new("Q8", "resident memory of both daemons together", "MB", vec![resident * 1024.0 / 1e6])
            .target(Target::Under(60.0)),
    );
    Ok(())
}
