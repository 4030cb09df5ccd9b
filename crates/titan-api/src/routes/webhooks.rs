//! What others report: a forge says that something has happened in the repository of Titan's own code, and the proposals that it is about
//! look at once. Whoever has the secret of the webhook may; all that they can bring about is a look.
//!
//! In the order of doubt: the signature over the bytes, then who it is said to be from, then what is in it.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::http::header::HeaderMap;
use actix_web::{FromRequest, HttpRequest, HttpResponse};
use secrecy::SecretString;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use titan_core::config::{ForgeSettings, Ops};
use titan_core::db::PgConnection;
use titan_core::ops::webhooks::{self, NewDelivery, Source};
use utoipa::ToSchema;
use uuid::Uuid;

use super::State;
use crate::access::{Access, WebhooksReceive};
use crate::http::body::{LIMIT, Upload};
use crate::http::problem::{ApiError, Code};
use crate::http::seldom::Seldom;
use crate::http::signature::is_signed;

/// Characters of the number of a delivery, and of the name of an event.
const LONGEST_ID: usize = 200;
const LONGEST_EVENT: usize = 100;

/// Anybody may send something that is refused, and so fill a log.
static REFUSED: Seldom = Seldom::new();

/// What came of a delivery. The forge shows it beside what it sent.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = WebhookReceived)]
pub struct Received {
    /// By the sender's name for it.
    event: String,
    effect: Effect,
    /// Why it has no effect.
    reason: Option<String>,
    /// The proposals that it is about; those that sleep until something happens look within seconds.
    proposals: Vec<Uuid>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = WebhookEffect)]
pub enum Effect {
    Told,
    Ignored,
    Repeated,
}

/// Hear from GitHub that something has happened in the repository of Titan's own code
#[utoipa::path(post, path = "/api/webhooks/github", tag = "ops", request_body(content = Value, description = "The event, as GitHub sends it"),
    params(("X-Hub-Signature-256" = String, Header, description = "`sha256=` and the HMAC of the body under GITHUB_WEBHOOK_SECRET"),
        ("X-GitHub-Event" = String, Header), ("X-GitHub-Delivery" = String, Header, description = "The same number has one effect")),
    responses((status = 202, body = Received)))]
pub async fn receive_from_github(
    _: Access<WebhooksReceive>,
    _: Addressed<GitHub>,
    state: State,
    request: HttpRequest,
    body: Upload<LIMIT>,
) -> Result<HttpResponse, ApiError> {
    receive(&state, &GITHUB, &request, &body.bytes).await
}

/// Hear from a Forgejo that something has happened in the repository of Titan's own code
#[utoipa::path(post, path = "/api/webhooks/forgejo", tag = "ops", request_body(content = Value, description = "The event, as Forgejo sends it"),
    params(("X-Forgejo-Signature" = String, Header, description = "The HMAC-SHA256 of the body under FORGEJO_WEBHOOK_SECRET, in hexadecimal digits; or `X-Gitea-Signature`"),
        ("X-Forgejo-Event" = String, Header), ("X-Forgejo-Delivery" = String, Header, description = "The same number has one effect")),
    responses((status = 202, body = Received)))]
pub async fn receive_from_forgejo(
    _: Access<WebhooksReceive>,
    _: Addressed<Forgejo>,
    state: State,
    request: HttpRequest,
    body: Upload<LIMIT>,
) -> Result<HttpResponse, ApiError> {
    receive(&state, &FORGEJO, &request, &body.bytes).await
}

/// Where a sender puts what.
pub struct Sender {
    source: Source,
    variable: &'static str,
    /// Of several names for one thing the first that was sent counts.
    signatures: &'static [&'static str],
    prefix: &'static str,
    events: &'static [&'static str],
    deliveries: &'static [&'static str],
    of: fn(&Ops) -> Option<(&SecretString, &str)>,
}

static GITHUB: Sender = Sender {
    source: Source::GitHub,
    variable: "GITHUB_WEBHOOK_SECRET",
    signatures: &["X-Hub-Signature-256"],
    prefix: "sha256=",
    events: &["X-GitHub-Event"],
    deliveries: &["X-GitHub-Delivery"],
    of: |ops| match (&ops.webhooks.github, &ops.forge) {
        (Some(secret), Some(ForgeSettings::GitHub(github))) => Some((secret, &github.repository)),
        _ => None,
    },
};

static FORGEJO: Sender = Sender {
    source: Source::Forgejo,
    variable: "FORGEJO_WEBHOOK_SECRET",
    signatures: &["X-Forgejo-Signature", "X-Gitea-Signature"],
    prefix: "",
    events: &["X-Forgejo-Event", "X-Gitea-Event"],
    deliveries: &["X-Forgejo-Delivery", "X-Gitea-Delivery"],
    of: |ops| match (&ops.webhooks.forgejo, &ops.forge) {
        (Some(secret), Some(ForgeSettings::Forgejo(forgejo))) => Some((secret, &forgejo.repository)),
        _ => None,
    },
};

/// Who sends to an address.
pub trait Sends {
    const SENDER: &'static Sender;
}

pub struct GitHub;
impl Sends for GitHub {
    const SENDER: &'static Sender = &GITHUB;
}

pub struct Forgejo;
impl Sends for Forgejo {
    const SENDER: &'static Sender = &FORGEJO;
}

/// What is looked at before a byte of the body is taken: whether there is anybody to hear it, and a signature at all.
pub struct Addressed<S>(PhantomData<S>);

impl<S: Sends> FromRequest for Addressed<S> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(state) = request.app_data::<State>() else {
            return ready(Err(ApiError::internal("the application has no state")));
        };
        let is_signed = || S::SENDER.signatures.iter().any(|name| request.headers().contains_key(*name));
        ready(match S::SENDER.settings(&state.config.ops) {
            Err(error) => Err(error),
            Ok(_) if !is_signed() => Err(refused(S::SENDER, request)),
            Ok(_) => Ok(Addressed(PhantomData)),
        })
    }
}

impl Sender {
    /// The secret and the repository.
    fn settings<'a>(&self, ops: &'a Ops) -> Result<(&'a SecretString, &'a str), ApiError> {
        (self.of)(ops).ok_or_else(|| {
            let detail =
                format!("{} is not set where titan-api is started: docs/OPS-FORGES.md, Webhooks.", self.variable);
            ApiError::new(Code::WebhookNotSetUp, detail)
        })
    }
}

fn refused(from: &Sender, request: &HttpRequest) -> ApiError {
    if let Some(unsaid) = REFUSED.may_say() {
        let (source, peer) = (from.source, request.peer_addr());
        tracing::warn!(%source, ?peer, unsaid, "refused a webhook whose signature is missing or wrong");
    }
    ApiError::new(Code::Unauthorized, unsigned(from))
}

async fn receive(state: &State, from: &Sender, request: &HttpRequest, body: &[u8]) -> Result<HttpResponse, ApiError> {
    let (secret, repository) = from.settings(&state.config.ops)?;
    if !is_signed(request.headers(), from.signatures, from.prefix, secret, body) {
        return Err(refused(from, request));
    }
    let event = header(request.headers(), from.events, LONGEST_EVENT)?;
    let id = header(request.headers(), from.deliveries, LONGEST_ID)?;
    let json: Value = serde_json::from_slice(body).map_err(|error| {
        let detail = format!("The body is no JSON: {error}. The content type of the webhook must be application/json.");
        ApiError::new(Code::MalformedJson, detail)
    })?;
    let digest = Sha256::digest(body).into();
    let (effect, reason, proposals) = match webhooks::read(&event, &json, repository) {
        Err(reason) => (Effect::Ignored, Some(reason), Vec::new()),
        Ok(news) => {
            let new = NewDelivery { source: from.source, id, event: event.clone(), digest };
            let receive = move |connection: &mut PgConnection| webhooks::receive(connection, &new, &news);
            let (received, hints) = state.db.run(receive).await?;
            state.notifier.send(hints);
            said(received)
        }
    };
    tracing::debug!(source = %from.source, event, ?effect, reason, "a webhook");
    Ok(HttpResponse::Accepted().json(Received { event, effect, reason, proposals }))
}

fn said(received: webhooks::Received) -> (Effect, Option<String>, Vec<Uuid>) {
    match received {
        webhooks::Received::Told(proposals) => (Effect::Told, None, proposals),
        webhooks::Received::Before => (Effect::Repeated, Some("it came before".to_owned()), Vec::new()),
        webhooks::Received::Nobody => {
            (Effect::Ignored, Some("it is about no proposal that is under way".to_owned()), Vec::new())
        }
    }
}

fn unsigned(from: &Sender) -> String {
    let name = from.signatures.first().copied().unwrap_or_default();
    format!(
        "The header {name} must sign the body: {}HMAC-SHA256 in hexadecimal digits, under the secret of {}, which is set where titan-api is \
         started and at the forge.",
        from.prefix, from.variable
    )
}

fn header(headers: &HeaderMap, names: &[&str], longest: usize) -> Result<String, ApiError> {
    let given = names.iter().find_map(|name| headers.get(*name));
    let given = given.and_then(|value| value.to_str().ok()).map(str::trim).filter(|given| !given.is_empty());
    match given.filter(|given| given.len() <= longest) {
        Some(given) => Ok(given.to_owned()),
        None => {
            let name = names.first().copied().unwrap_or_default();
            let detail = format!("The header {name} must be there, with at most {longest} characters.");
            Err(ApiError::new(Code::InvalidRequest, detail))
        }
    }
}
