//! Permissions, visible in each handler's signature as `Access<RunsWrite>`. The router takes no handler without one.
//!
//! In local mode whoever reaches the loopback address may do everything. There is no sign-in yet, so in any other mode
//! nothing is granted.

use std::future::{Ready, ready};
use std::marker::PhantomData;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use titan_core::config::Auth;

use crate::http::problem::{ApiError, Code};
use crate::state::AppState;

/// What a handler needs to be allowed. The name is the one that roles will list.
pub trait Permission: 'static {
    const NAME: &'static str;
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

/// Proof that the caller may do what the handler does.
pub struct Access<P: Permission>(PhantomData<P>);

impl<P: Permission> Access<P> {
    /// # Errors
    /// `forbidden` in every mode but the local one.
    pub fn grant(auth: Auth) -> Result<Self, ApiError> {
        match auth {
            Auth::Local => Ok(Access(PhantomData)),
            Auth::Required => Err(ApiError::new(
                Code::Forbidden,
                format!("The permission {} is needed, and nobody can sign in yet.", P::NAME),
            )),
        }
    }
}

impl<P: Permission> FromRequest for Access<P> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match request.app_data::<web::Data<AppState>>() {
            Some(state) => Self::grant(state.config.auth),
            None => Err(ApiError::internal("the application has no state")),
        })
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
        assert!(Access::<RunsWrite>::grant(Auth::Local).is_ok());
        let refused = Access::<RunsWrite>::grant(Auth::Required).err().unwrap();
        assert_eq!(refused.code, Code::Forbidden);
        assert!(refused.detail.contains("runs:write"));
    }
}
