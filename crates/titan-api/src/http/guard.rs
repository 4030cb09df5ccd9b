//! What keeps other web sites out while there is no sign-in: a browser on this machine reaches the loopback address for any
//! page that asks it to. A page of another site cannot choose these headers; where they look wrong, nothing is done.
//!
//! - `Host` must be a name of this machine, against names of strangers that resolve to it.
//! - `Origin`, when sent, must be the host itself; `Sec-Fetch-Site` must not say that another site writes.
//! - Writes are JSON, or at the addresses for uploads anything else that no HTML form can send.
//!
//! Webhooks come from elsewhere, under whatever name a proxy has there, and are signed: of these only the last holds for them.

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{self, HeaderMap, HeaderName};
use actix_web::http::{Method, Uri};
use actix_web::web;
use titan_core::config::Auth;
use url::{Host, Url};

use super::problem::{ApiError, Code};
use crate::state::AppState;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// # Errors
/// `forbidden_host`, `forbidden_origin` or `unsupported_media_type`.
pub fn check(request: &ServiceRequest) -> Result<(), ApiError> {
    let state =
        request.app_data::<web::Data<AppState>>().ok_or_else(|| ApiError::internal("the application has no state"))?;
    let writes = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    if state.config.auth == Auth::Local && !is_webhook(request.method(), request.match_info().as_str()) {
        let host = host(request.headers(), request.uri(), &state.config.allowed_hosts)?;
        origin(request.headers(), &host)?;
        if writes {
            site(request.headers())?;
        }
    }
    match writes {
        true if takes_uploads(request.path()) => upload_type(request.headers()),
        true => content_type(request.headers()),
        false => Ok(()),
    }
}

/// Where others report something, and their signature is looked at. The path is as the router reads it, however it is spelt.
fn is_webhook(method: &Method, path: &str) -> bool {
    *method == Method::POST && ["/api/webhooks/github", "/api/webhooks/forgejo"].contains(&path)
}

/// Where a body is a file.
fn takes_uploads(path: &str) -> bool {
    path.starts_with("/api/projects/") && (path.ends_with("/documents") || path.ends_with("/leads/import"))
}

/// What an HTML form can send, and so a page of any site without being asked.
const OF_FORMS: [&str; 3] = ["application/x-www-form-urlencoded", "multipart/form-data", "text/plain"];

fn upload_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let refuse = |detail: String| Err(ApiError::new(Code::UnsupportedMediaType, detail));
    match headers.get(header::CONTENT_TYPE) {
        None => refuse("There is no Content-Type header; send the file's, or application/octet-stream.".to_owned()),
        Some(value) => {
            let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
            if essence.is_empty() || OF_FORMS.iter().any(|form| essence.eq_ignore_ascii_case(form)) {
                let detail = format!(
                    "The Content-Type is {value:?}, which a form of any site can send; send application/octet-stream."
                );
                return refuse(detail);
            }
            Ok(())
        }
    }
}

/// The host that the client asked for. Every place that names one must name an allowed one.
fn host(headers: &HeaderMap, uri: &Uri, allowed: &[String]) -> Result<Url, ApiError> {
    let refuse = |named: &str| {
        let detail = format!(
            "The Host header says {named:?}; in local mode it must be localhost, 127.0.0.1 or [::1], or be listed in TITAN_ALLOWED_HOSTS."
        );
        ApiError::new(Code::ForbiddenHost, detail)
    };
    let mut found = None;
    let in_uri = uri.authority().map(|authority| Some(authority.as_str()));
    let in_headers = headers.get_all(header::HOST).map(|value| value.to_str().ok());
    for named in in_headers.chain(in_uri) {
        let named = named.ok_or_else(|| refuse("something unreadable"))?;
        let url = Url::parse(&format!("http://{named}/")).map_err(|_| refuse(named))?;
        let plain = url.username().is_empty() && url.password().is_none() && url.path() == "/" && url.query().is_none();
        if !plain || url.fragment().is_some() || !is_ours(&url, allowed) {
            return Err(refuse(named));
        }
        found = Some(url);
    }
    found.ok_or_else(|| refuse(""))
}

fn is_ours(url: &Url, allowed: &[String]) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback() || allowed.contains(&address.to_string()),
        Some(Host::Ipv6(address)) => address.is_loopback() || allowed.contains(&address.to_string()),
        Some(Host::Domain(name)) => name == "localhost" || allowed.iter().any(|other| other == name),
        None => false,
    }
}

fn origin(headers: &HeaderMap, host: &Url) -> Result<(), ApiError> {
    for value in headers.get_all(header::ORIGIN) {
        let same = value.to_str().ok().and_then(|text| Url::parse(text).ok()).is_some_and(|origin| {
            // A proxy in front may speak https for us; then the host's default port is the one of https.
            let port_of_host = host.port().or_else(|| default_port(origin.scheme()));
            default_port(origin.scheme()).is_some()
                && origin.host() == host.host()
                && origin.port_or_known_default() == port_of_host
        });
        if !same {
            let detail = format!("The Origin header says {value:?}, which is not this server.");
            return Err(ApiError::new(Code::ForbiddenOrigin, detail));
        }
    }
    Ok(())
}

fn default_port(scheme: &str) -> Option<u16> {
    match scheme {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    }
}

fn site(headers: &HeaderMap) -> Result<(), ApiError> {
    match headers.get(SEC_FETCH_SITE).map(header::HeaderValue::as_bytes) {
        Some(b"cross-site" | b"same-site") => {
            Err(ApiError::new(Code::ForbiddenOrigin, "The browser says that another site sent this."))
        }
        _ => Ok(()),
    }
}

fn content_type(headers: &HeaderMap) -> Result<(), ApiError> {
    let refuse = |detail: String| Err(ApiError::new(Code::UnsupportedMediaType, detail));
    let no_length = headers.get(header::CONTENT_LENGTH).is_none_or(|length| length.as_bytes() == b"0");
    let empty = no_length && !headers.contains_key(header::TRANSFER_ENCODING);
    match headers.get(header::CONTENT_TYPE) {
        None if empty => Ok(()),
        None => refuse("There is no Content-Type header; send Content-Type: application/json.".to_owned()),
        Some(value) => {
            let essence = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
            if essence.eq_ignore_ascii_case("application/json") {
                Ok(())
            } else {
                refuse(format!("The Content-Type is {value:?}; send Content-Type: application/json."))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::try_from(*name).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        let mut map = HeaderMap::new();
        for (name, value) in pairs.iter().map(pair) {
            map.append(name, value);
        }
        map
    }

    fn host_of(named: &str) -> Result<Url, ApiError> {
        host(&headers(&[("host", named)]), &Uri::from_static("/"), &["titan.lan".to_owned()])
    }

    #[test]
    fn only_what_is_posted_to_a_webhook_is_one() {
        assert!(
            is_webhook(&Method::POST, "/api/webhooks/github") && is_webhook(&Method::POST, "/api/webhooks/forgejo")
        );
        assert!(!is_webhook(&Method::GET, "/api/webhooks/github"));
        for path in [
            "/api/webhooks",
            "/api/webhooks/",
            "/api/webhooks/github/",
            "/api/webhooks/github/../../projects",
            "/api/projects",
        ] {
            assert!(!is_webhook(&Method::POST, path), "{path}");
        }
    }

    #[test]
    fn names_of_this_machine_pass_with_any_port() {
        for named in ["localhost", "LOCALHOST:3000", "127.0.0.1:1", "[::1]:3000", "titan.lan:80"] {
            assert!(host_of(named).is_ok(), "{named}");
        }
    }

    #[test]
    fn other_names_do_not_pass() {
        for named in [
            "evil.example",
            "localhost.evil.example",
            "192.168.1.4",
            "[::2]",
            "",
            "localhost@evil.example",
            "a b",
            "evil.example/localhost",
        ] {
            assert_eq!(host_of(named).unwrap_err().code, Code::ForbiddenHost, "{named}");
        }
        let two = headers(&[("host", "localhost"), ("host", "evil.example")]);
        assert!(host(&two, &Uri::from_static("/"), &[]).is_err());
        let absolute = Uri::from_static("http://evil.example/api/projects");
        assert!(host(&headers(&[("host", "localhost")]), &absolute, &[]).is_err());
        assert!(host(&headers(&[]), &Uri::from_static("/"), &[]).is_err());
    }

    #[test]
    fn an_origin_must_be_the_host() {
        let here = Url::parse("http://localhost:3000/").unwrap();
        assert!(origin(&headers(&[]), &here).is_ok());
        assert!(origin(&headers(&[("origin", "http://localhost:3000")]), &here).is_ok());
        for other in ["http://localhost:3001", "http://evil.example", "null", "http://127.0.0.1:3000", "file://"] {
            assert!(origin(&headers(&[("origin", other)]), &here).is_err(), "{other}");
        }
        let behind_tls = Url::parse("http://titan.lan/").unwrap();
        assert!(origin(&headers(&[("origin", "https://titan.lan")]), &behind_tls).is_ok());
    }

    #[test]
    fn a_file_is_what_no_form_can_send() {
        assert!(takes_uploads("/api/projects/1/documents") && takes_uploads("/api/projects/1/leads/import"));
        assert!(!takes_uploads("/api/projects/1/leads") && !takes_uploads("/documents"));
        for right in ["application/pdf", "text/csv; charset=utf-8", "application/octet-stream", "application/json"] {
            assert!(upload_type(&headers(&[("content-type", right)])).is_ok(), "{right}");
        }
        for wrong in ["text/plain", "Multipart/Form-Data; boundary=x", "application/x-www-form-urlencoded", ";", ""] {
            assert!(upload_type(&headers(&[("content-type", wrong)])).is_err(), "{wrong}");
        }
        assert!(upload_type(&headers(&[])).is_err());
    }

    #[test]
    fn a_body_must_be_json() {
        let ok = [
            &[][..],
            &[("content-length", "0")],
            &[("content-type", "application/json; charset=utf-8"), ("content-length", "2")],
        ];
        assert!(ok.iter().all(|pairs| content_type(&headers(pairs)).is_ok()));
        for wrong in [
            &[("content-length", "2")][..],
            &[("transfer-encoding", "chunked")],
            &[("content-type", "application/x-www-form-urlencoded")],
            &[("content-type", "text/plain"), ("content-length", "2")],
            &[("content-type", "application/jsonx"), ("content-length", "2")],
        ] {
            assert!(content_type(&headers(wrong)).is_err(), "{wrong:?}");
        }
    }
}
