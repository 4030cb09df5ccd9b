//! The first lines of a request to a proxy: `CONNECT host:port`, or a method with the whole address for plain HTTP. Nothing of it
//! reaches the other side but what is written again here.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::rule::{Target, target};

/// The longest head in bytes, and the most lines in it.
pub(super) const MAX_HEAD: usize = 16 * 1024;
const MAX_HEADERS: usize = 64;

/// What only concerns the way to the next machine, or would keep the connection for a request that nobody looks at.
const HOP_BY_HOP: [&str; 8] = [
    "connection",
    "proxy-connection",
    "proxy-authorization",
    "proxy-authenticate",
    "keep-alive",
    "upgrade",
    "te",
    "host",
];

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Head {
    pub target: Target,
    pub port: u16,
    pub authority: String,
    pub kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Bytes in both directions.
    Tunnel,
    /// One plain request: its head for the server itself, and the same for a proxy.
    Plain { origin: Vec<u8>, absolute: Vec<u8> },
}

/// Reads up to the empty line, and what came after it. None when the client leaves without a word.
pub(super) async fn read(client: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let mut bytes = Vec::new();
    loop {
        if let Some(at) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            let rest = bytes.split_off(at + 4);
            return Ok(Some((bytes, rest)));
        }
        if bytes.len() >= MAX_HEAD {
            return Err(io::Error::other("the head of the request is too long"));
        }
        if client.read_buf(&mut bytes).await? == 0 {
            return if bytes.is_empty() { Ok(None) } else { Err(io::Error::other("the request broke off")) };
        }
    }
}

pub(super) fn parse(bytes: &[u8]) -> Result<Head, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    match request.parse(bytes) {
        Ok(httparse::Status::Complete(_)) => {}
        Ok(httparse::Status::Partial) => return Err("the request is not whole".into()),
        Err(error) => return Err(format!("no HTTP request: {error}")),
    }
    let (method, address) = (request.method.unwrap_or_default(), request.path.unwrap_or_default());
    if method == "CONNECT" {
        let (found, port) = target(address, None).map_err(|error| error.to_string())?;
        return Ok(Head { target: found, port, authority: address.to_owned(), kind: Kind::Tunnel });
    }
    let scheme = address.get(..7).filter(|scheme| scheme.eq_ignore_ascii_case("http://"));
    let Some(rest) = scheme.and_then(|scheme| address.get(scheme.len()..)) else {
        return Err("a proxy is asked by CONNECT, or with a whole address that begins with http://".into());
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (found, port) = target(authority, Some(80)).map_err(|error| error.to_string())?;
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    let lines = |address: &str| {
        let mut head =
            format!("{method} {address} HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n").into_bytes();
        for header in request
            .headers
            .iter()
            .filter(|header| !HOP_BY_HOP.iter().any(|name| header.name.eq_ignore_ascii_case(name)))
        {
            head.extend_from_slice(header.name.as_bytes());
            head.extend_from_slice(b": ");
            head.extend_from_slice(header.value);
            head.extend_from_slice(b"\r\n");
        }
        head
    };
    let kind = Kind::Plain { origin: lines(&path), absolute: lines(&format!("http://{authority}{path}")) };
    Ok(Head { target: found, port, authority: authority.to_owned(), kind })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(request: &str) -> Result<String, String> {
        match parse(request.as_bytes())?.kind {
            Kind::Plain { origin, .. } => Ok(String::from_utf8(origin).expect("text")),
            Kind::Tunnel => Ok("a tunnel".to_owned()),
        }
    }

    #[test]
    fn a_request_is_written_again_for_its_server() {
        let request = "GET http://example.org/a?b HTTP/1.1\r\nHost: elsewhere.example\r\nProxy-Authorization: Basic x\r\nAccept: */*\r\n\
                       Connection: keep-alive\r\n\r\n";
        insta::assert_snapshot!(plain(request).expect("a request").replace('\r', ""));
        assert!(plain("GET http://example.org?q HTTP/1.1\r\n\r\n").expect("a request").starts_with("GET /?q "));
        assert_eq!(plain("CONNECT example.org:443 HTTP/1.1\r\n\r\n"), Ok("a tunnel".to_owned()));
    }

    #[test]
    fn what_is_no_request_to_a_proxy_is_refused() {
        let refused = [
            "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET https://example.org/ HTTP/1.1\r\n\r\n",
            "GET http://user@example.org/ HTTP/1.1\r\n\r\n",
            "GET http://0x7f.1/ HTTP/1.1\r\n\r\n",
            "CONNECT example.org HTTP/1.1\r\n\r\n",
            "CONNECT 2130706433:80 HTTP/1.1\r\n\r\n",
            "\u{16}\u{3}\u{1}\r\n\r\n",
        ];
        let reasons: Vec<String> = refused.iter().map(|request| plain(request).expect_err(request)).collect();
        insta::assert_debug_snapshot!(reasons);
    }
}
