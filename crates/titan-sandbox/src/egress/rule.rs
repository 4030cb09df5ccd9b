//! What may be reached: `registry.example.org:443`, `*.example.org` (ports 80 and 443), `203.0.113.7:8080`, `[2001:db8::7]:443`.
//!
//! A name never stands for an address of this machine or its network, whatever it resolves to; who means such an address names
//! it. A pattern covers everything beneath the suffix, not the suffix itself.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use std::str::FromStr;

use url::Host;

/// The ports of a rule that names none.
const USUAL_PORTS: [u16; 2] = [80, 443];

/// One allowed target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    host: Pattern,
    /// The usual ones when there is none.
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Pattern {
    Name(String),
    Beneath(String),
    Address(IpAddr),
}

/// What a rule or a request must look like, in the words of whoever wrote it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("\"{text}\" {why}")]
pub struct BadTarget {
    text: String,
    why: &'static str,
}

/// What a request asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Name(String),
    Address(IpAddr),
}

impl FromStr for Rule {
    type Err = BadTarget;

    fn from_str(text: &str) -> Result<Self, BadTarget> {
        let bad = |why| BadTarget { text: text.to_owned(), why };
        let (host, port) =
            split(text.trim()).ok_or_else(|| bad("is no host with a port from 1 to 65535 after a \":\""))?;
        let host = match host.strip_prefix("*.") {
            Some(suffix) => match parse(suffix).map_err(bad)? {
                Target::Name(name) if name.contains('.') => Pattern::Beneath(name),
                _ => return Err(bad("is too wide: name a domain of at least two parts after \"*.\"")),
            },
            None => match parse(host).map_err(bad)? {
                Target::Name(name) => Pattern::Name(name),
                Target::Address(address) => Pattern::Address(address),
            },
        };
        Ok(Self { host, port })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Pattern::Name(name) => write!(f, "{name}")?,
            Pattern::Beneath(suffix) => write!(f, "*.{suffix}")?,
            Pattern::Address(IpAddr::V4(address)) => write!(f, "{address}")?,
            Pattern::Address(IpAddr::V6(address)) => write!(f, "[{address}]")?,
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl Rule {
    pub(super) fn allows(&self, target: &Target, port: u16) -> bool {
        let host = match (&self.host, target) {
            (Pattern::Name(rule), Target::Name(name)) => rule == name,
            (Pattern::Beneath(suffix), Target::Name(name)) => {
                name.strip_suffix(suffix.as_str()).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
            }
            (Pattern::Address(rule), Target::Address(address)) => rule == address,
            _ => false,
        };
        host && self.port.map_or_else(|| USUAL_PORTS.contains(&port), |rule| rule == port)
    }
}

/// The host of a request and its port.
pub(super) fn target(authority: &str, usual_port: Option<u16>) -> Result<(Target, u16), BadTarget> {
    let bad = |why| BadTarget { text: authority.chars().take(300).collect(), why };
    let (host, port) = split(authority).ok_or_else(|| bad("is no host with a port"))?;
    let port = port.or(usual_port).ok_or_else(|| bad("names no port"))?;
    Ok((parse(host).map_err(bad)?, port))
}

/// Host and port, the brackets of an IPv6 address still on.
fn split(text: &str) -> Option<(&str, Option<u16>)> {
    match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => {
            let is_number = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
            let port = port.parse().ok().filter(|port| is_number && *port > 0)?;
            Some((host, Some(port)))
        }
        _ => Some((text, None)),
    }
}

fn parse(host: &str) -> Result<Target, &'static str> {
    match Host::parse(host) {
        // `0177.1`, `0x7f000001` and `2130706433` are addresses too, to some; who means one writes it plainly.
        Ok(Host::Ipv4(address)) if host.parse::<Ipv4Addr>() == Ok(address) => Ok(Target::Address(address.into())),
        Ok(Host::Ipv4(_)) => Err("is an address in an unusual form: write four decimal numbers"),
        Ok(Host::Ipv6(address)) => Ok(Target::Address(address.into())),
        Ok(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(&name).to_ascii_lowercase();
            let parts = name.split('.').all(|part| !part.is_empty() && part.len() < 64);
            let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
            if parts && plain && name.len() < 254 { Ok(Target::Name(name)) } else { Err("is no name of a host") }
        }
        Err(_) => Err("is no name or address of a host"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allows(rule: &str, authority: &str) -> bool {
        let (target, port) = target(authority, Some(80)).expect("a target");
        rule.parse::<Rule>().expect("a rule").allows(&target, port)
    }

    #[test]
    fn a_rule_means_what_it_says() {
        for (rule, authority, expected) in [
            ("example.org", "example.org:443", true),
            ("example.org", "EXAMPLE.org.:80", true),
            ("example.org", "example.org:22", false),
            ("example.org:22", "example.org:22", true),
            ("example.org:22", "example.org:443", false),
            ("example.org", "a.example.org:443", false),
            ("*.example.org", "a.example.org:443", true),
            ("*.example.org", "a.b.example.org:443", true),
            ("*.example.org", "example.org:443", false),
            ("*.example.org", "badexample.org:443", false),
            ("bücher.example", "xn--bcher-kva.example:443", true),
            ("127.0.0.1:8080", "127.0.0.1:8080", true),
            ("127.0.0.1:8080", "[::ffff:127.0.0.1]:8080", false),
            ("127.0.0.1:8080", "localhost:8080", false),
            ("[::1]:8080", "[::1]:8080", true),
            ("[::1]:8080", "[0:0::0:1]:8080", true),
        ] {
            assert_eq!(allows(rule, authority), expected, "{rule} and {authority}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused_with_a_reason() {
        let refused = [
            "",
            "*",
            "*.",
            "*.org",
            "*.127.0.0.1",
            "example.org:0",
            "example.org:65536",
            "example.org:x",
            "a b",
            "::1:80",
            "0177.0.0.1",
            "0x7f.1:80",
            "2130706433:80",
            "a..b",
            "user@example.org",
            "http://example.org",
        ];
        let reasons: Vec<String> =
            refused.iter().map(|rule| rule.parse::<Rule>().expect_err(rule).to_string()).collect();
        insta::assert_debug_snapshot!(reasons);
    }

    #[test]
    fn a_rule_is_written_as_it_is_read() {
        for rule in ["example.org", "*.example.org:8443", "127.0.0.1:80", "[::1]:80"] {
            assert_eq!(rule.parse::<Rule>().expect("a rule").to_string(), rule);
        }
    }
}
