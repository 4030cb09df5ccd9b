//! The worker daemon. What it does is the library's; here are the command line, the exit codes and the signals.
//!
//! Exit codes: 0 stopped in order, 1 could not start or the task did not succeed, 2 wrong configuration or usage,
//! 70 its runtime was stuck.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};
use titan_core::config::{Config, DEFAULT_FILTER};
use titan_core::daemon::ShutdownSignals;
use titan_core::documents::DocumentFormat;
use titan_core::{Error, daemon, db};
use titan_worker::extract::process;
use titan_worker::run_task::{Ended, run_task};
use titan_worker::{Registry, Worker, handlers, watchdog};
use uuid::Uuid;

/// How long a database that is not there yet is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// Threads that allocate much do it faster than with the system's allocator, and give back what they no longer need.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[derive(Parser)]
#[command(
    name = "titan-worker",
    version,
    about = "Claims Titan's jobs and carries them out; configured by the environment"
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Work until told to stop (the default)
    Run,
    /// Execute one task, print its answer and leave
    RunTask {
        /// The id of the task
        id: Uuid,
    },
    /// Read a file from the standard input and answer its text as JSON: what a worker does with documents, in a process of
    /// their own
    #[command(hide = true)]
    Extract {
        /// `text`, `markdown`, `html`, `csv`, `pdf` or `docx`
        format: DocumentFormat,
    },
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some(Command::Extract { format }) = arguments.command {
        return process::main(format);
    }
    let config = match Config::from_env() {
        Ok(config) => config,
        Err(error) => return refuse(&error.to_string(), daemon::EXIT_CONFIG),
    };
    let handlers = match handlers::all(&config) {
        Ok(handlers) => handlers,
        Err(error) => return refuse(&format!("{error:#}"), daemon::EXIT_CONFIG),
    };
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return refuse(&format!("no threads to work with: {error}"), 1),
    };
    if let Err(error) = watchdog::start(runtime.handle().clone()) {
        return refuse(&format!("no thread for the watchdog: {error}"), 1);
    }
    let done = match arguments.command.unwrap_or(Command::Run) {
        Command::Run => runtime.block_on(run(&config, handlers)),
        Command::RunTask { id } => runtime.block_on(once(&config, handlers, id)),
        // Done above, without what a daemon needs.
        Command::Extract { .. } => Ok(ExitCode::SUCCESS),
    };
    // A thread that waits for a database that is away is not waited for.
    runtime.shutdown_timeout(Duration::from_secs(1));
    match done {
        Ok(code) => code,
        Err(error) => refuse(&format!("{error:#}"), 1),
    }
}

async fn run(config: &Config, handlers: Registry) -> anyhow::Result<ExitCode> {
    daemon::start_logging(&config.log);
    prepare(config).await?;
    // Before anything is claimed: from here on a signal means an orderly end.
    let mut signals = ShutdownSignals::listen()?;
    let worker = Worker::start(config, handlers).await?;
    tracing::info!("titan-worker ready");
    let signal = signals.next().await;
    tracing::info!(signal, "stopping; a second signal ends it at once");
    tokio::select! {
        () = worker.stop(config.grace) => Ok(ExitCode::SUCCESS),
        again = signals.next() => {
            tracing::warn!(signal = again, "ended at once; what was running is rescued when the lease ends");
            Ok(ExitCode::FAILURE)
        }
    }
}

async fn once(config: &Config, handlers: Registry, id: Uuid) -> anyhow::Result<ExitCode> {
    // Standard output is for the answer, so only what is wrong is logged unless somebody asks for more.
    let mut log = config.log.clone();
    if log.filter == DEFAULT_FILTER {
        "warn".clone_into(&mut log.filter);
    }
    daemon::start_logging(&log);
    prepare(config).await?;
    let stop = async {
        // Without signals it cannot be told to stop, which is no reason not to do it.
        match ShutdownSignals::listen() {
            Ok(mut signals) => drop(signals.next().await),
            Err(_) => std::future::pending().await,
        }
    };
    let Some(ended) = run_task(config, handlers, id, stop).await? else {
        anyhow::bail!("told to stop; the task goes on when a worker is there");
    };
    match ended {
        Ended::Completed(answer) => {
            writeln!(std::io::stdout(), "{}", answer.as_deref().unwrap_or("completed"))?;
            Ok(ExitCode::SUCCESS)
        }
        Ended::Failed(why) => anyhow::bail!("the task failed: {why}"),
        Ended::Canceled => anyhow::bail!("the task was canceled"),
    }
}

/// Waits a little for the database, and brings its schema up to date.
async fn prepare(config: &Config) -> anyhow::Result<()> {
    let pool = db::Db::of(config, 1)?;
    let give_up = Instant::now() + PATIENCE;
    let applied = loop {
        let pool = pool.clone();
        match tokio::task::spawn_blocking(move || db::migrate(&mut pool.dedicated()?)).await? {
            Ok(applied) => break applied,
            Err(Error::Unavailable(_)) if Instant::now() < give_up => {
                tokio::time::sleep(Duration::from_millis(200)).await
            }
            Err(Error::Unavailable(why)) => anyhow::bail!("cannot reach the database of DATABASE_URL: {why}"),
            Err(error) => return Err(error.into()),
        }
    };
    if !applied.is_empty() {
        tracing::info!(migrations = applied.join(", "), "brought the database's schema up to date");
    }
    Ok(())
}

fn refuse(why: &str, code: i32) -> ExitCode {
    eprintln!("titan-worker: {why}");
    ExitCode::from(u8::try_from(code).unwrap_or(1))
}
