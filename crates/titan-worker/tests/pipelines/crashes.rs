//! The worker is killed at every edge of every stage, and wherever else the dice say: the pipeline comes to its end, and each of its
//! effects is there once.

use std::time::Duration;

use serde_json::json;
use titan_testkit::client::text;

use crate::kit::Kit;

/// How often the dice are thrown; `SEEDS=20` for more.
fn seeds() -> u64 {
    std::env::var("SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(3)
}

/// Kills the worker when this holds of the log, starts another one, and looks at what came of it.
async fn killed_when(kit: &Kit, what: &str, when: impl Fn(&[String]) -> bool) {
    let mut worker = kit.worker();
    let (project, run) = kit.project("static-site", &json!({})).await;
    kit.until(what, async || when(&kit.log(&run).await).then_some(())).await;
    worker.kill();
    came_to_its_end(kit, &project, &run, what).await;
}

async fn came_to_its_end(kit: &Kit, project: &str, run: &str, what: &str) {
    let worker = kit.worker();
    let ended = kit.ended(run).await;
    assert_eq!(text(&ended["status"]), "completed", "{what}: {ended:#}\n{}", kit.log(run).await.join("\n"));
    let commits = kit.items(&format!("/api/projects/{project}/git/log")).await;
    assert_eq!(commits.len(), 1, "{what}: scaffolded once");
    let published = kit.items(&format!("/api/projects/{project}/publications")).await;
    assert_eq!(published.len(), 1, "{what}: published once");
    let outputs = kit.items(&format!("/api/projects/{project}/outputs")).await;
    assert_eq!(outputs.len(), 2, "{what}: kept once: {outputs:?}");
    // The preview is seen to by whoever is there.
    kit.until(&format!("{what}: the preview"), async || {
        kit.page(project, "/").await.filter(|page| page.contains("Tea &amp; Co"))
    })
    .await;
    let lines = kit.log(run).await;
    let times = |line: &str| lines.iter().filter(|said| *said == line).count();
    for step in ["scaffold", "build", "deploy", "verify", "publish"] {
        assert_eq!(times(&format!("Step {step} completed")), 1, "{what}: {lines:#?}");
    }
    drop(worker);
}

#[tokio::test(flavor = "multi_thread")]
async fn at_every_edge_of_every_stage() {
    let kit = Kit::new();
    for step in ["scaffold", "build", "deploy", "verify", "publish"] {
        for edge in ["started", "completed"] {
            let line = format!("Step {step} {edge}");
            killed_when(&kit, &line.clone(), |log| log.iter().any(|said| said.starts_with(&line))).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wherever_the_dice_say() {
    let kit = Kit::new();
    for seed in 0..seeds() {
        let mut worker = kit.worker();
        let (project, run) = kit.project("static-site", &json!({})).await;
        // Spread over the three seconds that it takes, the same for the same seed.
        let after = Duration::from_millis(seed.wrapping_mul(2_654_435_761) % 3_000);
        tokio::time::sleep(after).await;
        worker.kill();
        came_to_its_end(&kit, &project, &run, &format!("seed {seed}, after {after:?}")).await;
    }
}
