//! The HTTP side: routes, what is remembered between requests, and who notices that a client has left.

use std::collections::{HashSet, VecDeque};
use std::io;
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::dev::Server;
use actix_web::http::StatusCode;
use actix_web::http::header::AUTHORIZATION;
use actix_web::web::{Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer, web};
use serde_json::{Value, json};

use super::behaviour::{Behaviour, told_by};
use super::recorded::RecordedRequest;
use super::watch::Watch;
use super::wire;

/// Requests, and words that were obeyed, that are kept at most.
const KEPT: usize = 100_000;
const MAX_BODY_BYTES: usize = 16 * 1024 * 1024;

#[derive(Default)]
pub(super) struct State {
    inner: Mutex<Inner>,
    abandoned: Arc<AtomicUsize>,
}

#[derive(Default)]
struct Inner {
    queue: VecDeque<Behaviour>,
    default: Behaviour,
    key: Option<String>,
    requests: VecDeque<RecordedRequest>,
    obeyed: HashSet<(String, &'static str)>,
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

    pub(super) fn requests(&self) -> Vec<RecordedRequest> {
        self.lock().requests.iter().cloned().collect()
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
        if inner.obeyed.len() >= KEPT {
            inner.obeyed.clear();
        }
        let obeyed = &mut inner.obeyed;
        told_by(content, |word| obeyed.insert((content.to_owned(), word))).unwrap_or_else(|| inner.default.clone())
    }

    fn refusal(&self, authorization: Option<&str>) -> Option<HttpResponse> {
        let inner = self.lock();
        let key = inner.key.as_ref()?;
        if authorization == Some(format!("Bearer {key}").as_str()) {
            return None;
        }
        let given = authorization.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or("none");
        let message = format!("Incorrect API key provided: {given}.");
        Some(HttpResponse::Unauthorized().json(wire::error(&message, "invalid_request_error")))
    }
}

pub(super) fn serve(listener: TcpListener, state: Arc<State>) -> io::Result<Server> {
    let state = Data::from(state);
    let server = HttpServer::new(move || {
        App::new()
            .app_data(Data::clone(&state))
            .app_data(web::PayloadConfig::new(MAX_BODY_BYTES))
            .route("/v1/chat/completions", web::post().to(complete))
            .route("/v1/models", web::get().to(models))
            .route("/requests", web::get().to(requests))
    });
    Ok(server.workers(2).disable_signals().shutdown_timeout(1).listen(listener)?.run())
}

async fn complete(http: HttpRequest, body: Bytes, state: Data<State>) -> HttpResponse {
    let authorization = authorization(&http);
    let Ok(body) = serde_json::from_slice::<Value>(&body) else { return invalid("the body is not JSON") };
    let request = RecordedRequest::now(body, authorization);
    state.record(&request);
    if let Some(refusal) = state.refusal(request.authorization.as_deref()) {
        return refusal;
    }
    if !request.body.get("model").is_some_and(Value::is_string) || request.texts().next().is_none() {
        return invalid("you must provide a model and messages");
    }
    answer(state.behaviour_for(request.content()), &request, &state).await
}

async fn answer(behaviour: Behaviour, request: &RecordedRequest, state: &Data<State>) -> HttpResponse {
    match behaviour {
        Behaviour::RateLimited { retry_after } => {
            let mut response = HttpResponse::TooManyRequests();
            if let Some(value) = retry_after {
                response.insert_header(("retry-after", value));
            }
            response.json(wire::error("Rate limit reached for requests", "rate_limit_error"))
        }
        Behaviour::ServerError => HttpResponse::InternalServerError()
            .json(wire::error("The server had an error while processing your request", "server_error")),
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
        behaviour if !request.asks_for("/stream") => HttpResponse::Ok().json(wire::whole(&behaviour, request)),
        behaviour => HttpResponse::Ok()
            .content_type("text/event-stream; charset=utf-8")
            .streaming(wire::body(wire::plan(&behaviour, request), Watch::new(&state.abandoned))),
    }
}

async fn models(http: HttpRequest, state: Data<State>) -> HttpResponse {
    let authorization = authorization(&http);
    state.refusal(authorization.as_deref()).unwrap_or_else(|| HttpResponse::Ok().json(wire::models()))
}

/// Not of the wire: when each request arrived, for measuring from another process.
async fn requests(state: Data<State>) -> HttpResponse {
    let requests = state.requests();
    let list = requests
        .iter()
        .map(|request| json!({"at_unix_micros": request.at_unix_micros(), "content": request.content()}));
    HttpResponse::Ok().json(list.collect::<Vec<_>>())
}

fn invalid(message: &str) -> HttpResponse {
    HttpResponse::BadRequest().json(wire::error(message, "invalid_request_error"))
}

fn authorization(http: &HttpRequest) -> Option<String> {
    http.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok()).map(str::to_owned)
}
