//! The database goes away and comes back: requests are told so, without its words, and later succeed again.

use serde_json::json;
use titan_testkit::app::TestApp;
use titan_testkit::client::text;
use titan_testkit::db::TestDb;
use titan_testkit::wait;

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_a_503_that_passes() {
    let app = TestApp::start().await;
    let client = &app.client;
    client.project("p").await;
    let other = tokio::task::spawn_blocking(TestDb::new).await.unwrap();
    let name = app.db.name.clone();
    other.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    other.execute(&format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"));

    let refused = client.get("/api/projects").await;
    assert_eq!((refused.status, refused.code().as_str()), (503, "database_unavailable"));
    assert!(!refused.text.contains(&name), "the cause stays in the log: {}", refused.text);
    let ready = client.get("/readyz").await.expect(503);
    assert_eq!(ready, json!({"status": "unavailable", "database": "unavailable"}));
    let health = client.get("/api/health").await.expect(200);
    assert_eq!((text(&health["status"]), &health["queue"]), ("degraded", &json!(null)));
    assert_eq!(client.get("/healthz").await.status, 200);

    other.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    wait::until("the database back", async || (client.get("/readyz").await.status == 200).then_some(())).await;
    client.project("q").await;
    app.finish().await;
    tokio::task::spawn_blocking(move || drop(other)).await.unwrap();
}
