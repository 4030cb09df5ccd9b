//! The offline provider: labelled, the same every time, and streamed like any other.

use std::sync::Arc;
use std::time::Duration;

use titan_agent::offline::{LABEL, Offline};
use titan_agent::{FinishReason, ProbeState, Provider, ProviderKind};

use crate::support::ask;

fn offline(delay: Duration) -> Arc<dyn Provider> {
    Arc::new(Offline::new(delay))
}

#[tokio::test]
async fn says_what_it_is_and_what_to_set() {
    let read = ask(&offline(Duration::ZERO), "Draw me\na sheep, please.").await;
    insta::assert_snapshot!(read.text);
    assert!(read.text.starts_with(LABEL));
    assert_eq!(read.finish, Some(FinishReason::Stop));
    let usage = read.usage.unwrap();
    assert!(usage.estimated && usage.input_tokens > 0 && usage.output_tokens > 100, "{usage:?}");
}

#[tokio::test]
async fn pauses_between_words_only_when_told_to() {
    let fast = ask(&offline(Duration::ZERO), "hello").await;
    let slow = ask(&offline(Duration::from_millis(1)), "hello").await;
    assert_eq!(fast.texts, 1);
    assert_eq!(slow.texts, slow.text.split(' ').count());
    assert_eq!((slow.text, slow.usage, slow.finish), (fast.text, fast.usage, fast.finish));
}

#[tokio::test]
async fn is_always_ready() {
    let offline = Offline::new(Duration::ZERO);
    assert_eq!((offline.name(), offline.kind()), ("offline", ProviderKind::Offline));
    let probe = offline.probe().await;
    assert_eq!(probe.state, ProbeState::Ready);
    assert!(probe.detail.unwrap().contains("OPENAI_API_KEY"));
}
