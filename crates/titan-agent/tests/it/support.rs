//! What the tests share: a provider for a fake server, and reading a stream to its end.

use std::time::Duration;

use futures_util::StreamExt;
use secrecy::SecretString;
use titan_agent::openai::{OpenAi, OpenAiSettings, Timeouts};
use titan_agent::{Chunk, ChunkStream, FinishReason, Message, ModelRequest, Provider, ProviderError, Role, Usage};
use titan_testkit::fake_model::{FakeModel, MODEL};
use tokio::net::TcpSocket;
use tokio_util::sync::CancellationToken;
use url::Url;

/// A key that must appear nowhere.
pub(crate) const KEY: &str = "sk-test-0123456789abcdef";

/// Far longer than anything here takes, also on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn provider(fake: &FakeModel) -> OpenAi {
    provider_at(fake.base_url(), Timeouts::default())
}

pub(crate) fn provider_at(base_url: Url, timeouts: Timeouts) -> OpenAi {
    OpenAi::new(OpenAiSettings {
        name: "openai".to_owned(),
        base_url,
        api_key: Some(SecretString::from(KEY)),
        default_model: Some(MODEL.to_owned()),
        timeouts,
    })
    .unwrap()
}

pub(crate) fn request(content: &str) -> ModelRequest {
    ModelRequest { model: MODEL.to_owned(), messages: vec![Message::new(Role::User, content)] }
}

/// A stream read to its end, or to its error.
#[derive(Debug, Default)]
pub(crate) struct Read {
    pub(crate) text: String,
    pub(crate) texts: usize,
    pub(crate) usage: Option<Usage>,
    pub(crate) finish: Option<FinishReason>,
    pub(crate) error: Option<ProviderError>,
}

/// Reads, and checks the promise of every stream: texts, then usage, then the reason, and nothing after an error.
pub(crate) async fn read(mut stream: ChunkStream) -> Read {
    let mut read = Read::default();
    while let Some(chunk) = tokio::time::timeout(PATIENCE, stream.next()).await.expect("the stream goes on or ends") {
        assert!(read.error.is_none() && read.finish.is_none(), "something follows the end: {chunk:?}");
        match chunk {
            Ok(Chunk::Text(text)) => {
                assert!(read.usage.is_none(), "text after usage");
                read.text.push_str(&text);
                read.texts += 1;
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

pub(crate) async fn ask(provider: &dyn Provider, content: &str) -> Read {
    match provider.stream(request(content), CancellationToken::new()).await {
        Ok(stream) => read(stream).await,
        Err(error) => Read { error: Some(error), ..Read::default() },
    }
}

/// The error of a request that must fail; with it goes the check that no key is in it.
pub(crate) async fn failure(provider: &dyn Provider, content: &str) -> ProviderError {
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
