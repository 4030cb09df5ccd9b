//! The sending side of hints: one thread and one connection per process, after commit, coalesced.
//!
//! The first hint goes out at once; what comes within the next [`GAP`] goes out together. NOTIFY takes a database-wide lock at commit, so one
//! call carries as much as fits.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use diesel::sql_types::Text;
use diesel::{PgConnection, RunQueryDsl, sql_query};

use super::Hint;
use crate::db::Db;
use crate::{Error, Result};

const GAP: Duration = Duration::from_millis(10);
/// Postgres takes payloads of less than 8000 bytes.
const MAX_PAYLOAD: usize = 7900;

/// A handle, cheap to clone; the thread ends when the last one is gone.
#[derive(Clone)]
pub struct Notifier(Sender<Vec<Hint>>);

impl Notifier {
    /// # Errors
    /// When the operating system refuses a thread.
    pub fn start(db: &Db) -> Result<Self> {
        let (sender, receiver) = channel();
        let db = db.clone();
        std::thread::Builder::new()
            .name("notifier".to_owned())
            .spawn(move || run(&db, &receiver))
            .map_err(|error| Error::Internal(format!("no thread for the notifier: {error}")))?;
        Ok(Notifier(sender))
    }

    /// Sends hints soon. They may be lost: that is what makes them hints.
    pub fn send(&self, hints: Vec<Hint>) {
        if !hints.is_empty() {
            let _ = self.0.send(hints);
        }
    }
}

fn run(db: &Db, receiver: &Receiver<Vec<Hint>>) {
    let mut connection: Option<PgConnection> = None;
    let mut last: Option<Instant> = None;
    while let Ok(mut hints) = receiver.recv() {
        let until = last.map(|last| last + GAP);
        // Within the gap the thread gathers; after it the first hint of a quiet time goes out at once.
        while let Some(left) = until.and_then(|until| until.checked_duration_since(Instant::now())) {
            match receiver.recv_timeout(left) {
                Ok(more) => hints.extend(more),
                Err(RecvTimeoutError::Timeout) => break,
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        while let Ok(more) = receiver.try_recv() {
            hints.extend(more);
        }
        last = Some(Instant::now());
        if let Err(error) = send(db, &mut connection, coalesce(hints)) {
            tracing::debug!(%error, "hints were not sent");
            connection = None;
        }
    }
}

fn send(db: &Db, connection: &mut Option<PgConnection>, hints: Vec<Hint>) -> Result<()> {
    if connection.is_none() {
        *connection = Some(db.dedicated()?);
    }
    let Some(connection) = connection.as_mut() else { return Ok(()) };
    for payload in payloads(&hints) {
        // A hint may be lost, so nobody waits for the disk because of one.
        let notify =
            "SELECT set_config('synchronous_commit', 'off', true), pg_notify('titan_' || current_schema(), $1)";
        let notify = sql_query(notify).bind::<Text, _>(payload);
        db.on(connection, |connection| Ok(notify.execute(connection)?))?;
    }
    Ok(())
}

/// Drops what a later hint says as well.
fn coalesce(hints: Vec<Hint>) -> Vec<Hint> {
    let mut kept: Vec<Hint> = Vec::with_capacity(hints.len());
    let mut index = std::collections::HashMap::new();
    for hint in hints {
        match index.entry(hint.subject()) {
            std::collections::hash_map::Entry::Occupied(at) => {
                let at: usize = *at.get();
                if let Some(slot) = kept.get_mut(at) {
                    *slot = hint;
                }
            }
            std::collections::hash_map::Entry::Vacant(free) => {
                free.insert(kept.len());
                kept.push(hint);
            }
        }
    }
    kept
}

/// JSON arrays of hints, each short enough.
fn payloads(hints: &[Hint]) -> Vec<String> {
    let mut payloads = Vec::new();
    let mut current = String::new();
    for hint in hints {
        let Ok(text) = serde_json::to_string(hint) else { continue };
        if !current.is_empty() && current.len() + text.len() + 2 > MAX_PAYLOAD {
            payloads.push(format!("[{current}]"));
            current.clear();
        }
        if !current.is_empty() {
            current.push(',');
        }
        current.push_str(&text);
    }
    if !current.is_empty() {
        payloads.push(format!("[{current}]"));
    }
    payloads
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn run(id: u128, seq: i64) -> Hint {
        Hint::Run { id: Uuid::from_u128(id), project_id: Uuid::nil(), seq, ended: false }
    }

    #[test]
    fn a_later_hint_on_the_same_subject_replaces_the_earlier_one() {
        let hints = vec![Hint::Jobs, run(1, 1), run(2, 5), run(1, 3), Hint::Jobs];
        assert_eq!(coalesce(hints), vec![Hint::Jobs, run(1, 3), run(2, 5)]);
    }

    #[test]
    fn payloads_are_short_enough_and_lose_nothing() {
        let hints: Vec<Hint> = (0..300).map(|n| run(n, 1)).collect();
        let payloads = payloads(&hints);
        assert!(payloads.len() > 1 && payloads.iter().all(|text| text.len() < 8000));
        let back: Vec<Hint> =
            payloads.iter().flat_map(|text| serde_json::from_str::<Vec<Hint>>(text).unwrap()).collect();
        assert_eq!(back, hints);
    }
}
