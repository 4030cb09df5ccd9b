//! What both daemons do alike: log, refuse to start in one line, and notice that they should stop.

use tracing_subscriber::EnvFilter;

use crate::config::{DEFAULT_FILTER, LogFormat, LogSettings};
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The exit code for a wrong configuration, as of `sysexits` and most tools: nothing was tried.
pub const EXIT_CONFIG: i32 = 2;

/// Starts logging to standard output. A filter that cannot be read falls back to the default and says so.
pub fn start_logging(settings: &LogSettings) {
    let (filter, bad) = match EnvFilter::try_new(&settings.filter) {
        Ok(filter) => (filter, None),
        Err(error) => (EnvFilter::new(DEFAULT_FILTER), Some(error)),
    };
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_target(false);
    // Only the first call of a process counts; tests may call it again.
    let _ = match settings.format {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    if let Some(error) = bad {
        tracing::warn!(%error, "RUST_LOG cannot be read; using the default");
    }
}

/// The name of this machine, as far as it tells.
#[must_use]
pub fn host_name() -> String {
    std::fs::read_to_string("/proc/sys/kernel/hostname")
        .ok()
        .map(|name| name.trim().to_owned())
        .filter(|name| !name.is_empty())
        .unwrap_or_else(|| "localhost".to_owned())
}

/// The wishes that the process should stop: SIGTERM, SIGINT. None that comes between two looks is lost.
#[derive(Debug)]
pub struct ShutdownSignals {
    terminate: Signal,
    interrupt: Signal,
}

impl ShutdownSignals {
    /// From here on a signal ends nothing by itself. To be called on a tokio runtime.
    ///
    /// # Errors
    /// When the operating system refuses the signal handlers.
    pub fn listen() -> std::io::Result<Self> {
        Ok(ShutdownSignals { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    /// The next one.
    pub async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        }
    }
}

/// The commit that was built, or what the configuration says it is.
#[must_use]
pub fn commit(configured: Option<&str>) -> String {
    configured.or(option_env!("TITAN_COMMIT")).unwrap_or("unknown").to_owned()
}
