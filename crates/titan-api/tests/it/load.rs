//! Many at once: nothing is lost, nothing is done twice, and the counters are exact.

use futures_util::future::join_all;
use serde_json::{Value, json};
use titan_testkit::app::TestApp;
use titan_testkit::client::Client;
use titan_testkit::wait;

const TASKS: usize = 1000;
const CLIENTS: usize = 16;

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_tasks_by_sixteen_clients_all_complete() {
    let app = TestApp::with_worker().await;
    let project = app.client.project("load").await;
    let shares = (0..CLIENTS).map(|client| {
        let (tasks, project) = ((client..TASKS).step_by(CLIENTS), project.clone());
        let client = Client::new(&app.address());
        async move {
            for number in tasks {
                client.chat(&project, &format!("task {number}")).await;
            }
        }
    });
    join_all(shares).await;
    let path = format!("/api/projects/{project}/stats");
    let stats = wait::until("all tasks completed", async || {
        let stats = app.client.get(&path).await.expect(200);
        (stats["runs"]["completed"] == json!(TASKS)).then_some(stats)
    })
    .await;
    let count = |sql: &str| json!(app.db.count(sql));
    let expected = |sql: &str| (json!(TASKS), count(sql));
    let completed = |of: &str| format!("SELECT count(*) FROM {of}");
    assert_eq!(
        (stats["tasks"]["completed"].clone(), count(&completed("tasks WHERE execution_status = 'completed'"))),
        expected(&completed("tasks"))
    );
    assert_eq!(
        (stats["runs"]["total"].clone(), count(&completed("runs WHERE status = 'completed'"))),
        expected(&completed("runs"))
    );
    assert_eq!((stats["memories"].clone(), count(&completed("memories"))), expected(&completed("runs")));
    assert_eq!((stats["outputs"]["pending"].clone(), count(&completed("outputs"))), expected(&completed("runs")));
    for (subject, states) in [
        ("tasks", &["pending", "queued", "in_progress", "paused", "blocked", "failed", "canceled"][..]),
        ("runs", &["queued", "running", "failed", "canceled"][..]),
    ] {
        assert!(states.iter().all(|state| stats[subject][state] == json!(0)), "{stats}");
    }
    assert_eq!(count("SELECT count(*) FROM messages WHERE role = 'assistant'"), json!(TASKS));
    assert_eq!(
        count(
            "SELECT count(*) FROM runs r WHERE last_seq <> (SELECT count(*) FROM run_events e WHERE e.run_id = r.id)"
        ),
        json!(0)
    );
    assert_eq!(count("SELECT count(*) FROM run_events WHERE level IN ('warn', 'error')"), json!(0));
    // A hidden retry or rescue would have made the numbers right all the same.
    assert_eq!(count("SELECT count(*) FROM job_history WHERE rescues > 0 OR attempt > 1"), json!(0));
    assert_ne!(stats, Value::Null);
    app.finish().await;
}
