//! A preview outlives its worker, keeps its address, follows what is deployed, and stops when it is told to.

use serde_json::json;
use titan_testkit::client::{run_of, text};

use crate::kit::Kit;

#[tokio::test(flavor = "multi_thread")]
async fn a_preview_lives_until_it_is_not_wanted_any_more() {
    let kit = Kit::new();
    let mut first = kit.worker();
    let (project, run) = kit.project("static-site", &json!({})).await;
    kit.completed(&run).await;
    let address = kit.preview(&project).await["address"].clone();
    assert!(kit.page(&project, "/").await.is_some_and(|page| page.contains("Tea &amp; Co")));

    first.kill();
    let second = kit.worker();
    kit.until("another worker to serve it", async || kit.page(&project, "/").await).await;
    assert_eq!(kit.preview(&project).await["address"], address, "links live on");

    // The next build sees what a person has written since.
    let page = kit.read(&project, "site/index.html").await.replace("Tea &amp; Co", "Tea &amp; Daughters");
    kit.write(&project, "site/index.html", &page).await;
    let body = json!({"inputs": {"title": "Tea & Daughters"}});
    let task = kit.client.post(&format!("/api/projects/{project}/pipelines"), &body).await.expect(201);
    kit.completed(&run_of(&task)).await;
    assert!(kit.page(&project, "/").await.is_some_and(|page| page.contains("Tea &amp; Daughters")));

    let stopped = kit.client.post(&format!("/api/projects/{project}/preview/stop"), &json!({})).await.expect(200);
    assert_eq!(text(&stopped["project_id"]), project);
    kit.until("the preview to stop", async || {
        (text(&kit.preview(&project).await["state"]) == "stopped" && kit.page(&project, "/").await.is_none())
            .then_some(())
    })
    .await;
    kit.client.post(&format!("/api/projects/{project}/preview/start"), &json!({})).await.expect(200);
    kit.until("the preview to come back", async || kit.page(&project, "/").await).await;
    drop(second);
}

/// Its job may end in the moment in which it is wanted again, and is ended for good after many failures.
#[tokio::test(flavor = "multi_thread")]
async fn a_preview_that_nobody_sees_to_is_seen_to_again() {
    let kit = Kit::new();
    let worker = kit.worker();
    let (project, run) = kit.project("static-site", &json!({})).await;
    kit.completed(&run).await;
    let started = kit.preview(&project).await["updated_at"].clone();
    // As if its end and the new wish had missed each other: nothing is under way, and the row says otherwise.
    kit.client.post(&format!("/api/projects/{project}/preview/stop"), &json!({})).await.expect(200);
    kit.until("the preview to stop", async || (text(&kit.preview(&project).await["state"]) == "stopped").then_some(()))
        .await;
    kit.until("the end of its job", async || {
        (kit.db.count("SELECT count(*) FROM jobs WHERE kind = 'preview'") == 0).then_some(())
    })
    .await;
    kit.db.execute("UPDATE previews SET wanted = true, state = 'starting', generation = generation + 1");
    kit.until("the preview to come back", async || kit.page(&project, "/").await).await;
    assert_ne!(kit.preview(&project).await["updated_at"], started);
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_deployment_there_is_nothing_to_start() {
    let kit = Kit::new();
    let project = kit.client.project("Bare").await;
    assert!(kit.preview(&project).await.is_null());
    let refused = kit.client.post(&format!("/api/projects/{project}/preview/start"), &json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (409, "conflict"));
    let refused = kit.client.post(&format!("/api/projects/{project}/pipelines"), &json!({})).await;
    assert_eq!((refused.status, refused.code().as_str()), (422, "validation_failed"), "{}", refused.text);
}
