//! Every wait for a server ends, and says what was waited for.

use std::time::Duration;

use titan_agent::{FinishReason, ProbeState, ProviderError, TimeoutPhase, Timeouts};
use titan_testkit::fake_model::{Answer, Behaviour, FakeModel};
use url::Url;

use crate::support::{PATIENCE, ask, failure, provider_at};

const SHORT: Duration = Duration::from_millis(300);

fn timeout_of(error: ProviderError) -> (TimeoutPhase, Duration) {
    assert!(error.may_pass());
    match error {
        ProviderError::Timeout { phase, after } => (phase, after),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_server_that_says_nothing() {
    let fake = FakeModel::start().unwrap();
    fake.push(Behaviour::Hang);
    let provider = provider_at(fake.base_url(), Timeouts { first_token: SHORT, ..Timeouts::default() });
    assert_eq!(timeout_of(failure(&provider, "hello").await), (TimeoutPhase::FirstToken, SHORT));
}

#[tokio::test]
async fn a_server_that_stops_in_the_middle() {
    let fake = FakeModel::start().unwrap();
    fake.push(Behaviour::HangAfter(2));
    let provider = provider_at(fake.base_url(), Timeouts { idle: SHORT, ..Timeouts::default() });
    let read = ask(&provider, "hello").await;
    assert_eq!(read.text.len(), 16);
    assert_eq!(timeout_of(read.error.unwrap()), (TimeoutPhase::Idle, SHORT));
    assert!(fake.wait_for_abandoned(1, PATIENCE).await, "the connection is closed");
}

#[tokio::test]
async fn a_server_that_stops_after_the_answer() {
    let fake = FakeModel::start().unwrap();
    fake.push(Behaviour::NoEnd);
    let provider = provider_at(fake.base_url(), Timeouts { trailer: SHORT, ..Timeouts::default() });
    let read = ask(&provider, "hello").await;
    assert_eq!((read.error, read.finish), (None, Some(FinishReason::Stop)));
    assert!(read.usage.unwrap().estimated);
    assert!(fake.wait_for_abandoned(1, PATIENCE).await, "the connection is closed");
}

#[tokio::test]
async fn a_slow_answer_is_not_a_silent_one() {
    let fake = FakeModel::start().unwrap();
    let answer = Answer::of("word ".repeat(50)).with_chunk_chars(5).with_delay(Duration::from_millis(100));
    fake.push(Behaviour::Answer(answer));
    // The answer takes five seconds in all, longer than each of these.
    let within = Duration::from_secs(4);
    let timeouts = Timeouts { first_token: within, idle: within, ..Timeouts::default() };
    let provider = provider_at(fake.base_url(), timeouts);
    let read = ask(&provider, "hello").await;
    assert_eq!((read.error, read.finish), (None, Some(FinishReason::Stop)));
}

#[tokio::test]
async fn a_server_that_accepts_but_does_not_speak() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = silent.local_addr().unwrap();
    let held = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((socket, _)) = silent.accept().await {
            held.push(socket);
        }
    });
    let timeouts = Timeouts { connect: SHORT, probe: SHORT, ..Timeouts::default() };
    // The TLS handshake is part of connecting.
    let provider = provider_at(Url::parse(&format!("https://{address}/v1")).unwrap(), timeouts);
    assert_eq!(timeout_of(failure(&provider, "hello").await), (TimeoutPhase::Connect, SHORT));
    let provider = provider_at(Url::parse(&format!("http://{address}/v1")).unwrap(), timeouts);
    assert_eq!(provider.probe().await.state, ProbeState::Failing);
    held.abort();
}
