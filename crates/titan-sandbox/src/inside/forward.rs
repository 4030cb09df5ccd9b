//! From a port on the loopback inside to the socket of the egress proxy outside. Programs know proxies by host and port only, and
//! inside of a network namespace of its own there is nothing but what is started there; so the stage listens. It copies bytes and
//! decides nothing: what is allowed is decided outside, where the command cannot reach.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Connections at one time; one more is closed at once, which its client reads as a failure of the proxy.
const MAX_CONNECTIONS: usize = 64;
/// Two threads copy for each connection, one waits for the next.
pub(super) const MAX_THREADS: u64 = 2 * MAX_CONNECTIONS as u64 + 1;
/// A thread that copies needs little.
const STACK: usize = 128 * 1024;

/// Begins to listen, and says on which port.
pub(super) fn listen(egress: &Path) -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let egress = egress.to_owned();
    thread::Builder::new().name("forward".into()).stack_size(STACK).spawn(move || accept(&listener, &egress))?;
    Ok(port)
}

fn accept(listener: &TcpListener, egress: &Path) {
    let open = Arc::new(AtomicUsize::new(0));
    for connection in listener.incoming() {
        let Ok(client) = connection else {
            // Out of files: the next one may find some again.
            thread::sleep(std::time::Duration::from_millis(20));
            continue;
        };
        if open.fetch_add(1, Ordering::Relaxed) >= MAX_CONNECTIONS {
            open.fetch_sub(1, Ordering::Relaxed);
            continue;
        }
        let (egress, count) = (PathBuf::from(egress), open.clone());
        let thread = thread::Builder::new().name("connection".into()).stack_size(STACK).spawn(move || {
            let _ = connect(client, &egress);
            count.fetch_sub(1, Ordering::Relaxed);
        });
        if thread.is_err() {
            open.fetch_sub(1, Ordering::Relaxed);
        }
    }
}

fn connect(client: TcpStream, egress: &Path) -> io::Result<()> {
    let proxy = UnixStream::connect(egress)?;
    let (mut from_client, mut to_proxy) = (client.try_clone()?, proxy.try_clone()?);
    let up = thread::Builder::new().name("up".into()).stack_size(STACK).spawn(move || {
        copy(&mut from_client, &mut to_proxy);
        let _ = to_proxy.shutdown(Shutdown::Write);
    })?;
    copy(&mut &proxy, &mut &client);
    let _ = client.shutdown(Shutdown::Write);
    let _ = up.join();
    Ok(())
}

/// Until one side ends; how it ends makes no difference to the other.
fn copy(from: &mut impl Read, to: &mut impl Write) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(length @ 1..) = from.read(&mut buffer) else { return };
        if buffer.get(..length).is_none_or(|bytes| to.write_all(bytes).is_err()) {
            return;
        }
    }
}
