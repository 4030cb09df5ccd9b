//! Without hints, and without any worker.

use std::time::Duration;

use titan_core::tasks;

use crate::support::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn with_listen_refused_work_is_still_found_within_a_second() {
    let stage = Stage::new();
    let worker = stage.worker(&[("TITAN_LISTEN", "off")]).await;
    let mut took = Vec::new();
    for number in 0..5 {
        let asked = std::time::Instant::now();
        let ids = stage.chat(&format!("[echo] message {number}")).await;
        stage.assert_answered_once(ids.run_id).await;
        took.push(stage.model.requests().last().unwrap().instant - asked);
    }
    // The poll is half a second. How fast it is, `make bench ROWS=Q3` judges; here it is told from a lease or a restart.
    took.sort();
    assert!(took[2] < Duration::from_secs(5), "{took:?}");
    worker.stop(Duration::from_secs(10)).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_worker_the_task_says_so() {
    let stage = Stage::new();
    let ids = stage.chat("Hello").await;
    let hint = async || {
        let task = stage.db.run(move |connection| tasks::get(connection, ids.task_id)).await.unwrap();
        task.hint.map(|hint| (hint.code, hint.message))
    };
    let (code, message) = hint().await.expect("a hint");
    assert_eq!(code, "no_worker");
    assert!(message.contains("No worker that serves chat has reported yet"), "{message}");
    let worker = stage.worker(&[]).await;
    stage.assert_answered_once(ids.run_id).await;
    assert_eq!(hint().await, None);
    worker.stop(Duration::from_secs(10)).await;

    // One that has gone is named with the time at which it was last heard of.
    let ids = stage.chat("Hello again").await;
    let task = stage.db.run(move |connection| tasks::get(connection, ids.task_id)).await.unwrap();
    let hint = task.hint.expect("a hint");
    assert_eq!(hint.code, "no_worker");
    assert!(hint.since.is_some() && hint.message.contains("has reported since"), "{}", hint.message);
}
