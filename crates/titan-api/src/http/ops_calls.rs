//! Calls of `/api/ops`: who calls is found out when the call comes in, and it is written down before anything is done for it. What is
//! refused is written down too.

use std::net::SocketAddr;

use actix_web::HttpMessage as _;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName};
use actix_web::web;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use subtle::{Choice, ConstantTimeEq as _};
use titan_core::config::Auth;
use titan_core::ops::audit::{self, NewCall};
use uuid::Uuid;

use super::problem::ApiError;
use crate::access::Actor;
use crate::state::AppState;

const TOKEN: HeaderName = HeaderName::from_static("x-ops-token");

/// A call that was written down and waits for its answer.
pub struct Call {
    state: web::Data<AppState>,
    id: i64,
}

/// Writes a call down, and tells its handler who calls; none for what is no call of `/api/ops`.
///
/// # Errors
/// When it cannot be written down: then nothing is done for it.
pub async fn begin(request: &ServiceRequest, request_id: Uuid) -> Result<Option<Call>, ApiError> {
    // As the router reads it, however it is spelt.
    let path = request.match_info().as_str();
    if path != "/api/ops" && !path.starts_with("/api/ops/") {
        return Ok(None);
    }
    let state = request.app_data::<web::Data<AppState>>().cloned();
    let state = state.ok_or_else(|| ApiError::internal("the application has no state"))?;
    let actor = actor(request.headers(), &state.config.ops.tokens, state.config.auth);
    request.extensions_mut().insert(actor);
    let call = NewCall {
        request_id,
        actor: (actor != Actor::Nobody).then(|| actor.name().to_owned()),
        method: request.method().to_string(),
        path: path.to_owned(),
        peer: request.peer_addr().as_ref().map(SocketAddr::to_string),
    };
    let id = state.db.run(move |connection| audit::called(connection, &call)).await?;
    Ok(Some(Call { state, id }))
}

impl Call {
    /// Writes the answer down. That the answer is sent does not depend on it.
    pub async fn answered(self, status: u16, code: Option<&'static str>) {
        let id = self.id;
        let written = self.state.db.run(move |connection| audit::answered(connection, id, status, code)).await;
        if let Err(error) = written {
            tracing::warn!(%error, call = id, status, "the answer to a call of /api/ops could not be written down");
        }
    }
}

fn actor(headers: &HeaderMap, tokens: &[SecretString], auth: Auth) -> Actor {
    let mut given = headers.get_all(TOKEN);
    match (given.next(), given.next(), auth) {
        (Some(token), None, _) if is_one_of(token.as_bytes(), tokens) => Actor::Token,
        (None, None, Auth::Local) => Actor::Local,
        _ => Actor::Nobody,
    }
}

/// Takes as long for a token that is nearly right as for any other, and as long for the second as for the first: checksums are compared,
/// all of them, and all of each.
pub(super) fn is_one_of(given: &[u8], tokens: &[SecretString]) -> bool {
    let given = Sha256::digest(given);
    let equal = |token: &SecretString| given.as_slice().ct_eq(Sha256::digest(token.expose_secret()).as_slice());
    tokens.iter().fold(Choice::from(0), |found, token| found | equal(token)).into()
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn actor_with(given: &[&str], auth: Auth) -> Actor {
        let mut headers = HeaderMap::new();
        for token in given {
            headers.append(TOKEN, HeaderValue::from_str(token).unwrap());
        }
        actor(&headers, &["new-new-new-new".into(), "old-old-old-old".into()], auth)
    }

    #[test]
    fn two_tokens_are_live() {
        for auth in [Auth::Local, Auth::Required] {
            assert_eq!(actor_with(&["new-new-new-new"], auth), Actor::Token);
            assert_eq!(actor_with(&["old-old-old-old"], auth), Actor::Token);
            for wrong in
                ["new-new-new-ne", "new-new-new-new ", "x", "", "NEW-NEW-NEW-NEW", "new-new-new-new,old-old-old-old"]
            {
                assert_eq!(actor_with(&[wrong], auth), Actor::Nobody, "{wrong:?}");
            }
            assert_eq!(actor_with(&["new-new-new-new", "old-old-old-old"], auth), Actor::Nobody);
        }
    }

    #[test]
    fn without_a_token_only_the_person_at_this_machine_is_known() {
        assert_eq!(actor_with(&[], Auth::Local), Actor::Local);
        assert_eq!(actor_with(&[], Auth::Required), Actor::Nobody);
    }

    #[test]
    fn nothing_is_right_when_no_token_is_set() {
        assert!(!is_one_of(b"", &[]) && !is_one_of(b"x", &[]));
    }
}
