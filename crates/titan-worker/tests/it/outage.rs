//! Postgres goes away and comes back.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use titan_testkit::daemon::{Api, Daemon};
use titan_testkit::wait;
use uuid::Uuid;

use crate::support::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_of_postgres_both_daemons_carry_on() {
    let stage = Stage::on_a_cluster();
    let mut api = Api::start(&stage.env(&[]));
    let mut worker = Daemon::worker(&stage.env(&[]));
    let client = reqwest::Client::new();
    let post = async |content: &str| -> Option<Uuid> {
        let url = format!("{}/api/projects/{}/tasks", api.url, stage.project_id);
        let body = json!({"type": "chat", "payload": {"content": content}});
        let answer = client.post(url).json(&body).timeout(Duration::from_secs(30)).send().await.ok()?;
        let task: Value = answer.error_for_status().ok()?.json().await.ok()?;
        task["latest_run"]["id"].as_str()?.parse().ok()
    };
    let during = post("[slow] An answer that is under way").await.expect("a task");
    stage.deltas(during, 2).await;

    stage.cluster.as_ref().unwrap().restart();
    let back = Instant::now();
    wait::until("an API that is ready", async || {
        let answer = client.get(format!("{}/readyz", api.url)).timeout(Duration::from_secs(10)).send().await.ok()?;
        answer.status().is_success().then_some(())
    })
    .await;
    assert!(back.elapsed() < Duration::from_secs(10), "ready after {:?}", back.elapsed());
    let after = wait::until("a task after the restart", async || post("[echo] Still there?").await).await;
    stage.ended(after).await;
    assert!(back.elapsed() < Duration::from_secs(20), "answered after {:?}", back.elapsed());

    let run = stage.ended(during).await;
    assert_eq!(run.status.to_string(), "completed");
    assert_eq!(run.steps[0].attempt, 1, "nobody took the job from a worker that lives");
    let answers = stage.answers().await;
    assert_eq!(answers.iter().filter(|answer| answer.run_id == Some(during)).count(), 1);
    assert_eq!(answers.iter().filter(|answer| answer.run_id == Some(after)).count(), 1);
    assert!(api.daemon.is_running() && worker.is_running());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_survives_a_postgres_that_is_away_for_a_moment() {
    let stage = Stage::on_a_cluster();
    let worker = stage.worker(&[]).await;
    let ids = stage.chat("[slow] An answer that is under way").await;
    stage.deltas(ids.run_id, 2).await;
    let cluster = stage.cluster.as_ref().unwrap();
    cluster.stop();
    // The model goes on talking meanwhile; what it says is kept until it can be written.
    tokio::time::sleep(Duration::from_secs(2)).await;
    cluster.start_again();

    let run = stage.ended(ids.run_id).await;
    assert_eq!(run.status.to_string(), "completed");
    let events = stage.events(ids.run_id).await;
    let answers = stage.answers().await;
    assert_eq!(answers.len(), 1);
    assert_eq!(crate::support::shown(&events), answers[0].content);
    assert_eq!((run.steps[0].attempt, stage.model.requests().len()), (1, 1), "the model was not asked again");
    worker.stop(Duration::from_secs(10)).await;
}
