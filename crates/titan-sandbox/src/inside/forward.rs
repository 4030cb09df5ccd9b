//! Between the loopback inside and the caller's sockets. On the way out, from a port to the socket of the egress proxy: programs
//! know proxies by host and port only, and inside of a network namespace of its own there is nothing but what is started there; so
//! the stage listens. On the way in, from the caller's gate to the port of a server inside: the stage holds connections ready,
//! because nobody outside can connect into the namespace. It copies bytes and decides nothing: what is allowed is decided outside,
//! where the command cannot reach.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::ingress::MAX_CLIENTS;

/// Connections at one time; one more is closed at once, which its client reads as a failure of the proxy.
const MAX_CONNECTIONS: usize = 64;
/// Two threads copy for each connection, one waits for the next.
pub(super) const MAX_THREADS: u64 = 2 * MAX_CONNECTIONS as u64 + 1;
/// A thread that copies needs little.
const STACK: usize = 128 * 1024;
/// Connections to the server inside at one time, as many as there are places for clients outside.
const READY: usize = MAX_CLIENTS;
/// For each of them one thread that waits and copies, and one that copies back.
pub(super) const SERVING_THREADS: u64 = 2 * READY as u64;
const PAUSE: Duration = Duration::from_millis(20);

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
            thread::sleep(PAUSE);
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
    join(&client, &UnixStream::connect(egress)?)
}

/// Holds connections ready for the caller's gate, each to be led to this port when it is wanted.
pub(super) fn serve(gate: &Path, port: u16) -> io::Result<()> {
    for _ in 0..READY {
        let gate = gate.to_owned();
        let hold = move || {
            loop {
                // The caller is gone, or the server is not there: then the whole sandbox ends, or a client is told so by the end.
                if lead_in(&gate, port).is_err() {
                    thread::sleep(PAUSE);
                }
            }
        };
        thread::Builder::new().name("serve".into()).stack_size(STACK).spawn(hold)?;
    }
    Ok(())
}

fn lead_in(gate: &Path, port: u16) -> io::Result<()> {
    let outside = UnixStream::connect(gate)?;
    (&outside).read_exact(&mut [0])?;
    join(&TcpStream::connect((Ipv4Addr::LOCALHOST, port))?, &outside)
}

/// Copies both ways until both have ended.
fn join(inside: &TcpStream, outside: &UnixStream) -> io::Result<()> {
    let (mut from_inside, mut to_outside) = (inside.try_clone()?, outside.try_clone()?);
    let up = thread::Builder::new().name("up".into()).stack_size(STACK).spawn(move || {
        copy(&mut from_inside, &mut to_outside);
        let _ = to_outside.shutdown(Shutdown::Write);
    })?;
    copy(&mut &*outside, &mut &*inside);
    let _ = inside.shutdown(Shutdown::Write);
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
