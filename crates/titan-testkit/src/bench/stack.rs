//! The shipped programs as processes, with the settings they come with. What they log goes to a file, as with an operator.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};

use super::Bench;
use super::database::Database;
use crate::daemon::{listening_address, program_path};

const PATIENCE: Duration = Duration::from_secs(60);
/// The model stands for the outside world and is not what is measured: it answers at once.
pub(crate) const INSTANT_MODEL: (&str, &str) = ("TITAN_OFFLINE_DELAY", "0ms");

/// A process that is killed when it is dropped.
pub(crate) struct Program {
    name: String,
    child: Child,
    log: PathBuf,
}

impl Program {
    /// Nothing of the bench's own environment reaches it.
    pub(crate) fn start(
        bench: &Bench,
        program: &str,
        database: &Database,
        settings: &[(&str, &str)],
    ) -> anyhow::Result<Self> {
        let log = bench.log_of(program);
        let file = File::create(&log).with_context(|| format!("cannot write {}", log.display()))?;
        let mut command = Command::new(program_path(program));
        command.env_clear().env("DATABASE_URL", database.url()).envs(settings.iter().copied());
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let child = command.spawn().with_context(|| format!("{program} does not start"))?;
        Ok(Program { name: program.to_owned(), child, log })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Waits until it has logged a line with these words, and gives that line.
    pub(crate) fn line(&mut self, words: &str) -> anyhow::Result<String> {
        let give_up = Instant::now() + PATIENCE;
        while Instant::now() < give_up {
            if let Some(line) = self.log().lines().find(|line| line.contains(words)) {
                return Ok(line.to_owned());
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{} ended with {status}: {}", self.name, self.log().lines().last().unwrap_or_default());
            }
            sleep(Duration::from_millis(2));
        }
        bail!("{} has not said {words:?} within {PATIENCE:?}; its log is {}", self.name, self.log.display())
    }

    /// `kill -9`, and waits until it is gone.
    pub(crate) fn kill(&mut self) -> anyhow::Result<()> {
        self.child.kill().with_context(|| format!("cannot kill {}", self.name))?;
        self.child.wait()?;
        Ok(())
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The API, and where it listens.
pub(crate) struct Api {
    pub(crate) program: Program,
    pub(crate) address: SocketAddr,
}

impl Api {
    pub(crate) fn start(bench: &Bench, database: &Database, settings: &[(&str, &str)]) -> anyhow::Result<Self> {
        let mut given = vec![("TITAN_BIND", "127.0.0.1:0")];
        given.extend(settings);
        let mut program = Program::start(bench, "titan-api", database, &given)?;
        let line = program.line("titan-api listening")?;
        let address = listening_address(&line).with_context(|| format!("no address in {line:?}"))?;
        Ok(Api { address: address.parse().with_context(|| address.to_owned())?, program })
    }
}

/// A worker that claims.
pub(crate) fn worker(bench: &Bench, database: &Database, settings: &[(&str, &str)]) -> anyhow::Result<Program> {
    let mut program = Program::start(bench, "titan-worker", database, settings)?;
    program.line("titan-worker ready")?;
    Ok(program)
}
