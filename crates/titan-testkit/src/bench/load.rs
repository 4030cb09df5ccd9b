//! A lean load generator: HTTP/1.1 over kept-alive connections, all on one thread. It shares the cores with what it
//! measures, so it does no more than count, time and find the end of an answer.

use std::cell::{Cell, RefCell};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail, ensure};
use futures_util::future::try_join_all;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use super::figure::percentile;

/// Nothing that works takes longer to answer.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Connection {
    stream: TcpStream,
    /// What was read of the current answer.
    buffer: Vec<u8>,
}

pub(crate) struct Answer<'a> {
    pub(crate) status: u16,
    pub(crate) body: &'a [u8],
}

impl Connection {
    pub(crate) async fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = timeout(PATIENCE, TcpStream::connect(address)).await??;
        stream.set_nodelay(true)?;
        Ok(Connection { stream, buffer: Vec::with_capacity(16 * 1024) })
    }

    /// Sends a request as bytes and waits for the whole answer.
    pub(crate) async fn ask(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        timeout(PATIENCE, self.exchange(request)).await.context("no answer in time")?
    }

    async fn exchange(&mut self, request: &[u8]) -> anyhow::Result<Answer<'_>> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        let head = loop {
            self.more().await?;
            if let Some(head) = Head::of(&self.buffer)? {
                break head;
            }
        };
        while self.buffer.len() < head.end + head.length {
            self.more().await?;
        }
        let body = self.buffer.get(head.end..head.end + head.length).unwrap_or_default();
        Ok(Answer { status: head.status, body })
    }

    async fn more(&mut self) -> anyhow::Result<()> {
        ensure!(self.stream.read_buf(&mut self.buffer).await? > 0, "the server closed the connection");
        Ok(())
    }

    /// The same for a person's purposes: JSON, and anything but success is an error.
    pub(crate) async fn json(&mut self, request: &[u8]) -> anyhow::Result<Value> {
        let answer = self.ask(request).await?;
        let text = String::from_utf8_lossy(answer.body);
        ensure!(answer.status < 300, "answered with {}: {text}", answer.status);
        serde_json::from_str(&text).with_context(|| text.into_owned())
    }
}

/// What has to be known of the head of an answer.
struct Head {
    status: u16,
    /// Where the body begins.
    end: usize,
    length: usize,
}

impl Head {
    /// `None` while it is not whole.
    fn of(bytes: &[u8]) -> anyhow::Result<Option<Self>> {
        let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4) else { return Ok(None) };
        let head = std::str::from_utf8(bytes.get(..end).unwrap_or_default())?;
        let status = head.split(' ').nth(1).context("no status")?.parse()?;
        let length = head.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse::<usize>())
        });
        let Some(length) = length else {
            bail!("an answer without a length, which no route of the bench gives: {head}")
        };
        Ok(Some(Head { status, end, length: length? }))
    }
}

pub(crate) fn get(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n").into_bytes()
}

pub(crate) fn post(path: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}")
        .into_bytes()
}

/// A chat task of a project.
pub(crate) fn post_task(project: &str, number: u64) -> Vec<u8> {
    let body = format!(r#"{{"type": "chat", "payload": {{"content": "message {number}"}}}}"#);
    post(&format!("/api/projects/{project}/tasks"), &body)
}

/// Makes projects and gives their ids.
pub(crate) async fn projects(address: SocketAddr, count: usize) -> anyhow::Result<Vec<String>> {
    let mut connection = Connection::open(address).await?;
    let mut ids = Vec::new();
    for number in 0..count {
        let project = connection.json(&post("/api/projects", &format!(r#"{{"name": "Bench {number}"}}"#))).await?;
        ids.push(project.get("id").and_then(Value::as_str).context("a project without an id")?.to_owned());
    }
    Ok(ids)
}

/// What came back.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    pub(crate) succeeded: u64,
    /// Any other status, and the first of those answers.
    pub(crate) refused: u64,
    pub(crate) refusal: Option<String>,
    /// How long each answer took.
    millis: Vec<f64>,
}

impl Tally {
    fn take(&mut self, answer: &Answer<'_>, took: Duration) {
        self.millis.push(took.as_secs_f64() * 1000.0);
        if answer.status < 300 {
            self.succeeded += 1;
        } else {
            self.refused += 1;
            let text = || format!("{}: {}", answer.status, String::from_utf8_lossy(answer.body));
            self.refusal.get_or_insert_with(text);
        }
    }

    pub(crate) fn percentile(&self, percent: f64) -> f64 {
        percentile(&self.millis, percent)
    }

    /// An answer that is no success makes a measurement worthless.
    pub(crate) fn all_succeeded(&self) -> anyhow::Result<()> {
        let Some(refusal) = &self.refusal else { return Ok(()) };
        bail!("{} of {} requests were refused, the first with {refusal}", self.refused, self.refused + self.succeeded)
    }
}

/// Holds requests back, so that what is accepted does not run away from what is done.
#[derive(Debug, Default)]
pub(crate) struct Gate(AtomicI64);

impl Gate {
    /// So many requests may pass from now on.
    pub(crate) fn open_for(&self, count: i64) {
        self.0.store(count, Relaxed);
    }

    async fn pass(&self, until: Instant) {
        while self.0.load(Relaxed) <= 0 && Instant::now() < until {
            sleep(Duration::from_millis(1)).await;
        }
        self.0.fetch_sub(1, Relaxed);
    }
}

/// Closed loop: each connection sends its next request when the last one was answered, until the time is over or `next`
/// has none. `next` is given numbers that no other connection gets.
pub(crate) async fn closed_loop(
    address: SocketAddr,
    connections: usize,
    until: Instant,
    gate: Option<&Gate>,
    next: impl Fn(u64) -> Option<Vec<u8>>,
) -> anyhow::Result<Tally> {
    let (tally, number, next) = (RefCell::new(Tally::default()), Cell::new(0), &next);
    let (all, number) = (&tally, &number);
    let opened = try_join_all((0..connections).map(|_| Connection::open(address))).await?;
    try_join_all(opened.into_iter().map(|mut connection| async move {
        loop {
            if let Some(gate) = gate {
                gate.pass(until).await;
            }
            if Instant::now() >= until {
                return anyhow::Ok(());
            }
            let own = number.get();
            number.set(own + 1);
            let Some(request) = next(own) else { return Ok(()) };
            let began = Instant::now();
            let answer = connection.ask(&request).await?;
            all.borrow_mut().take(&answer, began.elapsed());
        }
    }))
    .await?;
    Ok(tally.into_inner())
}

/// A stream of server-sent events, chunked as HTTP/1.1 sends what has no length.
pub(crate) struct Stream {
    connection: Connection,
    /// What was unwrapped and not read yet.
    text: String,
}

impl Stream {
    pub(crate) async fn open(address: SocketAddr, path: &str) -> anyhow::Result<Self> {
        let mut connection = Connection::open(address).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
        connection.stream.write_all(request.as_bytes()).await?;
        let head = timeout(PATIENCE, async {
            loop {
                connection.more().await?;
                if let Some(end) = connection.buffer.windows(4).position(|four| four == b"\r\n\r\n") {
                    let head: Vec<u8> = connection.buffer.drain(..end + 4).collect();
                    return anyhow::Ok(String::from_utf8(head)?);
                }
            }
        })
        .await
        .context("no answer in time")??;
        ensure!(head.starts_with("HTTP/1.1 200"), "no stream: {head}");
        // An idle subscriber of the bench is to cost the bench little too.
        connection.buffer.shrink_to_fit();
        Ok(Stream { connection, text: String::new() })
    }

    /// The next event or comment, whole.
    pub(crate) async fn event(&mut self, within: Duration) -> anyhow::Result<String> {
        timeout(within, async {
            loop {
                if let Some(end) = self.text.find("\n\n") {
                    return Ok(self.text.drain(..end + 2).collect());
                }
                while !self.unwrap_chunk()? {
                    self.connection.more().await?;
                }
            }
        })
        .await
        .context("no event in time")?
    }

    /// Reads on until an event with these words.
    pub(crate) async fn until(&mut self, words: &str, within: Duration) -> anyhow::Result<()> {
        timeout(within, async {
            while !self.event(within).await?.contains(words) {}
            anyhow::Ok(())
        })
        .await
        .with_context(|| format!("no {words:?} in time"))?
    }

    /// False while the next chunk is not whole.
    fn unwrap_chunk(&mut self) -> anyhow::Result<bool> {
        let buffer = &mut self.connection.buffer;
        let Some(line) = buffer.windows(2).position(|two| two == b"\r\n") else { return Ok(false) };
        let size = usize::from_str_radix(std::str::from_utf8(buffer.get(..line).unwrap_or_default())?, 16)?;
        ensure!(size > 0, "the stream has ended");
        let (begin, end) = (line + 2, line + 2 + size);
        if buffer.len() < end + 2 {
            return Ok(false);
        }
        self.text.push_str(std::str::from_utf8(buffer.get(begin..end).unwrap_or_default())?);
        buffer.drain(..end + 2);
        Ok(true)
    }
}
