//! Q9: one project floods the queue while four others send ten tasks a second each. What counts is how long the four wait
//! for a start, against what they wait when nobody floods.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Context as _, ensure};
use futures_util::future::try_join_all;
use tokio::time::{MissedTickBehavior, interval};

use super::Bench;
use super::database::Database;
use super::figure::{Figure, Target, percentile};
use super::load::{self, Connection};
use super::stack::{self, Api, INSTANT_MODEL};

const OTHERS: usize = 4;
/// Between two tasks of one of the others.
const PACE: Duration = Duration::from_millis(100);
const CLIENTS: usize = 64;
const PATIENCE: Duration = Duration::from_secs(120);

pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let mut database = Database::new()?;
    let api = Api::start(bench, &database, &[])?;
    let address = api.address;
    let _worker = stack::worker(bench, &database, &[INSTANT_MODEL])?;
    let projects = bench.block_on(load::projects(address, OTHERS + 1))?;
    let (flooding, others) = projects.split_first().context("no projects")?;
    bench.settle(&mut database)?;

    let length = Duration::from_secs(bench.pick(30, 3));
    let steady =
        |until: Instant| try_join_all(others.iter().map(move |project| send_steadily(address, project, until)));
    let begin = database.text("clock_timestamp()")?;
    bench.block_on(steady(Instant::now() + length))?;
    let quiet = waits(&mut database, flooding, &begin)?;

    let tasks = bench.pick(100_000, 500);
    let begin = database.text("clock_timestamp()")?;
    let (until, flood_until) = (Instant::now() + length, Instant::now() + PATIENCE);
    let next = |number| (number < tasks).then(|| load::post_task(flooding, number));
    let flood = load::closed_loop(address, CLIENTS, flood_until, None, next);
    let (tally, sent) = bench.block_on(async { tokio::join!(flood, steady(until)) });
    sent?;
    tally?.all_succeeded()?;
    let waiting = database.count("SELECT count(*) FROM jobs")?;
    let flooded = waits(&mut database, flooding, &begin)?;

    let p99 = percentile(&quiet, 99.0);
    let what = "start of tasks of four projects with 10 a second each, p99";
    figures.push(Figure::new("Q9", format!("{what}, quiet"), "ms", vec![p99]));
    figures.push(
        Figure::new("Q9", format!("{what}, while a fifth floods {tasks}"), "ms", vec![percentile(&flooded, 99.0)])
            .target(Target::Under(3.0 * p99))
            .note(format!("{waiting} jobs of the flood were waiting when all of it had been accepted")),
    );
    Ok(())
}

async fn send_steadily(address: SocketAddr, project: &str, until: Instant) -> anyhow::Result<()> {
    let mut connection = Connection::open(address).await?;
    let mut pace = interval(PACE);
    pace.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for number in 0.. {
        pace.tick().await;
        if Instant::now() >= until {
            break;
        }
        connection.json(&load::post_task(project, number)).await?;
    }
    Ok(())
}

/// Milliseconds from accepted to started, of the runs of everyone but the flooding project since then.
fn waits(database: &mut Database, flooding: &str, since: &str) -> anyhow::Result<Vec<f64>> {
    let runs = format!("FROM runs WHERE project_id <> '{flooding}' AND created_at >= '{since}'");
    let give_up = Instant::now() + PATIENCE;
    while database.count(&format!("SELECT count(*) {runs} AND started_at IS NULL"))? > 0 {
        ensure!(Instant::now() < give_up, "tasks have not been started within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(200));
    }
    database.values(&format!("SELECT extract(epoch FROM started_at - created_at) * 1000 {runs}"))
}
