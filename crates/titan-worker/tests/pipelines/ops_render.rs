//! Proposals that are rolled out to Render, where a canary takes production's place: a fake after Render's API reference.

use serde_json::{Value, json};
use tempfile::TempDir;
use titan_testkit::client::text;
use titan_testkit::forge::{Forge, Repository};
use titan_testkit::render::{API, FakeRender, Fault, KEY, WORKER};

use crate::kit::Kit;
use crate::ops::{PROPOSAL, github, kit_at, repository, stage};

const TEMPLATE: &str = "
interval: 400ms
samples: 4
probe: {paths: [/readyz, /api/health], rate: 20, timeout: 2s}
metrics:
  - {name: probe-errors, source: {probe: errors}, direction: lower_is_better, success: '<= 0.01', failure: '> 0.1', failure_limit: 1, min_events: 3}
  - {name: probe-latency, source: {probe: {latency: {q: 0.5}}}, direction: lower_is_better, compare: {tolerance: 2.0, margin: 0.05}, min_events: 3}
";

/// A production at Render that runs the main branch, and an API.
pub(crate) struct Hosted {
    pub(crate) render: FakeRender,
    pub(crate) kit: Kit,
    /// The commit that production began with.
    pub(crate) first: String,
    _folder: TempDir,
}

impl Hosted {
    /// With the variables of the forge.
    pub(crate) fn new(repository: &Repository<'_>, forge: &[(&str, &str)]) -> Self {
        let first = repository.head("main").unwrap();
        let (render, folder) = (FakeRender::start(&first).unwrap(), tempfile::tempdir().unwrap());
        let template = folder.path().join("canary.yaml");
        std::fs::write(&template, TEMPLATE).unwrap();
        let (url, template) = (render.url().to_string(), template.display().to_string());
        let target = [
            ("RENDER_API_KEY", KEY),
            ("RENDER_API_URL", url.as_str()),
            ("RENDER_SERVICE_API", API),
            ("RENDER_SERVICE_WORKER", WORKER),
            ("TITAN_OPS_CANARY", template.as_str()),
        ];
        let kit = kit_at(forge, &target);
        Hosted { render, kit, first, _folder: folder }
    }

    /// The commits that were deployed to both services, in order.
    pub(crate) fn deployed(&self) -> Vec<String> {
        let of = |service: &str| -> Vec<String> {
            self.render.deploys().into_iter().filter(|made| made.service == service).map(|made| made.commit).collect()
        };
        assert_eq!(of(API), of(WORKER));
        of(API)
    }

    /// The commit that production answers.
    pub(crate) async fn production(&self) -> String {
        let url = self.render.url().join("api/health").unwrap();
        let health: Value = reqwest::get(url).await.unwrap().json().await.unwrap();
        text(&health["commit"]).to_owned()
    }

    /// What is deployed next cannot be built.
    pub(crate) fn fail_the_next_build(&self) {
        for _ in [API, WORKER] {
            self.render.push(Fault::Ends("build_failed"));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_commit_takes_production_s_place_and_stays_or_goes() {
    let forge = Forge::github();
    let repository = repository(&forge);
    let url = forge.url();
    let hosted = Hosted::new(&repository, &github(&url));
    let kit = &hosted.kit;
    let _worker = kit.worker();
    let (id, run) = kit.propose(PROPOSAL).await;
    let asking = kit.asks(&id, "merge").await;
    let commit = text(&asking["asks"]["subject"]).to_owned();
    assert_eq!(text(&stage(&asking, "canary")["evidence"]["phase"]), "success", "{asking:#}");
    // Production before its canary is what it is compared with.
    let latency = &asking["rollout"]["analysis"]["metrics"][1];
    assert_eq!(
        (latency["baseline"].as_array().map(Vec::len), &latency["comparison"]["worse"]),
        (Some(4), &json!(false))
    );
    assert_eq!((hosted.deployed(), hosted.production().await), (vec![commit.clone()], commit.clone()));
    kit.promote(&id, &run).await;
    let merged = repository.head("main").unwrap();
    assert_eq!((hosted.deployed(), hosted.production().await), (vec![commit.clone(), merged.clone()], merged.clone()));

    // One that cannot be built: what was good is deployed again.
    hosted.fail_the_next_build();
    let (id, run) = kit.propose(&PROPOSAL.replace("...", "Step 2")).await;
    let why = kit.failed(&run).await;
    assert!(why.contains("the build failed"), "{why}");
    let rollout = kit
        .until("the rollout to end", async || {
            let rollout = kit.proposal(&id).await["rollout"].clone();
            (!rollout["ended_at"].is_null()).then_some(rollout)
        })
        .await;
    assert_eq!((text(&rollout["state"]), &rollout["last_good"]), ("rolled_back", &json!(merged)));
    assert_eq!(hosted.production().await, merged);
    assert_eq!(text(&repository.pulls()[1]["state"]), "closed");
}
