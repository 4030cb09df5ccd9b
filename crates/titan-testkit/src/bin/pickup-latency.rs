//! Measures how long an idle Titan takes to pick up a task: from before the request that posts it is sent until the call
//! arrives at the model server. Real daemons, one task at a time; once with hints and once by polling alone.
//!
//! The daemons are taken from beside this program. Ends with 1 when a target is missed.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use clap::Parser;
use reqwest::Client;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use titan_testkit::daemon::{Api, Daemon, env};
use titan_testkit::db::TestDb;
use titan_testkit::fake_model::{FakeModel, MODEL};

/// No single task takes longer on a machine that works.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Parser)]
#[command(about = "Measures how long an idle worker takes to pick up a task, with the hint and by polling alone")]
struct Arguments {
    /// How many tasks, one by one, in each of the two parts.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..=10_000))]
    tasks: u16,
}

#[tokio::main]
async fn main() -> anyhow::Result<ExitCode> {
    let arguments = Arguments::parse();
    let mut out = std::io::stdout();
    let mut met = true;
    for (listen, title, target) in [("on", "with hints", 50), ("off", "TITAN_LISTEN=off", 700)] {
        let mut took = measure(listen, arguments.tasks).await?;
        took.sort();
        let (p50, p95, p99) = (percentile(&took, 50), percentile(&took, 95), percentile(&took, 99));
        let verdict = if p99 < f64::from(target) { "met" } else { "MISSED" };
        met &= p99 < f64::from(target);
        writeln!(
            out,
            "{title:<17} {} tasks: p50 {p50:.1} ms, p95 {p95:.1} ms, p99 {p99:.1} ms; target p99 under {target} ms: {verdict}",
            took.len()
        )?;
        out.flush()?;
    }
    Ok(if met { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn measure(listen: &str, tasks: u16) -> anyhow::Result<Vec<Duration>> {
    let db = TestDb::new();
    let model = FakeModel::start()?;
    let base_url = model.base_url().to_string();
    let variables = env(&[
        ("DATABASE_URL", db.url.expose_secret()),
        ("OPENAI_BASE_URL", &base_url),
        ("TITAN_DEFAULT_MODEL", MODEL),
        ("TITAN_LISTEN", listen),
    ]);
    let api = Api::start(&variables);
    let _worker = Daemon::worker(&variables);
    let client = Client::new();
    let project = post(&client, &format!("{}/api/projects", api.url), &json!({"name": "Latency"})).await?;
    let tasks_url = format!("{}/api/projects/{}/tasks", api.url, text(&project, "/id")?);
    let mut took = Vec::new();
    // The first one opens connections everywhere and does not count.
    for number in 0..=tasks {
        // At any moment between two polls, not always just after one.
        let random = titan_core::ids::new().as_u128() % 500;
        tokio::time::sleep(Duration::from_millis(u64::try_from(random)?)).await;
        let content = format!("message {number}");
        let began = Instant::now();
        let task = post(&client, &tasks_url, &json!({"type": "chat", "payload": {"content": content}})).await?;
        let requests = model.wait_for_requests(usize::from(number) + 1, PATIENCE).await;
        let request = requests.last().context("the model was never asked")?;
        ensure!(request.content() == content, "the model was asked {:?} instead of {content:?}", request.content());
        if number > 0 {
            took.push(request.instant - began);
        }
        wait_until_completed(&client, &format!("{}/api/tasks/{}", api.url, text(&task, "/id")?)).await?;
    }
    Ok(took)
}

async fn post(client: &Client, url: &str, body: &Value) -> anyhow::Result<Value> {
    let answer = client.post(url).json(body).timeout(PATIENCE).send().await?;
    Ok(answer.error_for_status()?.json().await?)
}

fn text<'a>(value: &'a Value, pointer: &str) -> anyhow::Result<&'a str> {
    value.pointer(pointer).and_then(Value::as_str).with_context(|| format!("no {pointer} in {value}"))
}

/// Idle means that nothing of the task before is under way any more.
async fn wait_until_completed(client: &Client, url: &str) -> anyhow::Result<()> {
    let give_up = Instant::now() + PATIENCE;
    while Instant::now() < give_up {
        let task: Value = client.get(url).timeout(PATIENCE).send().await?.error_for_status()?.json().await?;
        match text(&task, "/status")? {
            "completed" => return Ok(()),
            "failed" => bail!("the task failed: {task}"),
            _ => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    bail!("the task was not completed within {PATIENCE:?}")
}

/// In milliseconds, of a sorted list.
fn percentile(sorted: &[Duration], percent: usize) -> f64 {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or_default().as_secs_f64() * 1000.0
}
