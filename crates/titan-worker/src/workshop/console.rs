//! What a command writes, as lines of the run's log: with their colours, a few times a second, and no more than somebody would read.

use std::time::Duration;

use titan_core::engine::NewEvent;
use titan_core::redact::redact;
use titan_core::state::Level;
use titan_core::text;
use titan_sandbox::{Event, Stream};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::lines;
use crate::reporter::Reporter;

/// Between two writes.
const PACE: Duration = Duration::from_millis(200);
/// Lines that are kept, characters of one of them, and lines of one write.
const MOST_LINES: usize = 5_000;
const MOST_CHARS: usize = 2_000;
const MOST_AT_ONCE: usize = 500;
/// The last lines, for who wants to know how it ended, and why.
const TAIL: usize = 100;

/// Hears a command to its end.
pub(super) struct Console {
    /// None: nobody reads it.
    reporter: Option<Reporter>,
    /// What has no end of line yet, of each stream.
    open: [Vec<u8>; 2],
    waiting: Vec<NewEvent>,
    lines: usize,
    tail: Vec<String>,
}

impl Console {
    pub(super) fn new(reporter: Option<Reporter>) -> Self {
        Self { reporter, open: [Vec::new(), Vec::new()], waiting: Vec::new(), lines: 0, tail: Vec::new() }
    }

    /// Reads until the command has ended, and gives its last lines. A log that cannot be written stops nobody: whether the claim is
    /// lost is for the runner to find out.
    pub(super) async fn follow(mut self, mut events: mpsc::Receiver<Event>) -> Vec<String> {
        let mut next = Instant::now() + PACE;
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.hear(event),
                    None => break,
                },
                () = sleep_until(next), if !self.waiting.is_empty() => {}
            }
            if self.waiting.len() >= MOST_AT_ONCE || (Instant::now() >= next && !self.waiting.is_empty()) {
                self.write().await;
                next = Instant::now() + PACE;
            }
        }
        for stream in [Stream::Stdout, Stream::Stderr] {
            let rest = std::mem::take(self.open_of(stream));
            if !rest.is_empty() {
                self.line(stream, &rest);
            }
        }
        self.write().await;
        self.tail
    }

    fn open_of(&mut self, stream: Stream) -> &mut Vec<u8> {
        let [out, err] = &mut self.open;
        if stream == Stream::Stdout { out } else { err }
    }

    fn hear(&mut self, event: Event) {
        match event {
            Event::Output(chunk) => {
                let open = self.open_of(chunk.stream);
                open.extend_from_slice(&chunk.bytes);
                let mut lines = std::mem::take(open);
                let end = lines.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
                // A line without end is told in pieces.
                let end = if lines.len() - end > 4 * MOST_CHARS { lines.len() } else { end };
                let rest = lines.split_off(end);
                for line in lines.split_inclusive(|byte| *byte == b'\n') {
                    self.line(chunk.stream, line);
                }
                *self.open_of(chunk.stream) = rest;
            }
            Event::Cut { .. } => {
                self.say(Level::Warn, "There is more than is kept: the rest of what it writes is left out".to_owned())
            }
            Event::Refused { target, reason } => {
                self.say(Level::Warn, format!("It may not connect to {target}: {reason}"))
            }
        }
    }

    fn line(&mut self, stream: Stream, bytes: &[u8]) {
        let text = String::from_utf8_lossy(bytes);
        let text = kept(&text);
        if self.tail.len() == TAIL {
            self.tail.remove(0);
        }
        self.tail.push(text.clone());
        self.lines += 1;
        if self.lines == MOST_LINES + 1 {
            self.say(Level::Warn, format!("It wrote more than {MOST_LINES} lines: only those are kept"));
        }
        if self.lines <= MOST_LINES {
            // Many a program tells of its progress where errors go.
            let mut event = NewEvent::log(Level::Info, text);
            event.data = serde_json::json!({"stream": if stream == Stream::Stdout { "stdout" } else { "stderr" }});
            self.waiting.push(event);
        }
    }

    fn say(&mut self, level: Level, line: String) {
        self.waiting.push(NewEvent::log(level, line));
    }

    async fn write(&mut self) {
        let events = std::mem::take(&mut self.waiting);
        if let Some(reporter) = &self.reporter
            && !events.is_empty()
            && let Err(error) = reporter.report(events).await
        {
            tracing::debug!(%error, "lines of a command were not written");
        }
    }
}

/// A line as it is kept.
fn kept(line: &str) -> String {
    redact(text::head(&lines::seen(line), MOST_CHARS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_an_end_and_no_secret() {
        assert_eq!(kept(&"x".repeat(5000)).len(), MOST_CHARS);
        assert_eq!(kept("token=abc123\n"), "token=[removed]");
    }
}
