//! Events in pages and as streams: whole, in order, each once, wherever a client begins.

use std::time::Duration;

use serde_json::{Value, json};
use titan_core::queue::Hint;
use titan_testkit::app::TestApp;
use titan_testkit::client::{data, id, run_of, text};
use titan_testkit::wait;
use uuid::Uuid;

#[tokio::test(flavor = "multi_thread")]
async fn pages_of_events_have_no_gap() {
    let app = TestApp::with_worker().await;
    let project = app.client.project("p").await;
    let run = run_of(&app.client.chat(&project, "hello there").await);
    app.client.run_ended(&run).await;
    let all = app.client.get(&format!("/api/runs/{run}/events?limit=1000")).await.expect(200);
    assert_eq!(all["next_cursor"], Value::Null);
    let mut seen = Vec::new();
    let mut after = "0".to_owned();
    loop {
        let page = app.client.get(&format!("/api/runs/{run}/events?limit=2&after={after}")).await.expect(200);
        assert_eq!(page["last_seq"], all["last_seq"]);
        seen.extend(page["items"].as_array().unwrap().clone());
        match &page["next_cursor"] {
            Value::Null => break,
            next => after = text(next).to_owned(),
        }
    }
    assert_eq!(&seen, all["items"].as_array().unwrap());
    app.finish().await;
}

/// A client that is cut off again and again, and each time goes on where it was.
async fn cut_off_again_and_again(app: TestApp) {
    let project = app.client.project("p").await;
    let run = run_of(&app.client.chat(&project, "Tell me a rather long story about a lighthouse keeper.").await);
    let path = format!("/api/runs/{run}/events");
    let mut seen: Vec<Value> = Vec::new();
    let mut ended = None;
    while ended.is_none() {
        let after = seen.last().map(|event| event["seq"].as_i64().unwrap());
        let mut stream = app.client.stream(&path, after).await;
        for _ in 0..3 {
            let Some(event) = stream.next().await else { break };
            match event.event.as_str() {
                "run_event" => {
                    let value = data(&event);
                    assert_eq!(event.id, value["seq"].to_string(), "the id is the number");
                    seen.push(value);
                }
                "end" => ended = Some(data(&event)),
                "heartbeat" => {}
                other => panic!("an event {other}"),
            }
        }
    }
    assert_eq!(ended, Some(json!({"status": "completed"})));
    let stored = app.client.get(&format!("{path}?limit=1000")).await.expect(200);
    assert_eq!(&seen, stored["items"].as_array().unwrap(), "each event once and in order");
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_goes_on_where_it_was_cut_off() {
    cut_off_again_and_again(TestApp::plan().set("TITAN_OFFLINE_DELAY", "20ms").worker().start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_by_polling_alone() {
    cut_off_again_and_again(TestApp::plan().set("TITAN_LISTEN", "off").worker().start().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_a_run_that_has_ended_sends_all_and_closes() {
    let app = TestApp::with_worker().await;
    let project = app.client.project("p").await;
    let run = run_of(&app.client.chat(&project, "hello").await);
    let last = app.client.run_ended(&run).await["last_seq"].as_i64().unwrap();
    let path = format!("/api/runs/{run}/events");
    let events = app.client.stream(&path, None).await.rest().await;
    assert_eq!(i64::try_from(events.len()).unwrap(), last + 1);
    assert_eq!(events.last().unwrap().event, "end");
    let by_query = app.client.stream(&format!("{path}?after={}", last - 1), None).await.rest().await;
    assert_eq!(by_query.iter().map(|event| event.event.as_str()).collect::<Vec<_>>(), ["run_event", "end"]);
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_any_size_are_streamed_whole_and_in_order() {
    let app = TestApp::with_worker().await;
    let project = app.client.project("p").await;
    let run = run_of(&app.client.chat(&project, "hello").await);
    let last = app.client.run_ended(&run).await["last_seq"].as_i64().unwrap();
    // Pages end by number and by size.
    app.db.execute(
        "INSERT INTO run_events (run_id, seq, project_id, task_id, kind, data) \
         SELECT id, last_seq + n, project_id, task_id, 'delta', \
           jsonb_build_object('text', repeat('x', CASE WHEN n > 900 AND n % 7 = 0 THEN 100000 ELSE 10 END)) \
         FROM runs, generate_series(1, 1000) AS n; \
         UPDATE runs SET last_seq = last_seq + 1000",
    );
    let events = app.client.stream(&format!("/api/runs/{run}/events"), None).await.rest().await;
    let (end, events) = events.split_last().unwrap();
    assert_eq!(end.event, "end");
    let seqs: Vec<i64> = events.iter().map(|event| event.id.parse().unwrap()).collect();
    assert_eq!(seqs, (1..=last + 1000).collect::<Vec<_>>());
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_heartbeat_reaches_who_watches_the_run_and_nobody_else() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let (watched, other) =
        (run_of(&app.client.chat(&project, "a").await), run_of(&app.client.chat(&project, "b").await));
    let mut stream = app.client.stream(&format!("/api/runs/{watched}/events"), None).await;
    let beat = |run: &str, output_tokens| {
        let run_id = Uuid::parse_str(run).unwrap();
        app.state().notifier.send(vec![Hint::Beat { run_id, step: 1, attempt: 2, output_tokens }]);
    };
    // A beat is heard only by who listens already, so it is sent until one comes.
    let heartbeat = tokio::select! {
        heartbeat = stream.until("heartbeat") => heartbeat,
        () = async { loop {
            beat(&other, 5);
            beat(&watched, 7);
            tokio::time::sleep(Duration::from_millis(100)).await;
        } } => unreachable!("the loop has no end"),
    };
    assert!(heartbeat["at"].is_string());
    let rest = json!([heartbeat["run_id"], heartbeat["step"], heartbeat["attempt"], heartbeat["output_tokens"]]);
    assert_eq!(rest, json!([watched, 1, 2, 7]));
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_told_to_who_watches_the_project() {
    let app = TestApp::with_worker().await;
    let (project, other) = (app.client.project("p").await, app.client.project("q").await);
    let mut stream = app.client.stream(&format!("/api/events?project_id={project}"), None).await;
    listening(&app).await;
    app.client.patch(&format!("/api/projects/{other}"), &json!({"name": "not for this one"})).await.expect(200);
    let task = app.client.chat(&project, "hello").await;
    let run = run_of(&task);
    app.client.run_ended(&run).await;
    app.client.patch(&format!("/api/projects/{project}"), &json!({"name": "the last"})).await.expect(200);
    let mut missing = vec!["task", "run", "output", "memory", "message", "project"];
    while !missing.is_empty() {
        let hint = stream.until("change").await;
        assert_eq!(text(&hint["project_id"]), project, "only what was asked for");
        match text(&hint["kind"]) {
            "run" => {
                assert_eq!((text(&hint["run_id"]), text(&hint["id"])), (run.as_str(), run.as_str()));
                assert!(hint["seq"].as_i64().unwrap() > 0);
            }
            "task" => assert_eq!(text(&hint["id"]), id(&task)),
            _ => {}
        }
        missing.retain(|kind| *kind != text(&hint["kind"]));
    }
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_cannot_hear_is_told_to_look_again() {
    let app = TestApp::plan().set("TITAN_LISTEN", "off").start().await;
    let mut stream = app.client.stream("/api/events", None).await;
    assert_eq!(stream.until("resync").await, json!({}));
    assert_eq!(stream.until("resync").await, json!({}));
    app.finish().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_when_the_server_stops() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let run = run_of(&app.client.chat(&project, "never answered").await);
    let of_run = app.client.stream(&format!("/api/runs/{run}/events"), None).await;
    let of_all = app.client.stream("/api/events", None).await;
    app.state().stopping.cancel();
    assert!(of_run.rest().await.iter().all(|event| event.event == "run_event"));
    of_all.rest().await;
    app.abandon().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn there_is_a_limit_to_streams() {
    let app = TestApp::start().await;
    let project = app.client.project("p").await;
    let run = run_of(&app.client.chat(&project, "x").await);
    let path = format!("/api/runs/{run}/events");
    let hub = &app.state().hub;
    let taken: Vec<_> = std::iter::from_fn(|| hub.run_stream()).collect();
    assert_eq!(taken.len(), titan_api::live::hub::MOST_RUN_STREAMS);
    let all: Vec<_> = std::iter::from_fn(|| hub.change_stream()).collect();
    assert_eq!(all.len(), titan_api::live::hub::MOST_CHANGE_STREAMS);
    let request = app.client.request(reqwest::Method::GET, &path).header("accept", "text/event-stream");
    let refused = app.client.send(request).await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "too_many_streams"));
    assert_eq!(app.client.get("/api/events").await.code(), "too_many_streams");
    drop((taken, all));
    let stream = app.client.stream(&path, None).await;
    drop(stream);
    // The place of a client that is gone is free again once the server has noticed.
    wait::until("the place given back", async || {
        let free: Vec<_> = std::iter::from_fn(|| hub.run_stream()).collect();
        (free.len() == titan_api::live::hub::MOST_RUN_STREAMS).then_some(())
    })
    .await;
    app.abandon().await;
}

async fn listening(app: &TestApp) {
    let mut listening = app.state().hub.listening();
    tokio::time::timeout(wait::PATIENCE, listening.wait_for(|heard| *heard)).await.expect("LISTEN").expect("a hub");
}
