//! Errors as clients see them: problem documents of RFC 9457 with a stable code. One table gives each code its status and
//! title, one function turns the core's errors into codes.
//!
//! A handler only returns the error; the body, the request's id and the log line are made in `envelope`.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;
use titan_core::Error as Core;
use utoipa::ToSchema;

/// The body of every answer that is an error.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Problem {
    /// Names the kind of problem, `urn:titan:problem:` and the code.
    #[serde(rename = "type")]
    pub problem_type: String,
    pub title: String,
    pub status: u16,
    /// What went wrong this time, for a person.
    pub detail: String,
    /// For programs: it stays the same from version to version.
    pub code: String,
    /// The same as the header `X-Request-Id`; the server's log has it too.
    pub request_id: String,
    /// The fields that are wrong, when fields are.
    pub errors: Vec<FieldError>,
}

#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FieldError {
    pub field: String,
    pub message: String,
}

macro_rules! codes {
    ($($code:ident = $name:literal, $status:literal, $title:literal;)+) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Code { $($code),+ }

        impl Code {
            pub const ALL: &'static [Code] = &[$(Code::$code),+];

            #[must_use]
            pub fn name(self) -> &'static str {
                match self { $(Code::$code => $name),+ }
            }

            #[must_use]
            pub fn status(self) -> u16 {
                match self { $(Code::$code => $status),+ }
            }

            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Code::$code => $title),+ }
            }
        }
    };
}
codes! {
    MalformedJson = "malformed_json", 400, "The body is not JSON";
    InvalidRequest = "invalid_request", 400, "The request cannot be understood";
    Unauthorized = "unauthorized", 401, "The caller is not known";
    BudgetExhausted = "budget_exhausted", 402, "The budget is used up";
    Forbidden = "forbidden", 403, "This is not allowed";
    ForbiddenHost = "forbidden_host", 403, "This server does not answer to that name";
    ForbiddenOrigin = "forbidden_origin", 403, "Another site may not ask this";
    NotFound = "not_found", 404, "There is nothing at this address";
    ProjectNotFound = "project_not_found", 404, "There is no such project";
    TaskNotFound = "task_not_found", 404, "There is no such task";
    RunNotFound = "run_not_found", 404, "There is no such run";
    OutputNotFound = "output_not_found", 404, "There is no such output";
    ArtifactNotFound = "artifact_not_found", 404, "There is no such artifact";
    AttachmentNotFound = "attachment_not_found", 404, "There is no such attachment";
    MemoryNotFound = "memory_not_found", 404, "There is no such memory";
    FileNotFound = "file_not_found", 404, "There is no such file";
    ContactNotFound = "contact_not_found", 404, "There is no such contact";
    DocumentNotFound = "document_not_found", 404, "There is no such document";
    OfferNotFound = "offer_not_found", 404, "There is no such offer";
    LeadNotFound = "lead_not_found", 404, "There is no such lead";
    NoteNotFound = "note_not_found", 404, "There is no such note";
    PlanNotFound = "plan_not_found", 404, "There is no such plan";
    CharterNotFound = "charter_not_found", 404, "There is no such charter";
    WorkflowNotFound = "workflow_not_found", 404, "There is no such workflow";
    TemplateNotFound = "template_not_found", 404, "There is no such template";
    TemplateInstallNotFound = "template_install_not_found", 404, "There is no such install of a template";
    ProposalNotFound = "proposal_not_found", 404, "There is no such proposal";
    WebhookNotSetUp = "webhook_not_set_up", 404, "No webhook is set up here";
    QueueNotFound = "queue_not_found", 404, "There is no such queue";
    LimitNotFound = "limit_not_found", 404, "There is no such limit";
    BudgetNotFound = "budget_not_found", 404, "There is no such budget";
    MethodNotAllowed = "method_not_allowed", 405, "This address does not take that method";
    Conflict = "conflict", 409, "Its state does not allow this";
    AlreadyDecided = "already_decided", 409, "It was decided the other way before";
    MergeConflict = "merge_conflict", 409, "It does not fit to what others changed";
    PreconditionFailed = "precondition_failed", 412, "It was changed meanwhile";
    PayloadTooLarge = "payload_too_large", 413, "The body is too large";
    UnsupportedMediaType = "unsupported_media_type", 415, "The body must be JSON";
    RangeNotSatisfiable = "range_not_satisfiable", 416, "There are no such bytes";
    ValidationFailed = "validation_failed", 422, "A field is wrong";
    TemplateInvalid = "template_invalid", 422, "The template is wrong";
    UnknownTaskType = "unknown_task_type", 422, "Nothing executes tasks of this type";
    IdempotencyKeyReused = "idempotency_key_reused", 422, "The key belongs to another request";
    Internal = "internal", 500, "Something went wrong in the server";
    DatabaseUnavailable = "database_unavailable", 503, "The database is not available";
    StorageUnavailable = "storage_unavailable", 503, "The store of files is not available";
    TooManyStreams = "too_many_streams", 503, "Too many streams are open";
    Timeout = "timeout", 504, "It took too long";
}

/// An error on its way to a client. `cause` is for the log only.
#[derive(Debug, Clone)]
pub struct ApiError {
    pub code: Code,
    pub detail: String,
    pub errors: Vec<FieldError>,
    pub cause: Option<String>,
}

impl ApiError {
    pub fn new(code: Code, detail: impl Into<String>) -> Self {
        ApiError { code, detail: detail.into(), errors: Vec::new(), cause: None }
    }

    /// An error of one field, of the body or the query.
    pub fn field(code: Code, field: impl Into<String>, message: impl Into<String>) -> Self {
        let (field, message) = (field.into(), message.into());
        let detail = format!("{field}: {message}");
        ApiError { code, detail, errors: vec![FieldError { field, message }], cause: None }
    }

    /// The same where the fields that are wrong stand at the top and not beneath another one.
    #[must_use]
    pub fn not_beneath(mut self, outer: &str) -> Self {
        for error in &mut self.errors {
            if let Some(field) = error.field.strip_prefix(outer).and_then(|field| field.strip_prefix('.')) {
                self.detail = format!("{field}: {}", error.message);
                error.field = field.to_owned();
            }
        }
        self
    }

    /// What a client cannot help; the cause is logged and not sent.
    pub fn internal(cause: impl Into<String>) -> Self {
        ApiError {
            cause: Some(cause.into()),
            ..ApiError::new(Code::Internal, "The server's log says more under this request's id.")
        }
    }

    /// The error for an answer that came without a body, made by the framework itself.
    #[must_use]
    pub fn of_status(status: StatusCode) -> Self {
        match status.as_u16() {
            404 => ApiError::new(Code::NotFound, "There is no such route; GET /api/openapi.json lists them."),
            405 => ApiError::new(Code::MethodNotAllowed, "The header Allow lists the methods that this address takes."),
            408 | 504 => ApiError::new(Code::Timeout, "The request took too long."),
            413 => ApiError::new(Code::PayloadTooLarge, "The body is too large."),
            415 => ApiError::new(Code::UnsupportedMediaType, "The body must be JSON."),
            400..=499 => ApiError::new(Code::InvalidRequest, "The request cannot be understood."),
            _ => ApiError::internal(format!("an answer with status {status} and no body")),
        }
    }

    #[must_use]
    pub fn problem(&self, request_id: &str) -> Problem {
        Problem {
            problem_type: format!("urn:titan:problem:{}", self.code.name()),
            title: self.code.title().to_owned(),
            status: self.code.status(),
            detail: self.detail.clone(),
            code: self.code.name().to_owned(),
            request_id: request_id.to_owned(),
            errors: self.errors.clone(),
        }
    }
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code.name(), self.detail)
    }
}

impl From<Core> for ApiError {
    fn from(error: Core) -> Self {
        match &error {
            Core::NotFound(what, _) => ApiError::new(not_found(what), sentence(&error.to_string())),
            // These two come from the query and nowhere else.
            Core::Invalid { field: field @ ("limit" | "cursor"), message } => {
                ApiError::field(Code::InvalidRequest, *field, message)
            }
            Core::Invalid { field, message } => ApiError::field(Code::ValidationFailed, *field, message),
            Core::UnknownTaskType { .. } => {
                let detail = sentence(&error.to_string());
                let errors = vec![FieldError { field: "type".to_owned(), message: error.to_string() }];
                ApiError { errors, ..ApiError::new(Code::UnknownTaskType, detail) }
            }
            Core::UnknownTemplate { .. } => ApiError::new(Code::TemplateNotFound, sentence(&error.to_string())),
            Core::NoPlan { .. } => ApiError::new(Code::PlanNotFound, sentence(&error.to_string())),
            Core::NoCharter { .. } => ApiError::new(Code::CharterNotFound, sentence(&error.to_string())),
            Core::WrongTemplate(problems) => {
                let told = problems
                    .iter()
                    .map(|problem| FieldError { field: problem.path.clone(), message: problem.message.clone() });
                ApiError {
                    errors: told.collect(),
                    ..ApiError::new(Code::TemplateInvalid, sentence(&error.to_string()))
                }
            }
            Core::Conflict(reason) => ApiError::new(Code::Conflict, sentence(reason)),
            Core::Stale(reason) => ApiError::new(Code::PreconditionFailed, sentence(reason)),
            Core::AlreadyDecided(_) => ApiError::new(Code::AlreadyDecided, sentence(&error.to_string())),
            Core::KeyReused => ApiError::new(Code::IdempotencyKeyReused, sentence(&error.to_string())),
            Core::Unavailable(_) | Core::Locked(_) => ApiError {
                cause: Some(error.to_string()),
                ..ApiError::new(
                    Code::DatabaseUnavailable,
                    "The database did not answer. A read can be repeated; before a write is sent again, look whether it was \
                     made, or send it with an Idempotency-Key.",
                )
            },
            Core::Uncertain => ApiError {
                cause: Some(error.to_string()),
                ..ApiError::new(
                    Code::DatabaseUnavailable,
                    "It is not known whether the change was made; look before you send it again.",
                )
            },
            Core::Storage(_) => ApiError {
                cause: Some(error.to_string()),
                ..ApiError::new(
                    Code::StorageUnavailable,
                    "The place where files are kept did not take or give one; the server's log says why. Nothing was changed.",
                )
            },
            Core::Fenced { .. } | Core::Refused(_) | Core::Internal(_) => ApiError::internal(error.to_string()),
        }
    }
}

fn not_found(what: &str) -> Code {
    match what {
        "project" => Code::ProjectNotFound,
        "task" => Code::TaskNotFound,
        "run" => Code::RunNotFound,
        "output" => Code::OutputNotFound,
        "artifact" => Code::ArtifactNotFound,
        "attachment" => Code::AttachmentNotFound,
        "memory" => Code::MemoryNotFound,
        "contact" => Code::ContactNotFound,
        "document" => Code::DocumentNotFound,
        "offer" => Code::OfferNotFound,
        "lead" => Code::LeadNotFound,
        "note" => Code::NoteNotFound,
        "template install" => Code::TemplateInstallNotFound,
        "proposal" => Code::ProposalNotFound,
        _ => Code::NotFound,
    }
}

/// The core's messages are clauses; a detail is a sentence.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    format!("{first}{}.", chars.as_str().trim_end_matches('.'))
}

impl ResponseError for ApiError {
    fn status_code(&self) -> StatusCode {
        StatusCode::from_u16(self.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
    }

    /// No body yet: the error travels beside the response to `envelope`, which knows the request.
    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::new(self.status_code());
        response.extensions_mut().insert(self.clone());
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_is_unique_and_has_a_status_of_an_error() {
        for (index, code) in Code::ALL.iter().enumerate() {
            assert!(code.status() >= 400 && !code.title().is_empty());
            assert!(Code::ALL[index + 1..].iter().all(|other| other.name() != code.name()), "{}", code.name());
        }
    }

    #[test]
    fn causes_stay_here() {
        for error in [
            Core::Unavailable("password secret".to_owned()),
            Core::Refused("password secret".to_owned()),
            Core::Internal("password secret".to_owned()),
        ] {
            let sent = serde_json::to_string(&ApiError::from(error).problem("r")).unwrap();
            assert!(!sent.contains("secret"), "{sent}");
        }
    }
}
