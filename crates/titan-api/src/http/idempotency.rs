//! The header `Idempotency-Key`: with it, a creating request that is sent twice makes one thing.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::http::header::HeaderName;
use actix_web::{FromRequest, HttpRequest};
use titan_core::engine::IdempotencyKey;

use super::problem::{ApiError, Code};

const HEADER: HeaderName = HeaderName::from_static("idempotency-key");
const LONGEST: usize = 255;

/// The key of a request, if it has one.
pub struct Key(Option<String>);

impl Key {
    /// The key for a body at an address. Keys of different addresses have nothing to do with each other.
    #[must_use]
    pub fn scoped(&self, address: String, body: &[u8]) -> Option<IdempotencyKey> {
        self.0.as_deref().map(|key| IdempotencyKey::new(address, key, body))
    }
}

impl FromRequest for Key {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let Some(value) = request.headers().get(HEADER) else { return ready(Ok(Key(None))) };
        ready(match value.to_str().map(str::trim) {
            Ok(key) if !key.is_empty() && key.len() <= LONGEST => Ok(Key(Some(key.to_owned()))),
            _ => {
                let message = format!("must have 1 to {LONGEST} visible ASCII characters");
                Err(ApiError::field(Code::InvalidRequest, "Idempotency-Key", message))
            }
        })
    }
}
