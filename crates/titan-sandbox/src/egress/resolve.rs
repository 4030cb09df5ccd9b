//! From a name to its addresses. A seam, so that a test can let a name change its mind.

use std::fmt::Debug;
use std::io;
use std::net::IpAddr;

use async_trait::async_trait;

#[async_trait]
pub trait Resolve: Debug + Send + Sync {
    /// All addresses of a name.
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>>;
}

/// What this machine is set up to ask.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

#[async_trait]
impl Resolve for SystemResolver {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        // With a dot at its end the name is taken as it is, and no local domain is put after it.
        let name = if name.contains('.') { format!("{name}.") } else { name.to_owned() };
        Ok(tokio::net::lookup_host((name, 0)).await?.map(|address| address.ip()).collect())
    }
}
