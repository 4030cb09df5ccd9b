//! One command in the sandbox, from its order to its end, with all that is told of it on the way.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use titan_core::blobs::Blobs;
use titan_core::db::Db;
use titan_core::engine::{NewEvent, Outcome};
use titan_core::redact::redact;
use titan_core::state::Level;
use titan_core::templates::{self, Cache, Step};
use titan_core::{Error, text};
use titan_sandbox::{Command, Ended, Exit, Inbound, Network};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::console::Console;
use super::{Workshop, folder, lines};
use crate::handler::{LoneJob, Work};
use crate::reporter::Reporter;
use crate::stop::Stop;

/// Pieces of output that may wait to be written down.
const ROOM: usize = 256;
/// Times that are asked for are of the wall; of the processor a command may use this many times as much.
const PROCESSORS: u32 = 8;

/// Where the work is done, and who hears of it.
#[derive(Clone, Copy)]
pub(crate) struct Site<'a> {
    pub(crate) db: &'a Db,
    pub(crate) blobs: &'a Blobs,
    pub(crate) stop: &'a Stop,
    /// None for work that no run tells of.
    pub(crate) reporter: Option<&'a Reporter>,
}

impl<'a> From<&'a Work> for Site<'a> {
    fn from(work: &'a Work) -> Self {
        Site { db: &work.db, blobs: &work.blobs, stop: &work.stop, reporter: Some(&work.reporter) }
    }
}

impl<'a> From<&'a LoneJob> for Site<'a> {
    fn from(job: &'a LoneJob) -> Self {
        Site { db: &job.db, blobs: &job.blobs, stop: &job.stop, reporter: None }
    }
}

impl Site<'_> {
    pub(crate) async fn say(&self, level: Level, line: impl Into<String>) -> Result<(), Trouble> {
        self.tell(NewEvent::log(level, line)).await
    }

    pub(crate) async fn tell(&self, event: NewEvent) -> Result<(), Trouble> {
        match self.reporter {
            Some(reporter) => reporter.report(vec![event]).await.map_err(Trouble::from),
            None => Ok(()),
        }
    }
}

/// Why a piece of work did not come to its end.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It will be the same the next time.
    Failed(String),
    /// It may be different the next time.
    Passing(String),
    /// It was told to stop.
    Stopped,
}

impl Trouble {
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Trouble::Failed(error) => Outcome::Fail { error },
            Trouble::Passing(error) => Outcome::Retry { error, after: None },
            // What becomes of it is decided by why.
            Trouble::Stopped => Outcome::Retry { error: "told to stop".to_owned(), after: None },
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::Fenced { .. } | Error::Uncertain => Trouble::Stopped,
            Error::Invalid { .. } | Error::NotFound(..) | Error::UnknownTemplate { .. } | Error::WrongTemplate(_) => {
                Trouble::Failed(error.to_string())
            }
            other => Trouble::Passing(other.to_string()),
        }
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Trouble::Passing(format!("the folder of the work cannot be used: {error}"))
    }
}

/// What is to be run.
pub(crate) struct Job<'a> {
    pub(crate) project_id: Uuid,
    /// As people know it.
    pub(crate) name: &'a str,
    pub(crate) argv: Vec<String>,
    pub(crate) folder: &'a Path,
    pub(crate) timeout: Duration,
    pub(crate) registries: bool,
    pub(crate) caches: &'a [Cache],
    pub(crate) env: BTreeMap<String, String>,
    pub(crate) inbound: Option<Inbound>,
}

impl<'a> Job<'a> {
    pub(crate) fn of_step(project_id: Uuid, step: &'a Step, folder: &'a Path) -> Self {
        Job {
            project_id,
            name: &step.name,
            argv: step.run.argv(),
            folder,
            timeout: Duration::from_secs(step.timeout_seconds),
            registries: step.network == templates::Network::Registries,
            caches: &step.cache,
            env: step.env.clone(),
            inbound: None,
        }
    }
}

impl Workshop {
    /// Runs steps one after the other.
    pub(crate) async fn run_steps(
        &self,
        site: Site<'_>,
        project_id: Uuid,
        steps: &[Step],
        folder: &Path,
    ) -> Result<(), Trouble> {
        for step in steps {
            self.run(site, Job::of_step(project_id, step, folder)).await?;
        }
        Ok(())
    }

    /// Runs a command that has to succeed, and gives its last lines.
    pub(crate) async fn run(&self, site: Site<'_>, job: Job<'_>) -> Result<(Ended, Vec<String>), Trouble> {
        let (name, line) = (job.name.to_owned(), line_of(&job.argv));
        let _place = tokio::select! {
            place = self.places.acquire() => place.map_err(|_| Trouble::Stopped)?,
            () = site.stop.requested() => return Err(Trouble::Stopped),
        };
        let data = json!({"name": name, "command": line});
        let title = if name == line { line.clone() } else { format!("{name}: {line}") };
        site.tell(NewEvent::told("command.started", Level::Info, format!("$ {title}"), data)).await?;
        let (ended, tail) = self.run_to_its_end(site, job).await?;
        if ended.exit == Exit::Canceled {
            return Err(Trouble::Stopped);
        }
        let is_success = ended.exit.is_success();
        let sentence = format!("{name} {}", how(&ended));
        let level = if is_success { Level::Info } else { Level::Error };
        site.tell(NewEvent::told("command.ended", level, sentence.clone(), record(&name, &ended))).await?;
        if is_success {
            return Ok((ended, tail));
        }
        Err(Trouble::Failed(lines::reason(&tail).map_or(sentence.clone(), |why| format!("{sentence}: {why}"))))
    }

    /// The same for one that may end as it likes and that nobody is told of, but for its lines.
    pub(crate) async fn run_to_its_end(&self, site: Site<'_>, job: Job<'_>) -> Result<(Ended, Vec<String>), Trouble> {
        let sandbox = self.sandbox().await.map_err(|why| {
            Trouble::Failed(format!("no command is run without walls around it, and none can be built here: {why}"))
        })?;
        let mut command = Command::new(job.argv.first().cloned().unwrap_or_default(), job.folder);
        command.args = job.argv.into_iter().skip(1).collect();
        command.read_only.clone_from(&self.tools.read_only);
        command.env.clone_from(&self.tools.env);
        for cache in job.caches {
            let (name, path) = (cache.name(), self.caches_of(job.project_id).join(cache.name()));
            if !path.is_dir() {
                fs::create_dir_all(&path)?;
                folder::hand_over(&path, sandbox)?;
            }
            let inside = sandbox.cache_inside(name, &path);
            command.env.insert(cache.variable().to_owned(), inside.display().to_string());
            command.caches.insert(name.to_owned(), path);
        }
        command.env.extend(job.env);
        if job.registries {
            if self.registries.is_empty() {
                return Err(Trouble::Failed(
                    "it fetches packages, and no registry is known on this machine: name its hosts in TITAN_REGISTRIES"
                        .to_owned(),
                ));
            }
            command.network = Network::Allow(self.registries.clone());
        }
        command.inbound = job.inbound;
        command.limits.wall = job.timeout;
        command.limits.cpu = job.timeout.saturating_mul(PROCESSORS);
        let (events, heard) = mpsc::channel(ROOM);
        let console = Console::new(site.reporter.cloned());
        let (ended, tail) = tokio::join!(sandbox.run(command, events, site.stop.token()), console.follow(heard));
        match ended {
            Ok(ended) => Ok((ended, tail)),
            Err(_) if site.stop.reason().is_some() => Err(Trouble::Stopped),
            Err(error @ (titan_sandbox::Error::Lost(_) | titan_sandbox::Error::NotStarted(_))) => {
                Err(Trouble::Passing(format!("{}: {error}", job.name)))
            }
            Err(error) => Err(Trouble::Failed(format!("{}: {error}", job.name))),
        }
    }
}

fn line_of(argv: &[String]) -> String {
    let line = match argv {
        [shell, option, line] if shell == "sh" && option == "-c" => line.clone(),
        argv => argv.join(" "),
    };
    redact(text::head(&line, 300))
}

/// How it ended, in words that come after its name.
fn how(ended: &Ended) -> String {
    let seconds = ended.wall.as_secs_f64();
    match ended.exit {
        Exit::Code(code) => format!("ended with exit code {code} after {seconds:.1} s"),
        Exit::Signal(signal) => format!("was ended by signal {signal} after {seconds:.1} s"),
        Exit::TimedOut => format!("was stopped: it took longer than {seconds:.0} s"),
        Exit::Canceled => "was canceled".to_owned(),
        Exit::OutOfCpu => format!("was stopped: it used too much of the processor, in {seconds:.0} s"),
        Exit::OutOfMemory => format!("was stopped: it used more than {} MiB of memory", ended.peak_memory >> 20),
        Exit::TooManyProcesses => "was stopped: it started too many processes".to_owned(),
    }
}

fn record(name: &str, ended: &Ended) -> serde_json::Value {
    json!({
        "name": name,
        "exit": ended.exit,
        "wall_ms": ended.wall.as_millis(),
        "cpu_ms": (ended.cpu_user + ended.cpu_system).as_millis(),
        "peak_memory": ended.peak_memory,
        "output_bytes": ended.output_bytes,
    })
}
