//! What can go wrong, and how a client is told: a status, a code for programs and a sentence for people.

use std::fmt;

use actix_web::http::StatusCode;
use actix_web::{HttpResponse, ResponseError};
use serde::Serialize;

#[derive(Debug)]
pub enum Error {
    NotFound,
    /// A part of the path cannot be read.
    Invalid(&'static str),
}

#[derive(Serialize)]
struct Body {
    error: &'static str,
    message: String,
}

impl Error {
    fn code(&self) -> &'static str {
        match self {
            Error::NotFound => "not_found",
            Error::Invalid(_) => "invalid",
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound => write!(f, "There is nothing at this address."),
            Error::Invalid(what) => write!(f, "{what}"),
        }
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Error::NotFound => StatusCode::NOT_FOUND,
            Error::Invalid(_) => StatusCode::BAD_REQUEST,
        }
    }

    fn error_response(&self) -> HttpResponse {
        HttpResponse::build(self.status_code()).json(Body { error: self.code(), message: self.to_string() })
    }
}
