//! Bodies: read up to a limit; JSON is parsed with the path to what is wrong, and fields that are not known are ignored.

use std::time::Duration;

use actix_web::dev::Payload;
use actix_web::http::header;
use actix_web::{FromRequest, HttpRequest};
use bytes::{Bytes, BytesMut};
use chrono::{DateTime, Utc};
use futures_util::StreamExt as _;
use futures_util::future::LocalBoxFuture;
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};

use super::problem::{ApiError, Code};

/// Bytes of a usual body.
pub const LIMIT: usize = 1 << 20;
/// How much of a body that is too large is read and thrown away, so that a client which first sends everything hears why
/// it was refused. Beyond that the connection is simply closed.
const DRAINED: usize = 64 << 20;
const PATIENCE: Duration = Duration::from_secs(10);
/// Bytes a second, below which nobody is waited for.
const SLOWEST: usize = 32 << 10;

/// A body that must be there, of at most so many bytes. `raw` is what was sent, for telling repeated requests from new ones.
pub struct Body<T, const MOST: usize = LIMIT> {
    pub value: T,
    pub raw: Bytes,
}

impl<T: DeserializeOwned + 'static, const MOST: usize> FromRequest for Body<T, MOST> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let raw = read(request, payload.take(), MOST);
        Box::pin(async move {
            let raw = raw.await?;
            if raw.is_empty() {
                return Err(ApiError::new(Code::MalformedJson, "The body is empty; a JSON object is expected."));
            }
            Ok(Body { value: parse(&raw)?, raw })
        })
    }
}

/// A body that may be left out, which means the same as `{}`.
pub struct OptionalBody<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for OptionalBody<T> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let raw = read(request, payload.take(), LIMIT);
        Box::pin(async move {
            let raw = raw.await?;
            parse(if raw.is_empty() { b"{}" } else { &raw }).map(OptionalBody)
        })
    }
}

/// A body as it is, of at most so many bytes, and what it is said to be. Anything but JSON only at addresses that `guard` knows for it.
pub struct Upload<const MOST: usize> {
    pub bytes: Bytes,
    pub media_type: Option<String>,
}

impl<const MOST: usize> FromRequest for Upload<MOST> {
    type Error = ApiError;
    type Future = LocalBoxFuture<'static, Result<Self, ApiError>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media_type = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        let (media_type, bytes) = (media_type.map(str::to_owned), read(request, payload.take(), MOST));
        Box::pin(async move { Ok(Upload { bytes: bytes.await?, media_type }) })
    }
}

/// A field without which the request means nothing.
///
/// # Errors
/// `validation_failed` when it was not sent.
pub fn required<T>(field: &'static str, value: Option<T>) -> Result<T, ApiError> {
    value.ok_or_else(|| ApiError::field(Code::ValidationFailed, field, "is required"))
}

/// For a time, or null, or nothing: the parser's own words would not say what is right. What stands there instead is not repeated: a
/// secret may have been put into the wrong field.
///
/// # Errors
/// When it is neither null nor a time.
pub fn time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<DateTime<Utc>>>, D::Error> {
    let said = Option::<String>::deserialize(deserializer)?;
    let wrong = |_| D::Error::custom("must be a time such as 2030-01-31T12:00:00Z");
    let read = |said: String| DateTime::parse_from_rfc3339(&said).map(|time| time.to_utc()).map_err(wrong);
    said.map(read).transpose().map(Some)
}

/// For a field whose null means something else than its absence.
///
/// # Errors
/// When it is neither null nor of its type.
pub fn nullable<'de, T, D>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

fn read(
    request: &HttpRequest,
    mut payload: Payload,
    most: usize,
) -> impl Future<Output = Result<Bytes, ApiError>> + use<> {
    let declared =
        request.headers().get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse::<usize>().ok());
    let reading = async move {
        let mut body = BytesMut::with_capacity(declared.unwrap_or(0).min(most));
        let mut too_large = declared.is_some_and(|length| length > most);
        while !too_large && let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| {
                ApiError::new(Code::InvalidRequest, format!("The body could not be read: {error}."))
            })?;
            too_large = body.len() + chunk.len() > most;
            if !too_large {
                body.extend_from_slice(&chunk);
            }
        }
        if too_large {
            drop(body);
            // Whether the rest came in time does not matter: the answer is the same.
            let _ = tokio::time::timeout(PATIENCE, drain(payload)).await;
            return Err(ApiError::new(Code::PayloadTooLarge, format!("A body may have at most {most} bytes.")));
        }
        Ok(body.freeze())
    };
    // However it drips in.
    let within = PATIENCE + Duration::from_secs((most / SLOWEST) as u64);
    async move {
        tokio::time::timeout(within, reading).await.unwrap_or_else(|_| {
            let seconds = within.as_secs();
            Err(ApiError::new(Code::InvalidRequest, format!("The body had not come within {seconds} seconds.")))
        })
    }
}

async fn drain(mut payload: Payload) {
    let mut seen = 0;
    while seen < DRAINED
        && let Some(Ok(chunk)) = payload.next().await
    {
        seen += chunk.len();
    }
}

const WHOLE_NUMBERS: &[&str] = &["i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "usize"];
const NUMBERS: &[&str] = &["f32", "f64"];

fn parse<T: DeserializeOwned>(raw: &[u8]) -> Result<T, ApiError> {
    // Serde would also take a list of the fields in order, which nobody means.
    if raw.iter().find(|byte| !byte.is_ascii_whitespace()) != Some(&b'{') {
        serde_json::from_slice::<serde::de::IgnoredAny>(raw).map_err(|error| malformed(&error))?;
        return Err(ApiError::new(Code::ValidationFailed, "The body must be a JSON object."));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(raw);
    let value = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let path = error.path().to_string();
        let inner = error.into_inner();
        match inner.classify() {
            serde_json::error::Category::Data if path == "." => {
                ApiError::new(Code::ValidationFailed, format!("The body is wrong: {}.", unquoted(&inner)))
            }
            serde_json::error::Category::Data => ApiError::field(Code::ValidationFailed, path, unquoted(&inner)),
            _ => malformed(&inner),
        }
    })?;
    deserializer.end().map_err(|error| malformed(&error))?;
    Ok(value)
}

/// Without the text that stands where something else should: it may be what somebody wrote to a model. The field is named, so that
/// nobody needs its line; and what is expected is said in JSON's words and not in Rust's.
fn unquoted(error: &serde_json::Error) -> String {
    let mut message = error.to_string();
    if let Some(end) = message.rfind(" at line ") {
        message.truncate(end);
    }
    for (numbers, word) in [(WHOLE_NUMBERS, "a whole number"), (NUMBERS, "a number")] {
        for number in numbers {
            if let Some(start) = message.strip_suffix(number).filter(|start| start.ends_with("expected ")) {
                message = format!("{start}{word}");
            }
        }
    }
    let told =
        message.split_once(": string \"").and_then(|(what, text)| Some((what, text.rsplit_once("\", expected ")?.1)));
    match told {
        Some((what, expected)) => format!("{what}: a string, expected {expected}"),
        None => message,
    }
}

fn malformed(error: &serde_json::Error) -> ApiError {
    ApiError::new(Code::MalformedJson, format!("The body is not JSON: {error}."))
}
