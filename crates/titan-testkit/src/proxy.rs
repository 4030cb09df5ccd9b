//! A proxy in front of Postgres that can cut a connection at its COMMIT, and stop forwarding as if the cable were pulled.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use url::Url;

/// How often a connection that is held looks whether it may go on.
const LOOK: Duration = Duration::from_millis(5);

/// Where a connection is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The COMMIT reaches the server, its answer is lost.
    After,
    /// The COMMIT is lost before it reaches the server.
    Before,
}

/// Serves until the process ends; its threads are few and wait.
pub struct Proxy {
    /// The server's address by way of this proxy.
    pub url: SecretString,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    /// What is to happen, after so many COMMITs that pass.
    cut: Mutex<Option<(Cut, usize)>>,
    cuts: AtomicUsize,
    /// The next cut is also the moment from which nothing passes.
    hold_then: AtomicBool,
    held: AtomicBool,
}

impl Proxy {
    /// # Panics
    /// When there is no port to be had.
    #[must_use]
    pub fn before(url: &SecretString) -> Self {
        let mut url = Url::parse(url.expose_secret()).expect("a URL");
        let server = (url.host_str().expect("a host").to_owned(), url.port().unwrap_or(5432));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        url.set_host(Some("127.0.0.1")).expect("a URL with a host");
        url.set_port(Some(listener.local_addr().expect("an address").port())).expect("a URL with a port");
        let shared = Arc::new(Shared::default());
        let proxy = Proxy { url: SecretString::from(String::from(url)), shared: Arc::clone(&shared) };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is away refuses; so does the proxy then.
                let Ok(server) = TcpStream::connect((server.0.as_str(), server.1)) else { continue };
                let _ = (client.set_nodelay(true), server.set_nodelay(true));
                let (Ok(client_too), Ok(server_too)) = (client.try_clone(), server.try_clone()) else { continue };
                let (there, back) = (Arc::clone(&shared), Arc::clone(&shared));
                std::thread::spawn(move || forward(client, server, &there, true));
                std::thread::spawn(move || forward(server_too, client_too, &back, false));
            }
        });
        proxy
    }

    /// Cuts the connection of a COMMIT that comes, after letting so many others pass.
    pub fn cut(&self, cut: Cut, passing: usize) {
        *self.shared.cut.lock().unwrap_or_else(PoisonError::into_inner) = Some((cut, passing));
    }

    /// The same, and from that moment on nothing passes.
    pub fn cut_and_hold(&self, cut: Cut) {
        self.shared.hold_then.store(true, Ordering::SeqCst);
        self.cut(cut, 0);
    }

    /// How many have been cut.
    #[must_use]
    pub fn cuts(&self) -> usize {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// From now on nothing passes, in either direction, and nobody is told.
    pub fn hold(&self) {
        self.shared.held.store(true, Ordering::SeqCst);
    }

    /// What was held goes on its way.
    pub fn release(&self) {
        self.shared.held.store(false, Ordering::SeqCst);
    }
}

impl Shared {
    /// Whether these bytes of a client are the ones at which its connection is to be cut.
    fn due(&self, bytes: &[u8]) -> Option<Cut> {
        if !bytes.windows(6).any(|window| window == b"COMMIT") {
            return None;
        }
        let mut waiting = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *waiting {
            Some((_, passing)) if *passing > 0 => {
                *passing -= 1;
                None
            }
            _ => waiting.take().map(|(cut, _)| cut),
        }
    }

    fn wait_while_held(&self) {
        while self.held.load(Ordering::SeqCst) {
            std::thread::sleep(LOOK);
        }
    }
}

fn forward(mut from: TcpStream, mut to: TcpStream, shared: &Shared, from_client: bool) {
    let mut buffer = [0; 65536];
    while let Ok(n) = from.read(&mut buffer) {
        // The end of a connection is not told either while the cable is out.
        shared.wait_while_held();
        if n == 0 {
            break;
        }
        let bytes = buffer.get(..n).unwrap_or_default();
        let cut = if from_client { shared.due(bytes) } else { None };
        if let Some(cut) = cut {
            shared.held.fetch_or(shared.hold_then.swap(false, Ordering::SeqCst), Ordering::SeqCst);
            // Both ways at once: if the server gets the COMMIT, the client gets no answer.
            let _ = from.shutdown(Shutdown::Both);
            if cut == Cut::After {
                let _ = to.write_all(bytes);
            }
            shared.cuts.fetch_add(1, Ordering::SeqCst);
            // The server is told no sooner than anything else.
            shared.wait_while_held();
            if cut == Cut::After {
                return;
            }
            break;
        }
        if to.write_all(bytes).is_err() {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}
