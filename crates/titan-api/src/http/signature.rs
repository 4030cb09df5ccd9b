//! Signatures of webhooks: HMAC-SHA256 of the bytes as they came, under a secret that the sender has too.

use actix_web::http::header::HeaderMap;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use sha2::Sha256;

/// Whether one of these headers signs the body. The first of them that was sent is the one that counts, and it is sent once; `prefix` is
/// what its value begins with before the 64 hexadecimal digits. Takes as long for a signature that is nearly right as for any other.
#[must_use]
pub fn is_signed(headers: &HeaderMap, names: &[&str], prefix: &str, secret: &SecretString, body: &[u8]) -> bool {
    let Some(name) = names.iter().find(|name| headers.contains_key(**name)) else { return false };
    let mut given = headers.get_all(*name).map(|value| value.to_str().unwrap_or_default());
    match (given.next(), given.next()) {
        (Some(given), None) => given.strip_prefix(prefix).and_then(bytes).is_some_and(|tag| is_tag(&tag, secret, body)),
        _ => false,
    }
}

fn is_tag(tag: &[u8; 32], secret: &SecretString, body: &[u8]) -> bool {
    // Keys of any length are taken.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()) else { return false };
    mac.update(body);
    mac.verify_slice(tag).is_ok()
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    for (place, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * place..2 * place + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::{HeaderName, HeaderValue};

    use super::*;

    const HUB: &str = "x-hub-signature-256";
    const OLD: &str = "x-gitea-signature";
    /// Of GitHub's documentation, "Validating webhook deliveries".
    const TAG: &str = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";

    fn signed(pairs: &[(&'static str, &str)], body: &[u8]) -> bool {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        is_signed(&headers, &[HUB, OLD], "sha256=", &"It's a Secret to Everybody".into(), body)
    }

    #[test]
    fn the_vector_of_github_s_documentation_passes() {
        let right = format!("sha256={TAG}");
        let body = b"Hello, World!";
        assert!(signed(&[(HUB, &right)], body));
        assert!(signed(&[(HUB, &format!("sha256={}", TAG.to_uppercase()))], body));
        assert!(signed(&[(OLD, &right)], body));
        assert!(!signed(&[(HUB, &right)], b"Hello, World"));
        assert!(!signed(&[(HUB, &right)], b"Hello, World!\n"));
    }

    #[test]
    fn nothing_else_does() {
        let (right, body) = (format!("sha256={TAG}"), b"Hello, World!");
        let near = format!("sha256={}8", &TAG[..63]);
        for wrong in
            ["", "sha256=", TAG, &right[..70], &near, &format!("{right}0"), &format!("sha1={TAG}"), "sha256=+5"]
        {
            assert!(!signed(&[(HUB, wrong)], body), "{wrong:?}");
        }
        let signs = format!("sha256=+5{}", &TAG[2..]);
        assert!(!signed(&[(HUB, &signs)], body));
        assert!(!signed(&[], body));
        // A bad one is not rescued by a good one.
        assert!(!signed(&[(HUB, &near), (HUB, &right)], body));
        assert!(!signed(&[(HUB, &near), (OLD, &right)], body));
    }
}
