//! Q5: the reading endpoints with a thousand runs in the tables and with a million: how late, how much later, and whether
//! a large table is ever read as a whole.

use std::time::{Duration, Instant};

use anyhow::Context as _;

use super::Bench;
use super::database::Database;
use super::figure::{Figure, Target};
use super::load;
use super::stack::Api;
use crate::db::repository;

const CLIENTS: usize = 8;
const PATIENCE: Duration = Duration::from_secs(300);
/// Different ones that are asked for.
const SAMPLED: i64 = 200;
/// `{project}`, `{task}` and `{run}` are filled in; a cursor of a random run or task is a page somewhere in the middle.
const PATHS: [&str; 20] = [
    "/api/projects",
    "/api/projects/{project}",
    "/api/projects/{project}/stats",
    "/api/projects/{project}/tasks",
    "/api/projects/{project}/tasks?cursor={task}",
    "/api/projects/{project}/tasks?status=completed",
    "/api/projects/{project}/tasks?status=failed",
    "/api/projects/{project}/runs",
    "/api/projects/{project}/logs",
    "/api/projects/{project}/outputs",
    "/api/projects/{project}/memories",
    "/api/projects/{project}/messages",
    "/api/runs",
    "/api/runs?cursor={run}",
    "/api/runs/{run}",
    "/api/runs/{run}/events",
    "/api/runs/{run}/logs",
    "/api/tasks/{task}",
    "/api/tasks/execute",
    "/api/worker/health",
];
/// How often each of the tables that grow with the runs was read as a whole.
const SCANS: &str = "SELECT relname, seq_scan FROM pg_stat_user_tables \
     WHERE relname IN ('tasks', 'runs', 'steps', 'run_events', 'outputs', 'messages', 'memories')";

/// Milliseconds of one endpoint.
struct Read {
    p50: f64,
    p99: f64,
}

/// Large tables that were read as a whole.
struct Scans {
    count: f64,
    tables: String,
}

pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let (few, many) = (1_000, bench.pick(1_000_000, 100_000));
    let (before, _) = read_all(bench, few)?;
    let (after, scans) = read_all(bench, many)?;
    let (mut growth, mut growth_p99): (f64, f64) = (0.0, 0.0);
    for (path, (before, after)) in PATHS.iter().zip(before.iter().zip(&after)) {
        growth = growth.max(after.p50 / before.p50);
        growth_p99 = growth_p99.max(after.p99 / before.p99);
        figures.push(
            Figure::new("Q5", format!("GET {path}, {many} runs, p99"), "ms", vec![after.p99])
                .target(Target::Under(15.0))
                .note(format!(
                    "p50 {:.2} ms; with {few} runs p50 {:.2} ms, p99 {:.2} ms",
                    after.p50, before.p50, before.p99
                )),
        );
    }
    figures.push(
        Figure::new("Q5", "the endpoint that grew most: p50 against that with 1,000 runs", "times", vec![growth])
            .target(Target::Under(1.3)),
    );
    figures.push(Figure::new("Q5", "the same of p99", "times", vec![growth_p99]));
    figures.push(
        Figure::new("Q5", "large tables that were read as a whole", "times", vec![scans.count])
            .target(Target::Under(1.0))
            .note(scans.tables),
    );
    Ok(())
}

fn read_all(bench: &Bench, runs: u32) -> anyhow::Result<(Vec<Read>, Scans)> {
    let mut database = Database::new()?;
    let seed = std::fs::read_to_string(repository().join("crates/titan-testkit/src/bench/sql/runs.sql"))?;
    database.execute(&seed.replace("$COUNT", &runs.to_string()))?;
    // As it stands after a while: counters folded, rows known to be visible to all.
    database.execute("VACUUM ANALYZE")?;
    let ids = |column: &str| {
        format!(
            "SELECT string_agg({column}::text, ',') FROM (SELECT {column} FROM past WHERE whole ORDER BY random() LIMIT {SAMPLED}) AS p"
        )
    };
    let (tasks, runs) = (database.text(&ids("task_id"))?, database.text(&ids("run_id"))?);
    let project = database.text("SELECT id FROM projects ORDER BY id LIMIT 1")?;
    let (tasks, runs): (Vec<&str>, Vec<&str>) = (tasks.split(',').collect(), runs.split(',').collect());
    let mut api = Api::start(bench, &database, &[])?;
    bench.settle(&mut database)?;
    database.execute(&format!("CREATE TEMP TABLE before AS {SCANS}"))?;
    let mut reads = Vec::new();
    for path in PATHS {
        let ask = |number: u64| {
            let of = |ids: &[&str]| ids.get(usize::try_from(number).ok()? % ids.len()).map(|id| (*id).to_owned());
            let path =
                path.replace("{project}", &project).replace("{task}", &of(&tasks)?).replace("{run}", &of(&runs)?);
            Some(load::get(&path))
        };
        read(bench, &api, CLIENTS as u64 * 5, &ask)?;
        let tally = read(bench, &api, bench.pick(2_000, 80), &ask).with_context(|| format!("GET {path}"))?;
        reads.push(Read { p50: tally.percentile(50.0), p99: tally.percentile(99.0) });
    }
    // A connection that has ended has told what it did.
    api.program.kill()?;
    std::thread::sleep(Duration::from_millis(500));
    database.execute("SELECT pg_stat_clear_snapshot()")?;
    let grown = format!("({SCANS}) AS now JOIN before USING (relname) WHERE now.seq_scan > before.seq_scan");
    let scans = Scans {
        count: database.value(&format!("SELECT sum(now.seq_scan - before.seq_scan) FROM {grown}"))?,
        tables: database.text(&format!("SELECT coalesce(string_agg(relname, ', '), 'none') FROM {grown}"))?,
    };
    Ok((reads, scans))
}

fn read(bench: &Bench, api: &Api, count: u64, ask: &impl Fn(u64) -> Option<Vec<u8>>) -> anyhow::Result<load::Tally> {
    let next = |number| if number < count { ask(number) } else { None };
    let tally = bench.block_on(load::closed_loop(api.address, CLIENTS, Instant::now() + PATIENCE, None, next))?;
    tally.all_succeeded()?;
    Ok(tally)
}
