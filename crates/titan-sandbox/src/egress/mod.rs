//! The one way out of a sandbox that may connect somewhere: an HTTP proxy on a socket that is laid into it. The command's network
//! holds nothing but its own loopback, so that a program which knows no proxy reaches nothing, and one that does reaches what
//! the rules name.
//!
//! The proxy lives in the caller's process. It resolves a name once, looks at every address, and connects to one of those it
//! looked at: an answer that changes between the look and the connection changes nothing. What it cannot see is what is said
//! within an encrypted connection.
//!
//! - [`rule`]: what may be reached.
//! - `address`: which addresses are the public internet.
//! - [`resolve`]: from a name to addresses.
//! - [`upstream`]: the proxy that this machine itself must go through.
//! - `head`: the first lines of a request.
//! - `connection`: one request from its first byte to its last.

mod address;
mod connection;
mod head;
pub mod resolve;
pub mod rule;
pub mod upstream;

use std::io;
use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use ipnet::IpNet;
use tokio::net::UnixListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::task::AbortOnDropHandle;

pub use resolve::{Resolve, SystemResolver};
pub use rule::Rule;
pub use upstream::Upstream;

use crate::outcome::Event;
use crate::private;
use address::is_public;
use connection::Policy;

/// Connections at one time; the next one waits.
const MAX_CONNECTIONS: usize = 64;

/// How connections leave.
#[derive(Debug, Clone)]
pub struct Way {
    /// The proxy to go through, where there is no direct way. It resolves the names then, so that addresses are not looked at.
    pub upstream: Option<Upstream>,
    pub resolver: Arc<dyn Resolve>,
    /// Addresses that are not on the public internet and that the allowed names may lead to all the same: where an operator's own
    /// mirrors are.
    pub inner: Vec<IpNet>,
}

impl Default for Way {
    fn default() -> Self {
        Self { upstream: None, resolver: Arc::new(SystemResolver), inner: Vec::new() }
    }
}

impl Way {
    /// Whether an address may be reached that nobody but a stranger has named: one of the public internet, or of `inner`.
    pub fn may_lead_to(&self, address: IpAddr) -> bool {
        is_public(address) || self.inner.iter().any(|net| net.contains(&address))
    }
}

/// A proxy for one run. It ends, with its connections, when this is dropped.
pub(crate) struct Proxy {
    _task: AbortOnDropHandle<()>,
}

impl Proxy {
    /// Listens at `path`, for `owner` or else for this process's own user only.
    pub(crate) fn start(
        path: &Path,
        owner: Option<(u32, u32)>,
        rules: Vec<Rule>,
        way: Way,
        events: mpsc::Sender<Event>,
    ) -> io::Result<Self> {
        let listener = private::listen(path, owner)?;
        let policy = Arc::new(Policy::new(rules, way, events));
        Ok(Self { _task: AbortOnDropHandle::new(tokio::spawn(serve(listener, policy))) })
    }
}

async fn serve(listener: UnixListener, policy: Arc<Policy>) {
    let mut connections = JoinSet::new();
    loop {
        if connections.len() >= MAX_CONNECTIONS {
            connections.join_next().await;
        }
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => drop(connections.spawn(connection::serve(client, policy.clone()))),
                // Out of files: one that ends gives some back.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
            },
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
        }
    }
}
