//! Deliveries of webhooks, signed as forges sign them.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use reqwest::{Method, RequestBuilder};
use sha2::Sha256;

use crate::client::Client;

/// The HMAC-SHA256 of a body in hexadecimal digits.
#[must_use]
pub fn sign(secret: &str, body: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("a key of any length");
    mac.update(body.as_bytes());
    let mut hex = String::new();
    for byte in mac.finalize().into_bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

/// A delivery as GitHub sends it.
pub fn from_github(client: &Client, secret: &str, event: &str, id: &str, body: &str) -> RequestBuilder {
    let request = client.request(Method::POST, "/api/webhooks/github").header("Content-Type", "application/json");
    let request = request.header("X-GitHub-Event", event).header("X-GitHub-Delivery", id);
    let request = request.header("User-Agent", "GitHub-Hookshot/044aadd");
    request.header("X-Hub-Signature-256", format!("sha256={}", sign(secret, body))).body(body.to_owned())
}

/// A delivery as a Forgejo sends it.
pub fn from_forgejo(client: &Client, secret: &str, event: &str, id: &str, body: &str) -> RequestBuilder {
    let mut request = client.request(Method::POST, "/api/webhooks/forgejo").header("Content-Type", "application/json");
    // It sends everything under the names of its ancestors too.
    for of in ["Forgejo", "Gitea"] {
        request = request.header(format!("X-{of}-Event"), event).header(format!("X-{of}-Delivery"), id);
        request = request.header(format!("X-{of}-Signature"), sign(secret, body));
    }
    request.body(body.to_owned())
}
