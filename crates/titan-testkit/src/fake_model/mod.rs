//! A model server that speaks the real wires (OpenAI's, Anthropic's, Gemini's and Ollama's) over HTTP, streamed or whole, on a
//! port of the kernel's choice. A test programs it request by request, or steers it through words in the message alone, which also
//! reaches a server in another process. It records what it was asked; judging that is for the test.

mod behaviour;
mod dialect;
mod embeddings;
mod recorded;
mod server;
mod watch;
mod wire;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use actix_web::dev::ServerHandle;
use url::Url;

pub use behaviour::{Answer, Behaviour};
pub use dialect::{Dialect, ToolCall};
pub use recorded::RecordedRequest;
use server::State;

/// The model of its embeddings; any name will do.
pub const EMBEDDING_MODEL: &str = "fake-embed";
/// It refuses to embed a text with this word in it, and all that come in one request with it.
pub const UNEMBEDDABLE: &str = "unembeddable";

/// The one model it lists.
pub const MODEL: &str = "fake-model";

/// Requests, and words that were obeyed, that are kept at most.
const KEPT: usize = 100_000;

/// Serves until it is dropped, on a thread and a runtime of its own, so that it works in tests of any kind.
pub struct FakeModel {
    base_url: Url,
    state: Arc<State>,
    handle: ServerHandle,
}

impl FakeModel {
    /// Starts on a free port of the loopback interface.
    ///
    /// # Errors
    /// When there is no port or no thread to be had.
    pub fn start() -> io::Result<Self> {
        Self::start_at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// # Errors
    /// When the address cannot be bound.
    pub fn start_at(address: SocketAddr) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        let base_url = Url::parse(&format!("http://{}", listener.local_addr()?)).map_err(io::Error::other)?;
        let state = Arc::new(State::default());
        let (tell, told) = mpsc::channel();
        let served = Arc::clone(&state);
        std::thread::Builder::new().name("fake-model".to_owned()).spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                match server::serve(listener, served) {
                    Ok(server) => {
                        // The one who started it may have given up by now; then the handle stops it.
                        let _ = tell.send(Ok(server.handle()));
                        let _ = server.await;
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
        let handle = told.recv().map_err(|_| io::Error::other("the fake model's thread ended"))??;
        Ok(Self { base_url, state, handle })
    }

    /// What `OPENAI_BASE_URL` is to be set to.
    #[must_use]
    pub fn base_url(&self) -> Url {
        self.base_url_of(Dialect::OpenAi)
    }

    /// The same for another wire.
    #[must_use]
    pub fn base_url_of(&self, dialect: Dialect) -> Url {
        let mut url = self.base_url.clone();
        url.set_path(dialect.root());
        url
    }

    /// How the next request that nothing else was pushed for is answered. First in, first out.
    pub fn push(&self, behaviour: Behaviour) {
        self.state.push(behaviour);
    }

    /// How requests are answered when nothing is pushed and the message does not say.
    pub fn set_default(&self, behaviour: Behaviour) {
        self.state.set_default(behaviour);
    }

    /// How many tokens it tells that its model takes; it does not insist on it.
    pub fn set_context(&self, tokens: u64) {
        self.state.set_context(tokens);
    }

    /// Whether it tells that its model takes images, in the wire of `OpenAi`; it does not insist on it.
    pub fn set_takes_images(&self, takes: bool) {
        self.state.set_takes_images(takes);
    }

    /// From now on refuses requests without this key, repeating the key it got, as some servers do.
    pub fn require_key(&self, key: &str) {
        self.state.require_key(key);
    }

    /// The requests for an answer so far, oldest first; of many, the newest.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.state.requests()
    }

    /// The texts that were to be embedded so far; of many, the newest.
    #[must_use]
    pub fn embedded(&self) -> Vec<String> {
        self.state.embedded()
    }

    /// Waits until so many requests have come, and gives them. Gives what there is when the time is over.
    pub async fn wait_for_requests(&self, count: usize, within: Duration) -> Vec<RecordedRequest> {
        self.wait_until(within, || self.requests().len() >= count).await;
        self.requests()
    }

    /// How many answers the client left before they were whole.
    #[must_use]
    pub fn abandoned(&self) -> usize {
        self.state.abandoned()
    }

    /// Waits until so many answers have been left. False when the time is over.
    pub async fn wait_for_abandoned(&self, count: usize, within: Duration) -> bool {
        self.wait_until(within, || self.abandoned() >= count).await
    }

    async fn wait_until(&self, within: Duration, done: impl Fn() -> bool) -> bool {
        let poll = async {
            while !done() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(within, poll).await.is_ok() || done()
    }
}

impl Drop for FakeModel {
    fn drop(&mut self) {
        // The order to stop is sent by the call itself; only waiting for it would need the future.
        drop(self.handle.stop(false));
    }
}
