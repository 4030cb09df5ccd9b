//! A whole analysis: a canary beside production on this machine, asked and scraped for real, good and bad.

use titan_ops::canary::{Analysis, Collector, Phase, Template};
use titan_ops::target::{DeploymentState, Side, Target as _};
use url::Url;

use crate::local_site::{NEW, OLD, Site};

const TEMPLATE: &str = "
interval: 600ms
samples: 6
probe: {paths: [/api/projects, /api/runs], rate: 25, timeout: 1s}
metrics:
  - {name: probe-errors, source: {probe: errors}, direction: lower_is_better, success: '<= 0.01', failure: '> 0.1', failure_limit: 1, min_events: 5}
  - {name: probe-latency, source: {probe: {latency: {q: 0.5}}}, direction: lower_is_better, compare: {tolerance: 0.5, margin: 0.015}, min_events: 5}
  - name: server-errors
    source: {prometheus: {ratio: {of: {name: titan_http_requests_total, labels: {status: '5*'}}, to: {name: titan_http_requests_total}}}}
    direction: lower_is_better
    success: '<= 0.01'
    failure: ['> 0.05', '> 2 x baseline']
    failure_limit: 1
    min_events: 5
";

#[tokio::test]
async fn good_and_bad_canaries_are_told_apart() {
    let template = Template::parse(TEMPLATE).unwrap_or_else(|problems| panic!("{problems:#?}"));
    let site = Site::new(None);
    site.deploy(Side::Production, OLD, "good", "first").await;
    let collector = Collector::new().unwrap();
    for (behaviour, phase, metric) in [
        ("good", Phase::Success, "3 of 3 metrics"),
        ("errors", Phase::Failure, "server-errors: 2 of"),
        ("slow", Phase::Failure, "probe-latency: worse than the baseline"),
        ("blind", Phase::Inconclusive, "server-errors: 5 samples without data"),
    ] {
        let _ = std::fs::remove_dir_all(site.path().join("target/releases").join(NEW));
        let live = site.deploy(Side::Canary, NEW, behaviour, behaviour).await;
        assert_eq!(live.state, DeploymentState::Live, "{live:?}");
        let address = |side| Url::parse(&site.target.address(side).unwrap()).unwrap();
        let (baseline, canary) = (address(Side::Production), address(Side::Canary));
        let mut analysis = Analysis::begin(&template);
        for _ in 0..20 {
            let sample = collector.sample(&template, Some(&baseline), Some(&canary)).await;
            analysis = analysis.take(&template, &sample);
            if analysis.phase != Phase::Running {
                break;
            }
        }
        assert_eq!(analysis.phase, phase, "{behaviour}: {analysis:#?}");
        assert!(analysis.reason.contains(metric), "{behaviour}: {}", analysis.reason);
        site.target.end_canary().await.unwrap();
    }
    // Nobody answers at all: probes fail for sure, which is a failure and no gap.
    let gone = Url::parse("http://127.0.0.1:9").unwrap();
    let mut analysis = Analysis::begin(&template);
    for _ in 0..3 {
        let sample = collector.sample(&template, None, Some(&gone)).await;
        analysis = analysis.take(&template, &sample);
    }
    assert_eq!(analysis.phase, Phase::Failure, "{analysis:#?}");
}
