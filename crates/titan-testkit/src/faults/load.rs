//! The client under whose load the faults happen: it makes tasks one after the other, each with an idempotency key, and
//! sends a request that was not answered, or with a 5xx, again with the same key until it is.

use std::ops::RangeInclusive;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use uuid::Uuid;

use super::dice::Dice;
use super::history::{Acknowledged, Expect, History, Operation};
use super::watch::Watchers;

/// How long a client goes on asking.
const PATIENCE: Duration = Duration::from_secs(30);
const ONE_REQUEST: Duration = Duration::from_secs(10);
const BEFORE_AGAIN: Duration = Duration::from_millis(100);

/// What the clients do.
#[derive(Debug, Clone)]
pub(crate) struct Mix {
    pub(crate) clients: u64,
    /// Milliseconds between an answer and the client's next request.
    pub(crate) pause: RangeInclusive<u64>,
    /// Words for the fake model, taken in turn, and how such a task ends.
    pub(crate) words: &'static [(&'static str, Expect)],
    pub(crate) max_retries: Option<i64>,
    /// Every so-many-th task is limited by the key of the trial.
    pub(crate) limited: usize,
    /// Every so-many-th run is watched.
    pub(crate) watched: usize,
}

impl Default for Mix {
    fn default() -> Self {
        Mix {
            clients: 6,
            pause: 150..=450,
            words: &[("", Expect::Completed)],
            max_retries: None,
            limited: 3,
            watched: 4,
        }
    }
}

/// Where requests go, and what of it is the same for all of them.
#[derive(Clone)]
pub(crate) struct Target {
    pub(crate) http: reqwest::Client,
    /// One of them is asked after the other.
    pub(crate) urls: Vec<String>,
    pub(crate) projects: Vec<Uuid>,
    pub(crate) history: History,
    pub(crate) watchers: Watchers,
}

/// Clients at work until they are told to stop.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    pub(crate) fn start(runtime: &Handle, target: &Target, mix: &Mix, dice: &mut Dice) -> Self {
        let (stop, number) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let clients = (0..mix.clients)
            .map(|_| {
                let (target, mix, stop, number) = (target.clone(), mix.clone(), Arc::clone(&stop), Arc::clone(&number));
                let mut dice = Dice::new("client", dice.number(0..=u64::MAX - 1));
                runtime.spawn(async move {
                    while !stop.load(Ordering::SeqCst) {
                        one(&target, &mix, number.fetch_add(1, Ordering::SeqCst)).await;
                        tokio::time::sleep(dice.millis(mix.pause.clone())).await;
                    }
                })
            })
            .collect();
        Load { stop, clients }
    }

    /// Nothing new is asked for; what was asked for is waited for.
    pub(crate) fn stop(self, runtime: &Handle) -> anyhow::Result<()> {
        self.stop.store(true, Ordering::SeqCst);
        for client in self.clients {
            runtime.block_on(client)?;
        }
        Ok(())
    }
}

/// The body of the task with this number.
pub(crate) fn body(content: &str, mix: &Mix, number: usize) -> Value {
    let mut body = json!({"type": "chat", "payload": {"content": content}});
    if let Some(max_retries) = mix.max_retries {
        body["max_retries"] = max_retries.into();
    }
    if mix.limited > 0 && number.is_multiple_of(mix.limited) {
        body["limit_key"] = super::trial::LIMIT.into();
    }
    body
}

async fn one(target: &Target, mix: &Mix, number: usize) {
    let key = titan_core::ids::new().to_string();
    let (words, expect) = mix.words[number % mix.words.len()];
    let content = format!("{key} {words} Tell me about tea.");
    let project = target.projects[number % target.projects.len()];
    let url = format!("{}/api/projects/{project}/tasks", target.urls[number % target.urls.len()]);
    let answer = ask(&target.http, &url, &key, &body(&content, mix, number)).await;
    let (acknowledged, refusal) = match answer {
        Ok(acknowledged) => (Some(acknowledged), None),
        Err(refusal) => (None, Some(refusal)),
    };
    if let Some(made) = acknowledged {
        let api = url.split("/api/").next().unwrap_or_default();
        if mix.watched > 0 && number.is_multiple_of(mix.watched) {
            target.watchers.watch(&target.http, api, made.run);
        }
        if expect == Expect::Canceled {
            // Its answer is under way then, or it waits for its turn.
            tokio::time::sleep(Duration::from_millis(700)).await;
            let url = format!("{api}/api/runs/{}/cancel", made.run);
            let _ = patiently(&target.http, &url, &key, &json!({})).await;
        }
    }
    target.history.add(Operation { content, expect, acknowledged, refusal });
}

/// Asks until there is an answer that is final.
pub(crate) async fn ask(http: &reqwest::Client, url: &str, key: &str, body: &Value) -> Result<Acknowledged, String> {
    let answer = patiently(http, url, key, body).await?;
    let id = |value: &Value| value.as_str().and_then(|id| id.parse().ok());
    match (id(&answer["id"]), id(&answer["latest_run"]["id"])) {
        (Some(task), Some(run)) => Ok(Acknowledged { task, run }),
        _ => Err(format!("an answer without a task and its run: {answer}")),
    }
}

/// Why there is no answer, and whether there may be one later.
pub(crate) enum Unanswered {
    ForNow(String),
    ForGood(String),
}

async fn patiently(http: &reqwest::Client, url: &str, key: &str, body: &Value) -> Result<Value, String> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        match send(http, url, key, body).await {
            Ok(answer) => return Ok(answer),
            Err(Unanswered::ForNow(_)) if Instant::now() < give_up => tokio::time::sleep(BEFORE_AGAIN).await,
            Err(Unanswered::ForNow(why) | Unanswered::ForGood(why)) => return Err(why),
        }
    }
}

/// Sends it once.
pub(crate) async fn send(http: &reqwest::Client, url: &str, key: &str, body: &Value) -> Result<Value, Unanswered> {
    let request = http.post(url).header("idempotency-key", key).json(body).timeout(ONE_REQUEST);
    let response = request.send().await.map_err(|error| Unanswered::ForNow(error.to_string()))?;
    let status = response.status();
    let text = response.text().await.map_err(|error| Unanswered::ForNow(error.to_string()))?;
    let said = || format!("{status}: {text}");
    if status.is_server_error() {
        return Err(Unanswered::ForNow(said()));
    }
    if !status.is_success() {
        return Err(Unanswered::ForGood(said()));
    }
    serde_json::from_str(&text).map_err(|error| Unanswered::ForGood(format!("{error}: {text}")))
}
