//! A Render of ours, after its public API reference: deploys of two services by key and by deploy hook, a version endpoint that
//! answers the commit that is live, and faults. What it does not know, it refuses as the real one does.
//!
//! A deploy goes one state further each time it is looked at, so that tests wait for nothing.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::net::TcpListener;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};

use actix_web::dev::ServerHandle;
use actix_web::http::StatusCode;
use actix_web::web::{self, Bytes, Data};
use actix_web::{App, HttpRequest, HttpResponse, HttpServer};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

/// The two services there are.
pub const API: &str = "srv-api0000000000000000";
pub const WORKER: &str = "srv-worker00000000000000";
/// The key that it takes, and the one within its hooks.
pub const KEY: &str = "rnd_secretkeyofthefakerender";
pub const HOOK_KEY: &str = "hooksecretofthefake";

/// What happens to one of the next requests that ask for a deploy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// It is done, and the answer breaks off.
    ReplyLost,
    /// It is not done.
    Status(u16),
    /// 429, with `Retry-After` in seconds, or with `Ratelimit-Reset` alone.
    RateLimited { retry_after: Option<u64> },
    /// It is done, and answered with 202 and no body.
    Queued,
    /// It is done, and ends in this state instead of `live`.
    Ends(&'static str),
    /// None at all.
    Pass,
}

/// A deploy that was made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    pub service: String,
    pub id: String,
    pub commit: String,
    pub status: &'static str,
    pub trigger: &'static str,
    at: DateTime<Utc>,
    ends: &'static str,
}

#[derive(Default)]
struct State {
    deploys: Vec<Made>,
    faults: VecDeque<Fault>,
    requests: Vec<String>,
    /// What answers while nothing was deployed.
    first_commit: String,
}

/// Serves until it is dropped.
pub struct FakeRender {
    url: Url,
    state: Arc<Mutex<State>>,
    handle: ServerHandle,
}

impl FakeRender {
    /// Starts on a free port, with this commit live in both services.
    ///
    /// # Errors
    /// When there is no port or no thread to be had.
    pub fn start(commit: &str) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))?;
        let url = Url::parse(&format!("http://{}", listener.local_addr()?)).map_err(io::Error::other)?;
        let state = Arc::new(Mutex::new(State { first_commit: commit.to_owned(), ..State::default() }));
        let (tell, told) = mpsc::channel();
        let (served, base) = (Data::from(Arc::clone(&state)), Data::new(url.clone()));
        std::thread::Builder::new().name("fake-render".to_owned()).spawn(move || {
            actix_web::rt::System::new().block_on(async move {
                let app = move || App::new().app_data(served.clone()).app_data(base.clone()).configure(routes);
                match HttpServer::new(app).workers(1).disable_signals().listen(listener) {
                    Ok(server) => {
                        let server = server.run();
                        let _ = tell.send(Ok(server.handle()));
                        let _ = server.await;
                    }
                    Err(error) => drop(tell.send(Err(error))),
                }
            });
        })?;
        let handle = told.recv().map_err(|_| io::Error::other("the fake Render's thread ended"))??;
        Ok(FakeRender { url, state, handle })
    }

    /// Where its API and the version endpoint of the service are.
    #[must_use]
    pub fn url(&self) -> Url {
        self.url.clone()
    }

    /// The deploy hook of a service.
    #[must_use]
    pub fn hook(&self, service: &str) -> String {
        format!("{}deploy/{service}?key={HOOK_KEY}", self.url)
    }

    /// What happens to the next request for a deploy that has nothing to happen to it yet.
    pub fn push(&self, fault: Fault) {
        lock(&self.state).faults.push_back(fault);
    }

    /// All deploys that were made, oldest first.
    #[must_use]
    pub fn deploys(&self) -> Vec<Made> {
        lock(&self.state).deploys.clone()
    }

    /// All requests, as method and address.
    #[must_use]
    pub fn requests(&self) -> Vec<String> {
        lock(&self.state).requests.clone()
    }
}

impl Drop for FakeRender {
    fn drop(&mut self) {
        drop(self.handle.stop(false));
    }
}

type Shared = Data<Mutex<State>>;

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

fn routes(config: &mut web::ServiceConfig) {
    config
        .route("/v1/services/{service}", web::get().to(service))
        .route("/v1/services/{service}/deploys", web::get().to(list))
        .route("/v1/services/{service}/deploys", web::post().to(create))
        .route("/v1/services/{service}/deploys/{deploy}", web::get().to(one))
        .route("/deploy/{service}", web::post().to(hook))
        .route("/deploy/{service}", web::get().to(hook))
        .route("/api/health", web::get().to(health))
        .route("/readyz", web::get().to(|| async { HttpResponse::Ok().json(json!({"status": "ready"})) }));
}

/// Writes the request down, and gives the refusal of what has no key or names no service.
fn refusal(request: &HttpRequest, state: &Shared, service: &str) -> Option<HttpResponse> {
    lock(state).requests.push(format!("{} {}", request.method(), request.uri()));
    let given = request.headers().get("authorization").and_then(|value| value.to_str().ok());
    if given != Some(&format!("Bearer {KEY}")) {
        return Some(refused(401, "unauthorized"));
    }
    let is_known = [API, WORKER].contains(&service);
    (!is_known).then(|| refused(404, &format!("service not found: {service}")))
}

fn refused(status: u16, message: &str) -> HttpResponse {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    HttpResponse::build(status).json(json!({"id": "req-1", "message": message}))
}

async fn service(request: HttpRequest, path: web::Path<String>, state: Shared, base: Data<Url>) -> HttpResponse {
    if let Some(refused) = refusal(&request, &state, &path) {
        return refused;
    }
    let kind = if *path == API { "web_service" } else { "background_worker" };
    let details = if *path == API { json!({"url": base.as_str()}) } else { json!({}) };
    HttpResponse::Ok().json(json!({"id": *path, "type": kind, "serviceDetails": details}))
}

#[derive(Deserialize)]
struct Query {
    limit: Option<usize>,
    #[serde(rename = "createdAfter")]
    created_after: Option<DateTime<Utc>>,
}

async fn list(request: HttpRequest, path: web::Path<String>, query: web::Query<Query>, state: Shared) -> HttpResponse {
    if let Some(refused) = refusal(&request, &state, &path) {
        return refused;
    }
    let limit = query.limit.unwrap_or(20);
    if !(1..=100).contains(&limit) {
        return refused(400, "invalid limit");
    }
    let mut state = lock(&state);
    advance(&mut state);
    let fits = |made: &&Made| made.service == *path && query.created_after.is_none_or(|after| made.at > after);
    let found = state.deploys.iter().rev().filter(fits).take(limit);
    HttpResponse::Ok().json(found.map(|made| json!({"deploy": shown(made), "cursor": made.id})).collect::<Vec<_>>())
}

async fn one(request: HttpRequest, path: web::Path<(String, String)>, state: Shared) -> HttpResponse {
    if let Some(refused) = refusal(&request, &state, &path.0) {
        return refused;
    }
    let mut state = lock(&state);
    advance(&mut state);
    match state.deploys.iter().find(|made| made.service == path.0 && made.id == path.1) {
        Some(made) => HttpResponse::Ok().json(shown(made)),
        None => refused(404, &format!("deploy not found: {}", path.1)),
    }
}

async fn create(request: HttpRequest, path: web::Path<String>, body: web::Json<Value>, state: Shared) -> HttpResponse {
    if let Some(refused) = refusal(&request, &state, &path) {
        return refused;
    }
    let known = ["commitId", "clearCache", "imageUrl", "deployMode"];
    let odd = body.as_object().is_none_or(|body| body.keys().any(|name| !known.contains(&name.as_str())));
    let Some(commit) = body.get("commitId").and_then(Value::as_str).filter(|_| !odd) else {
        return refused(400, "invalid body");
    };
    make(&state, &path, commit, "api")
}

async fn hook(
    request: HttpRequest,
    path: web::Path<String>,
    query: web::Query<BTreeMap<String, String>>,
    state: Shared,
) -> HttpResponse {
    lock(&state).requests.push(format!("{} {}", request.method(), request.path()));
    if query.get("key").map(String::as_str) != Some(HOOK_KEY) || ![API, WORKER].contains(&path.as_str()) {
        return HttpResponse::NotFound().body("Not Found");
    }
    let commit = query.get("ref").cloned().unwrap_or_else(|| lock(&state).first_commit.clone());
    make(&state, &path, &commit, "deploy_hook")
}

fn make(state: &Shared, service: &str, commit: &str, trigger: &'static str) -> HttpResponse {
    let mut state = lock(state);
    let fault = state.faults.pop_front().unwrap_or(Fault::Pass);
    match fault {
        Fault::Status(status) => return refused(status, "something went wrong"),
        Fault::RateLimited { retry_after } => {
            let mut answer = HttpResponse::TooManyRequests();
            match retry_after {
                Some(seconds) => answer.insert_header(("Retry-After", seconds.to_string())),
                None => answer.insert_header(("Ratelimit-Reset", "45")),
            };
            return answer.json(json!({"message": "rate limit exceeded"}));
        }
        _ => {}
    }
    for older in state.deploys.iter_mut().filter(|made| made.service == service) {
        if !is_over(older.status) {
            older.status = "canceled";
        }
    }
    let ends = if let Fault::Ends(ends) = fault { ends } else { "live" };
    let id = format!("dep-{:020}", state.deploys.len() + 1);
    let (service, commit) = (service.to_owned(), commit.to_owned());
    let made = Made { service, id, commit, status: "created", trigger, at: Utc::now(), ends };
    let body = if trigger == "api" { shown(&made) } else { json!({"deploy": {"id": made.id}}) };
    state.deploys.push(made);
    match fault {
        Fault::Queued => HttpResponse::Accepted().finish(),
        // It begins and does not end.
        Fault::ReplyLost => {
            let parts = [Ok(Bytes::from_static(b"{\"id\": \"dep")), Err(io::Error::other("cut"))];
            HttpResponse::Created().streaming(futures_util::stream::iter(parts))
        }
        _ if trigger == "api" => HttpResponse::Created().json(body),
        _ => HttpResponse::Ok().json(body),
    }
}

fn is_over(status: &str) -> bool {
    ["live", "deactivated", "canceled", "build_failed", "update_failed", "pre_deploy_failed"].contains(&status)
}

/// Each deploy one state further.
fn advance(state: &mut State) {
    let mut live = Vec::new();
    for made in &mut state.deploys {
        made.status = match made.status {
            "created" => "build_in_progress",
            "build_in_progress" if made.ends == "build_failed" => "build_failed",
            "build_in_progress" => "update_in_progress",
            "update_in_progress" => made.ends,
            other => other,
        };
        if made.status == "live" {
            live.push((made.service.clone(), made.id.clone()));
        }
    }
    for (service, id) in live {
        for older in
            state.deploys.iter_mut().filter(|made| made.service == service && made.id < id && made.status == "live")
        {
            older.status = "deactivated";
        }
    }
}

fn shown(made: &Made) -> Value {
    let at = made.at.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    json!({
        "id": made.id, "commit": {"id": made.commit, "message": "a change", "createdAt": at}, "status": made.status,
        "trigger": made.trigger, "createdAt": at, "updatedAt": at, "finishedAt": null,
    })
}

/// The service itself, which answers the commit that is live.
async fn health(state: Shared) -> HttpResponse {
    let mut state = lock(&state);
    advance(&mut state);
    let live = state.deploys.iter().rev().find(|made| made.service == API && made.status == "live");
    let commit = live.map_or(&state.first_commit, |made| &made.commit);
    HttpResponse::Ok().json(json!({"status": "ok", "commit": commit}))
}
