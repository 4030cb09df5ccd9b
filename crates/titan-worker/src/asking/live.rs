//! One answer of a model as it streams in: deltas are written a few times a second beside the reading, so that a slow
//! database holds nothing up, a beat says that the model is at work, and an order to stop ends it at once.

use std::pin::Pin;
use std::time::Duration;

use futures_util::StreamExt as _;
use titan_agent::deltas::{Delta, DeltaCoalescer};
use titan_agent::models::Resolved;
use titan_agent::tokens::estimate_tokens;
use titan_agent::{Chunk, ChunkStream, FinishReason, ModelRequest, ProviderError, Usage};
use titan_core::Error;
use titan_core::engine::NewEvent;
use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep_until, timeout};

use super::{Attempt, Broken, Listener, Shown};
use crate::handler::Work;

/// Who watches is told at least every two seconds that the model is at work; a little sooner, since it takes its way.
const BEAT: Duration = Duration::from_millis(1500);
/// An answer that is there at once needs no report of its own: what there is to say goes with the outcome.
const FIRST_REPORT: Duration = Duration::from_millis(25);
/// How long what was said before an order to stop is waited for, so that it is in order.
const LAST_WRITE: Duration = Duration::from_secs(1);

type Writing = Pin<Box<dyn Future<Output = titan_core::Result<()>> + Send>>;

/// An answer on its way.
pub(super) struct Live<'a> {
    work: &'a Work,
    deltas: DeltaCoalescer,
    /// The report that is being written: one at a time, so that they stay in order.
    writing: Option<Writing>,
    /// What is to be written next.
    waiting: Vec<NewEvent>,
    written_at: Instant,
    /// Nothing is written before this.
    held_until: Option<Instant>,
    asked_at: Instant,
    /// The time to the first word.
    first_token: Option<Duration>,
    opened: bool,
    /// Whether the words are shown as they come.
    in_words: bool,
    listener: Option<Box<dyn Listener>>,
    text: String,
}

impl<'a> Live<'a> {
    /// `first` is what is to be said of it, unless that was written before. It goes out while the model is being asked, or with the
    /// outcome when that is there at once.
    pub(super) fn new(work: &'a Work, first: Option<NewEvent>, shown: Shown<'_>) -> Self {
        Self {
            work,
            deltas: DeltaCoalescer::default(),
            writing: None,
            held_until: first.as_ref().map(|_| Instant::now() + FIRST_REPORT),
            waiting: first.into_iter().collect(),
            written_at: Instant::now(),
            asked_at: Instant::now(),
            first_token: None,
            opened: false,
            in_words: matches!(shown, Shown::Words),
            listener: match shown {
                Shown::As(listen) => Some(listen()),
                Shown::Nothing | Shown::Words => None,
            },
            text: String::new(),
        }
    }

    /// The whole call, from the question to the last word of it that is written.
    pub(super) async fn ask(mut self, candidate: &Resolved, request: ModelRequest) -> Attempt {
        let mut told = None;
        let result = self.read(candidate, request, &mut told).await;
        self.close().await;
        let (opened, heard_tokens) = (self.opened, estimate_tokens(&self.text));
        let first_token_ms = self.first_token.map(|time| i32::try_from(time.as_millis()).unwrap_or(i32::MAX));
        let result = result.map(|reason| (self.text, reason));
        Attempt { told, heard_tokens, opened, first_token_ms, result }
    }

    async fn read(
        &mut self,
        candidate: &Resolved,
        request: ModelRequest,
        usage: &mut Option<Usage>,
    ) -> Result<FinishReason, Broken> {
        let stop = &self.work.stop;
        let mut beat = interval_at(Instant::now() + FIRST_REPORT, BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let opening = candidate.provider.stream(request, stop.token());
        tokio::pin!(opening);
        let mut stream: Option<ChunkStream> = None;
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
                opened = &mut opening, if stream.is_none() => {
                    stream = Some(opened.map_err(provider)?);
                    self.opened = true;
                }
                chunk = next_chunk(&mut stream), if stream.is_some() => match chunk {
                    Some(Ok(Chunk::Text(text))) => self.take(&text),
                    Some(Ok(Chunk::ToolCall(call))) => {
                        let message = format!("it calls the tool {:?}, and was offered none", call.name);
                        return Err(Broken::Provider(ProviderError::MalformedAnswer { message }));
                    }
                    Some(Ok(Chunk::Usage(told))) => *usage = Some(told),
                    Some(Ok(Chunk::Finished { reason })) => return Ok(reason),
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
        self.first_token.get_or_insert_with(|| self.asked_at.elapsed());
        self.text.push_str(text);
        if self.in_words {
            let delta = self.deltas.push(text, Instant::now());
            self.say(delta);
        }
        let told = self.listener.as_mut().map(|listener| listener.hear(text)).unwrap_or_default();
        if !told.is_empty() {
            self.waiting.extend(told);
            self.write();
        }
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
