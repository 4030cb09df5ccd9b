//! The API process is killed while somebody watches an answer: resuming loses nothing and repeats nothing.

use std::time::Duration;

use eventsource_stream::Eventsource as _;
use serde_json::Value;
use titan_testkit::daemon::{Api, Daemon};
use uuid::Uuid;

use crate::support::Stage;

/// Reads a run's stream from after a number. Gives the events, and whether the stream ended in order or just broke.
async fn read(api: &str, run_id: Uuid, last: i64, enough: Option<usize>) -> (Vec<Value>, bool) {
    let request = reqwest::Client::new()
        .get(format!("{api}/api/runs/{run_id}/events"))
        .header("accept", "text/event-stream")
        .header("last-event-id", last.to_string());
    let answer = request.send().await.unwrap().error_for_status().unwrap();
    let mut stream = Box::pin(answer.bytes_stream().eventsource());
    let mut events = Vec::new();
    loop {
        use futures_util::StreamExt as _;
        let next = tokio::time::timeout(Duration::from_secs(60), stream.next()).await.expect("a stream that goes on");
        let Some(Ok(event)) = next else { return (events, false) };
        match event.event.as_str() {
            "run_event" => {
                let told: Value = serde_json::from_str(&event.data).unwrap();
                assert_eq!(event.id, told["seq"].to_string());
                events.push(told);
            }
            "end" => return (events, true),
            _ => {}
        }
        if enough.is_some_and(|enough| events.len() >= enough) {
            return (events, false);
        }
    }
}

fn last_seq(events: &[Value]) -> i64 {
    events.last().map_or(0, |event| event["seq"].as_i64().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_api_is_killed_a_reader_resumes_without_loss_or_repetition() {
    let stage = Stage::new();
    let mut api = Api::start(&stage.env(&[]));
    let _worker = Daemon::worker(&stage.env(&[]));
    let ids = stage.chat("[slow] Tell me about tea.").await;

    // Some deltas have been seen when it is killed, and the answer goes on.
    let (mut events, ended) = read(&api.url, ids.run_id, 0, Some(8)).await;
    assert!(!ended);
    let reader = tokio::spawn({
        let (url, last) = (api.url.clone(), last_seq(&events));
        async move { read(&url, ids.run_id, last, None).await }
    });
    stage.deltas(ids.run_id, 8).await;
    api.daemon.kill();
    let (more, ended) = reader.await.unwrap();
    assert!(!ended, "the stream broke, it did not end");
    events.extend(more);

    api.restart();
    let (rest, ended) = read(&api.url, ids.run_id, last_seq(&events), None).await;
    assert!(ended);
    events.extend(rest);
    let seqs: Vec<i64> = events.iter().map(|event| event["seq"].as_i64().unwrap()).collect();
    let run = stage.ended(ids.run_id).await;
    assert_eq!(seqs, (1..=run.last_seq).collect::<Vec<_>>(), "0 lost, 0 doubled");
    assert_eq!((run.status.to_string().as_str(), run.steps[0].attempt), ("completed", 1), "the worker did not notice");
    stage.assert_answered_once(ids.run_id).await;
}
