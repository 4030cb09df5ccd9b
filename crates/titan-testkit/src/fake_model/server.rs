//! The HTTP side: routes, what is remembered between requests, and who notices that a client has left.

use std::collections::VecDeque;
use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

use super::behaviour::{Behaviour, Obeyed, told_by};
use super::dialect::Dialect;
use super::embeddings;
use super::recorded::RecordedRequest;
use super::watch::Watch;
use super::wire;
use super::{KEPT, UNEMBEDDABLE};

const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

#[derive(Default)]
pub(super) struct State {
    inner: Mutex<Inner>,
    abandoned: Arc<AtomicUsize>,
}

/// Tokens that the model takes, as long as the test does not say.
const CONTEXT: u64 = 200_000;

struct Inner {
    queue: VecDeque<Behaviour>,
    default: Behaviour,
    key: Option<String>,
    context: u64,
    takes_images: Option<bool>,
    requests: VecDeque<RecordedRequest>,
    embedded: VecDeque<String>,
    obeyed: Obeyed,
}

impl Default for Inner {
    fn default() -> Self {
        Self {
            queue: VecDeque::new(),
            default: Behaviour::default(),
            key: None,
            context: CONTEXT,
            takes_images: None,
            requests: VecDeque::new(),
            embedded: VecDeque::new(),
            obeyed: Obeyed::default(),
        }
    }
}

impl State {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, behaviour: Behaviour) {
        self.lock().queue.push_back(behaviour);
    }

    pub(super) fn set_default(&self, behaviour: Behaviour) {
        self.lock().default = behaviour;
    }

    pub(super) fn require_key(&self, key: &str) {
        self.lock().key = Some(key.to_owned());
    }

    pub(super) fn set_context(&self, tokens: u64) {
        self.lock().context = tokens;
    }

    pub(super) fn set_takes_images(&self, takes: bool) {
        self.lock().takes_images = Some(takes);
    }

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().requests.iter().cloned().collect()
    }

    pub(super) fn embedded(&self) -> Vec<String> {
        self.lock().embedded.iter().cloned().collect()
    }

    pub(super) fn abandoned(&self) -> usize {
        self.abandoned.load(Ordering::SeqCst)
    }

    fn record(&self, request: &RecordedRequest) {
        let mut inner = self.lock();
        if inner.requests.len() >= KEPT {
            inner.requests.pop_front();
        }
        inner.requests.push_back(request.clone());
    }

    /// What was pushed comes first, then what the message says, then the default.
    fn behaviour_for(&self, content: &str) -> Behaviour {
        let mut inner = self.lock();
        if let Some(behaviour) = inner.queue.pop_front() {
            return behaviour;
        }
        let obeyed = &mut inner.obeyed;
        told_by(content, |word| obeyed.count(content, word)).unwrap_or_else(|| inner.default.clone())
    }

    fn refusal(&self, dialect: Dialect, authorization: Option<&str>) -> Option<HttpResponse> {
        let inner = self.lock();
        let key = inner.key.as_ref()?;
        let given = authorization.map(|value| value.strip_prefix("Bearer ").unwrap_or(value));
        if given == Some(key) {
            return None;
        }
        let message = format!("Incorrect API key provided: {}.", given.unwrap_or("none"));
        let kind = if dialect == Dialect::OpenAi { "invalid_request_error" } else { "authentication_error" };
        Some(HttpResponse::Unauthorized().json(dialect.error(401, &message, kind)))
    }
}

pub(super) fn serve(listener: TcpListener, state: Arc<State>) -> io::Result<Server> {
    let state = Data::from(state);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::clone(&state))
            .app_data(web::PayloadConfig::new(MAX_BODY_BYTES))
            .route("/v1/chat/completions", web::post().to(openai))
            .route("/v1/messages", web::post().to(anthropic))
            .route("/v1beta/models/{model}:streamGenerateContent", web::post().to(gemini))
            .route("/api/chat", web::post().to(ollama))
            .route("/v1/embeddings", web::post().to(embed))
            .route("/v1beta/models/{model}:batchEmbedContents", web::post().to(embed))
            .route("/api/embed", web::post().to(embed))
            .route("/v1/models", web::get().to(models))
            .route("/v1beta/models", web::get().to(models))
            .route("/api/tags", web::get().to(models))
            .route("/requests", web::get().to(requests))
    });
    Ok(server.workers(2).disable_signals().shutdown_timeout(1).listen(listener)?.run())
}

async fn openai(http: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    complete(Dialect::OpenAi, &http, &body, &state).await
}

async fn anthropic(http: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    if http.headers().get("anthropic-version").is_none() {
        return invalid(Dialect::Anthropic, "anthropic-version: header is required");
    }
    complete(Dialect::Anthropic, &http, &body, &state).await
}

async fn gemini(http: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    if http.query_string() != "alt=sse" {
        return invalid(Dialect::Gemini, "without alt=sse the real service answers with a JSON array");
    }
    complete(Dialect::Gemini, &http, &body, &state).await
}

async fn ollama(http: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    complete(Dialect::Ollama, &http, &body, &state).await
}

async fn complete(dialect: Dialect, http: &HttpRequest, body: &[u8], state: &Data<State>) -> HttpResponse {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return invalid(dialect, "the body is not JSON") };
    let request = RecordedRequest::now(body, key_of(dialect, http), dialect);
    state.record(&request);
    if let Some(refusal) = state.refusal(dialect, request.authorization.as_deref()) {
        return refusal;
    }
    let has_model = dialect == Dialect::Gemini || request.body.get("model").is_some_and(Value::is_string);
    if !has_model || request.texts().next().is_none() {
        return invalid(dialect, "you must provide a model and messages");
    }
    if dialect == Dialect::Anthropic && request.body.get("max_tokens").is_none() {
        return invalid(dialect, "max_tokens: Field required");
    }
    answer(state.behaviour_for(request.content()), &request, state).await
}

async fn answer(behaviour: Behaviour, request: &RecordedRequest, state: &Data<State>) -> HttpResponse {
    let dialect = request.dialect;
    match behaviour {
        Behaviour::RateLimited { retry_after } => {
            let mut response = HttpResponse::TooManyRequests();
            if let Some(value) = retry_after {
                response.insert_header(("retry-after", value));
            }
            response.json(dialect.error(429, "Rate limit reached for requests", "rate_limit_error"))
        }
        Behaviour::ServerError => HttpResponse::InternalServerError().json(dialect.error(
            500,
            "The server had an error while processing your request",
            "server_error",
        )),
        Behaviour::Status { status, headers, body } => {
            let mut response = HttpResponse::build(StatusCode::from_u16(status).unwrap_or(StatusCode::IM_A_TEAPOT));
            for header in headers {
                response.insert_header(header);
            }
            response.body(body)
        }
        Behaviour::Raw { content_type, body } => HttpResponse::Ok().content_type(content_type).body(body),
        Behaviour::Hang => {
            tokio::time::sleep(wire::FOREVER).await;
            HttpResponse::GatewayTimeout().finish()
        }
        Behaviour::NotStreamed => HttpResponse::Ok().json(wire::whole(&behaviour, request)),
        behaviour if !request.wants_stream() => HttpResponse::Ok().json(wire::whole(&behaviour, request)),
        behaviour => HttpResponse::Ok()
            .content_type(dialect.content_type())
            .streaming(wire::body(wire::plan(&behaviour, request), Watch::new(&state.abandoned))),
    }
}

async fn embed(http: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    let dialect = match http.path() {
        "/v1/embeddings" => Dialect::OpenAi,
        "/api/embed" => Dialect::Ollama,
        _ => Dialect::Gemini,
    };
    if let Some(refusal) = state.refusal(dialect, key_of(dialect, &http).as_deref()) {
        return refusal;
    }
    let texts = serde_json::from_slice(&body).ok().and_then(|body| embeddings::texts(dialect, &body));
    let Some(texts) = texts.filter(|texts| !texts.is_empty()) else {
        return invalid(dialect, "the texts to embed are missing");
    };
    if texts.iter().any(|text| text.contains(UNEMBEDDABLE)) {
        return invalid(dialect, "one of the texts is not taken");
    }
    let mut inner = state.lock();
    inner.embedded.extend(texts.iter().cloned());
    let too_many = inner.embedded.len().saturating_sub(KEPT);
    inner.embedded.drain(..too_many);
    HttpResponse::Ok().json(embeddings::answer(dialect, &texts))
}

async fn models(http: HttpRequest, state: Data<State>) -> HttpResponse {
    let dialect = match http.path() {
        "/v1beta/models" => Dialect::Gemini,
        "/api/tags" => Dialect::Ollama,
        _ if http.headers().contains_key("anthropic-version") => Dialect::Anthropic,
        _ => Dialect::OpenAi,
    };
    let key = key_of(dialect, &http);
    state.refusal(dialect, key.as_deref()).unwrap_or_else(|| {
        let inner = state.lock();
        HttpResponse::Ok().json(dialect.models(inner.context, inner.takes_images))
    })
}

/// Not of the wire: when each request arrived, for measuring from another process.
async fn requests(state: Data<State>) -> HttpResponse {
    let requests = state.requests();
    let list = requests
        .iter()
        .map(|request| json!({"at_unix_micros": request.at_unix_micros(), "content": request.content()}));
    HttpResponse::Ok().json(list.collect::<Vec<_>>())
}

fn invalid(dialect: Dialect, message: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(dialect.error(400, message, "invalid_request_error"))
}

fn key_of(dialect: Dialect, http: &HttpRequest) -> Option<String> {
    http.headers().get(dialect.key_header()).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
