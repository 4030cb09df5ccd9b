//! The fault matrix: real daemons under load, faults whose moment and choice a seed decides, and the question whether
//! anything was lost, doubled or out of order.
//!
//! A row is one kind of fault. It sets up a `trial::Trial`, sets clients to work and does harm; the judgement is the same for
//! all rows. What happens by chance on the machine (who is scheduled when) is not repeated by a seed; what the row does is.
//!
//! - [`report`]: what came of it.
//! - `trial`, `database`, `dice`: one seed of one row, and what it stands on.
//! - `load`, `watch`, `history`: the clients, and what they were told.
//! - `checks`, `story`, `sampler`: the judgement.
//! - `rows`: the faults.

pub mod report;

mod checks;
mod database;
mod dice;
mod history;
mod load;
mod rows;
mod sampler;
mod story;
mod trial;
mod watch;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::Instant;

use anyhow::{anyhow, ensure};

use crate::daemon::Cluster;
use crate::db::repository;
use report::{Report, RowReport, SeedReport};
use trial::Trial;

/// So few connections that a row can use them up, and commits that take a while, so that faults find them under way.
const SETTINGS: [&str; 3] = ["max_connections=100", "commit_delay=4000", "commit_siblings=0"];
/// Of slow rows so many seeds are enough.
const SEEDS_OF_SLOW_ROWS: u64 = 3;

/// What is tried.
#[derive(Debug, Clone)]
pub struct Options {
    /// Names of rows; all when there are none.
    pub rows: Vec<String>,
    /// So many seeds, from this one on.
    pub seeds: u64,
    pub first_seed: u64,
    /// Only the rows that are fast, each in a small form: what `make test` runs.
    pub quick: bool,
}

/// One kind of fault.
struct Row {
    name: &'static str,
    what: &'static str,
    /// Takes long by its nature.
    slow: bool,
    /// Part of the quick form.
    quick: bool,
    /// What must have been counted at least once over all seeds, or the row proves nothing.
    must_see: Option<&'static str>,
    /// Why it cannot be tried on this machine.
    missing: fn() -> Option<String>,
    harm: fn(&mut Trial<'_>) -> anyhow::Result<()>,
}

impl Row {
    const fn new(name: &'static str, what: &'static str, harm: fn(&mut Trial<'_>) -> anyhow::Result<()>) -> Self {
        Row { name, what, slow: false, quick: true, must_see: None, missing: || None, harm }
    }

    const fn slow(self) -> Self {
        Row { slow: true, ..self }
    }

    const fn not_in_tests(self) -> Self {
        Row { quick: false, ..self }
    }

    const fn must_see(self, what: &'static str) -> Self {
        Row { must_see: Some(what), ..self }
    }

    const fn needs(self, missing: fn() -> Option<String>) -> Self {
        Row { missing, ..self }
    }
}

/// The names of all rows and what they do.
#[must_use]
pub fn names() -> Vec<(&'static str, &'static str)> {
    rows::ALL.iter().map(|row| (row.name, row.what)).collect()
}

/// Tries the rows that were asked for, each on databases of its own, and tells of each seed as it is done.
///
/// # Errors
/// When a row is not known.
///
/// # Panics
/// When there is no Postgres server on this machine.
pub fn run(options: &Options, tell: &mut dyn FnMut(&str)) -> anyhow::Result<Report> {
    for name in &options.rows {
        let known: Vec<_> = rows::ALL.iter().map(|row| row.name).collect();
        ensure!(known.contains(&name.as_str()), "there is no row {name:?}; there are {}", known.join(", "));
    }
    let named = |row: &&Row| options.rows.iter().any(|name| name == row.name);
    let wanted = |row: &&Row| {
        if options.rows.is_empty() { row.quick || !options.quick } else { named(row) }
    };
    let cluster = Cluster::durable(&SETTINGS);
    titan_core::db::migrate(&mut cluster.db.dedicated()?)?;
    let mut report = Report::default();
    for row in rows::ALL.iter().filter(wanted) {
        report.rows.push(try_row(row, options, &cluster, tell));
    }
    Ok(report)
}

fn try_row(row: &'static Row, options: &Options, cluster: &Cluster, tell: &mut dyn FnMut(&str)) -> RowReport {
    let mut done = RowReport::new(row.name, row.what, row.must_see);
    if let Some(missing) = (row.missing)() {
        tell(&format!("{}: not tried: {missing}", row.name));
        done.missing = Some(missing);
        return done;
    }
    let seeds = if row.slow { options.seeds.min(SEEDS_OF_SLOW_ROWS) } else { options.seeds };
    for seed in options.first_seed..options.first_seed + seeds {
        let began = Instant::now();
        let tried = try_seed(row, seed, options.quick, cluster);
        tell(&tried.line(row.name, began.elapsed()));
        done.seeds.push(tried);
    }
    done
}

fn try_seed(row: &Row, seed: u64, quick: bool, cluster: &Cluster) -> SeedReport {
    let mut tried = SeedReport::of(seed);
    let mut trial = match Trial::new(cluster, row.name, seed, quick) {
        Ok(trial) => trial,
        Err(error) => return tried.failed(format!("could not be set up: {error:#}")),
    };
    let judged = catch_unwind(AssertUnwindSafe(|| {
        (row.harm)(&mut trial)?;
        trial.judge()
    }))
    .unwrap_or_else(|panic| Err(anyhow!("{}", said(&*panic))));
    tried.faults = trial.faults;
    tried.counted = trial.counted.clone();
    (tried.succeeded, tried.operations) = trial.operations();
    tried.refusal = trial.history.operations().into_iter().find_map(|operation| operation.refusal);
    match judged {
        Ok(checked) => tried.events = checked.events,
        Err(error) => {
            let folder = logs_of(row.name, seed);
            let kept = trial.keep_logs(&folder);
            let place = kept.map_or_else(|error| error.to_string(), |()| folder.display().to_string());
            return tried.failed(format!("{error:#} (logs: {place})"));
        }
    }
    tried
}

fn logs_of(row: &str, seed: u64) -> PathBuf {
    repository().join(format!("target/faults/{row}-{seed}"))
}

fn said(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
