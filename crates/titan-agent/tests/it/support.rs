//! What the tests share: a provider for a fake server, and reading a stream to its end.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use secrecy::SecretString;
use titan_agent::{
    Chunk, ChunkStream, FinishReason, Message, ModelRequest, Provider, ProviderError, Role, Timeouts, ToolCall, Usage,
    models,
};
use titan_core::config::{ConfiguredVendor, VENDORS};
use titan_testkit::fake_model::{Dialect, FakeModel, MODEL};
use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;
use url::Url;

/// A key that must appear nowhere.
pub(crate) const KEY: &str = "sk-test-0123456789abcdef";

/// Far longer than anything here takes, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn provider(fake: &FakeModel) -> Arc<dyn Provider> {
    provider_at(fake.base_url(), Timeouts::default())
}

pub(crate) fn provider_at(base_url: Url, timeouts: Timeouts) -> Arc<dyn Provider> {
    provider_of(Dialect::OpenAi, base_url, timeouts)
}

pub(crate) fn provider_of(dialect: Dialect, base_url: Url, timeouts: Timeouts) -> Arc<dyn Provider> {
    models::provider(&configured(dialect.vendor(), base_url, Some(KEY)), timeouts).unwrap()
}

pub(crate) fn configured(vendor: &str, base_url: Url, key: Option<&str>) -> ConfiguredVendor {
    let vendor = VENDORS.iter().find(|known| known.name == vendor).unwrap();
    ConfiguredVendor { vendor, base_url: Some(base_url), api_key: key.map(SecretString::from) }
}

pub(crate) fn request(content: &str) -> ModelRequest {
    ModelRequest::new(MODEL, vec![Message::new(Role::User, content)])
}

/// A stream read to its end, or to its error.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) text: String,
    pub(crate) texts: usize,
    pub(crate) calls: Vec<ToolCall>,
    pub(crate) usage: Option<Usage>,
    pub(crate) finish: Option<FinishReason>,
    pub(crate) error: Option<ProviderError>,
}

/// Reads, and checks the promise of every stream: texts, then calls, then usage, then the reason, and nothing after an error.
pub(crate) async fn read(mut stream: ChunkStream) -> Read {
    let mut read = Read::default();
    while let Some(chunk) = tokio::time::timeout(PATIENCE, stream.next()).await.expect("the stream goes on or ends") {
        assert!(read.error.is_none() && read.finish.is_none(), "something follows the end: {chunk:?}");
        match chunk {
            Ok(Chunk::Text(text)) => {
                assert!(read.usage.is_none() && read.calls.is_empty(), "text after calls or usage");
                read.text.push_str(&text);
                read.texts += 1;
            }
            Ok(Chunk::ToolCall(call)) => {
                assert!(read.usage.is_none(), "a call after usage");
                read.calls.push(call);
            }
            Ok(Chunk::Usage(usage)) => assert!(read.usage.replace(usage).is_none(), "usage twice"),
            Ok(Chunk::Finished { reason }) => {
                assert!(read.usage.is_some(), "no usage");
                read.finish = Some(reason);
            }
            Err(error) => read.error = Some(error),
        }
    }
    read
}

pub(crate) async fn ask(provider: &Arc<dyn Provider>, content: &str) -> Read {
    ask_for(provider, request(content)).await
}

pub(crate) async fn ask_for(provider: &Arc<dyn Provider>, request: ModelRequest) -> Read {
    match provider.stream(request, CancellationToken::new()).await {
        Ok(stream) => read(stream).await,
        Err(error) => Read { error: Some(error), ..Read::default() },
    }
}

/// The error of a request that must fail; with it goes the check that no key is in it.
pub(crate) async fn failure(provider: &Arc<dyn Provider>, content: &str) -> ProviderError {
    let read = ask(provider, content).await;
    assert_eq!(read.finish, None, "{read:?}");
    let error = read.error.expect("the request fails");
    assert!(!format!("{error} {error:?} {provider:?}").contains(KEY), "the key is in {error:?}");
    error
}

/// An address at which nobody listens, and the socket that keeps it so.
pub(crate) fn nowhere() -> (TcpSocket, Url) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let url = Url::parse(&format!("http://{}/v1", socket.local_addr().unwrap())).unwrap();
    (socket, url)
}
