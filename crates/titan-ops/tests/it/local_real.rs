//! Titan's own daemons as releases: production and a canary beside it on one database, and the shipped template on both.

use std::path::PathBuf;
use std::time::Duration;

use chrono::Utc;
use secrecy::{ExposeSecret as _, SecretString};
use titan_ops::canary::{Analysis, Collector, Phase, Template};
use titan_ops::target::local::{Local, Settings, SideSettings};
use titan_ops::target::{DeploymentState, Order, Release, Side, Target as _};
use titan_testkit::db::TestDb;
use url::Url;

use crate::local_site::{NEW, OLD, Site};

#[tokio::test(flavor = "multi_thread")]
async fn titans_own_daemons_run_side_by_side_and_pass_the_shipped_analysis() {
    let db = TestDb::new();
    let folder = tempfile::tempdir().unwrap();
    let side = |name: &str| {
        let data = folder.path().join(name).display().to_string();
        let environment = [
            ("DATABASE_URL", db.url.expose_secret()),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("TITAN_DATA_DIR", data.as_str()),
            ("TITAN_WORKER_NAME", name),
        ];
        let environment = environment.map(|(name, value)| (name.to_owned(), SecretString::from(value)));
        SideSettings { bind: None, environment: environment.into() }
    };
    let target = Local::new(Settings {
        folder: folder.path().join("target"),
        supervisor: PathBuf::from(env!("CARGO_BIN_EXE_titan-supervise")),
        production: side("production"),
        canary: side("canary"),
        ready_within: Duration::from_secs(60),
        grace: Duration::from_secs(10),
    });
    let site = Site::of(folder, target.unwrap());
    for (side, commit) in [(Side::Production, OLD), (Side::Canary, NEW)] {
        let release = Release { commit: commit.to_owned(), folder: Some(programs()) };
        let key = format!("deploy-{}", side.name());
        site.target.deploy(&Order { side, release, key: key.clone(), asked_at: Utc::now() }).await.unwrap();
        let live = site.ended(side, &key).await;
        assert_eq!(live.state, DeploymentState::Live, "{live:?}");
        assert_eq!(site.target.running(side).await.unwrap().commit.as_deref(), Some(commit));
    }
    // The shipped template in less time, and with as many requests in it.
    let mut template = Template::shipped().unwrap();
    (template.interval, template.samples) = (Duration::from_secs(1), 4);
    let probe = template.probe.as_mut().unwrap();
    probe.rate = 25.0;
    // What is built for tests may be without the dashboard.
    probe.paths.retain(|path| path != "/");
    let address = |side| Url::parse(&site.target.address(side).unwrap()).unwrap();
    let (baseline, canary) = (address(Side::Production), address(Side::Canary));
    let collector = Collector::new().unwrap();
    let mut analysis = Analysis::begin(&template);
    for _ in 0..template.samples {
        let sample = collector.sample(&template, Some(&baseline), Some(&canary)).await;
        analysis = analysis.take(&template, &sample);
    }
    assert_eq!(analysis.phase, Phase::Success, "{analysis:#?}");
    site.target.end_canary().await.unwrap();
}

/// Beside the test's executable, which lies in `target/<profile>/deps`.
fn programs() -> PathBuf {
    let folder = std::env::current_exe().unwrap().ancestors().nth(2).unwrap().to_owned();
    for program in ["titan-api", "titan-worker"] {
        assert!(
            folder.join(program).is_file(),
            "{program} is not built; run `cargo build -p titan-api -p titan-worker` first (tests of the whole workspace build it)"
        );
    }
    folder
}
