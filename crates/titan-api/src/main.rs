//! `titan-api`: starts the server, prints what it serves, or brings the schema up to date.
//!
//! What keeps it from doing so is said in one line on standard error, with exit code 2 for a wrong configuration and 1 for
//! anything else.

use std::io::Write as _;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use clap::{Parser, Subcommand};
use titan_api::{openapi, server, state};
use titan_core::config::{Auth, Config, ConfigError};
use titan_core::daemon::{self, ShutdownSignals};
use titan_core::db::{self, Db};

/// How long a database that is still starting is waited for.
const DATABASE_PATIENCE: Duration = Duration::from_secs(5);

/// Titan's API and dashboard.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the API and the dashboard; the same as no command.
    Serve,
    /// Print the OpenAPI document. Needs no database.
    Openapi,
    /// Bring the database to this version's schema.
    Migrate {
        /// Change nothing; name the migrations that are missing and exit with 1 when there are any.
        #[arg(long)]
        check: bool,
    },
}

#[tokio::main]
async fn main() {
    let done = match Arguments::parse().command.unwrap_or(Command::Serve) {
        Command::Serve => serve().await,
        Command::Openapi => say(&openapi::text()),
        Command::Migrate { check } => migrate(check),
    };
    if let Err(error) = done {
        let code = if error.is::<ConfigError>() { daemon::EXIT_CONFIG } else { 1 };
        let _ = writeln!(std::io::stderr(), "titan-api: {}", titan_core::error::one_line(&format!("{error:#}")));
        std::process::exit(code);
    }
}

async fn serve() -> anyhow::Result<()> {
    let config = Config::from_env()?;
    check(&config)?;
    daemon::start_logging(&config.log);
    // Each stream is an open file, and many systems begin with 1,024 of them.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
    let db = Db::of(&config, state::POOL)?;
    for name in tokio::task::block_in_place(|| with_patience(|| db::migrate(&mut db.dedicated()?)))? {
        tracing::info!(migration = name, "migration applied");
    }
    let bind = config.bind;
    let mut signals = ShutdownSignals::listen()?;
    let running = server::start(config, db, None).with_context(|| format!("cannot listen on {bind} (TITAN_BIND)"))?;
    tracing::info!(address = %running.address, "titan-api listening");
    let signal = signals.next().await;
    tracing::info!(signal, "titan-api stopping");
    running.stop(true).await?;
    tracing::info!("titan-api stopped");
    Ok(())
}

/// What can be read and yet must not be.
fn check(config: &Config) -> Result<(), ConfigError> {
    if config.auth == Auth::Required {
        let message =
            "required does not exist yet: nobody could sign in; leave it at local, which serves this machine only";
        return Err(ConfigError { variable: "TITAN_AUTH", message: message.to_owned() });
    }
    if !config.bind.ip().is_loopback() {
        let message = format!(
            "is {}, which other machines can reach, but TITAN_AUTH=local lets everybody do everything; use 127.0.0.1",
            config.bind
        );
        return Err(ConfigError { variable: "TITAN_BIND", message });
    }
    Ok(())
}

fn migrate(check: bool) -> anyhow::Result<()> {
    let db = Db::of(&Config::from_env()?, 1)?;
    if check {
        let missing = with_patience(|| db.on(&mut db.dedicated()?, db::pending))?;
        anyhow::ensure!(missing.is_empty(), "migrations are missing: {}", missing.join(", "));
        return say("The schema is up to date.");
    }
    let applied = with_patience(|| db::migrate(&mut db.dedicated()?))?;
    if applied.is_empty() {
        return say("The schema was up to date.");
    }
    say(&format!("Applied {}.", applied.join(", ")))
}

/// Asks a database that is not there yet again for a moment.
fn with_patience<T>(action: impl Fn() -> titan_core::Result<T>) -> anyhow::Result<T> {
    let give_up = Instant::now() + DATABASE_PATIENCE;
    loop {
        match action() {
            Err(error) if error.may_pass() && Instant::now() < give_up => {
                std::thread::sleep(Duration::from_millis(200))
            }
            done => return Ok(done?),
        }
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout();
    writeln!(out, "{}", text.trim_end()).context("standard output cannot be written")
}
