//! A client of the HTTP API for tests: it speaks JSON over a real socket and waits for conditions, not for times.

use std::pin::Pin;
use std::time::Duration;

use eventsource_stream::{Event, Eventsource as _};
use futures_util::{Stream, StreamExt as _};
use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::wait;

/// An answer as it came.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl Reply {
    /// The body as JSON; null when there is none.
    ///
    /// # Panics
    /// When it is something else.
    #[must_use]
    pub fn json(&self) -> Value {
        if self.text.is_empty() {
            return Value::Null;
        }
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    /// The body, when the status is this one.
    ///
    /// # Panics
    /// When it is another one.
    #[allow(clippy::must_use_candidate)]
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }

    /// A header as text; empty when it is not there.
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// The stable code of a problem document.
    ///
    /// # Panics
    /// When it is none.
    #[must_use]
    #[track_caller]
    pub fn code(&self) -> String {
        assert_eq!(self.header("content-type"), "application/problem+json", "{}", self.text);
        self.json()["code"].as_str().expect("a code").to_owned()
    }
}

#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    pub base: String,
}

impl Client {
    /// For a server at an address such as `127.0.0.1:4000`.
    #[must_use]
    pub fn new(address: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Client { http, base: format!("http://{address}") }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base))
    }

    pub async fn send(&self, request: RequestBuilder) -> Reply {
        let response = request.timeout(wait::PATIENCE * 2).send().await.expect("an answer");
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Reply { status, headers, text: response.text().await.expect("a body") }
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    pub async fn patch(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::PATCH, path).json(body)).await
    }

    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// A new project's id.
    pub async fn project(&self, name: &str) -> String {
        id(&self.post("/api/projects", &json!({"name": name})).await.expect(201))
    }

    /// A chat task, as it was when it was made.
    pub async fn chat(&self, project_id: &str, content: &str) -> Value {
        let body = json!({"type": "chat", "payload": {"content": content}});
        self.post(&format!("/api/projects/{project_id}/tasks"), &body).await.expect(201)
    }

    /// A task that nobody executes until it is asked for.
    pub async fn manual_chat(&self, project_id: &str, content: &str) -> Value {
        let body = json!({"type": "chat", "payload": {"content": content}, "execution_type": "manual"});
        self.post(&format!("/api/projects/{project_id}/tasks"), &body).await.expect(201)
    }

    /// The run, once it has ended.
    ///
    /// # Panics
    /// When it does not end in time.
    pub async fn run_ended(&self, run_id: &str) -> Value {
        let path = format!("/api/runs/{run_id}");
        wait::until(&format!("the end of run {run_id}"), async || {
            let run = self.get(&path).await.expect(200);
            matches!(text(&run["status"]), "completed" | "failed" | "canceled").then_some(run)
        })
        .await
    }

    /// Opens a stream of server-sent events; `after` goes into `Last-Event-ID`.
    ///
    /// # Panics
    /// When the answer is no stream.
    pub async fn stream(&self, path: &str, after: Option<i64>) -> EventReader {
        let mut request = self.request(Method::GET, path).header("accept", "text/event-stream");
        if let Some(seq) = after {
            request = request.header("last-event-id", seq.to_string());
        }
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let events = response.bytes_stream().eventsource().map(|event| event.expect("an event"));
        EventReader(Box::pin(events))
    }
}

/// A stream of server-sent events.
pub struct EventReader(Pin<Box<dyn Stream<Item = Event> + Send>>);

impl EventReader {
    /// The next event; `None` when the server closed the stream.
    ///
    /// # Panics
    /// When neither happens in time.
    pub async fn next(&mut self) -> Option<Event> {
        tokio::time::timeout(wait::PATIENCE, self.0.next()).await.expect("an event in time")
    }

    /// The next event of this kind, whatever comes before it.
    ///
    /// # Panics
    /// When the stream ends first.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let event = self.next().await.unwrap_or_else(|| panic!("the stream ended before an event {kind}"));
            if event.event == kind {
                return data(&event);
            }
        }
    }

    /// Everything up to the end of the stream.
    pub async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }

    /// Whether nothing comes for so long.
    pub async fn quiet_for(&mut self, time: Duration) -> bool {
        tokio::time::timeout(time, self.0.next()).await.is_err()
    }
}

/// The data of an event.
///
/// # Panics
/// When it is not JSON.
#[must_use]
pub fn data(event: &Event) -> Value {
    serde_json::from_str(&event.data).expect("JSON")
}

/// The id of a thing.
///
/// # Panics
/// When it has none.
#[must_use]
#[track_caller]
pub fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

/// The id of a task's latest run.
///
/// # Panics
/// When it has none.
#[must_use]
#[track_caller]
pub fn run_of(task: &Value) -> String {
    id(&task["latest_run"])
}

/// A text, or nothing.
#[must_use]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
