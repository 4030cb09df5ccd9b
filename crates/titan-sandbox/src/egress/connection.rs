//! One request through the proxy: read, decided, connected, copied. Every wait has an end but the copying, which ends with the
//! run.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::Way;
use super::head::{self, Head, Kind};
use super::rule::{Rule, Target};
use crate::outcome::Event;

/// For the head of a request, for an answer to a name, for a connection: each.
const PATIENCE: Duration = Duration::from_secs(10);
/// How many addresses of a name are tried.
const MAX_ADDRESSES: usize = 4;
/// How many refusals of one run are told; whoever is refused more often is refused the same.
const MAX_TOLD: u32 = 1000;

/// What is allowed, how it is reached, and who hears of refusals.
pub(super) struct Policy {
    rules: Vec<Rule>,
    way: Way,
    events: mpsc::Sender<Event>,
    told: AtomicU32,
}

/// Why there is no connection, with the status that says so.
struct Refusal {
    status: &'static str,
    reason: String,
    /// Whether the caller hears of it: what was not allowed, not what did not work.
    is_told: bool,
}

impl Refusal {
    fn forbidden(reason: impl Into<String>) -> Self {
        Self { status: "403 Forbidden", reason: reason.into(), is_told: true }
    }

    fn failed(reason: impl Into<String>) -> Self {
        Self { status: "502 Bad Gateway", reason: reason.into(), is_told: false }
    }
}

/// A connection, and what the other side said on it before anybody asked.
struct Opened {
    server: TcpStream,
    early: Vec<u8>,
}

pub(super) async fn serve(mut client: UnixStream, policy: Arc<Policy>) {
    // What fails between two machines is theirs to notice; here is nobody to tell.
    let _ = policy.handle(&mut client).await;
}

impl Policy {
    pub(super) fn new(rules: Vec<Rule>, way: Way, events: mpsc::Sender<Event>) -> Self {
        Self { rules, way, events, told: AtomicU32::new(0) }
    }

    async fn handle(&self, client: &mut UnixStream) -> io::Result<()> {
        let read = match timeout(PATIENCE, head::read(client)).await {
            Ok(Ok(Some(read))) => read,
            Ok(Ok(None)) => return Ok(()),
            Ok(Err(error)) => return refuse(client, "400 Bad Request", &error.to_string()).await,
            Err(_) => return refuse(client, "408 Request Timeout", "the head of the request did not come").await,
        };
        let (bytes, rest) = read;
        let head = match head::parse(&bytes) {
            Ok(head) => head,
            Err(reason) => {
                self.tell("?", &reason).await;
                return refuse(client, "400 Bad Request", &reason).await;
            }
        };
        let Opened { mut server, early } = match self.open(&head).await {
            Ok(opened) => opened,
            Err(refusal) => {
                if refusal.is_told {
                    self.tell(&format!("{}:{}", host(&head), head.port), &refusal.reason).await;
                }
                return refuse(client, refusal.status, &refusal.reason).await;
            }
        };
        match &head.kind {
            Kind::Tunnel => {
                client.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").await?;
                client.write_all(&early).await?;
            }
            Kind::Plain { origin, absolute } => {
                let upstream = self.way.upstream.as_ref();
                server.write_all(if upstream.is_some() { absolute } else { origin }).await?;
                if let Some(authorization) = upstream.and_then(|upstream| upstream.authorization()) {
                    server.write_all(format!("Proxy-Authorization: {authorization}\r\n").as_bytes()).await?;
                }
                server.write_all(b"\r\n").await?;
            }
        }
        server.write_all(&rest).await?;
        copy_bidirectional(client, &mut server).await?;
        Ok(())
    }

    async fn open(&self, head: &Head) -> Result<Opened, Refusal> {
        if !self.rules.iter().any(|rule| rule.allows(&head.target, head.port)) {
            return Err(Refusal::forbidden("it is not among the allowed targets"));
        }
        match (&self.way.upstream, &head.target) {
            (Some(_), _) => self.through_upstream(head).await,
            // A rule names this very address.
            (None, Target::Address(address)) => connect(&[*address], head.port).await,
            (None, Target::Name(name)) => {
                let found = timeout(PATIENCE, self.way.resolver.resolve(name)).await;
                let found = found.map_err(|_| Refusal::failed(format!("no answer about {name} in time")))?;
                let addresses = found.map_err(|error| Refusal::failed(format!("{name} is not known: {error}")))?;
                // One that does not belong spoils all: an honest name has no such address.
                if let Some(inner) = addresses.iter().find(|address| !self.way.may_lead_to(**address)) {
                    return Err(Refusal::forbidden(format!(
                        "{name} leads to {inner}, which is not on the public internet"
                    )));
                }
                connect(&addresses, head.port).await
            }
        }
    }

    async fn through_upstream(&self, head: &Head) -> Result<Opened, Refusal> {
        let Some(upstream) = &self.way.upstream else { return Err(Refusal::failed("there is no way out")) };
        let talk = async {
            let mut server = upstream.connect().await?;
            if head.kind != Kind::Tunnel {
                return Ok(Opened { server, early: Vec::new() });
            }
            let mut request = format!("CONNECT {0} HTTP/1.1\r\nHost: {0}\r\n", head.authority);
            if let Some(authorization) = upstream.authorization() {
                request.push_str(&format!("Proxy-Authorization: {authorization}\r\n"));
            }
            request.push_str("\r\n");
            server.write_all(request.as_bytes()).await?;
            let Some((answer, early)) = head::read(&mut server).await? else {
                return Err(io::Error::other("it closed the connection"));
            };
            let accepted = answer.starts_with(b"HTTP/1.") && answer.get(8..12).is_some_and(|status| status == b" 200");
            if accepted { Ok(Opened { server, early }) } else { Err(io::Error::other("it does not connect there")) }
        };
        let connected =
            timeout(PATIENCE, talk).await.map_err(|_| Refusal::failed("the proxy outside does not answer"))?;
        connected.map_err(|error| Refusal::failed(format!("the proxy outside: {error}")))
    }

    async fn tell(&self, target: &str, reason: &str) {
        if self.told.fetch_add(1, Ordering::Relaxed) < MAX_TOLD {
            let event = Event::Refused { target: target.to_owned(), reason: reason.to_owned() };
            // Who does not listen in time misses it; the client still gets its answer.
            let _ = timeout(PATIENCE, self.events.send(event)).await;
        }
    }
}

/// To one of these very addresses.
async fn connect(addresses: &[IpAddr], port: u16) -> Result<Opened, Refusal> {
    let mut last = Refusal::failed("it has no address");
    for address in addresses.iter().take(MAX_ADDRESSES) {
        match timeout(PATIENCE, TcpStream::connect(SocketAddr::new(*address, port))).await {
            Ok(Ok(server)) => return Ok(Opened { server, early: Vec::new() }),
            Ok(Err(error)) => last = Refusal::failed(format!("no connection: {error}")),
            Err(_) => last = Refusal::failed("no connection in time"),
        }
    }
    Err(last)
}

async fn refuse(client: &mut UnixStream, status: &str, reason: &str) -> io::Result<()> {
    let body = format!("refused by the sandbox: {reason}\n");
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
    );
    client.write_all(format!("{head}{body}").as_bytes()).await?;
    client.shutdown().await
}

fn host(head: &Head) -> String {
    match &head.target {
        Target::Name(name) => name.clone(),
        Target::Address(IpAddr::V4(address)) => address.to_string(),
        Target::Address(IpAddr::V6(address)) => format!("[{address}]"),
    }
}
