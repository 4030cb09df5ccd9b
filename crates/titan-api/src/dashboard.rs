//! The pages: what is served where no route of the API is. With the feature `dashboard` the built files are part of the
//! program; without it there is one line of text that says so.

#[cfg(feature = "dashboard")]
mod embedded;

use actix_web::http::Method;
use actix_web::{HttpRequest, HttpResponse};

/// Answers everything that no route took.
pub async fn serve(request: HttpRequest) -> HttpResponse {
    let path = request.path();
    let reads = matches!(*request.method(), Method::GET | Method::HEAD);
    if !reads || path == "/api" || path.starts_with("/api/") {
        return HttpResponse::NotFound().finish();
    }
    page(&request)
}

#[cfg(feature = "dashboard")]
fn page(request: &HttpRequest) -> HttpResponse {
    embedded::serve(request)
}

#[cfg(not(feature = "dashboard"))]
fn page(request: &HttpRequest) -> HttpResponse {
    if request.path() != "/" {
        return HttpResponse::NotFound().finish();
    }
    HttpResponse::Ok().content_type("text/plain; charset=utf-8").body(
        "This titan-api was built without the dashboard. Build it in with `make build`, or see /api/openapi.json for what is here.\n",
    )
}
