//! Q3: how long an idle Titan takes to pick up a task, from before the request that posts it is sent until the call arrives
//! at the model server. One task at a time; once with hints and once by polling alone.

use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

use super::Bench;
use super::database::Database;
use super::figure::{Figure, Target, percentile};
use super::load::{self, Connection};
use super::peers::Measure;
use super::stack::{self, Api};
use crate::fake_model::{FakeModel, MODEL};

/// No single task takes longer on a machine that works.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two tasks: long enough that nothing of the last one is under way.
const PAUSE: u64 = 50;
/// Any moment between two polls is as likely as another.
const POLL: u64 = 500;

pub(super) fn measure(bench: &Bench, figures: &mut Vec<Figure>) -> anyhow::Result<()> {
    let hinted = pick_up(bench, "on")?;
    for (percent, measure) in [(50.0, Measure::StartP50), (99.0, Measure::StartP99)] {
        figures.push(
            Figure::new("Q3", format!("start with hints, p{percent}"), "ms", vec![percentile(&hinted, percent)])
                .target(Target::NotAboveBestPeer(measure))
                .compares(measure)
                .note("from before the POST over HTTP to the call at the model server"),
        );
    }
    let polled = vec![percentile(&pick_up(bench, "off")?, 99.0)];
    figures.push(Figure::new("Q3", "start by polling alone, p99", "ms", polled).target(Target::Under(600.0)));
    Ok(())
}

/// Milliseconds of each task.
fn pick_up(bench: &Bench, listen: &str) -> anyhow::Result<Vec<f64>> {
    let mut database = Database::new()?;
    let model = FakeModel::start()?;
    let base_url = model.base_url().to_string();
    let settings = [
        ("OPENAI_BASE_URL", base_url.as_str()),
        ("TITAN_DEFAULT_MODEL", MODEL),
        ("TITAN_LISTEN", listen),
        // The questions are counted: one for each task.
        ("TITAN_MEMORY", "record"),
    ];
    let api = Api::start(bench, &database, &settings)?;
    let _worker = stack::worker(bench, &database, &settings)?;
    bench.settle(&mut database)?;
    let pause = if listen == "on" { PAUSE } else { POLL };
    bench.block_on(async {
        let projects = load::projects(api.address, 1).await?;
        let project = projects.first().context("no project")?;
        let mut connection = Connection::open(api.address).await?;
        let mut took = Vec::new();
        // The first one opens connections everywhere and does not count.
        for number in 0..=bench.pick(200, 5) {
            let random = u64::try_from(titan_core::ids::new().as_u128() % u128::from(pause))?;
            tokio::time::sleep(Duration::from_millis(PAUSE + random)).await;
            let began = Instant::now();
            let task = connection.json(&load::post_task(project, number)).await?;
            let requests = model.wait_for_requests(usize::try_from(number)? + 1, PATIENCE).await;
            let request = requests.last().context("the model was never asked")?;
            let content = format!("message {number}");
            ensure!(request.content() == content, "the model was asked {:?} instead of {content:?}", request.content());
            if number > 0 {
                took.push((request.instant - began).as_secs_f64() * 1000.0);
            }
            wait_until_completed(&mut connection, &task).await?;
        }
        Ok(took)
    })
}

/// Idle means that nothing of the task before is under way any more.
async fn wait_until_completed(connection: &mut Connection, task: &Value) -> anyhow::Result<()> {
    let id = task.get("id").and_then(Value::as_str).context("a task without an id")?;
    let (request, give_up) = (load::get(&format!("/api/tasks/{id}")), Instant::now() + PATIENCE);
    while Instant::now() < give_up {
        let task = connection.json(&request).await?;
        match task.get("status").and_then(Value::as_str) {
            Some("completed") => return Ok(()),
            Some("failed") => bail!("the task failed: {task}"),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    bail!("the task was not completed within {PATIENCE:?}")
}
