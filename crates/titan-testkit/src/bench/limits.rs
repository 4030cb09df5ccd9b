//! What Postgres itself does with a narrow table of jobs, by pgbench with prepared statements: no queue on it can do more.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, ensure};
use url::Url;

use super::Bench;
use super::database::Database;
use crate::db::repository;

const SQL: &str = "crates/titan-testkit/src/bench/sql";

/// A script of pgbench and what it does.
struct Work {
    name: &'static str,
    script: &'static str,
    clients: u32,
    /// Rows per transaction.
    rows: u32,
    /// Jobs that must be there at the start, enough for ten seconds here.
    filled: u32,
}

const INSERTS: Work =
    Work { name: "a: single-row insert, 8 clients", script: "insert.sql", clients: 8, rows: 1, filled: 0 };
const BATCHES: Work = Work {
    name: "c: claim 100 and complete 100, 8 clients",
    script: "batch100.sql",
    clients: 8,
    rows: 100,
    filled: 1_200_000,
};
const ALL: [Work; 5] = [
    INSERTS,
    Work {
        name: "b: claim and complete one by one, 8 clients",
        script: "cycle.sql",
        clients: 8,
        rows: 1,
        filled: 100_000,
    },
    Work {
        name: "c: claim 100 and complete 100, 1 client",
        script: "batch100.sql",
        clients: 1,
        rows: 100,
        filled: 1_000_000,
    },
    BATCHES,
    Work {
        name: "h: claim 500 and delete 500, 2 clients",
        script: "delete500.sql",
        clients: 2,
        rows: 500,
        filled: 2_000_000,
    },
];

/// The two that rows are held against, per second.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    pub inserts: f64,
    pub batches: f64,
}

impl Limits {
    #[must_use]
    pub fn mean(self, other: Self) -> Self {
        let mean = f64::midpoint;
        Limits { inserts: mean(self.inserts, other.inserts), batches: mean(self.batches, other.batches) }
    }
}

/// Right before and right after a row.
pub(super) fn brief(bench: &Bench) -> anyhow::Result<Limits> {
    let seconds = bench.pick(3, 1);
    let inserts = measure(bench, &INSERTS, seconds)?;
    Ok(Limits { inserts, batches: measure(bench, &BATCHES, seconds)? })
}

/// All of them, samples added to those of the same name.
pub(super) fn measure_all(bench: &Bench, samples: &mut BTreeMap<&'static str, Vec<f64>>) -> anyhow::Result<()> {
    for _ in 0..bench.pick(3, 1) {
        for work in &ALL {
            samples.entry(work.name).or_default().push(measure(bench, work, bench.pick(5, 1))?);
        }
    }
    Ok(())
}

/// Rows per second.
fn measure(bench: &Bench, work: &Work, seconds: u32) -> anyhow::Result<f64> {
    let folder = repository().join(SQL);
    let mut database = Database::new()?;
    database.execute(&std::fs::read_to_string(folder.join("table.sql"))?)?;
    let filled = if seconds == 1 { work.filled / 5 } else { work.filled };
    if filled > 0 {
        database.execute(&format!(
            "INSERT INTO bench_jobs (payload) SELECT '{{\"n\": 1}}' FROM generate_series(1, {filled}); ANALYZE bench_jobs"
        ))?;
    }
    database.execute("CHECKPOINT")?;
    bench.wait_until_quiet();
    let transactions = pgbench(&database, &folder.join(work.script), work.clients, seconds)?;
    if filled > 0 {
        let left = database.count("SELECT count(*) FROM bench_jobs WHERE state = 0")?;
        ensure!(left > 0, "limit {:?} ran out of jobs and counted empty claims; fill in more", work.name);
    }
    Ok(transactions * f64::from(work.rows))
}

/// Transactions per second.
fn pgbench(database: &Database, script: &Path, clients: u32, seconds: u32) -> anyhow::Result<f64> {
    let url = Url::parse(database.url())?;
    let port = url.port().unwrap_or(5432).to_string();
    let (clients, seconds) = (clients.to_string(), seconds.to_string());
    let output = Command::new(program("pgbench"))
        .args(["--no-vacuum", "--protocol=prepared", "--jobs=2", "--client", &clients, "--time", &seconds])
        .args(["--host", url.host_str().unwrap_or("localhost"), "--port", &port, "--username", url.username()])
        .arg("--file")
        .arg(script)
        .arg(database.name())
        .env("PGPASSWORD", url.password().unwrap_or_default())
        .output()
        .context("pgbench, which comes with the Postgres server, does not start; TITAN_PG_PROGRAMS names its folder")?;
    let (said, complained) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    ensure!(output.status.success(), "pgbench of {}: {complained}", script.display());
    let rate = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split_whitespace().next());
    Ok(rate.with_context(|| format!("pgbench said no rate: {said}"))?.parse()?)
}

fn program(name: &str) -> PathBuf {
    std::env::var_os("TITAN_PG_PROGRAMS").map_or_else(|| name.into(), |folder| Path::new(&folder).join(name))
}
