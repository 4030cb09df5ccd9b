//! Answers that take long, and answers that are long: who watches knows that the model is at work, and what is stored stays small.

use std::time::{Duration, Instant};

use eventsource_stream::Eventsource as _;
use futures_util::StreamExt as _;
use titan_testkit::daemon::{Api, Daemon};
use titan_testkit::fake_model::{Answer, Behaviour};

use crate::support::Stage;

const GRACE: Duration = Duration::from_secs(10);

/// The model's pauses are longer than the time between two beats, so that nothing else can stand in for one. Sixty seconds would show
/// no more than eight do: the beat does not depend on how long the answer has been going on.
#[tokio::test(flavor = "multi_thread")]
async fn who_watches_a_long_answer_gets_a_heartbeat_every_two_seconds() {
    let stage = Stage::new();
    let api = Api::start(&stage.env(&[]));
    let _worker = Daemon::worker(&stage.env(&[]));
    let answer = Answer::of("onetwo").with_chunk_chars(3).with_delay(Duration::from_secs(4));
    stage.model.push(Behaviour::Answer(answer));
    let ids = stage.chat("Think about it for long.").await;

    let url = format!("{}/api/runs/{}/events", api.url, ids.run_id);
    let request = reqwest::Client::new().get(url).header("accept", "text/event-stream");
    let mut stream = Box::pin(request.send().await.unwrap().bytes_stream().eventsource());
    let (mut asked, mut beats) = (None, Vec::new());
    loop {
        let event = tokio::time::timeout(Duration::from_secs(30), stream.next()).await.expect("a stream that goes on");
        let event = event.expect("an end").unwrap();
        match event.event.as_str() {
            "heartbeat" => beats.push(Instant::now()),
            "run_event" if event.data.contains("Asking openai") => asked = Some(Instant::now()),
            "run_event" => {}
            "end" => break,
            other => panic!("an event {other}"),
        }
    }
    let signs: Vec<Instant> = asked.into_iter().chain(beats.iter().copied()).chain([Instant::now()]).collect();
    let gaps: Vec<Duration> = signs.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(beats.len() >= 4 && gaps.iter().all(|gap| *gap <= Duration::from_secs(2)), "{gaps:?}");
    stage.assert_answered_once(ids.run_id).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hundred_thousand_tokens_are_fewer_than_a_thousand_events() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    let text: String = (0..100_000).map(|n| format!("{:>3} ", n % 1000)).collect();
    stage.model.push(Behaviour::Answer(Answer::of(text.clone()).with_chunk_chars(4)));
    let ids = stage.chat("Say a lot.").await;
    assert_eq!(stage.assert_answered_once(ids.run_id).await, text);
    let rows = stage.count(&format!("SELECT count(*) FROM run_events WHERE run_id = '{}'", ids.run_id));
    assert!(rows < 1000, "{rows} events");
    worker.stop(GRACE).await;
}
