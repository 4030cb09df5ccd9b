//! The built dashboard inside the program: one page for all its addresses, and the files that the page asks for.

use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "dashboard/dist"]
#[allow_missing = true]
struct Files;

/// What the page's build left where the nonce goes.
const NONCE: &str = "__CSP_NONCE__";

pub(super) fn serve(request: &HttpRequest) -> HttpResponse {
    let path = request.path().trim_start_matches('/');
    if path != "index.html" && !is_packed(path) && Files::get(path).is_some() {
        return file(request, path);
    }
    // A file that is not there is no page: an old page may ask for files of an older build.
    if path.starts_with("assets/") {
        return HttpResponse::NotFound().finish();
    }
    match Files::get("index.html") {
        Some(index) => page(&String::from_utf8_lossy(&index.data)),
        None => HttpResponse::NotFound().finish(),
    }
}

/// A script that runs as a worker is under the policy of its own answer, not of the page that started it: it may load its modules and
/// follow the streams.
const FILE_POLICY: &str = "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'";

/// The page with a nonce of its own: only what carries it may style the page, and only files of this site may run in it.
fn page(index: &str) -> HttpResponse {
    let nonce = format!("{:032x}", rand::random::<u128>());
    let policy = format!(
        "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; img-src 'self' data: blob:; \
         font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; frame-src 'self'; base-uri 'none'; \
         form-action 'self'; frame-ancestors 'none'"
    );
    HttpResponse::Ok()
        .content_type("text/html; charset=utf-8")
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::CACHE_CONTROL, "no-cache"))
        .body(index.replace(NONCE, &nonce))
}

fn file(request: &HttpRequest, path: &str) -> HttpResponse {
    let headers = request.headers();
    let Some((file, encoding)) = best(headers, path) else { return HttpResponse::NotFound().finish() };
    // Names under assets/ change with what is in them; the others keep theirs and are asked about again.
    let cache = if path.starts_with("assets/") { "public, max-age=31536000, immutable" } else { "no-cache" };
    let hash: String = file.metadata.sha256_hash().iter().take(16).map(|byte| format!("{byte:02x}")).collect();
    let tag = format!("\"{hash}\"");
    let mut response = HttpResponse::Ok();
    response
        .insert_header((header::CACHE_CONTROL, cache))
        .insert_header((header::CONTENT_SECURITY_POLICY, FILE_POLICY))
        .insert_header((header::ETAG, tag.clone()))
        .insert_header((header::VARY, "Accept-Encoding"));
    if headers.get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok()).is_some_and(|seen| seen.contains(&tag))
    {
        return response.status(actix_web::http::StatusCode::NOT_MODIFIED).finish();
    }
    if let Some(encoding) = encoding {
        response.insert_header((header::CONTENT_ENCODING, encoding));
    }
    let media_type = mime_guess::from_path(path).first_or_octet_stream();
    let text = media_type.type_() == mime_guess::mime::TEXT;
    response
        .content_type(if text { format!("{media_type}; charset=utf-8") } else { media_type.to_string() })
        .body(file.data.into_owned())
}

/// The smallest form of a file that the client understands.
fn best(headers: &HeaderMap, path: &str) -> Option<(EmbeddedFile, Option<&'static str>)> {
    for (encoding, suffix) in [("br", "br"), ("gzip", "gz")] {
        if understands(headers, encoding)
            && let Some(file) = Files::get(&format!("{path}.{suffix}"))
        {
            return Some((file, Some(encoding)));
        }
    }
    Files::get(path).map(|file| (file, None))
}

fn understands(headers: &HeaderMap, encoding: &str) -> bool {
    headers.get_all(header::ACCEPT_ENCODING).filter_map(|value| value.to_str().ok()).any(|value| {
        value.split(',').any(|item| {
            let mut parts = item.split(';').map(str::trim);
            let named = parts.next().is_some_and(|name| name.eq_ignore_ascii_case(encoding));
            named && !parts.any(|part| part.replace(' ', "") == "q=0")
        })
    })
}

fn is_packed(path: &str) -> bool {
    [".br", ".gz"].iter().any(|suffix| path.ends_with(suffix))
}
