//! Parameters in the query and in the path. What cannot be read is `invalid_request` and names its parameter.

use std::future::{Ready, ready};

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use serde::de::DeserializeOwned;

use super::problem::{ApiError, Code};

/// The query of a request.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = ApiError;
    type Future = Ready<Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(parse(request.query_string()).map(Query))
    }
}

fn parse<T: DeserializeOwned>(query: &str) -> Result<T, ApiError> {
    // Postgres stores no NUL, so nothing can ever match one.
    if query.contains("%00") {
        return Err(ApiError::new(Code::InvalidRequest, "The query must not contain NUL characters."));
    }
    // `?limit=` is what a form sends for a field that was left empty: it means that nothing was said.
    let pairs: Vec<(&str, &str)> =
        query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(_, value)| !value.is_empty()).collect();
    let said: Vec<String> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let said = said.join("&");
    let deserializer = serde_urlencoded::Deserializer::new(url::form_urlencoded::parse(said.as_bytes()));
    serde_path_to_error::deserialize(deserializer).map_err(|error| {
        let path = error.path().to_string();
        let message = error.into_inner().to_string();
        if path == "." {
            ApiError::new(Code::InvalidRequest, format!("The query is wrong: {message}."))
        } else {
            ApiError::field(Code::InvalidRequest, path, message)
        }
    })
}

/// How ids in the path are read.
#[must_use]
pub fn path_config() -> web::PathConfig {
    web::PathConfig::default().error_handler(|error, request| {
        let wrong = |(name, value): &(&str, &str)| match *name {
            "version" => value.parse::<i32>().is_err(),
            _ => uuid::Uuid::parse_str(value).is_err(),
        };
        match request.match_info().iter().find(wrong) {
            Some((name, value)) => {
                let right = if name == "version" { "a whole number" } else { "an id (a UUID)" };
                ApiError::field(Code::InvalidRequest, name, format!("must be {right}, and is {value:?}")).into()
            }
            None => ApiError::new(Code::InvalidRequest, format!("The path is wrong: {error}.")).into(),
        }
    })
}
