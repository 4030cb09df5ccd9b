//! The bench: what Titan does per second, how late it is and what it costs, on the machine at hand.
//!
//! Each row stands in a file of its own and is a function from a [`Bench`] to figures; most rows start the shipped programs
//! with the settings they come with, on a fresh database. Absolute figures drift between machines, so those of work are
//! held against what Postgres itself does right before and after, and against peers measured in the same run.
//!
//! - [`figure`], [`report`], [`peers`]: what a row comes to, and how it is told.
//! - [`limits`]: what Postgres itself does, by pgbench.
//! - `machine`, `processes`, `database`, `stack`, `load`: what the rows stand on.
//! - `drain` (Q1, Q9), `product` (Q2), `pickup` (Q3), `accept` (Q4), `reading` (Q5), `claim_cost` (Q6), `streams` (Q7),
//!   `idle` (Q8), `fairness` (Q9), `crash` (Q12): the rows.

pub mod figure;
pub mod limits;
pub mod peers;
pub mod report;

mod database;
mod load;
mod machine;
mod processes;
mod stack;

mod drain;

mod product;

mod pickup;

mod accept;

mod reading;

mod claim_cost;

mod streams;

mod idle;

mod fairness;

mod crash;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use tokio::runtime::Runtime;

use database::Database;
use figure::Figure;
use machine::Pauses;
use report::Report;

pub(crate) use processes::resident_kib;

/// How much is measured.
#[derive(Debug, Clone)]
pub struct Options {
    /// Names of rows; all when there are none.
    pub rows: Vec<String>,
    /// Small numbers, to see that a row works. Its figures say nothing.
    pub quick: bool,
    /// How often what has a median is measured.
    pub repetitions: usize,
}

type Measure = fn(&Bench, &mut Vec<Figure>) -> anyhow::Result<()>;

/// A row of the bench.
struct Row {
    name: &'static str,
    measure: Measure,
    beside: Beside,
}

/// What is measured right before and right after a row, so that its figures can be read.
enum Beside {
    /// What Postgres itself does a second.
    Limits,
    /// For how long everything stands still, beside times of milliseconds.
    Pauses,
    Nothing,
}

const ROWS: [Row; 10] = [
    Row { name: "Q1", measure: drain::measure, beside: Beside::Limits },
    Row { name: "Q2", measure: product::measure, beside: Beside::Limits },
    Row { name: "Q3", measure: pickup::measure, beside: Beside::Pauses },
    Row { name: "Q4", measure: accept::measure, beside: Beside::Limits },
    Row { name: "Q5", measure: reading::measure, beside: Beside::Pauses },
    Row { name: "Q6", measure: claim_cost::measure, beside: Beside::Nothing },
    Row { name: "Q7", measure: streams::measure, beside: Beside::Pauses },
    Row { name: "Q8", measure: idle::measure, beside: Beside::Nothing },
    Row { name: "Q9", measure: fairness::measure, beside: Beside::Pauses },
    Row { name: "Q12", measure: crash::measure, beside: Beside::Nothing },
];

/// The name by which the limits alone are asked for.
const LIMITS: &str = "limits";

/// What the rows share.
pub struct Bench {
    pub quick: bool,
    repetitions: usize,
    runtime: Runtime,
    logs: PathBuf,
    started: AtomicUsize,
}

/// Measures the rows that were asked for and tells of each as it is done. A row that fails does not hold up the others.
///
/// # Errors
/// When a row is not known, or nothing can be measured at all.
pub fn run(options: &Options, tell: &mut dyn FnMut(&str)) -> anyhow::Result<Report> {
    let known: Vec<&str> = std::iter::once(LIMITS).chain(ROWS.iter().map(|row| row.name)).collect();
    for name in &options.rows {
        anyhow::ensure!(known.contains(&name.as_str()), "there is no row {name:?}; there are {}", known.join(", "));
    }
    let wanted = |name: &str| options.rows.is_empty() || options.rows.iter().any(|row| row == name);
    let bench = Bench::new(options)?;
    let mut report = Report::begin(options.quick, Database::new()?.settings()?);
    if wanted(LIMITS) {
        tell("limits: before");
        limits::measure_all(&bench, &mut report.limits)?;
    }
    for row in ROWS.iter().filter(|row| wanted(row.name)) {
        tell(&format!("{}: under way", row.name));
        let first = report.figures.len();
        if let Err(error) = bench.measure(row, &mut report.figures) {
            report.failures.push((row.name, format!("{error:#}")));
            tell(&format!("{}: failed: {error:#}", row.name));
        }
        report.figures.iter().skip(first).for_each(|figure| tell(&report::line(figure)));
    }
    if wanted(LIMITS) {
        tell("limits: after");
        limits::measure_all(&bench, &mut report.limits)?;
    }
    Ok(report)
}

impl Bench {
    fn new(options: &Options) -> anyhow::Result<Self> {
        // One thread: the cores are for what is measured.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let own = std::env::current_exe()?;
        let logs = own.parent().context("the bench lies in no folder")?.join("bench-logs");
        std::fs::create_dir_all(&logs).with_context(|| format!("cannot make {}", logs.display()))?;
        let repetitions = options.repetitions.max(1);
        Ok(Bench { quick: options.quick, repetitions, runtime, logs, started: AtomicUsize::new(0) })
    }

    fn measure(&self, row: &Row, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
        match row.beside {
            Beside::Limits => self.measure_throughput(row, figures),
            Beside::Pauses => self.measure_times(row, figures),
            Beside::Nothing => (row.measure)(self, figures),
        }
    }

    fn measure_throughput(&self, row: &Row, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
        let first = figures.len();
        let before = limits::brief(self)?;
        let done = (row.measure)(self, figures);
        let limits = before.mean(limits::brief(self)?);
        figures.iter_mut().skip(first).for_each(|figure| figure.hold(&limits));
        done
    }

    fn measure_times(&self, row: &Row, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
        let pauses = || {
            self.wait_until_quiet();
            Pauses::measure(self.pick(Duration::from_secs(3), Duration::from_millis(100)))
        };
        let before = pauses();
        let done = (row.measure)(self, figures);
        let Pauses { longest_ms, share } = before.worse(pauses());
        let what = "longest pause of a thread that only looks at the clock";
        let note = format!(
            "before or after this row, with nothing of ours under way; pauses took {:.1} % of the time",
            share * 100.0
        );
        figures.push(Figure::new(row.name, what, "ms", vec![longest_ms]).note(note));
        done
    }

    /// What is right for the whole measurement, or for a quick one.
    pub(crate) fn pick<T>(&self, full: T, quick: T) -> T {
        if self.quick { quick } else { full }
    }

    /// Measures as often as asked, each time on a database of its own.
    pub(crate) fn repeat(&self, mut measure: impl FnMut() -> anyhow::Result<f64>) -> anyhow::Result<Vec<f64>> {
        (0..self.repetitions).map(|_| measure()).collect()
    }

    /// Statistics as they are after a while, nothing left to be written, and nobody else at work.
    pub(crate) fn settle(&self, database: &mut Database) -> anyhow::Result<()> {
        database.execute("ANALYZE")?;
        database.execute("CHECKPOINT")?;
        self.wait_until_quiet();
        Ok(())
    }

    /// Not for a quick measurement, whose figures say nothing anyway.
    pub(crate) fn wait_until_quiet(&self) {
        if !self.quick {
            let used = machine::wait_until_quiet();
            if used > machine::QUIET {
                eprintln!("the machine is busy with something else: {:.0} % of its CPU", used * 100.0);
            }
        }
    }

    /// Runs what waits for sockets.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        self.runtime.block_on(future)
    }

    /// Where the next program logs to.
    pub(crate) fn log_of(&self, program: &str) -> PathBuf {
        let number = self.started.fetch_add(1, Ordering::Relaxed);
        self.logs.join(format!("{number:03}-{program}.log"))
    }
}
