//! The preview of a project: a server in the sandbox that is reached at a port of the worker's machine. One job serves one project for
//! as long as it is wanted: it looks for what it is to show, begins again when that has changed, and another worker takes it up when
//! this one is gone.

use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use serde_json::Value;
use titan_core::engine::{Done, Outcome};
use titan_core::pipelines::previews::{Preview, Served};
use titan_core::pipelines::{self, previews};
use titan_core::queue::Hint;
use titan_sandbox::Inbound;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::handler::{JobHandler, LoneJob};
use crate::stop::{Stop, StopReason};
use crate::workshop::Workshop;
use crate::workshop::build::Build;
use crate::workshop::run::{Job, Site, Trouble};
use crate::workshop::{lines, network};

/// Between two looks at what is wanted, and at whether the server has come up.
const LOOK: Duration = Duration::from_secs(1);
const HEALTH_LOOK: Duration = Duration::from_millis(100);
const HEALTH_TIMEOUT: Duration = Duration::from_secs(5);
/// Then it is begun anew: a command in the sandbox has an end, and so has a job.
const LONGEST: Duration = Duration::from_secs(23 * 3600);
/// The port inside, where the template says none. Nobody else is there.
const INSIDE: u16 = 8080;
/// For the server to end once it was asked to.
const FAREWELL: Duration = Duration::from_secs(10);
const COME_BACK: Duration = Duration::from_secs(2);

pub(super) struct Serve {
    workshop: Arc<Workshop>,
}

impl Serve {
    #[must_use]
    pub(super) fn new(workshop: Arc<Workshop>) -> Self {
        Self { workshop }
    }
}

/// Why a turn of serving ended.
enum Turn {
    /// Something else is to be shown.
    Again,
    Over,
}

#[async_trait]
impl JobHandler for Serve {
    fn kind(&self) -> &'static str {
        previews::JOB
    }

    async fn run(&self, job: LoneJob) -> Outcome {
        let project_id = job.payload.get("project_id").and_then(Value::as_str).and_then(|id| id.parse::<Uuid>().ok());
        let Some(project_id) = project_id else {
            return Outcome::Fail { error: "the job names no project".to_owned() };
        };
        loop {
            match self.turn(&job, project_id).await {
                Ok(Turn::Again) => {}
                Ok(Turn::Over) => return Outcome::Done(Done::default()),
                Err(Trouble::Passing(reason)) => return Outcome::Snooze { after: COME_BACK, reason },
                Err(other) => return other.outcome(),
            }
        }
    }
}

impl Serve {
    /// Serves one thing until it is not wanted any more.
    async fn turn(&self, job: &LoneJob, project_id: Uuid) -> Result<Turn, Trouble> {
        let wanted = match job.db.run(move |connection| previews::get(connection, project_id)).await {
            Ok(Some(preview)) if preview.wanted => preview,
            Ok(Some(preview)) => {
                // Whoever wanted it again meanwhile made no other job.
                let is_last = tell(job, &preview, Served::Stopped).await?;
                return Ok(if is_last { Turn::Over } else { Turn::Again });
            }
            // The project is gone, or was never to be seen.
            Ok(None) | Err(titan_core::Error::NotFound(..)) => return Ok(Turn::Over),
            Err(error) => return Err(error.into()),
        };
        if wanted.state == "failed" {
            return Ok(Turn::Over);
        }
        match self.serve(job, &wanted).await {
            Err(Trouble::Failed(error)) => {
                // Whoever waits for it hears why; who has asked for another one since gets that.
                let is_last = tell(job, &wanted, Served::Failed { error }).await?;
                Ok(if is_last { Turn::Over } else { Turn::Again })
            }
            other => other,
        }
    }

    async fn serve(&self, job: &LoneJob, wanted: &Preview) -> Result<Turn, Trouble> {
        let site = Site::from(job);
        let (project_id, run_id) = (wanted.project_id, wanted.run_id);
        let order = job.db.run(move |connection| pipelines::of_run(connection, run_id)).await?;
        let build = Build::of(site, project_id, run_id, wanted.commit_id.clone(), order).await?;
        let folder = self.workshop.built(site, &build).await?;
        let port = wanted.port.and_then(|port| u16::try_from(port).ok());
        let server = Server::start(&self.workshop, site, &build, &folder, port)?;
        let served = self.watch(job, wanted, &build, &server).await;
        server.stop().await;
        served
    }

    async fn watch(&self, job: &LoneJob, wanted: &Preview, build: &Build, server: &Server) -> Result<Turn, Trouble> {
        server.until_healthy(build, &job.stop).await?;
        let (address, network) = (server.address.clone(), network::identity());
        let running = Served::Running { address, port: server.port, network };
        if !tell(job, wanted, running).await? {
            return Ok(Turn::Again);
        }
        let until = Instant::now() + LONGEST;
        while Instant::now() < until {
            tokio::select! {
                () = sleep(LOOK) => {}
                () = server.ended.cancelled() => return Err(Trouble::Failed(server.last_words().await)),
                () = job.stop.requested() => return Err(Trouble::Stopped),
            }
            let id = wanted.project_id;
            match job.db.run(move |connection| previews::get(connection, id)).await {
                Ok(Some(now)) if now.wanted && now.generation == wanted.generation => {}
                Ok(_) | Err(titan_core::Error::NotFound(..)) => return Ok(Turn::Again),
                // The server does not need the database.
                Err(error) => tracing::debug!(%error, "a preview goes on without being looked after"),
            }
        }
        // By somebody who has the whole of a job's time before him.
        Err(Trouble::Passing("it is begun anew once a day".to_owned()))
    }
}

/// Whether it is still what is wanted.
async fn tell(job: &LoneJob, wanted: &Preview, served: Served) -> Result<bool, Trouble> {
    let (id, generation) = (wanted.project_id, wanted.generation);
    let told = job.db.run(move |connection| previews::tell(connection, id, generation, &served)).await?;
    job.notifier.send(vec![Hint::change("preview", id, id)]);
    Ok(told)
}

/// A server that runs for as long as this is held.
pub(super) struct Server {
    pub(super) address: String,
    port: u16,
    /// Tells it to end.
    stop: Stop,
    ended: CancellationToken,
    task: tokio::sync::Mutex<Option<tokio::task::JoinHandle<String>>>,
}

impl Server {
    fn start(
        workshop: &Arc<Workshop>,
        site: Site<'_>,
        build: &Build,
        folder: &Path,
        port: Option<u16>,
    ) -> Result<Self, Trouble> {
        let preview = build.rendered.deploy.preview.clone();
        let preview = preview.ok_or_else(|| Trouble::Failed("the template has no preview".to_owned()))?;
        let listener = listen(workshop.preview_bind(), port)?;
        let at = listener.local_addr()?;
        let (stop, ended) = (Stop::default(), CancellationToken::new());
        let inside = preview.port.unwrap_or(INSIDE);
        let (workshop, own_stop, over) = (Arc::clone(workshop), stop.clone(), ended.clone());
        let (db, blobs) = (site.db.clone(), site.blobs.clone());
        let (folder, project_id) = (folder.to_owned(), build.project_id);
        let task = tokio::spawn(async move {
            let _over = over.drop_guard();
            let mut env = preview.env.clone();
            env.insert("PORT".to_owned(), inside.to_string());
            env.insert("HOST".to_owned(), "127.0.0.1".to_owned());
            let job = Job {
                project_id,
                name: "the preview",
                argv: preview.run.argv(),
                folder: &folder,
                timeout: LONGEST + Duration::from_secs(600),
                registries: false,
                caches: &[],
                env,
                inbound: Some(Inbound { port: inside, listener: Arc::new(listener) }),
            };
            let site = Site { db: &db, blobs: &blobs, stop: &own_stop, reporter: None };
            match workshop.run_to_its_end(site, job).await {
                Ok((ended, tail)) => {
                    let why = lines::reason(&tail).unwrap_or_default();
                    format!("the server ended ({:?}) after {:.1} s: {why}", ended.exit, ended.wall.as_secs_f64())
                }
                Err(Trouble::Failed(why) | Trouble::Passing(why)) => why,
                Err(Trouble::Stopped) => "it was stopped".to_owned(),
            }
        });
        let task = tokio::sync::Mutex::new(Some(task));
        Ok(Server { address: format!("http://{}/", network::address_of(at)), port: at.port(), stop, ended, task })
    }

    /// Waits until it answers as its template says.
    async fn until_healthy(&self, build: &Build, stop: &Stop) -> Result<(), Trouble> {
        let preview = build.rendered.deploy.preview.as_ref();
        let (path, seconds) = preview.map_or(("/", 30), |preview| (preview.health.as_str(), preview.timeout_seconds));
        let give_up = Instant::now() + Duration::from_secs(seconds);
        let client =
            reqwest::Client::builder().timeout(HEALTH_TIMEOUT).no_proxy().redirect(reqwest::redirect::Policy::none());
        let client = client.build().map_err(|error| Trouble::Passing(error.to_string()))?;
        let url = format!("{}{}", self.address.trim_end_matches('/'), path);
        let mut last = "no answer".to_owned();
        loop {
            let answer = tokio::select! {
                answer = client.get(&url).send() => answer,
                () = self.ended.cancelled() => return Err(Trouble::Failed(self.last_words().await)),
                () = stop.requested() => return Err(Trouble::Stopped),
            };
            match answer {
                Ok(answer) if answer.status().is_success() => return Ok(()),
                Ok(answer) => last = format!("GET {path} answers {}", answer.status().as_u16()),
                Err(_) => {}
            }
            if Instant::now() > give_up {
                return Err(Trouble::Failed(format!("the server did not answer well within {seconds} s: {last}")));
            }
            sleep(HEALTH_LOOK).await;
        }
    }

    /// What it ended with.
    async fn last_words(&self) -> String {
        let task = self.task.lock().await.take();
        match task {
            Some(task) => task.await.unwrap_or_else(|error| error.to_string()),
            None => "it was stopped".to_owned(),
        }
    }

    pub(super) async fn stop(&self) {
        self.stop.because(StopReason::Canceled);
        let task = self.task.lock().await.take();
        if let Some(task) = task {
            let _ = tokio::time::timeout(FAREWELL, task).await;
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.because(StopReason::Canceled);
    }
}

/// Serves a build until it is stopped, without telling anybody.
pub(super) async fn serve_for_a_while(
    workshop: &Arc<Workshop>,
    site: Site<'_>,
    build: &Build,
    folder: &Path,
) -> Result<Server, Trouble> {
    let server = Server::start(workshop, site, build, folder, None)?;
    server.until_healthy(build, site.stop).await?;
    Ok(server)
}

/// At the port that it had, when that is free.
fn listen(address: IpAddr, port: Option<u16>) -> std::io::Result<TcpListener> {
    let again = port.and_then(|port| TcpListener::bind(SocketAddr::new(address, port)).ok());
    again.map_or_else(|| TcpListener::bind(SocketAddr::new(address, 0)), Ok)
}
