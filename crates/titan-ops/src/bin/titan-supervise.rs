//! `titan-supervise`: keeps the daemons of one side of the local deploy target running. `docs/OPS-CANARY.md`
//! tells what it reads and writes.
//!
//! A program of its own, and no subcommand of a daemon: it outlives the worker that starts it, runs through the replacement of both
//! daemons, and must not be part of the release that it may have to take back.
//!
//! Exit codes: 0 started, or stopped in order, 1 anything else, 2 wrong usage.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use clap::{Parser, Subcommand};
use titan_core::config::{DEFAULT_FILTER, LogFormat, LogSettings};
use titan_core::daemon::{ShutdownSignals, start_logging};
use titan_ops::target::local::{Folder, Local, Settings, SideSettings, read_environment, run, stops_within};
use titan_ops::target::{DeploymentState, Order, Release, Side, Target as _};

/// How often, and how long apart, the lock is tried before it counts as a supervisor's.
const LOOKS: u32 = 10;
const LOOK: Duration = Duration::from_millis(20);
/// What a first deployment gets: the database may have to be brought up to date.
const READY_WITHIN: Duration = Duration::from_secs(120);
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
    /// Bring programs up as production, the first time; later releases are rolled out by Titan
    Deploy {
        /// The folder of the target, as in TITAN_OPS_LOCAL_DIR
        #[arg(long)]
        dir: PathBuf,
        /// The commit that the programs were built of
        #[arg(long)]
        commit: String,
        /// The folder with titan-api and titan-worker
        #[arg(long)]
        programs: PathBuf,
        /// A file with the daemons' variables, as in TITAN_OPS_LOCAL_ENV
        #[arg(long)]
        env: PathBuf,
        /// Where the API listens, as in TITAN_OPS_LOCAL_BIND; a free port when it is not given
        #[arg(long)]
        bind: Option<SocketAddr>,
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
        What::Deploy { dir, commit, programs, env, bind } => deploy(dir, commit, programs, &env, bind),
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

/// Deploys as Titan does, and waits until it answers.
fn deploy(
    dir: PathBuf,
    commit: String,
    programs: PathBuf,
    env: &Path,
    bind: Option<SocketAddr>,
) -> std::io::Result<()> {
    let environment = read_environment(env).map_err(std::io::Error::other)?;
    let grace = stops_within(&environment).map_err(std::io::Error::other)?;
    let target = Local::new(Settings {
        folder: std::path::absolute(dir)?,
        supervisor: std::env::current_exe()?,
        production: SideSettings { bind, environment },
        canary: SideSettings::default(),
        ready_within: READY_WITHIN,
        grace,
    });
    let target = target.map_err(std::io::Error::other)?;
    let key = format!("production-{}", uuid::Uuid::now_v7().simple());
    let release = Release { commit, folder: Some(programs) };
    let order = Order { side: Side::Production, release, key: key.clone(), asked_at: chrono::Utc::now() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let mut deployment = target.deploy(&order).await.map_err(std::io::Error::other)?;
        // The supervisor itself gives up when it is not ready in time.
        while deployment.state == DeploymentState::UnderWay {
            tokio::time::sleep(LOOK).await;
            deployment = target.stand(Side::Production, &key).await.map_err(std::io::Error::other)?;
        }
        if deployment.state == DeploymentState::Failed {
            return Err(std::io::Error::other(deployment.reason.unwrap_or_else(|| "it does not come up".to_owned())));
        }
        writeln!(std::io::stdout(), "{}", target.address(Side::Production).unwrap_or_default())
    })
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
