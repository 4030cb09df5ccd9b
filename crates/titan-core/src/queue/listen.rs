//! The receiving side of hints: one LISTEN connection per process that reconnects by itself and pings itself.
//!
//! Who subscribes does so before it queries, so that nothing falls between. Under a transaction pooler, or with LISTEN
//! switched off, nothing is ever heard and polling is all there is.

use std::time::Duration;

use futures_util::stream::StreamExt as _;
use secrecy::{ExposeSecret, SecretString};
use tokio::sync::broadcast;
use tokio_postgres::{AsyncMessage, NoTls};

use super::Hint;
use crate::{Error, Result};

/// Hints that a slow subscriber may be behind before it misses some and is told so.
const BUFFER: usize = 1024;
const PING: Duration = Duration::from_secs(10);
const PATIENCE: Duration = Duration::from_secs(5);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// What a subscriber hears.
#[derive(Debug, Clone)]
pub enum Heard {
    Hints(std::sync::Arc<Vec<Hint>>),
    /// The connection stands (again); hints before this moment may have been missed.
    Connected,
    /// The connection is gone.
    Lost,
}

/// A handle on the listening task; the task ends with the last handle.
#[derive(Clone)]
pub struct Listener {
    heard: broadcast::Sender<Heard>,
    _task: Option<std::sync::Arc<AbortOnDrop>>,
}

struct AbortOnDrop(tokio::task::JoinHandle<()>);

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Listener {
    /// Starts listening, and goes on trying when the database is away.
    #[must_use]
    pub fn start(url: &SecretString) -> Self {
        let (heard, _) = broadcast::channel(BUFFER);
        let task = tokio::spawn(listen_for_ever(url.clone(), heard.clone()));
        Listener { heard, _task: Some(std::sync::Arc::new(AbortOnDrop(task))) }
    }

    /// A listener that never hears anything, for polling only.
    #[must_use]
    pub fn deaf() -> Self {
        Listener { heard: broadcast::channel(1).0, _task: None }
    }

    #[must_use]
    pub fn subscribe(&self) -> broadcast::Receiver<Heard> {
        self.heard.subscribe()
    }
}

async fn listen_for_ever(url: SecretString, heard: broadcast::Sender<Heard>) {
    let mut pause = Duration::from_millis(100);
    let mut told = false;
    loop {
        let was_connected = match listen(&url, &heard).await {
            Ok(()) => true,
            Err((connected, error)) => {
                // Once per outage: the poll goes on, and the log stays readable.
                if !told {
                    tracing::warn!(%error, "no LISTEN connection; polling until it is back");
                    told = true;
                }
                connected
            }
        };
        let _ = heard.send(Heard::Lost);
        if was_connected {
            pause = Duration::from_millis(100);
            told = false;
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Listens until the connection ends. The flag says whether it ever stood.
async fn listen(url: &SecretString, heard: &broadcast::Sender<Heard>) -> std::result::Result<(), (bool, Error)> {
    let early = |error: tokio_postgres::Error| (false, failed(&error));
    let connect = tokio_postgres::connect(url.expose_secret(), NoTls);
    let (client, mut connection) = match tokio::time::timeout(PATIENCE, connect).await {
        Ok(connected) => connected.map_err(early)?,
        Err(_) => return Err((false, Error::Unavailable("connecting took too long".to_owned()))),
    };
    let (messages, mut inbox) = tokio::sync::mpsc::channel(BUFFER);
    let pump = async move {
        let mut stream = futures_util::stream::poll_fn(move |context| connection.poll_message(context));
        while let Some(message) = stream.next().await {
            match message {
                Ok(AsyncMessage::Notification(note)) => {
                    if messages.send(note.payload().to_owned()).await.is_err() {
                        break;
                    }
                }
                Ok(_) => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        Ok(())
    };
    let talk = async {
        let listen = "SELECT set_config('application_name', 'titan-listen', false); \
                      DO $$ BEGIN EXECUTE format('LISTEN %I', 'titan_' || current_schema()); END $$";
        patient(client.batch_execute(listen)).await?;
        let _ = heard.send(Heard::Connected);
        let mut ping = tokio::time::interval(PING);
        loop {
            tokio::select! {
                payload = inbox.recv() => match payload {
                    Some(payload) => match serde_json::from_str::<Vec<Hint>>(&payload) {
                        Ok(hints) => { let _ = heard.send(Heard::Hints(std::sync::Arc::new(hints))); }
                        // Another version of Titan may say things that this one does not know.
                        Err(error) => tracing::debug!(%error, "a hint that cannot be read"),
                    },
                    None => return Ok::<(), Error>(()),
                },
                _ = ping.tick() => patient(client.batch_execute("SELECT 1")).await?,
            }
        }
    };
    tokio::select! {
        ended = pump => ended.map_err(|error| (true, error)),
        ended = talk => ended.map_err(|error| (true, error)),
    }
}

/// A query on the listening connection, with an end.
async fn patient(query: impl Future<Output = std::result::Result<(), tokio_postgres::Error>>) -> Result<()> {
    match tokio::time::timeout(PATIENCE, query).await {
        Ok(done) => done.map_err(|error| failed(&error)),
        Err(_) => Err(Error::Unavailable("Postgres did not answer a ping".to_owned())),
    }
}

fn failed(error: &tokio_postgres::Error) -> Error {
    Error::Unavailable(crate::error::one_line(&error.to_string()))
}
