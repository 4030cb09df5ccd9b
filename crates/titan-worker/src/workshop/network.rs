//! Where this worker is, as far as addresses go: what its loopback address means, and what others reach it by.

use std::fs;
use std::net::{IpAddr, SocketAddr, UdpSocket};

/// The same for two processes exactly when 127.0.0.1 is the same for them: the kernel that runs, and its network namespace.
pub(crate) fn identity() -> String {
    let kernel = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let namespace = fs::read_link("/proc/self/ns/net").map(|link| link.display().to_string()).unwrap_or_default();
    format!("{} {namespace}", kernel.trim())
}

/// What people find a server by that listens at an address, which may be "all of them".
pub(crate) fn address_of(listening: SocketAddr) -> SocketAddr {
    let ip = match listening.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(ip) => way_out("192.0.2.1:9", "0.0.0.0:0").unwrap_or(IpAddr::V4(ip)),
        IpAddr::V6(ip) => way_out("[2001:db8::1]:9", "[::]:0").unwrap_or(IpAddr::V6(ip)),
    };
    SocketAddr::new(ip, listening.port())
}

/// The address of this machine that leads to others. Nothing is sent for it; the targets are those of RFC 5737 and RFC 3849.
fn way_out(to: &str, from: &str) -> Option<IpAddr> {
    let socket = UdpSocket::bind(from).ok()?;
    socket.connect(to).ok()?;
    Some(socket.local_addr().ok()?.ip())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_same_here_each_time() {
        assert_eq!(identity(), identity());
        assert!(identity().contains("net:["), "{}", identity());
    }

    #[test]
    fn nobody_is_sent_to_all_addresses() {
        let own: SocketAddr = "127.0.0.1:80".parse().unwrap();
        assert_eq!(address_of(own), own);
        let all = address_of("0.0.0.0:80".parse().unwrap());
        // A machine without any way out has no better one.
        assert!(!all.ip().is_unspecified() || way_out("192.0.2.1:9", "0.0.0.0:0").is_none());
        assert_eq!(all.port(), 80);
    }
}
