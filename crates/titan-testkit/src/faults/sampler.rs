//! Looks ten times a second how many jobs a limit has let in: never more than it allows.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use titan_core::db;

use super::database::{Database, count};
use super::trial::LIMIT;

const EVERY: Duration = Duration::from_millis(100);

pub(crate) struct Sampler {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Sampled>,
}

#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Sampled {
    pub(crate) looks: u64,
    /// The most that were ready or running at once.
    pub(crate) most: i64,
}

impl Sampler {
    pub(crate) fn start(database: &Database) -> Self {
        let (stop, url) = (Arc::new(AtomicBool::new(false)), database.url.clone());
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut sampled = Sampled::default();
            while !told.load(Ordering::SeqCst) {
                // Its connection may be a victim too.
                let _ = look(&url, &told, &mut sampled);
                std::thread::sleep(EVERY);
            }
            sampled
        });
        Sampler { stop, thread }
    }

    pub(crate) fn stop(self) -> Sampled {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap_or_default()
    }
}

fn look(url: &SecretString, stop: &AtomicBool, sampled: &mut Sampled) -> anyhow::Result<()> {
    let mut connection = db::connect(url.expose_secret())?;
    let admitted = format!("SELECT count(*) FROM jobs WHERE limit_key = '{LIMIT}' AND state IN ('ready', 'running')");
    while !stop.load(Ordering::SeqCst) {
        sampled.most = sampled.most.max(count(&mut connection, &admitted)?);
        sampled.looks += 1;
        std::thread::sleep(EVERY);
    }
    Ok(())
}
