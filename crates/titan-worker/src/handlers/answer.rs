//! One answer of a model as it streams in: deltas are written a few times a second beside the reading, so that a slow
//! database holds nothing up, a beat says that the model is at work, and an order to stop ends it at once.

use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::json;
use titan_agent::deltas::{Delta, DeltaCoalescer};
use titan_agent::models::Resolved;
use titan_agent::tokens::estimate_tokens;
use titan_agent::{Chunk, ChunkStream, FinishReason, ModelRequest, ProviderError, Usage};
use titan_core::Error;
use titan_core::engine::NewEvent;
use titan_core::state::Level;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use crate::handler::Work;

/// Who watches is told at least every two seconds that the model is at work; a little sooner, since it takes its way.
const BEAT: Duration = Duration::from_millis(1500);
/// An answer that is there at once needs no report of its own: what there is to say goes with the outcome.
const FIRST_REPORT: Duration = Duration::from_millis(25);
/// How long what was said before an order to stop is waited for, so that it is in order.
const LAST_WRITE: Duration = Duration::from_secs(1);

pub(super) struct Answer {
    pub(super) text: String,
    pub(super) usage: Usage,
    pub(super) reason: FinishReason,
}

/// Why there is no answer.
pub(super) enum Broken {
    Stopped,
    Provider(ProviderError),
    /// The database refused what was to be reported.
    Report(Error),
}

pub(super) async fn stream(work: &Work, resolved: &Resolved, request: ModelRequest) -> Result<Answer, Broken> {
    let mut live = Live::new(work, resolved, request.messages.len());
    let answer = live.read(resolved, request).await;
    live.close().await;
    answer
}

type Writing = Pin<Box<dyn Future<Output = titan_core::Result<()>> + Send>>;

/// An answer on its way.
struct Live<'a> {
    work: &'a Work,
    deltas: DeltaCoalescer,
    /// The report that is being written: one at a time, so that they stay in order.
    writing: Option<Writing>,
    /// What is to be written next.
    waiting: Vec<NewEvent>,
    written_at: Instant,
    /// Nothing is written before this.
    held_until: Option<Instant>,
    text: String,
}

impl<'a> Live<'a> {
    /// The first report goes out while the model is being asked.
    fn new(work: &'a Work, resolved: &Resolved, messages: usize) -> Self {
        let (provider, model) = (resolved.provider.name(), &resolved.model);
        let line = format!("Asking {provider} (model {model})");
        let data = json!({"provider": provider, "model": model, "messages": messages});
        Self {
            work,
            deltas: DeltaCoalescer::default(),
            writing: None,
            waiting: vec![NewEvent::told("log", Level::Info, line, data)],
            written_at: Instant::now(),
            held_until: Some(Instant::now() + FIRST_REPORT),
            text: String::new(),
        }
    }

    async fn read(&mut self, resolved: &Resolved, request: ModelRequest) -> Result<Answer, Broken> {
        let stop = &self.work.stop;
        let mut beat = interval_at(Instant::now() + FIRST_REPORT, BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let opening = resolved.provider.stream(request, stop.token());
        tokio::pin!(opening);
        let mut stream: Option<ChunkStream> = None;
        let mut usage = Usage::default();
        loop {
            let due = self.deltas.due_at();
            let held = self.held_until;
            tokio::select! {
                biased;
                () = stop.requested() => return Err(Broken::Stopped),
                written = next_write(&mut self.writing), if self.writing.is_some() => self.has_written(written)?,
                () = sleep_until(due.unwrap_or_else(Instant::now)), if due.is_some() => {
                    let delta = self.deltas.take_due(Instant::now());
                    self.say(delta);
                }
                () = sleep_until(held.unwrap_or_else(Instant::now)), if held.is_some() => {
                    self.held_until = None;
                    self.write();
                }
                _ = beat.tick() => self.beat(),
                opened = &mut opening, if stream.is_none() => stream = Some(opened.map_err(provider)?),
                chunk = next_chunk(&mut stream), if stream.is_some() => match chunk {
                    Some(Ok(Chunk::Text(text))) => self.take(&text),
                    Some(Ok(Chunk::ToolCall(call))) => {
                        let message = format!("it calls the tool {:?}, and was offered none", call.name);
                        return Err(Broken::Provider(ProviderError::MalformedAnswer { message }));
                    }
                    Some(Ok(Chunk::Usage(told))) => usage = told,
                    Some(Ok(Chunk::Finished { reason })) => {
                        let text = std::mem::take(&mut self.text);
                        return Ok(Answer { text, usage, reason });
                    }
                    Some(Err(error)) => return Err(provider(error)),
                    None => {
                        let received_chars = self.text.chars().count() as u64;
                        let message = "the stream ended without an end".to_owned();
                        return Err(Broken::Provider(ProviderError::CutStream { received_chars, message }));
                    }
                },
            }
        }
    }

    fn take(&mut self, text: &str) {
        self.text.push_str(text);
        let delta = self.deltas.push(text, Instant::now());
        self.say(delta);
    }

    fn say(&mut self, delta: Option<Delta>) {
        if let Some(delta) = delta {
            self.waiting.push(self.event(&delta));
            self.write();
        }
    }

    fn event(&self, delta: &Delta) -> NewEvent {
        let offset = usize::try_from(delta.offset).unwrap_or(usize::MAX);
        NewEvent::delta(self.work.fence.step, self.work.started.attempt, offset, &delta.text)
    }

    fn beat(&mut self) {
        self.work.reporter.beat(estimate_tokens(&self.text));
        // The step's own sign of life moves too when the model says nothing.
        if self.written_at.elapsed() >= BEAT {
            self.write();
        }
    }

    /// Begins to write what waits, unless a write is under way: then it goes with the next.
    fn write(&mut self) {
        if self.writing.is_some() || self.held_until.is_some() {
            return;
        }
        let (reporter, events) = (self.work.reporter.clone(), std::mem::take(&mut self.waiting));
        self.written_at = Instant::now();
        self.writing = Some(Box::pin(async move { reporter.report(events).await }));
    }

    /// A lost claim has told the work to stop already; anything else that the database refuses ends the attempt.
    fn has_written(&mut self, written: titan_core::Result<()>) -> Result<(), Broken> {
        self.writing = None;
        match written {
            Ok(()) => {
                if !self.waiting.is_empty() {
                    self.write();
                }
                Ok(())
            }
            Err(Error::Fenced { .. }) => Err(Broken::Stopped),
            Err(error) => Err(Broken::Report(error)),
        }
    }

    /// What is being written comes first, and what is left goes with the outcome.
    async fn close(&mut self) {
        let stopped = self.work.stop.reason().is_some();
        if let Some(writing) = self.writing.take() {
            let written = if stopped { timeout(LAST_WRITE, writing).await.unwrap_or(Ok(())) } else { writing.await };
            if let Err(error) = written {
                tracing::debug!(%error, run.id = %self.work.fence.run_id, "the last deltas were not written");
            }
        }
        let last = self.deltas.flush().map(|delta| self.event(&delta));
        self.waiting.drain(..).chain(last).for_each(|event| self.work.reporter.at_the_end(event));
    }
}

fn provider(error: ProviderError) -> Broken {
    match error {
        ProviderError::Canceled => Broken::Stopped,
        error => Broken::Provider(error),
    }
}

async fn next_write(writing: &mut Option<Writing>) -> titan_core::Result<()> {
    match writing {
        Some(writing) => writing.await,
        None => std::future::pending().await,
    }
}

async fn next_chunk(stream: &mut Option<ChunkStream>) -> Option<Result<Chunk, ProviderError>> {
    match stream {
        Some(stream) => stream.next().await,
        None => std::future::pending().await,
    }
}
