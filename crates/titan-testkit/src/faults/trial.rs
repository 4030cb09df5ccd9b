//! One seed of one row: a database, the real daemons, the fake model, clients at work, and a judgement in the end.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use uuid::Uuid;

use super::checks::{self, Checked};
use super::database::Database;
use super::dice::Dice;
use super::history::{Expect, History};
use super::load::{Load, Mix, Target};
use super::sampler::Sampler;
use super::watch::Watchers;
use crate::daemon::{Api, Cluster, Daemon, Env, env};
use crate::fake_model::{Answer, Behaviour, FakeModel, MODEL};

/// The shortest that a worker accepts.
pub(crate) const LEASE: Duration = Duration::from_secs(2);
const LEASE_TEXT: &str = "2s";
/// A lost job runs again so long after its worker's lease at most.
const MARGIN: Duration = Duration::from_secs(5);
/// How long a leader that is silent but not dead stays the leader.
const TERM: Duration = Duration::from_secs(15);
/// The limit that some of the tasks share, and its size.
pub(crate) const LIMIT: &str = "trial";
pub(crate) const MAX_RUNNING: i64 = 5;
const PROJECTS: usize = 3;
/// Everything that was asked for has ended by then.
const QUIET: Duration = Duration::from_secs(60);
const LOOK: Duration = Duration::from_millis(20);

/// A worker process and what the database calls it.
pub(crate) struct Worker {
    pub(crate) daemon: Daemon,
    pub(crate) id: Uuid,
    pub(crate) name: String,
}

/// A job in a worker's hands.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Held {
    id: i64,
    epoch: i64,
}

pub(crate) struct Trial<'a> {
    pub(crate) dice: Dice,
    /// The small form, for `make test`.
    pub(crate) quick: bool,
    pub(crate) apis: Vec<Api>,
    pub(crate) workers: Vec<Worker>,
    pub(crate) model: FakeModel,
    pub(crate) cluster: &'a Cluster,
    pub(crate) history: History,
    pub(crate) watchers: Watchers,
    /// How many faults were injected.
    pub(crate) faults: u64,
    /// What was seen besides, such as refused writes.
    pub(crate) counted: BTreeMap<&'static str, u64>,
    /// A worker was stopped or cut off and came back: it may ask the model before it hears that its job is another's.
    pub(crate) late_comers: bool,
    pub(crate) http: reqwest::Client,
    projects: Vec<Uuid>,
    load: Option<Load>,
    sampler: Option<Sampler>,
    started: usize,
    /// What daemons that are gone have logged.
    logs: Vec<(String, String)>,
    runtime: Runtime,
    // The last one to go.
    pub(crate) database: Database,
}

impl<'a> Trial<'a> {
    pub(super) fn new(cluster: &'a Cluster, row: &str, seed: u64, quick: bool) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let model = FakeModel::start()?;
        // About half a second, so that faults find work under way.
        model.set_default(Behaviour::Answer(Answer::default().with_delay(Duration::from_millis(20))));
        Ok(Trial {
            dice: Dice::new(row, seed),
            quick,
            apis: Vec::new(),
            workers: Vec::new(),
            model,
            cluster,
            history: History::default(),
            watchers: Watchers::new(runtime.handle().clone()),
            faults: 0,
            counted: BTreeMap::new(),
            late_comers: false,
            http: reqwest::Client::builder().no_proxy().build()?,
            projects: Vec::new(),
            load: None,
            sampler: None,
            started: 0,
            logs: Vec::new(),
            database: Database::new(cluster)?,
            runtime,
        })
    }

    // --- setting it up -----------------------------------------------------------------------------------------------

    /// An API and so many workers.
    pub(crate) fn set_up(&mut self, workers: usize) -> anyhow::Result<()> {
        let url = self.database.url.clone();
        self.set_up_at(&url, workers)
    }

    /// The same by way of a proxy.
    pub(crate) fn set_up_at(&mut self, url: &SecretString, workers: usize) -> anyhow::Result<()> {
        self.api(url)?;
        for _ in 0..workers {
            self.worker_at(url, &[])?;
        }
        Ok(())
    }

    /// One more API.
    pub(crate) fn api(&mut self, url: &SecretString) -> anyhow::Result<()> {
        self.apis.push(Api::start(&self.settings(url, &[])));
        if self.projects.is_empty() {
            for number in 0..PROJECTS {
                let name = json!({"name": format!("Project {number}")});
                let made = self.post("/api/projects", &name)?;
                self.projects.push(made["id"].as_str().context("a project without an id")?.parse()?);
            }
            let limit = json!({"max_running": MAX_RUNNING});
            self.block_on(async |trial| {
                let url = format!("{}/api/limits/{LIMIT}", trial.apis[0].url);
                trial.http.put(url).json(&limit).send().await?.error_for_status()
            })?;
        }
        Ok(())
    }

    /// One more worker.
    pub(crate) fn worker(&mut self) -> anyhow::Result<&mut Worker> {
        let url = self.database.url.clone();
        self.worker_at(&url, &[])
    }

    pub(crate) fn worker_at(&mut self, url: &SecretString, more: &[(&str, &str)]) -> anyhow::Result<&mut Worker> {
        self.program_at("titan-worker", url, more)
    }

    /// A worker that is another program.
    pub(crate) fn program_at(
        &mut self,
        program: &str,
        url: &SecretString,
        more: &[(&str, &str)],
    ) -> anyhow::Result<&mut Worker> {
        self.started += 1;
        let name = format!("worker-{}", self.started);
        let mut settings = self.settings(url, more);
        settings.push(("TITAN_WORKER_NAME".to_owned(), name.clone()));
        let daemon = Daemon::spawn(program, &[], &settings);
        let id = self.until("the worker to register", || {
            #[derive(Deserialize)]
            struct Row {
                id: Uuid,
            }
            let found: Vec<Row> = self.database.rows(&format!("SELECT id FROM workers WHERE name = '{name}'"))?;
            Ok(found.first().map(|row| row.id))
        })?;
        self.workers.push(Worker { daemon, id, name });
        self.workers.last_mut().context("a worker")
    }

    fn settings(&self, url: &SecretString, more: &[(&str, &str)]) -> Env {
        let base = self.model.base_url().to_string();
        let mut settings = env(&[
            ("DATABASE_URL", url.expose_secret()),
            ("OPENAI_BASE_URL", &base),
            ("TITAN_DEFAULT_MODEL", MODEL),
            // One question and one memory for each task, so that both can be counted.
            ("TITAN_MEMORY", "record"),
            ("TITAN_LEASE", LEASE_TEXT),
            ("TITAN_GRACE", "2s"),
        ]);
        settings.extend(env(more));
        settings
    }

    /// Sets clients to work, and waits until something is under way.
    pub(crate) fn load(&mut self, mix: &Mix) -> anyhow::Result<()> {
        self.load_without_waiting(mix);
        self.until("work that is under way", || {
            let running = self.database.count("SELECT count(*) FROM jobs WHERE state = 'running'")?;
            Ok((running > 0).then_some(()))
        })
    }

    pub(crate) fn load_without_waiting(&mut self, mix: &Mix) {
        self.sampler.get_or_insert_with(|| Sampler::start(&self.database));
        let target = self.target();
        self.load = Some(Load::start(self.runtime.handle(), &target, mix, &mut self.dice));
    }

    pub(crate) fn target(&self) -> Target {
        Target {
            http: self.http.clone(),
            urls: self.apis.iter().map(|api| api.url.clone()).collect(),
            projects: self.projects.clone(),
            history: self.history.clone(),
            watchers: self.watchers.clone(),
        }
    }

    /// No more of it; what was asked for is waited for.
    pub(crate) fn stop_load(&mut self) -> anyhow::Result<()> {
        match self.load.take() {
            Some(load) => load.stop(self.runtime.handle()),
            None => Ok(()),
        }
    }

    // --- faults ------------------------------------------------------------------------------------------------------

    /// A moment of a length that the seed decides.
    pub(crate) fn moment(&mut self, millis: std::ops::RangeInclusive<u64>) {
        std::thread::sleep(self.dice.millis(millis));
    }

    /// `kill -9`; gives what it held.
    pub(crate) fn kill_worker(&mut self, place: usize) -> anyhow::Result<Vec<Held>> {
        let mut worker = self.workers.remove(place);
        worker.daemon.kill();
        self.faults += 1;
        self.logs.push((worker.name.clone(), worker.daemon.log()));
        self.held(worker.id)
    }

    /// The jobs that the database thinks a worker holds.
    pub(crate) fn held(&self, worker: Uuid) -> anyhow::Result<Vec<Held>> {
        self.database.rows(&format!("SELECT id, epoch FROM jobs WHERE worker_id = '{worker}' AND state = 'running'"))
    }

    /// Whether this worker does maintenance, so that somebody must become the leader before its jobs are rescued.
    pub(crate) fn leads(&self, worker: Uuid) -> anyhow::Result<bool> {
        Ok(self.database.count(&format!("SELECT count(*) FROM leaders WHERE holder = '{worker}'"))? > 0)
    }

    /// Waits until each of these jobs was taken by somebody else or has ended, which must not take longer than a lease and
    /// five seconds.
    pub(crate) fn resumed(&self, held: &[Held], since: Instant) -> anyhow::Result<()> {
        self.resumed_within(LEASE + MARGIN, held, since)
    }

    /// The same where the leader itself was silent.
    pub(crate) fn resumed_under_a_new_leader(&self, held: &[Held], since: Instant) -> anyhow::Result<()> {
        self.resumed_within(LEASE.max(TERM) + MARGIN, held, since)
    }

    fn resumed_within(&self, limit: Duration, held: &[Held], since: Instant) -> anyhow::Result<()> {
        let list: Vec<String> = held.iter().map(|job| format!("({}, {})", job.id, job.epoch)).collect();
        if list.is_empty() {
            return Ok(());
        }
        // The rescue raises the epoch, and the claim does so again.
        let left = format!(
            "SELECT count(*) FROM jobs j JOIN (VALUES {}) AS h (id, epoch) ON h.id = j.id AND j.epoch < h.epoch + 2",
            list.join(", ")
        );
        loop {
            let count = self.database.count(&left)?;
            if count == 0 {
                return Ok(());
            }
            ensure!(
                since.elapsed() < limit,
                "{count} of {} lost jobs have not begun again after {limit:?}",
                held.len()
            );
            std::thread::sleep(LOOK);
        }
    }

    // --- looking -----------------------------------------------------------------------------------------------------

    /// The sum of a metric over its labels, as the first API tells it.
    pub(crate) fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = self.block_on(async |trial| {
            let answer = trial.http.get(format!("{}/metrics", trial.apis[0].url)).send().await?;
            answer.error_for_status()?.text().await
        })?;
        let values =
            text.lines().filter(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])));
        Ok(values.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum())
    }

    /// A POST to the first API that must succeed.
    pub(crate) fn post(&self, path: &str, body: &Value) -> anyhow::Result<Value> {
        Ok(self.block_on(async |trial| {
            let answer = trial.http.post(format!("{}{path}", trial.apis[0].url)).json(body).send().await?;
            answer.error_for_status()?.json().await
        })?)
    }

    pub(crate) fn block_on<T>(&self, ask: impl AsyncFnOnce(&Self) -> T) -> T {
        self.runtime.block_on(ask(self))
    }

    pub(crate) fn until<T>(&self, what: &str, look: impl FnMut() -> anyhow::Result<Option<T>>) -> anyhow::Result<T> {
        until(what, QUIET, look)
    }

    // --- judging -----------------------------------------------------------------------------------------------------

    /// Stops the load, waits until nothing is left to do, and checks everything.
    pub(super) fn judge(&mut self) -> anyhow::Result<Checked> {
        self.stop_load()?;
        self.until("the end of all jobs", || {
            let left = self.database.count("SELECT count(*) FROM jobs")?;
            Ok((left == 0).then_some(()))
        })
        .with_context(|| self.what_is_left())?;
        self.until("the end of all streams", || Ok(self.watchers.seen().iter().all(|seen| seen.ended).then_some(())))?;
        self.everybody_lives()?;
        let sampled = self.sampler.take().map(Sampler::stop);
        checks::all(self, sampled)
    }

    /// Nobody has ended but those that were killed.
    pub(crate) fn everybody_lives(&mut self) -> anyhow::Result<()> {
        for worker in &mut self.workers {
            ensure!(worker.daemon.is_running(), "{} has ended by itself", worker.name);
        }
        for api in &mut self.apis {
            ensure!(api.daemon.is_running(), "the API has ended by itself");
        }
        Ok(())
    }

    fn what_is_left(&self) -> String {
        let query = "SELECT id, kind, state, epoch, attempt, rescues, suspect, run_at, deadline_at, worker_id FROM jobs LIMIT 5";
        match self.database.rows::<Value>(query) {
            Ok(rows) => format!("left over: {}", json!(rows)),
            Err(error) => format!("and the database says: {error:#}"),
        }
    }

    /// Operations that were answered and have ended as they should, and all of them.
    pub(super) fn operations(&self) -> (usize, usize) {
        let (operations, jobs) = (self.history.operations(), self.history.jobs());
        let status = |table: &str, id: &str, state: &str| -> BTreeMap<String, String> {
            #[derive(Deserialize)]
            struct Row {
                id: String,
                state: String,
            }
            let rows: Vec<Row> = self
                .database
                .rows(&format!("SELECT {id}::text AS id, {state} AS state FROM {table}"))
                .unwrap_or_default();
            rows.into_iter().map(|row| (row.id, row.state)).collect()
        };
        let (runs, history) = (status("runs", "id", "status"), status("job_history", "id", "outcome"));
        let as_expected = |states: &BTreeMap<String, String>, id: String, expect: Expect| {
            states.get(&id).is_some_and(|state| state == expect.status())
        };
        let good = operations.iter().filter(|operation| {
            operation.acknowledged.is_some_and(|made| as_expected(&runs, made.run.to_string(), operation.expect))
        });
        let done = jobs.iter().filter(|(id, expect)| as_expected(&history, id.to_string(), *expect));
        (good.count() + done.count(), operations.len() + jobs.len())
    }

    /// Writes what all daemons have logged into a folder.
    pub(super) fn keep_logs(&self, folder: &Path) -> std::io::Result<()> {
        std::fs::create_dir_all(folder)?;
        let workers = self.workers.iter().map(|worker| (worker.name.clone(), worker.daemon.log()));
        let apis = self.apis.iter().enumerate().map(|(number, api)| (format!("api-{number}"), api.daemon.log()));
        for (name, log) in self.logs.iter().cloned().chain(workers).chain(apis) {
            std::fs::write(folder.join(format!("{name}.log")), log)?;
        }
        Ok(())
    }
}

/// Looks again and again, for so long.
pub(crate) fn until<T>(
    what: &str,
    patience: Duration,
    mut look: impl FnMut() -> anyhow::Result<Option<T>>,
) -> anyhow::Result<T> {
    let began = Instant::now();
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if began.elapsed() > patience {
            bail!("waited {patience:?} in vain for {what}");
        }
        std::thread::sleep(LOOK);
    }
}
