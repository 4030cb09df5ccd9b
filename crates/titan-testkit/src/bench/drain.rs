//! Q1: jobs that do nothing, enqueued first and then worked off by one and two worker processes. Each is claimed, fenced,
//! completed and kept in the history. The same of runs with two steps.
//!
//! Q9: more processes may not be slower than one. They are there before the queue is let go, so that what it takes to start
//! eight of them, with some sixty sessions of Postgres, does not count as their work.

use std::time::{Duration, Instant};

use anyhow::{bail, ensure};
use futures_util::future::try_join_all;
use serde_json::json;
use titan_core::engine::Committer;
use titan_core::queue::{self, DEFAULT_QUEUE, Hint, NewJob, Notifier, admin};

use super::Bench;
use super::database::Database;
use super::figure::{Against, Figure, Target, median};
use super::load;
use super::peers::Measure;
use super::processes;
use super::stack::{Api, INSTANT_MODEL, Program};

/// Enqueued per call, as by the peers.
const BULK: usize = 1000;
const CALLERS: usize = 8;
const LOOK: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(600);

/// How one drain went.
struct Drained {
    /// Jobs per second from the first end to the moment when no job is left.
    rate: f64,
    /// The same to the last end.
    rate_of_ends: f64,
    /// Jobs per second of the enqueueing before.
    enqueue_rate: f64,
    wal_bytes: f64,
    // Per thousand jobs.
    worker_cpu: f64,
    postgres_cpu: f64,
    commits: f64,
}

/// When workers begin to claim.
#[derive(Clone, Copy, PartialEq)]
enum Begin {
    WhenStarted,
    /// When the last of them is there.
    Together,
}

pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let jobs = bench.pick(100_000, 5_000);
    let mut one = Vec::new();
    for _ in 0..bench.repetitions {
        one.push(drain(bench, 1, jobs, Begin::WhenStarted)?);
    }
    let of_one = |value: fn(&Drained) -> f64| one.iter().map(value).collect::<Vec<_>>();
    let peers = vec![(1.6, "pg-boss tuned", Measure::Drain1), (1.0, "graphile-worker tuned", Measure::Drain1)];
    figures.push(
        Figure::new("Q1", "drain, 1 worker process, until no job is left", "jobs/s", of_one(|one| one.rate))
            .against(Against::Batches)
            .target(Target::TimesPeers(peers))
            .compares(Measure::Drain1)
            .note("no-op jobs without a run; one history row each, counted in SQL"),
    );
    figures.push(Figure::new("Q1", "the same, first end to last", "jobs/s", of_one(|one| one.rate_of_ends)));
    figures.push(
        Figure::new("Q1", "enqueue in bulk, 1,000 a call", "jobs/s", of_one(|one| one.enqueue_rate))
            .compares(Measure::Bulk),
    );
    figures.push(Figure::new("Q1", "CPU of the worker", "s per 1,000 jobs", of_one(|one| one.worker_cpu)));
    figures.push(Figure::new("Q1", "CPU of Postgres", "s per 1,000 jobs", of_one(|one| one.postgres_cpu)));
    figures.push(Figure::new("Q1", "commits", "per 1,000 jobs", of_one(|one| one.commits)));
    figures.push(Figure::new("Q1", "WAL", "bytes per job", of_one(|one| one.wal_bytes)));
    if let Some(statements) = statements(bench, jobs)? {
        figures.push(Figure::new("Q1", "statements", "per 1,000 jobs", vec![statements]));
    }
    let rates = |processes, begin| bench.repeat(|| Ok(drain(bench, processes, jobs, begin)?.rate));
    figures.push(
        Figure::new("Q1", "drain, 2 worker processes", "jobs/s", rates(2, Begin::WhenStarted)?)
            .against(Against::Batches)
            .target(Target::AtLeast(median(&of_one(|one| one.rate))))
            .compares(Measure::Drain2),
    );
    let alone = rates(1, Begin::Together)?;
    let floor = median(&alone);
    let together = |processes| format!("drain after a common start, processes: {processes}");
    figures.push(Figure::new("Q9", together(1), "jobs/s", alone).against(Against::Batches));
    for processes in [2, 4, 8] {
        figures.push(
            Figure::new("Q9", together(processes), "jobs/s", rates(processes, Begin::Together)?)
                .against(Against::Batches)
                .target(Target::AtLeast(floor)),
        );
    }
    figures.push(
        Figure::new("Q1", "enqueue one by one, 8 callers", "jobs/s", bench.repeat(|| enqueue_one_by_one(bench))?)
            .against(Against::Inserts)
            .compares(Measure::Enqueue)
            .note("in one process; hints included"),
    );
    figures.push(
        Figure::new(
            "Q1",
            "drain of runs with two steps, 1 worker process",
            "runs/s",
            bench.repeat(|| drain_runs(bench))?,
        )
        .against(Against::Batches)
        .note("chat tasks that were accepted before; the offline model answers at once"),
    );
    Ok(())
}

fn noop() -> NewJob {
    NewJob { payload: Some(json!({"n": 1})), ..NewJob::new("bench.noop") }
}

/// Jobs per second.
fn enqueue(database: &mut Database, jobs: usize) -> anyhow::Result<f64> {
    let bulk = vec![noop(); BULK.min(jobs)];
    let began = Instant::now();
    for _ in 0..jobs.div_ceil(bulk.len()) {
        queue::enqueue(&mut database.connection, &bulk)?;
    }
    Ok(jobs as f64 / began.elapsed().as_secs_f64())
}

fn drain(bench: &Bench, workers: usize, jobs: usize, begin: Begin) -> anyhow::Result<Drained> {
    let mut database = Database::new()?;
    let enqueue_rate = enqueue(&mut database, jobs)?;
    bench.settle(&mut database)?;
    let mut started = Vec::new();
    if begin == Begin::Together {
        admin::pause_queue(&mut database.connection, DEFAULT_QUEUE, None)?;
        started = start(bench, &database, workers)?;
        wait_until_there(&mut database, workers)?;
    }
    let worker_cpu =
        |started: &[Program]| started.iter().map(|worker| processes::cpu_seconds(worker.pid())).sum::<f64>();
    let worker_cpu_before = worker_cpu(&started);
    let commits = "SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()";
    let (commits_before, cpu_before) = (database.count(commits)?, database.cpu_seconds());
    let wal_before = database.text("pg_current_wal_lsn()")?;
    match begin {
        Begin::WhenStarted => started = start(bench, &database, workers)?,
        Begin::Together => {
            admin::resume_queue(&mut database.connection, DEFAULT_QUEUE)?;
            Notifier::start(database.db())?.send(vec![Hint::Jobs]);
        }
    }
    let (emptied, looks) = wait_until_empty(&mut database)?;
    let worker_cpu = worker_cpu(&started) - worker_cpu_before;
    let postgres_cpu = database.cpu_seconds() - cpu_before;
    let wal = database.value(&format!("pg_current_wal_lsn() - '{wal_before}'"))?;
    started.iter_mut().try_for_each(Program::kill)?;
    // A connection that has ended has told what it did.
    std::thread::sleep(Duration::from_millis(500));
    database.execute("SELECT pg_stat_clear_snapshot()")?;
    let commits = database.count(commits)? - commits_before - looks;
    check(&mut database, jobs)?;
    let rate = |until: &str| {
        format!("SELECT count(*) / greatest(extract(epoch FROM {until} - min(finished_at)), 0.001) FROM job_history")
    };
    let thousands = jobs as f64 / 1000.0;
    Ok(Drained {
        rate: database.value(&rate(&format!("'{emptied}'")))?,
        rate_of_ends: database.value(&rate("max(finished_at)"))?,
        enqueue_rate,
        wal_bytes: wal / jobs as f64,
        worker_cpu: worker_cpu / thousands,
        postgres_cpu: postgres_cpu / thousands,
        commits: commits as f64 / thousands,
    })
}

fn start(bench: &Bench, database: &Database, workers: usize) -> anyhow::Result<Vec<Program>> {
    (0..workers).map(|_| Program::start(bench, "bench-worker", database, &[])).collect()
}

fn wait_until_there(database: &mut Database, workers: usize) -> anyhow::Result<()> {
    let give_up = Instant::now() + PATIENCE;
    while usize::try_from(database.count("SELECT count(*) FROM workers WHERE lock_key IS NOT NULL")?)? < workers {
        ensure!(Instant::now() < give_up, "the workers have not registered within {PATIENCE:?}");
        std::thread::sleep(LOOK);
    }
    // They have looked once, and found the queue paused.
    std::thread::sleep(Duration::from_secs(1));
    Ok(())
}

/// The moment by the database's clock, and how often it was asked.
fn wait_until_empty(database: &mut Database) -> anyhow::Result<(String, i64)> {
    let (give_up, mut looks) = (Instant::now() + PATIENCE, 0);
    while Instant::now() < give_up {
        std::thread::sleep(LOOK);
        looks += 1;
        let left = database.text("CASE WHEN EXISTS (SELECT FROM jobs) THEN 'left' ELSE clock_timestamp()::text END")?;
        if left != "left" {
            return Ok((left, looks));
        }
    }
    bail!("{} jobs are left after {PATIENCE:?}", database.count("SELECT count(*) FROM jobs")?)
}

/// Every job exactly once, and completed.
fn check(database: &mut Database, jobs: usize) -> anyhow::Result<()> {
    let ended = database.count("SELECT count(*) FROM job_history")?;
    let completed = database.count("SELECT count(DISTINCT id) FROM job_history WHERE outcome = 'completed'")?;
    ensure!(
        ended == completed && usize::try_from(ended)? == jobs,
        "of {jobs} jobs {completed} were completed, in {ended} rows of history"
    );
    Ok(())
}

/// Counted in a drain of its own, because counting costs; `None` where the server cannot count.
fn statements(bench: &Bench, jobs: usize) -> anyhow::Result<Option<f64>> {
    let mut database = Database::new()?;
    if !database.text("current_setting('shared_preload_libraries')")?.contains("pg_stat_statements") {
        return Ok(None);
    }
    enqueue(&mut database, jobs)?;
    let name = database.name().to_owned();
    database.execute("CREATE EXTENSION pg_stat_statements")?;
    // For the connections that come from now on, which are the worker's.
    for setting in ["compute_query_id = on", "pg_stat_statements.track = top"] {
        database.execute(&format!("ALTER DATABASE {name} SET {setting}"))?;
    }
    let _worker = start(bench, &database, 1)?;
    wait_until_empty(&mut database)?;
    let calls = "SELECT sum(calls) FROM pg_stat_statements \
                 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
    Ok(Some(database.value(calls)? / jobs as f64 * 1000.0))
}

/// Jobs per second, each a call of its own.
fn enqueue_one_by_one(bench: &Bench) -> anyhow::Result<f64> {
    let mut database = Database::new()?;
    bench.settle(&mut database)?;
    let notifier = Notifier::start(database.db())?;
    let committer = Committer::start(database.db(), &notifier, 2)?;
    let each = bench.pick(2_500, 100);
    let began = Instant::now();
    bench.block_on(try_join_all((0..CALLERS).map(|_| async {
        for _ in 0..each {
            committer.enqueue(vec![noop()]).await?;
        }
        anyhow::Ok(())
    })))?;
    let (rate, jobs) =
        ((CALLERS * each) as f64 / began.elapsed().as_secs_f64(), database.count("SELECT count(*) FROM jobs")?);
    ensure!(usize::try_from(jobs)? == CALLERS * each, "{} jobs were enqueued, but there are {jobs}", CALLERS * each);
    Ok(rate)
}

/// Runs per second.
fn drain_runs(bench: &Bench) -> anyhow::Result<f64> {
    let mut database = Database::new()?;
    let mut api = Api::start(bench, &database, &[])?;
    let tasks = bench.pick(20_000, 200);
    let projects = bench.block_on(load::projects(api.address, 1))?;
    let project = projects.first().map_or("", String::as_str);
    let next = |number| (number < tasks).then(|| load::post_task(project, number));
    let accept = load::closed_loop(api.address, 64, Instant::now() + PATIENCE, None, next);
    bench.block_on(accept)?.all_succeeded()?;
    api.program.kill()?;
    bench.settle(&mut database)?;
    let _worker = Program::start(bench, "titan-worker", &database, &[INSTANT_MODEL])?;
    let (emptied, _) = wait_until_empty(&mut database)?;
    let completed = database.count("SELECT count(*) FROM runs WHERE status = 'completed'")?;
    ensure!(u64::try_from(completed)? == tasks, "of {tasks} runs {completed} were completed");
    database.value(&format!("SELECT count(*) / extract(epoch FROM '{emptied}' - min(started_at)) FROM runs"))
}
