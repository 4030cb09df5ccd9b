//! `titan-supervise`: keeps the daemons of one side of the local deploy target running. `docs/OPS.md` tells what it reads and writes.
//!
//! A program of its own, and no subcommand of a daemon: it outlives the worker that starts it, runs through the replacement of both
//! daemons, and must not be part of the release that it may have to take back.
//!
//! Exit codes: 0 started, or stopped in order, 1 anything else, 2 wrong usage.

use std::fs::{File, OpenOptions};
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use clap::{Parser, Subcommand};
use titan_core::config::{DEFAULT_FILTER, LogFormat, LogSettings};
use titan_core::daemon::{ShutdownSignals, start_logging};
use titan_ops::target::local::{Folder, run};

/// How often, and how long apart, the lock is tried before it counts as a supervisor's.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(20);
/// Bytes of the supervisor's own log, beyond which it is begun anew with the next supervisor.
const MAX_LOG: u64 = 1 << 20;

#[derive(Parser)]
#[command(
    name = "titan-supervise",
    version,
    about = "Keeps the daemons of one side of the local deploy target running"
)]
struct Arguments {
    #[command(subcommand)]
    command: What,
}

#[derive(Subcommand)]
enum What {
    /// Supervise in the background, unless somebody does already, and leave
    Start {
        /// The folder of the side
        folder: PathBuf,
    },
    /// Supervise until told to stop, and stop the daemons then
    Run {
        /// Its lock is its standard input
        #[arg(long, hide = true)]
        locked: bool,
        /// The folder of the side
        folder: PathBuf,
    },
}

fn main() -> ExitCode {
    let done = match Arguments::parse().command {
        What::Start { folder } => start(&Folder::new(folder)),
        What::Run { folder, locked } => supervise(&Folder::new(folder), locked),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("titan-supervise: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Begins a process that nobody waits for: its parent, this one, is gone at once. The new one is given the lock with its standard input,
/// so that at no moment nobody holds it.
fn start(folder: &Folder) -> std::io::Result<()> {
    folder.make()?;
    let Some(lock) = lock(folder)? else { return Ok(()) };
    let path = folder.supervisor_log();
    let long = std::fs::metadata(&path).is_ok_and(|about| about.len() > MAX_LOG);
    let log = OpenOptions::new().create(true).append(!long).write(true).truncate(long).mode(0o600).open(path)?;
    Command::new(std::env::current_exe()?)
        .args(["run", "--locked"])
        .arg(folder.path())
        .stdin(lock)
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()?;
    Ok(())
}

/// Whoever looks whether the lock is free holds it for a moment, so that once is not enough.
fn lock(folder: &Folder) -> std::io::Result<Option<File>> {
    for _ in 0..LOOKS {
        if let Some(lock) = folder.lock()? {
            return Ok(Some(lock));
        }
        std::thread::sleep(LOOK);
    }
    Ok(None)
}

fn supervise(folder: &Folder, locked: bool) -> std::io::Result<()> {
    folder.make()?;
    let lock = if locked {
        // What it begins itself has another standard input.
        Some(File::from(std::io::stdin().as_fd().try_clone_to_owned()?))
    } else {
        lock(folder)?
    };
    let Some(lock) = lock else {
        eprintln!("titan-supervise: {} has a supervisor already", folder.path().display());
        return Ok(());
    };
    // Its own session: what ends the worker's group, or its terminal, does not end it. It leads one already when a service manager
    // has started it.
    let _ = rustix::process::setsid();
    start_logging(&LogSettings { filter: DEFAULT_FILTER.to_owned(), format: LogFormat::Text });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let done = runtime.block_on(async {
        let mut signals = ShutdownSignals::listen()?;
        run(folder, lock, async move {
            let signal = signals.next().await;
            tracing::info!(signal, "stopping");
        })
        .await
    });
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}
