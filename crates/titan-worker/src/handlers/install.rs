//! The job that installs a template from a git repository. It leaves no dead letter for a repository that cannot be used: the
//! install says why.
//!
//! - `fetch`: from an address to a commit in a repository of ours.
//! - `tree`: from a commit to the files of a template, of which nothing is ever written to disk.

mod fetch;
mod tree;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use titan_core::Error;
use titan_core::engine::{Done, Outcome};
use titan_core::queue::Hint;
use titan_core::templates::git::{self, TemplateInstall};
use titan_core::templates::{self, Template};
use titan_sandbox::egress::Rule;
use titan_sandbox::remove_all;
use uuid::Uuid;

use crate::handler::{JobHandler, LoneJob};
use crate::workshop::Workshop;
use crate::workshop::run::{Site, Trouble};

/// When the database cannot be asked, the install is put off and not counted.
const COME_BACK: Duration = Duration::from_secs(1);
/// A network that does not work is tried so often, and so much time lies between two tries.
const TRIES: i16 = 3;
const PAUSES: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(10)];
/// What a worker that was killed left behind is cleared away after this time: no install takes so long.
const LEFT_OVER: Duration = Duration::from_secs(3600);

pub struct Install {
    workshop: Arc<Workshop>,
}

/// What became of it, when that is final.
enum Came {
    Template { template: Box<Template>, commit: String },
    Failed { why: String, commit: Option<String> },
}

#[async_trait]
impl JobHandler for Install {
    fn kind(&self) -> &'static str {
        git::INSTALL
    }

    async fn run(&self, job: LoneJob) -> Outcome {
        let id = job.payload.get("install_id").and_then(Value::as_str).and_then(|id| id.parse::<Uuid>().ok());
        let Some(id) = id else {
            return Outcome::Fail { error: "the job names no install".to_owned() };
        };
        match self.install(&job, id).await {
            Ok(outcome) => outcome,
            Err(error) if error.may_pass() => Outcome::Snooze { after: COME_BACK, reason: error.to_string() },
            Err(error) => Outcome::Retry { error: error.to_string(), after: None },
        }
    }
}

impl Install {
    #[must_use]
    pub(super) fn new(workshop: Arc<Workshop>) -> Self {
        Self { workshop }
    }

    async fn install(&self, job: &LoneJob, id: Uuid) -> Result<Outcome, Error> {
        let Some(install) = job.db.run(move |connection| git::begin(connection, id)).await? else {
            return Ok(Outcome::Done(Done::default()));
        };
        let came = match self.fetch(job, &install).await {
            Ok(came) => came,
            Err(Trouble::Stopped) => {
                return Ok(Outcome::Retry { error: "told to stop".to_owned(), after: None });
            }
            Err(Trouble::Failed(why)) => Came::Failed { why, commit: None },
            Err(Trouble::Passing(why)) if job.attempt >= TRIES => {
                Came::Failed { why: format!("{why} (tried {TRIES} times)"), commit: None }
            }
            Err(Trouble::Passing(why)) => {
                let error = why.clone();
                job.db.run(move |connection| git::try_again(connection, id, &error)).await?;
                job.notifier.send(vec![Hint::template_change(id)]);
                let pause = usize::try_from(job.attempt - 1).ok().and_then(|tries| PAUSES.get(tries)).copied();
                return Ok(Outcome::Retry { error: why, after: pause });
            }
        };
        match came {
            Came::Template { template, commit } => {
                tracing::info!(template.reference = %template.reference(), commit, "a template was fetched from git");
                job.db.run(move |connection| git::installed(connection, id, &template, &commit)).await?;
            }
            Came::Failed { why, commit } => {
                tracing::info!(install.id = %id, %why, "a template cannot be installed");
                job.db.run(move |connection| git::failed(connection, id, &why, commit.as_deref())).await?;
            }
        }
        job.notifier.send(vec![Hint::template_change(id)]);
        Ok(Outcome::Done(Done::default()))
    }

    async fn fetch(&self, job: &LoneJob, install: &TemplateInstall) -> Result<Came, Trouble> {
        let all = self.workshop.fetch_dir();
        // Another attempt has another folder, so that none is in the way of one that does not know yet that it is over.
        let folder = all.join(format!("{}-{}", install.id, job.epoch));
        off_the_threads(move || clear_left_over(&all)).await?;
        let came = self.fetch_in(job, install, &folder).await;
        off_the_threads(move || gone(remove_all(&folder))).await?;
        came
    }

    async fn fetch_in(&self, job: &LoneJob, install: &TemplateInstall, folder: &Path) -> Result<Came, Trouble> {
        let (site, source) = (Site::from(job), install.source());
        let target = source.target();
        let rule: Rule = target.parse().map_err(|error| Trouble::Failed(format!("the address is wrong: {error}")))?;
        if let Some(address) = source.address().filter(|address| !self.workshop.may_lead_to(*address)) {
            return Err(Trouble::Failed(format!("{address} is not on the public internet; {}", fetch::NETWORKS)));
        }
        let repository = self.workshop.repository(site, folder, rule).await?;
        let commit = fetch::commit(&repository, site, &source).await?;
        let files = match tree::read(&repository, site, &commit, source.directory.as_deref()).await {
            Ok(files) => files,
            Err(Trouble::Failed(why)) => return Ok(Came::Failed { why, commit: Some(commit) }),
            Err(trouble) => return Err(trouble),
        };
        let made = tokio::task::spawn_blocking(move || Template::new(files.manifest, files.files)).await;
        Ok(match made.map_err(|error| Trouble::Failed(error.to_string()))? {
            Ok(template) => Came::Template { template: Box::new(template), commit },
            Err(problems) => {
                let why = format!("the template is wrong: {}", templates::in_words(&problems));
                Came::Failed { why, commit: Some(commit) }
            }
        })
    }
}

fn clear_left_over(all: &PathBuf) -> std::io::Result<()> {
    let Ok(entries) = fs::read_dir(all) else { return Ok(()) };
    for entry in entries.flatten() {
        let age = entry.metadata().and_then(|meta| meta.modified()).ok().and_then(|at| at.elapsed().ok());
        if age.is_some_and(|age| age > LEFT_OVER) {
            gone(remove_all(&entry.path()))?;
        }
    }
    Ok(())
}

fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

async fn off_the_threads(work: impl FnOnce() -> std::io::Result<()> + Send + 'static) -> Result<(), Trouble> {
    let done = tokio::task::spawn_blocking(work).await.map_err(|error| Trouble::Passing(error.to_string()))?;
    Ok(done?)
}
