//! Bytes that somebody else chose, a model or a person: shown or downloaded, and never run as part of this site. Small ones
//! are at hand; what is in the store of blobs is sent piece by piece, or in part.

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    self, Charset, ContentDisposition, DispositionParam, DispositionType, ExtendedValue, HeaderName, HeaderValue,
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::{TryStreamExt as _, stream};
use titan_core::blobs::Blobs;

use super::problem::ApiError;
use super::range::Wanted;

/// What a browser may do with it: nothing but show it, within this site.
const SANDBOX: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";

const REPR_DIGEST: HeaderName = HeaderName::from_static("repr-digest");

/// A file whose bytes are at hand.
#[must_use]
pub fn file(name: &str, media_type: &str, bytes: Vec<u8>, disposition: DispositionType) -> HttpResponse {
    about(name, media_type, disposition).body(bytes)
}

/// A file in the store of blobs.
#[derive(Debug)]
pub struct Stored<'a> {
    pub name: &'a str,
    pub media_type: &'a str,
    /// In lowercase hexadecimal digits.
    pub sha256: &'a str,
    pub disposition: DispositionType,
}

impl Stored<'_> {
    /// What is wanted of it. When it turns out on the way not to be what it was, the connection ends before it is complete.
    ///
    /// # Errors
    /// `range_not_satisfiable` for a part that is not there, and what keeps the store from giving it.
    pub async fn respond(self, blobs: &Blobs, wanted: &Wanted) -> Result<HttpResponse, ApiError> {
        let etag = format!("\"{}\"", self.sha256);
        if wanted.is_known(&etag) {
            return Ok(HttpResponse::NotModified().insert_header((header::ETAG, etag)).finish());
        }
        let reader = blobs.open(self.sha256).await?;
        let size = reader.size();
        let part = wanted.part(size, &etag)?;
        let mut response = about(self.name, self.media_type, self.disposition);
        response.insert_header((header::ACCEPT_RANGES, "bytes")).insert_header((REPR_DIGEST, digest(self.sha256)));
        response.insert_header((header::ETAG, etag));
        if let Some(part) = &part {
            response.status(StatusCode::PARTIAL_CONTENT);
            let place = format!("bytes {}-{}/{size}", part.start, part.end.saturating_sub(1));
            response.insert_header((header::CONTENT_RANGE, place));
        }
        let range = part.unwrap_or(0..size);
        let length = range.end - range.start;
        if wanted.head {
            return Ok(response.body(SizedStream::new(length, stream::empty::<Result<_, std::io::Error>>())));
        }
        let sha256 = self.sha256.to_owned();
        let pieces = reader.stream(range).map_err(move |error| {
            tracing::error!(%error, blob.sha256 = sha256, "a download was cut off");
            std::io::Error::other("the rest cannot be read")
        });
        Ok(response.body(SizedStream::new(length, Box::pin(pieces))))
    }
}

/// By which a client can tell that it has all of it, as RFC 9530 says.
fn digest(sha256: &str) -> String {
    let pair = |at: usize| sha256.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes: Vec<u8> = (0..sha256.len()).step_by(2).filter_map(pair).collect();
    format!("sha-256=:{}:", STANDARD.encode(bytes))
}

/// Sandboxed, not sniffed, and framed by this site only.
fn about(name: &str, media_type: &str, disposition: DispositionType) -> HttpResponseBuilder {
    let filename = DispositionParam::FilenameExt(ExtendedValue {
        charset: Charset::Ext("UTF-8".to_owned()),
        language_tag: None,
        value: name.as_bytes().to_vec(),
    });
    let media_type = HeaderValue::from_str(&with_charset(media_type))
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header(ContentDisposition { disposition, parameters: vec![filename] })
        .insert_header((header::CONTENT_SECURITY_POLICY, SANDBOX))
        .insert_header((header::X_FRAME_OPTIONS, "SAMEORIGIN"));
    response
}

/// Text is stored as UTF-8, and browsers guess otherwise.
fn with_charset(media_type: &str) -> String {
    if media_type.starts_with("text/") && !media_type.contains("charset") {
        format!("{media_type}; charset=utf-8")
    } else {
        media_type.to_owned()
    }
}
