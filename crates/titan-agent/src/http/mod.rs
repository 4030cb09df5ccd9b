//! A provider over HTTP: what all wires share. Connections, timeouts, cancellation, limits and failures are here; how a request
//! is written and an answer read is the business of [`crate::wire`]. Retrying is left to the caller, which knows how often a
//! step may be tried.
//!
//! The key goes to the configured server only: redirects are not followed, and no proxy is taken from the environment,
//! which would also send requests for a local server elsewhere.

mod answer;
mod embed;
mod failure;
mod frames;
mod sse;

use std::time::Duration;

use async_trait::async_trait;
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use titan_core::budgets::Price;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use url::Url;

use crate::catalogue::{self, Facts};
use crate::error::{ProviderError, TimeoutPhase};
use crate::provider::{ChunkStream, Model, ModelRequest, Probe, ProbeState, Provider, ProviderKind};
use crate::wire::{Framing, Path, Wire};
use answer::Answer;
use failure::Failures;

/// Stands for "the first model that the server lists".
pub const AUTO_MODEL: &str = "auto";

/// Ollama's models that do not run on a machine of one's own.
const OLLAMA_CLOUD: &str = "ollama.com";

/// A list of models is never longer than this.
const MAX_LIST_BYTES: usize = 4 * 1024 * 1024;

#[derive(Debug)]
pub(crate) struct HttpSettings {
    pub(crate) name: String,
    pub(crate) wire: Box<dyn Wire>,
    /// Up to and with the version, if the wire has one: `https://api.openai.com/v1`.
    pub(crate) base_url: Url,
    pub(crate) api_key: Option<SecretString>,
    /// Where the key is set.
    pub(crate) key_variable: &'static str,
    /// Whose models these are, when the address is the vendor's own.
    pub(crate) catalogue: Option<&'static str>,
    /// Without one, the first model that the server lists answers.
    pub(crate) default_model: Option<String>,
    pub(crate) timeouts: Timeouts,
}

/// How long a provider may be silent, and how much it may say.
#[derive(Debug, Clone, Copy)]
pub struct Timeouts {
    pub connect: Duration,
    /// From the request to the first event of the answer.
    pub first_token: Duration,
    /// Between two events of the answer.
    pub idle: Duration,
    /// For what may follow a whole answer: usage and the mark of the end.
    pub trailer: Duration,
    /// For a question that no model has to think about.
    pub probe: Duration,
    /// Bytes of text after which an answer is taken for one that does not end.
    pub max_answer_bytes: usize,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(10),
            first_token: Duration::from_secs(60),
            idle: Duration::from_secs(60),
            trailer: Duration::from_secs(5),
            probe: Duration::from_secs(5),
            max_answer_bytes: 4 * 1024 * 1024,
        }
    }
}

pub(crate) struct HttpProvider {
    name: String,
    wire: Box<dyn Wire>,
    base_url: Url,
    catalogue: Option<&'static str>,
    default_model: Option<String>,
    /// The model that stands for [`AUTO_MODEL`], once the server was asked.
    listed_model: OnceCell<String>,
    timeouts: Timeouts,
    failures: Failures,
    client: Client,
}

impl HttpProvider {
    /// # Errors
    /// [`ProviderError::Misconfigured`] when the address is not one of HTTP or the key cannot stand in a header.
    pub(crate) fn new(settings: HttpSettings) -> Result<Self, ProviderError> {
        let misconfigured = |message: String| ProviderError::Misconfigured { message };
        if !matches!(settings.base_url.scheme(), "http" | "https") || !settings.base_url.has_host() {
            return Err(misconfigured(format!("the address of {} must begin with http:// or https://", settings.name)));
        }
        let headers = headers(settings.wire.as_ref(), settings.api_key.as_ref())
            .ok_or_else(|| misconfigured(format!("the key of {} has characters that no key has", settings.name)))?;
        let mut client = Client::builder()
            .connect_timeout(settings.timeouts.connect)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("titan/", env!("CARGO_PKG_VERSION")))
            .default_headers(headers);
        if settings.base_url.scheme() == "http" {
            // A machine without certificates must still reach a server that needs none.
            client = client.tls_certs_only([]);
        }
        let client = client.build().map_err(|error| {
            let cause = failure::innermost(&error);
            misconfigured(format!("no HTTPS for {} (Debian: apt-get install ca-certificates): {cause}", settings.name))
        })?;
        Ok(Self {
            name: settings.name,
            wire: settings.wire,
            base_url: settings.base_url,
            catalogue: settings.catalogue,
            default_model: settings.default_model,
            listed_model: OnceCell::new(),
            timeouts: settings.timeouts,
            failures: Failures::new(settings.api_key, settings.key_variable, settings.timeouts),
            client,
        })
    }

    fn url(&self, path: &Path) -> Url {
        let mut url = self.base_url.clone();
        // Every HTTP address has a path; `new` has refused the others.
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&path.segments);
        }
        if !path.query.is_empty() {
            url.query_pairs_mut().extend_pairs(path.query);
        }
        url
    }

    /// The server for people to read: without a user name, password or query, which may be secret.
    fn server(&self) -> String {
        let mut url = self.base_url.clone();
        url.set_query(None);
        // Both only fail for addresses that can have no user.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.to_string()
    }

    /// Sends and waits for the head of an answer that says success.
    async fn send(&self, request: RequestBuilder, within: Duration) -> Result<Response, ProviderError> {
        let timeout = ProviderError::Timeout { phase: TimeoutPhase::FirstToken, after: within };
        let response = tokio::time::timeout(within, request.send())
            .await
            .map_err(|_| timeout)?
            .map_err(|error| self.failures.of_transport(error, 0))?;
        match response.status() {
            StatusCode::OK => Ok(response),
            _ => Err(self.failures.of_response(response).await),
        }
    }

    async fn list_models(&self) -> Result<Vec<Model>, ProviderError> {
        let response = self.send(self.client.get(self.url(&self.wire.models_path())), self.timeouts.probe).await?;
        let body = self.failures.read_body(response, MAX_LIST_BYTES, self.timeouts.probe).await?;
        let list = serde_json::from_slice(&body)
            .map_err(|error| self.failures.malformed(format!("the list of models: {error}")))?;
        self.wire.models(&list).ok_or_else(|| self.failures.malformed("the list of models has no models in it"))
    }

    async fn first_listed(&self) -> Result<String, ProviderError> {
        let first = self.list_models().await?.into_iter().next();
        first.map(|model| model.id).ok_or_else(|| ProviderError::Misconfigured {
            message: format!("{} lists no model; set TITAN_DEFAULT_MODEL", self.server()),
        })
    }

    async fn ask(&self, request: ModelRequest, cancel: CancellationToken) -> Result<ChunkStream, ProviderError> {
        let model = self.model_for(&request.model).await?;
        let body = self.wire.body(&model, &request);
        let post = self.client.post(self.url(&self.wire.path(&model))).json(&body);
        let asked_at = tokio::time::Instant::now();
        let response = self.send(post, self.timeouts.first_token).await?;
        let media_type = media_type(&response);
        let event_by = asked_at + self.timeouts.first_token;
        let answer = Answer::new(&request, self.wire.reader(&request), self.failures.clone(), event_by);
        match (media_type.as_str(), self.wire.framing()) {
            ("application/json", Framing::Sse) => {
                // A server that cannot stream says everything at once.
                let limit = self.timeouts.max_answer_bytes;
                let body = self.failures.read_body(response, limit, self.timeouts.first_token).await?;
                answer.whole(&body)
            }
            ("text/event-stream" | "", Framing::Sse) | (_, Framing::Lines) => {
                Ok(answer.streamed(response, self.wire.framing(), cancel))
            }
            (other, Framing::Sse) => Err(self.failures.malformed(format!(
                "{} answers with {other}; does its address end with the version, such as /v1?",
                self.server()
            ))),
        }
    }
}

#[async_trait]
impl Provider for HttpProvider {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> ProviderKind {
        self.wire.kind()
    }

    fn default_model(&self) -> &str {
        self.default_model.as_deref().or_else(|| self.listed_model.get().map(String::as_str)).unwrap_or(AUTO_MODEL)
    }

    async fn model_for(&self, asked: &str) -> Result<String, ProviderError> {
        if asked != AUTO_MODEL {
            return Ok(asked.to_owned());
        }
        self.listed_model.get_or_try_init(|| self.first_listed()).await.cloned()
    }

    fn catalogued(&self, model: &str) -> Option<Facts> {
        match (self.catalogue, self.wire.kind()) {
            (Some(vendor), _) => catalogue::known(vendor, model),
            // A model on a machine of one's own costs nothing by the token.
            (None, ProviderKind::Ollama) if self.base_url.host_str() != Some(OLLAMA_CLOUD) => {
                Some(Facts { price: Some(Price::default()), ..Facts::default() })
            }
            _ => None,
        }
    }

    async fn stream(&self, request: ModelRequest, cancel: CancellationToken) -> Result<ChunkStream, ProviderError> {
        tokio::select! {
            biased;
            () = cancel.cancelled() => Err(ProviderError::Canceled),
            answer = self.ask(request, cancel.clone()) => answer,
        }
    }

    async fn embed(&self, model: &str, texts: &[String]) -> Result<Vec<Vec<f32>>, ProviderError> {
        self.embeddings(model, texts).await
    }

    async fn probe(&self) -> Probe {
        let server = self.server();
        let (state, detail, models) = match self.list_models().await {
            Ok(models) => (ProbeState::Ready, server, models),
            Err(error @ (ProviderError::InvalidRequest { .. } | ProviderError::MalformedAnswer { .. })) => {
                (ProbeState::Unknown, format!("{server} does not list its models: {error}"), Vec::new())
            }
            Err(error) => (ProbeState::Failing, format!("{server}: {error}"), Vec::new()),
        };
        Probe { state, detail: Some(detail), models }
    }
}

impl std::fmt::Debug for HttpProvider {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HttpProvider")
            .field("name", &self.name)
            .field("wire", &self.wire)
            .field("server", &self.server())
            .field("default_model", &self.default_model)
            .finish_non_exhaustive()
    }
}

/// `None` when the key cannot stand in a header.
fn headers(wire: &dyn Wire, key: Option<&SecretString>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in wire.headers() {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    if let Some(key) = key {
        let (name, before) = wire.key_header();
        let mut value = HeaderValue::from_str(&format!("{before}{}", key.expose_secret())).ok()?;
        value.set_sensitive(true);
        headers.insert(HeaderName::from_static(name), value);
    }
    Some(headers)
}

fn media_type(response: &Response) -> String {
    let value = response.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}
