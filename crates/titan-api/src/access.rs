//! Permissions, visible in each handler's signature as `Access<RunsWrite>`. The router takes no handler without one.
//!
//! In local mode whoever reaches the loopback address may do everything, but propose changes to Titan's own code: that takes a token.
//! There is no sign-in yet, so in any other mode nothing is granted but by such a token. What webhooks bring is signed.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpMessage as _, HttpRequest, web};
use titan_core::config::Auth;

use crate::http::problem::{ApiError, Code};
use crate::state::AppState;

/// What a handler needs to be allowed. The name is the one that roles will list.
pub trait Permission: 'static {
    const NAME: &'static str;
    const OPS: Ops = Ops::Elsewhere;
}

/// What the token for changes to Titan's own code is to a permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ops {
    /// It means nothing there.
    Elsewhere,
    /// It is as good as a person who may.
    Enough,
    /// Nothing else is enough.
    Needed,
    /// Neither it nor a person is asked for: the handler looks at the signature of what was sent.
    Signed,
}

/// Who calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// Whoever has the token of OPS_TOKEN.
    Token,
    /// The person at this machine.
    Local,
    /// Nobody who is known: no sign-in, or a token that is none.
    Nobody,
}

impl Actor {
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Actor::Token => "token",
            Actor::Local => "local",
            Actor::Nobody => "nobody",
        }
    }
}

macro_rules! permissions {
    ($($marker:ident = $name:literal),+ $(,)?) => { $(
        #[doc = concat!("`", $name, "`")]
        pub struct $marker;
        impl Permission for $marker { const NAME: &'static str = $name; }
    )+ };
}
permissions! {
    ProjectsRead = "projects:read",
    ProjectsWrite = "projects:write",
    TasksRead = "tasks:read",
    TasksWrite = "tasks:write",
    RunsRead = "runs:read",
    RunsWrite = "runs:write",
    OutputsRead = "outputs:read",
    OutputsReview = "outputs:review",
    FilesRead = "files:read",
    FilesWrite = "files:write",
    MemoriesRead = "memories:read",
    MemoriesWrite = "memories:write",
    ContactsRead = "contacts:read",
    ContactsWrite = "contacts:write",
    DocumentsRead = "documents:read",
    DocumentsWrite = "documents:write",
    SalesRead = "sales:read",
    SalesWrite = "sales:write",
    BudgetsRead = "budgets:read",
    BudgetsWrite = "budgets:write",
    TemplatesRead = "templates:read",
    TemplatesWrite = "templates:write",
    QueueRead = "queue:read",
    QueueWrite = "queue:write",
    SystemRead = "system:read",
    // For what tells nothing about anybody: liveness, readiness, the API's own description, the metrics.
    Public = "public",
}

/// `ops:propose`
pub struct OpsPropose;
impl Permission for OpsPropose {
    const NAME: &'static str = "ops:propose";
    const OPS: Ops = Ops::Needed;
}

/// `ops:read`
pub struct OpsRead;
impl Permission for OpsRead {
    const NAME: &'static str = "ops:read";
    const OPS: Ops = Ops::Enough;
}

/// `ops:decide`
pub struct OpsDecide;
impl Permission for OpsDecide {
    const NAME: &'static str = "ops:decide";
    const OPS: Ops = Ops::Enough;
}

/// `webhooks:receive`
pub struct WebhooksReceive;
impl Permission for WebhooksReceive {
    const NAME: &'static str = "webhooks:receive";
    const OPS: Ops = Ops::Signed;
}

/// Proof that the caller may do what the handler does.
pub struct Access<P: Permission> {
    actor: Actor,
    permission: PhantomData<P>,
}

impl<P: Permission> Access<P> {
    /// # Errors
    /// `forbidden` in every mode but the local one; `unauthorized` where a token is needed, or was given and is none.
    pub fn grant(auth: Auth, actor: Actor) -> Result<Self, ApiError> {
        match (P::OPS, actor, auth) {
            (Ops::Enough | Ops::Needed, Actor::Token, _)
            | (Ops::Elsewhere | Ops::Enough, Actor::Local, Auth::Local) => {
                Ok(Access { actor, permission: PhantomData })
            }
            (Ops::Signed, ..) => Ok(Access { actor: Actor::Nobody, permission: PhantomData }),
            (Ops::Needed, ..) | (Ops::Enough, Actor::Nobody, Auth::Local) => Err(ApiError::new(
                Code::Unauthorized,
                "The header X-OPS-TOKEN must be one of the tokens of OPS_TOKEN, which is set where titan-api is started.",
            )),
            _ => Err(ApiError::new(
                Code::Forbidden,
                format!("The permission {} is needed, and nobody can sign in yet.", P::NAME),
            )),
        }
    }

    #[must_use]
    pub fn actor(&self) -> Actor {
        self.actor
    }
}

impl<P: Permission> FromRequest for Access<P> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match request.app_data::<web::Data<AppState>>() {
            Some(state) => Self::grant(state.config.auth, actor::<P>(request)),
            None => Err(ApiError::internal("the application has no state")),
        })
    }
}

/// Found out when the call came in where it matters; everywhere else it is the person at this machine.
fn actor<P: Permission>(request: &HttpRequest) -> Actor {
    match P::OPS {
        Ops::Elsewhere => Actor::Local,
        Ops::Signed => Actor::Nobody,
        Ops::Enough | Ops::Needed => request.extensions().get().copied().unwrap_or(Actor::Nobody),
    }
}

/// Arguments that begin with an [`Access`]; what the router asks of every handler.
pub trait Permitted {}

macro_rules! permitted {
    ($(($($argument:ident),*)),+) => { $( impl<P: Permission, $($argument),*> Permitted for (Access<P>, $($argument,)*) {} )+ };
}
permitted!((), (A), (A, B), (A, B, C), (A, B, C, D), (A, B, C, D, E));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_local_mode_grants() {
        assert!(Access::<RunsWrite>::grant(Auth::Local, Actor::Local).is_ok());
        let refused = Access::<RunsWrite>::grant(Auth::Required, Actor::Local).err().unwrap();
        assert_eq!(refused.code, Code::Forbidden);
        assert!(refused.detail.contains("runs:write"));
    }

    #[test]
    fn a_token_opens_what_is_for_it_and_nothing_else() {
        for auth in [Auth::Local, Auth::Required] {
            assert!(Access::<OpsPropose>::grant(auth, Actor::Token).is_ok());
            assert!(Access::<OpsRead>::grant(auth, Actor::Token).is_ok());
            assert!(Access::<RunsWrite>::grant(auth, Actor::Token).is_err());
            assert!(Access::<OpsPropose>::grant(auth, Actor::Local).is_err());
            for refused in [
                Access::<OpsRead>::grant(auth, Actor::Nobody).err(),
                Access::<OpsDecide>::grant(auth, Actor::Nobody).err(),
            ] {
                assert!(refused.is_some());
            }
        }
        assert!(Access::<OpsRead>::grant(Auth::Local, Actor::Local).is_ok());
        assert!(Access::<OpsRead>::grant(Auth::Required, Actor::Local).is_err());
    }

    #[test]
    fn who_signs_is_nobody_in_every_mode() {
        for auth in [Auth::Local, Auth::Required] {
            let access = Access::<WebhooksReceive>::grant(auth, Actor::Token).ok().unwrap();
            assert_eq!(access.actor(), Actor::Nobody);
        }
    }
}
