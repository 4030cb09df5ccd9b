//! Bytes that somebody else chose, a model or a person: shown or downloaded, and never run as part of this site.

use actix_web::HttpResponse;
use actix_web::http::header::{
    self, Charset, ContentDisposition, DispositionParam, DispositionType, ExtendedValue, HeaderValue,
};

/// Sandboxed, not sniffed, and framed by this site only.
#[must_use]
pub fn file(name: &str, media_type: &str, bytes: Vec<u8>, disposition: DispositionType) -> HttpResponse {
    let filename = DispositionParam::FilenameExt(ExtendedValue {
        charset: Charset::Ext("UTF-8".to_owned()),
        language_tag: None,
        value: name.as_bytes().to_vec(),
    });
    let media_type = HeaderValue::from_str(&with_charset(media_type))
        .unwrap_or_else(|_| HeaderValue::from_static("application/octet-stream"));
    HttpResponse::Ok()
        .insert_header((header::CONTENT_TYPE, media_type))
        .insert_header(ContentDisposition { disposition, parameters: vec![filename] })
        .insert_header((
            header::CONTENT_SECURITY_POLICY,
            "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:",
        ))
        .insert_header((header::X_FRAME_OPTIONS, "SAMEORIGIN"))
        .body(bytes)
}

/// Text is stored as UTF-8, and browsers guess otherwise.
fn with_charset(media_type: &str) -> String {
    if media_type.starts_with("text/") && !media_type.contains("charset") {
        format!("{media_type}; charset=utf-8")
    } else {
        media_type.to_owned()
    }
}
