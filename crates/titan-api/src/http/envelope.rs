//! The outermost middleware: gives the request an id and a deadline, has it written down where that must be, runs the guards, and finishes every answer with its
//! headers and, when it is an error, with the problem document. What is logged is more than what is sent.

use std::time::{Duration, Instant};

use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::error::InternalError;
use actix_web::http::header::{self, HeaderName, HeaderValue};
use actix_web::middleware::Next;
use actix_web::{Error, HttpResponse};
use uuid::Uuid;

use super::ops_calls::{self, Call};
use super::problem::{ApiError, Code};
use super::{guard, headers};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// How long an answer may take to begin. A stream has begun with its first byte, so it is not cut off.
const DEADLINE: Duration = Duration::from_secs(60);
/// Waiting for a task is the one thing that may itself take that long.
const DEADLINE_OF_EXECUTE: Duration = Duration::from_secs(75);

struct Request {
    id: Uuid,
    method: String,
    path: String,
    begun: Instant,
}

/// # Errors
/// Only errors that already hold the finished answer.
pub async fn envelope(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let about = Request {
        id: titan_core::ids::new(),
        method: request.method().to_string(),
        path: request.path().to_owned(),
        begun: Instant::now(),
    };
    let deadline = if about.path.ends_with("/execute") { DEADLINE_OF_EXECUTE } else { DEADLINE };
    let (call, admitted) = match ops_calls::begin(&request, about.id).await {
        Ok(call) => (call, guard::check(&request)),
        Err(refused) => (None, Err(refused)),
    };
    let outcome = match admitted {
        Err(refused) => Err(refused.into()),
        Ok(()) => match tokio::time::timeout(deadline, next.call(request)).await {
            Ok(outcome) => outcome,
            Err(_) => {
                let detail = format!("There was no answer within {} seconds.", deadline.as_secs());
                Err(ApiError::new(Code::Timeout, detail).into())
            }
        },
    };
    match outcome {
        Ok(response) => {
            let (request, response) = response.into_parts();
            let response = finish(response.map_into_boxed_body(), &about, call).await;
            Ok(ServiceResponse::new(request, response))
        }
        Err(error) => {
            let response = finish(HttpResponse::from_error(error), &about, call).await;
            Err(InternalError::from_response("answered", response).into())
        }
    }
}

async fn finish(mut response: HttpResponse, about: &Request, call: Option<Call>) -> HttpResponse {
    let told = response.extensions_mut().remove::<ApiError>();
    let status = response.status();
    let bare = status.as_u16() >= 400 && matches!(response.body().size(), BodySize::None | BodySize::Sized(0));
    let error = told.or_else(|| bare.then(|| ApiError::of_status(status)));
    if let Some(call) = call {
        call.answered(status.as_u16(), error.as_ref().map(|error| error.code.name())).await;
    }
    if let Some(error) = error {
        log(&error, about);
        let body = serde_json::to_vec(&error.problem(&about.id.to_string())).unwrap_or_default();
        response = response.set_body(BoxBody::new(body));
        let kind = HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
    }
    let elapsed_ms = u64::try_from(about.begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    tracing::debug!(
        request.id = %about.id,
        method = about.method,
        path = about.path,
        status = response.status().as_u16(),
        elapsed_ms,
        "request"
    );
    let headers = response.headers_mut();
    headers::fill_in(headers);
    if let Ok(id) = HeaderValue::from_str(&about.id.to_string()) {
        headers.insert(REQUEST_ID, id);
    }
    response
}

fn log(error: &ApiError, about: &Request) {
    let Request { id, method, path, .. } = about;
    let (code, cause) = (error.code.name(), error.cause.as_deref().unwrap_or(&error.detail));
    match error.code.status() {
        500 => tracing::error!(request.id = %id, method, path, code, cause, "request failed"),
        501.. => tracing::warn!(request.id = %id, method, path, code, cause, "request failed"),
        _ => tracing::debug!(request.id = %id, method, path, code, cause, "request refused"),
    }
}
