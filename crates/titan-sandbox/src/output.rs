//! Two pipes as one stream of events. Both are always read, so that a command never waits for whoever listens: what has not been
//! taken yet is gathered into fewer, longer chunks, and no more of it than the limit is kept.

use std::collections::VecDeque;
use std::future::pending;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::outcome::{Chunk, Event, Stream};

/// What is read at once, and about the longest chunk, in bytes.
const CHUNK: usize = 32 * 1024;

/// Pieces that wait; what comes then is added to the last one of its stream, so that a command which writes a byte here and a byte
/// there takes no more room than its bytes.
const MOST_PIECES: usize = 4096;

/// What was read and not yet passed on.
enum Waiting {
    Bytes { stream: Stream, bytes: Vec<u8>, at: std::time::Duration },
    Cut,
}

pub(crate) struct Output {
    stdout: Pipe<ChildStdout>,
    stderr: Pipe<ChildStderr>,
    kept: Kept,
    events: mpsc::Sender<Event>,
}

/// What was kept of both.
struct Kept {
    begun: Instant,
    waiting: VecDeque<Waiting>,
    limit: u64,
    total: u64,
    is_cut: bool,
}

impl Output {
    pub(crate) fn new(
        stdout: Option<ChildStdout>,
        stderr: Option<ChildStderr>,
        limit: u64,
        begun: Instant,
        events: mpsc::Sender<Event>,
    ) -> Self {
        let kept = Kept { begun, waiting: VecDeque::new(), limit, total: 0, is_cut: false };
        Self { stdout: Pipe::new(stdout), stderr: Pipe::new(stderr), kept, events }
    }

    /// What was written so far, in bytes, with what was cut.
    pub(crate) fn total(&self) -> u64 {
        self.kept.total
    }

    /// Until both have ended and everything is passed on. It may be stopped at any point and called again.
    pub(crate) async fn pass_on(&mut self) {
        loop {
            let kept = &mut self.kept;
            if self.events.is_closed() {
                // Nobody listens; it is still read, and counted.
                kept.waiting.clear();
            }
            let is_waiting = !kept.waiting.is_empty();
            if !self.stdout.is_open() && !self.stderr.is_open() && !is_waiting {
                return;
            }
            tokio::select! {
                () = self.stdout.read() => kept.take(Stream::Stdout, self.stdout.whole()),
                () = self.stderr.read() => kept.take(Stream::Stderr, self.stderr.whole()),
                permit = self.events.reserve(), if is_waiting => {
                    let next = kept.waiting.pop_front().map(|next| next.into_event(kept.limit));
                    if let (Ok(permit), Some(event)) = (permit, next) {
                        permit.send(event);
                    }
                }
            }
        }
    }
}

impl Kept {
    fn take(&mut self, stream: Stream, bytes: Vec<u8>) {
        let at = self.begun.elapsed();
        let used = self.total;
        self.total += bytes.len() as u64;
        if self.is_cut || bytes.is_empty() {
            return;
        }
        let room = usize::try_from(self.limit.saturating_sub(used)).unwrap_or(usize::MAX);
        let mut bytes = bytes;
        let too_long = bytes.len() > room;
        if too_long {
            bytes.truncate(room);
            bytes.truncate(whole_characters(&bytes));
        }
        match self.gathering(stream) {
            Some(gathered) => gathered.extend_from_slice(&bytes),
            None if bytes.is_empty() => {}
            None => self.waiting.push_back(Waiting::Bytes { stream, bytes, at }),
        }
        if too_long {
            self.is_cut = true;
            self.waiting.push_back(Waiting::Cut);
        }
    }
}

impl Kept {
    /// The piece that more of this stream is added to, if it begins no new one.
    fn gathering(&mut self, stream: Stream) -> Option<&mut Vec<u8>> {
        let is_full = self.waiting.len() >= MOST_PIECES;
        let of_stream = self.waiting.iter_mut().rev().take(if is_full { MOST_PIECES } else { 1 });
        of_stream.into_iter().find_map(|waiting| match waiting {
            Waiting::Bytes { stream: last, bytes, .. } if *last == stream && (is_full || bytes.len() < CHUNK) => {
                Some(bytes)
            }
            _ => None,
        })
    }
}

impl Waiting {
    fn into_event(self, limit: u64) -> Event {
        match self {
            Self::Bytes { stream, bytes, at } => Event::Output(Chunk { stream, bytes: Bytes::from(bytes), at }),
            Self::Cut => Event::Cut { limit },
        }
    }
}

/// One end, and what was read of a character that is not whole yet.
struct Pipe<P> {
    pipe: Option<P>,
    held: Vec<u8>,
    buffer: Vec<u8>,
}

impl<P: AsyncRead + Unpin> Pipe<P> {
    fn new(pipe: Option<P>) -> Self {
        Self { pipe, held: Vec::new(), buffer: vec![0; CHUNK] }
    }

    fn is_open(&self) -> bool {
        self.pipe.is_some()
    }

    /// Reads once; never ends when there is nothing more to read.
    async fn read(&mut self) {
        let Some(pipe) = &mut self.pipe else { return pending().await };
        match pipe.read(&mut self.buffer).await {
            Ok(length @ 1..) => self.held.extend_from_slice(self.buffer.get(..length).unwrap_or_default()),
            Ok(0) | Err(_) => self.pipe = None,
        }
    }

    /// What can be passed on: whole characters, and at the end whatever there is.
    fn whole(&mut self) -> Vec<u8> {
        let length = if self.is_open() { whole_characters(&self.held) } else { self.held.len() };
        let rest = self.held.split_off(length);
        std::mem::replace(&mut self.held, rest)
    }
}

/// How many of the bytes come before a character that is cut at their end. Bytes that are no UTF-8 are passed on as they are.
fn whole_characters(bytes: &[u8]) -> usize {
    for (from_end, byte) in bytes.iter().rev().take(4).enumerate() {
        let needed = match byte {
            // The middle of a character: its beginning stands before.
            0x80..=0xBF => continue,
            0xC0..=0xDF => 2,
            0xE0..=0xEF => 3,
            0xF0..=0xF7 => 4,
            _ => 1,
        };
        return if needed > from_end + 1 { bytes.len() - from_end - 1 } else { bytes.len() };
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_character_is_held_back() {
        for text in ["a", "ä", "€", "😀", "x😀"] {
            let bytes = text.as_bytes();
            assert_eq!(whole_characters(bytes), bytes.len(), "{text} is whole");
            let last = text.char_indices().last().expect("a character").0;
            for cut in last + 1..bytes.len() {
                assert_eq!(whole_characters(&bytes[..cut]), last, "{text} cut at {cut}");
            }
        }
        assert_eq!(whole_characters(&[0x80, 0x80, 0x80, 0x80, 0x80]), 5, "no UTF-8 at all");
        assert_eq!(whole_characters(&[]), 0);
    }

    #[test]
    fn a_byte_here_and_a_byte_there_are_no_more_pieces_than_fit() {
        let mut kept =
            Kept { begun: Instant::now(), waiting: VecDeque::new(), limit: 1 << 20, total: 0, is_cut: false };
        for turn in 0..20_000 {
            kept.take(if turn % 2 == 0 { Stream::Stdout } else { Stream::Stderr }, b"x".to_vec());
        }
        assert_eq!((kept.waiting.len(), kept.total), (MOST_PIECES, 20_000));
        let bytes = |waiting: &Waiting| if let Waiting::Bytes { bytes, .. } = waiting { bytes.len() } else { 0 };
        assert_eq!(kept.waiting.iter().map(bytes).sum::<usize>(), 20_000);
    }

    #[test]
    fn what_waits_is_gathered_and_cut_once() {
        let mut kept = Kept { begun: Instant::now(), waiting: VecDeque::new(), limit: 7, total: 0, is_cut: false };
        kept.take(Stream::Stdout, b"ab".to_vec());
        kept.take(Stream::Stdout, b"cd".to_vec());
        kept.take(Stream::Stderr, "e€".as_bytes().to_vec());
        kept.take(Stream::Stdout, b"lost".to_vec());
        let events: Vec<String> = kept
            .waiting
            .into_iter()
            .map(|waiting| match waiting.into_event(7) {
                Event::Output(chunk) => String::from_utf8(chunk.bytes.to_vec()).expect("text"),
                other => format!("{other:?}"),
            })
            .collect();
        assert_eq!(events, ["abcd", "e", "Cut { limit: 7 }"]);
        assert_eq!(kept.total, 12);
    }
}
