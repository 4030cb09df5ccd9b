//! Whoever cancels is obeyed at once, wherever the call is, and the server notices.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use titan_agent::offline::Offline;
use titan_agent::{Provider, ProviderError};
use titan_testkit::fake_model::{Answer, Behaviour, FakeModel};
use tokio_util::sync::CancellationToken;

use crate::support::{PATIENCE, provider, read, request};

/// At once, on a machine that has other things to do. The pauses that are cut short are many times longer.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Cancels a little later and says when.
fn cancel_soon(cancel: &CancellationToken) -> tokio::task::JoinHandle<Instant> {
    let cancel = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(50)).await;
        cancel.cancel();
        Instant::now()
    })
}

#[tokio::test]
async fn while_the_server_thinks() {
    let fake = FakeModel::start().unwrap();
    fake.push(Behaviour::Hang);
    let cancel = CancellationToken::new();
    let canceled = cancel_soon(&cancel);
    let error = provider(&fake).stream(request("hello"), cancel).await.err().unwrap();
    assert!(canceled.await.unwrap().elapsed() < AT_ONCE);
    assert_eq!(error, ProviderError::Canceled);
    assert!(!error.may_pass());
}

#[tokio::test]
async fn in_the_middle_of_the_answer() {
    let fake = FakeModel::start().unwrap();
    fake.push(Behaviour::HangAfter(2));
    let provider = provider(&fake);
    let cancel = CancellationToken::new();
    let mut stream = provider.stream(request("hello"), cancel.clone()).await.unwrap();
    tokio::time::timeout(PATIENCE, stream.next()).await.unwrap().unwrap().unwrap();
    let canceled = cancel_soon(&cancel);
    let read = read(stream).await;
    assert!(canceled.await.unwrap().elapsed() < AT_ONCE);
    assert_eq!(read.error, Some(ProviderError::Canceled));
    assert!(fake.wait_for_abandoned(1, PATIENCE).await, "the connection is closed");
}

#[tokio::test]
async fn the_connection_is_closed_while_the_stream_is_still_held() {
    let fake = FakeModel::start().unwrap();
    fake.push(Behaviour::HangAfter(1));
    let provider = provider(&fake);
    let cancel = CancellationToken::new();
    let mut stream = provider.stream(request("hello"), cancel.clone()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    cancel.cancel();
    assert_eq!(stream.next().await.unwrap(), Err(ProviderError::Canceled));
    assert!(fake.wait_for_abandoned(1, PATIENCE).await);
    assert!(stream.next().await.is_none());
}

#[tokio::test]
async fn by_dropping_the_stream() {
    let fake = FakeModel::start().unwrap();
    fake.push(Behaviour::Answer(Answer::of("x".repeat(1000)).with_delay(Duration::from_millis(100))));
    let provider = provider(&fake);
    let mut stream = provider.stream(request("hello"), CancellationToken::new()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    drop(stream);
    assert!(fake.wait_for_abandoned(1, PATIENCE).await);
}

#[tokio::test]
async fn before_anything_was_sent() {
    let fake = FakeModel::start().unwrap();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let providers: [Arc<dyn Provider>; 2] = [provider(&fake), Arc::new(Offline::new(Duration::ZERO))];
    for provider in providers {
        assert_eq!(provider.stream(request("hello"), cancel.clone()).await.err(), Some(ProviderError::Canceled));
    }
    assert_eq!(fake.requests().len(), 0);
}

#[tokio::test]
async fn between_two_words_of_the_offline_provider() {
    let cancel = CancellationToken::new();
    let mut stream = Offline::new(Duration::from_secs(30)).stream(request("hello"), cancel.clone()).await.unwrap();
    stream.next().await.unwrap().unwrap();
    let canceled = cancel_soon(&cancel);
    let read = read(stream).await;
    assert!(canceled.await.unwrap().elapsed() < AT_ONCE);
    assert_eq!((read.error, read.texts), (Some(ProviderError::Canceled), 0));
}
