//! The one way into a sandbox: connections to a port of the caller are led to a port inside. Nobody outside can connect into the
//! namespace, so the stage holds connections ready at a socket of the run, the gate, and each client gets one of them.
//!
//! The command can connect to the gate as well; then it is led to itself by whoever comes next, which is what it could do anyway.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream, UnixListener};
use tokio::sync::{Mutex, Semaphore};
use tokio::task::JoinSet;
use tokio::time::timeout;
use tokio_util::task::AbortOnDropHandle;

use crate::command::Inbound;
use crate::private;

/// Clients at one time; the next one waits.
pub(crate) const MAX_CLIENTS: usize = 64;
/// A client waits so long for the stage.
const PATIENCE: Duration = Duration::from_secs(10);
const PAUSE: Duration = Duration::from_millis(50);

/// A way in for one run. It ends, with its connections, when this is dropped.
pub(crate) struct Gate {
    _task: AbortOnDropHandle<()>,
}

impl Gate {
    pub(crate) fn start(path: &Path, owner: Option<(u32, u32)>, inbound: &Inbound) -> io::Result<Self> {
        let gate = Arc::new(Mutex::new(private::listen(path, owner)?));
        let clients = inbound.listener.try_clone()?;
        clients.set_nonblocking(true)?;
        let clients = TcpListener::from_std(clients)?;
        Ok(Self { _task: AbortOnDropHandle::new(tokio::spawn(serve(clients, gate))) })
    }
}

async fn serve(clients: TcpListener, gate: Arc<Mutex<UnixListener>>) {
    let places = Arc::new(Semaphore::new(MAX_CLIENTS));
    let mut open = JoinSet::new();
    loop {
        let Ok(place) = Arc::clone(&places).acquire_owned().await else { return };
        tokio::select! {
            accepted = clients.accept() => match accepted {
                Ok((client, _)) => {
                    let gate = Arc::clone(&gate);
                    open.spawn(async move {
                        let _place = place;
                        lead_in(client, &gate).await;
                    });
                }
                // Out of files: one that ends gives some back.
                Err(_) => tokio::time::sleep(PAUSE).await,
            },
            Some(_) = open.join_next(), if !open.is_empty() => {}
        }
    }
}

/// A client that nothing inside answers finds its connection closed.
async fn lead_in(mut client: TcpStream, gate: &Mutex<UnixListener>) {
    let ready = async {
        loop {
            let Ok((mut inside, _)) = gate.lock().await.accept().await else { continue };
            // One that has gone since is followed by another.
            if inside.write_all(&[1]).await.is_ok() {
                return inside;
            }
        }
    };
    let Ok(mut inside) = timeout(PATIENCE, ready).await else { return };
    let _ = copy_bidirectional(&mut client, &mut inside).await;
}
