//! A judge of our own wires that is not ours: a mock of the real services by others, as a process of its own.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use titan_agent::{FinishReason, Provider, ProviderError, Timeouts};
use titan_testkit::db::repository;
use titan_testkit::fake_model::Dialect;
use url::Url;

use crate::support::{ask, provider_of};

struct Aimock {
    process: Child,
    url: Url,
}

impl Aimock {
    fn start() -> Self {
        let program = repository().join("crates/titan-api/dashboard/node_modules/.bin/llmock");
        assert!(program.exists(), "aimock is not installed: node scripts/dashboard.mjs install");
        let fixtures = repository().join("crates/titan-agent/tests/it/aimock.json");
        let mut process = Command::new(program)
            .args(["--port", "0", "--validate-on-load", "--fixtures"])
            .arg(fixtures)
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let url = lines.find_map(|line| line.unwrap().split_once("listening on ").map(|(_, url)| url.to_owned()));
        // What it says later must not fill a pipe that nobody reads.
        std::thread::spawn(move || lines.for_each(drop));
        Aimock { process, url: Url::parse(&url.expect("it says where it listens")).unwrap() }
    }

    fn providers(&self) -> impl Iterator<Item = (Dialect, Arc<dyn Provider>)> {
        Dialect::ALL.into_iter().map(|dialect| {
            let url = self.url.join(dialect.root()).unwrap();
            (dialect, provider_of(dialect, url, Timeouts::default()))
        })
    }
}

impl Drop for Aimock {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn agrees_with_every_wire() {
    let aimock = Aimock::start();
    for (dialect, provider) in aimock.providers() {
        let read = ask(&provider, "plain").await;
        let text = "Grüße, 世界! 🙂 And a few more words to stream.";
        assert_eq!(
            (read.error, read.text.as_str(), read.finish),
            (None, text, Some(FinishReason::Stop)),
            "{dialect:?}"
        );
        assert!(read.texts > 1, "{dialect:?} streams");

        let read = ask(&provider, "tools").await;
        assert_eq!((read.error, read.finish), (None, Some(FinishReason::ToolCalls)), "{dialect:?}");
        let calls: Vec<_> = read.calls.iter().map(|call| (call.name.as_str(), call.arguments.clone())).collect();
        assert_eq!(
            calls,
            [("weather", json!({"city": "Kraków"})), ("weather", json!({"city": "東京"}))],
            "{dialect:?}"
        );

        let error = ask(&provider, "busy").await.error.unwrap();
        assert!(matches!(error, ProviderError::RateLimited { .. }), "{dialect:?}: {error:?}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)), "{dialect:?}");
        let error = ask(&provider, "broken").await.error.unwrap();
        assert!(matches!(error, ProviderError::Unavailable { status: Some(500), .. }), "{dialect:?}: {error:?}");
        let error = ask(&provider, "cut").await.error.unwrap();
        assert!(matches!(error, ProviderError::CutStream { .. }), "{dialect:?}: {error:?}");
    }
}
