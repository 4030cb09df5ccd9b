//! What a process counts since it started. Workers publish it with their heartbeats, the API on `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

static METER: Meter = Meter::new();

macro_rules! meter {
    ($($(#[$doc:meta])* $name:ident),+ $(,)?) => {
        /// The counters of this process.
        #[derive(Debug)]
        pub struct Meter { $($(#[$doc])* pub $name: Counter),+ }

        /// All counters at one moment.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
        #[serde(default)]
        pub struct Snapshot { $($(#[$doc])* pub $name: u64),+ }

        impl Meter {
            const fn new() -> Self { Meter { $($name: Counter(AtomicU64::new(0))),+ } }

            #[must_use]
            pub fn snapshot(&self) -> Snapshot { Snapshot { $($name: self.$name.get()),+ } }
        }
    };
}

meter! {
    /// Claim statements.
    claims,
    /// Jobs that were claimed.
    claimed,
    /// Transactions of the committer.
    flushes,
    /// Transitions in them.
    flushed,
    /// Microseconds that they took.
    flush_us,
    /// Batches that the database refused as a whole.
    refused,
    /// Writes that were refused because the job was lost.
    fenced,
    /// Jobs begun.
    started,
    /// Jobs finished, whatever the outcome.
    finished,
    /// Jobs that failed for good.
    failed,
    /// Attempts that failed and are tried again.
    retried,
    /// Jobs canceled.
    canceled,
    /// Jobs that this process took from workers that were lost.
    rescued,
    /// Times that somebody took a connection from the pool.
    pool_waits,
    /// Microseconds that it took.
    pool_wait_us,
}

impl Meter {
    #[must_use]
    pub fn get() -> &'static Self {
        &METER
    }
}

/// A number that only grows.
#[derive(Debug)]
pub struct Counter(AtomicU64);

impl Counter {
    pub fn one(&self) {
        self.add(1);
    }

    pub fn add(&self, count: usize) {
        self.0.fetch_add(count as u64, Relaxed);
    }

    pub fn time(&self, duration: Duration) {
        self.0.fetch_add(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX), Relaxed);
    }

    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Relaxed)
    }
}
