//! The proxy that this machine itself must go through. It is the operator's own, so it may lie anywhere.

use std::fmt;
use std::io;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokio::net::TcpStream;
use url::Url;

/// Where it is, and how one introduces oneself.
#[derive(Clone, PartialEq, Eq)]
pub struct Upstream {
    host: String,
    port: u16,
    /// The value of `Proxy-Authorization`.
    authorization: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the proxy's address is not http://[user:password@]host[:port]")]
pub struct BadUpstream;

impl FromStr for Upstream {
    type Err = BadUpstream;

    fn from_str(text: &str) -> Result<Self, BadUpstream> {
        let text = text.trim();
        let url = if text.contains("://") { Url::parse(text) } else { Url::parse(&format!("http://{text}")) };
        let url = url.map_err(|_| BadUpstream)?;
        if url.scheme() != "http" {
            return Err(BadUpstream);
        }
        let host = url.host_str().ok_or(BadUpstream)?.trim_matches(['[', ']']).to_owned();
        let decode = |part: &str| percent_decoded(part);
        let authorization = (!url.username().is_empty()).then(|| {
            let mut pair = decode(url.username());
            pair.push(b':');
            pair.extend(decode(url.password().unwrap_or_default()));
            format!("Basic {}", STANDARD.encode(pair))
        });
        Ok(Self { host, port: url.port_or_known_default().unwrap_or(80), authorization })
    }
}

/// Without what it holds for introducing itself.
impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Upstream({}:{})", self.host, self.port)
    }
}

impl Upstream {
    pub(super) async fn connect(&self) -> io::Result<TcpStream> {
        TcpStream::connect((self.host.as_str(), self.port)).await
    }

    pub(super) fn authorization(&self) -> Option<&str> {
        self.authorization.as_deref()
    }
}

fn percent_decoded(text: &str) -> Vec<u8> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::new();
    while let Some(byte) = bytes.next() {
        let rest = bytes.clone();
        let hex: Vec<u32> = rest.take(2).filter_map(|digit| char::from(digit).to_digit(16)).collect();
        match (byte, hex.as_slice()) {
            (b'%', [high, low]) => {
                decoded.push(u8::try_from(high * 16 + low).unwrap_or_default());
                bytes.nth(1);
            }
            _ => decoded.push(byte),
        }
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_with_and_without_a_password() {
        let upstream: Upstream = "http://me:p%40ss@proxy.example:3128".parse().expect("an address");
        assert_eq!(upstream.authorization(), Some("Basic bWU6cEBzcw=="));
        assert_eq!(format!("{upstream:?}"), "Upstream(proxy.example:3128)");
        let plain: Upstream = "proxy.example:8080".parse().expect("an address");
        assert_eq!((plain.host.as_str(), plain.port, plain.authorization()), ("proxy.example", 8080, None));
        assert!("socks5://proxy.example:1080".parse::<Upstream>().is_err());
        assert!("".parse::<Upstream>().is_err());
    }
}
