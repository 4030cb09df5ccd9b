//! A stream of words as a few events a second. It holds no clock and no timer: whoever reads the model's stream says
//! what time it is and wakes up at [`DeltaCoalescer::due_at`].

use std::time::Duration;

use tokio::time::Instant;

/// About five events a second are a fluent text for a reader and cheap to store.
pub const DEFAULT_INTERVAL: Duration = Duration::from_millis(200);

/// Between two deltas passes at least this part of the time the answer has taken so far, so that the number of deltas
/// grows with the logarithm of the time: fewer than 1,000 in six hours, whatever the speed of the model.
const PART_OF_ELAPSED: u32 = 128;

/// A piece of the answer. `offset` counts Unicode scalar values from the beginning of the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delta {
    pub offset: u64,
    pub text: String,
}

/// Collects text and gives it back in pieces that follow on each other without gap or overlap.
#[derive(Debug)]
pub struct DeltaCoalescer {
    interval: Duration,
    started_at: Option<Instant>,
    last_at: Option<Instant>,
    pending: String,
    offset: u64,
}

impl DeltaCoalescer {
    #[must_use]
    pub fn new(interval: Duration) -> Self {
        Self { interval, started_at: None, last_at: None, pending: String::new(), offset: 0 }
    }

    /// Takes text. The first of an answer comes back at once, later text when it is time.
    pub fn push(&mut self, text: &str, now: Instant) -> Option<Delta> {
        self.pending.push_str(text);
        self.take_due(now)
    }

    /// What is due by now, for when the model pauses.
    pub fn take_due(&mut self, now: Instant) -> Option<Delta> {
        if self.due_at().is_some_and(|due| due > now) {
            return None;
        }
        let delta = self.flush()?;
        self.started_at.get_or_insert(now);
        self.last_at = Some(now);
        Some(delta)
    }

    /// When the text that waits is to be taken; nothing when none waits or when it may be taken at any time.
    #[must_use]
    pub fn due_at(&self) -> Option<Instant> {
        let (started_at, last_at) = (self.started_at?, self.last_at?);
        if self.pending.is_empty() {
            return None;
        }
        let elapsed = last_at.saturating_duration_since(started_at);
        Some(last_at + self.interval.max(elapsed / PART_OF_ELAPSED))
    }

    /// All that waits, at once: for the end of the answer, whole or not.
    pub fn flush(&mut self) -> Option<Delta> {
        if self.pending.is_empty() {
            return None;
        }
        let text = std::mem::take(&mut self.pending);
        let offset = self.offset;
        self.offset += text.chars().count() as u64;
        Some(Delta { offset, text })
    }

    /// Characters given back so far.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

impl Default for DeltaCoalescer {
    fn default() -> Self {
        Self::new(DEFAULT_INTERVAL)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs a whole answer through, with a reader that wakes up when something is due.
    fn deltas_of(pieces: &[(u64, String)], interval: Duration) -> Vec<(Instant, Delta)> {
        let mut coalescer = DeltaCoalescer::new(interval);
        let mut now = Instant::now();
        let mut out = Vec::new();
        for (pause_ms, text) in pieces {
            let arrives = now + Duration::from_millis(*pause_ms);
            while let Some(due) = coalescer.due_at().filter(|due| *due <= arrives) {
                out.extend(coalescer.take_due(due).map(|delta| (due, delta)));
            }
            now = arrives;
            out.extend(coalescer.push(text, now).map(|delta| (now, delta)));
        }
        out.extend(coalescer.flush().map(|delta| (now, delta)));
        out
    }

    #[test]
    fn the_first_word_comes_at_once_and_the_rest_five_times_a_second() {
        let pieces: Vec<_> = (0..100).map(|_| (10, "word ".to_owned())).collect();
        let deltas = deltas_of(&pieces, DEFAULT_INTERVAL);
        assert_eq!(deltas[0].1, Delta { offset: 0, text: "word ".to_owned() });
        // One second of text: the first word, one delta each 200 ms, and the flush.
        assert!((5..=7).contains(&deltas.len()), "{}", deltas.len());
    }

    #[test]
    fn a_pause_of_the_model_does_not_hold_text_back() {
        let deltas = deltas_of(
            &[(0, "a".to_owned()), (10, "b".to_owned()), (60_000, "c".to_owned())],
            Duration::from_millis(200),
        );
        assert_eq!(deltas[1].0 - deltas[0].0, Duration::from_millis(200));
        assert_eq!(deltas[1].1.text, "b");
    }

    #[test]
    fn a_hundred_thousand_tokens_are_fewer_than_a_thousand_deltas() {
        for tokens_per_second in [5, 20, 50, 100, 1000] {
            let pieces: Vec<_> = (0..100_000).map(|_| (1000 / tokens_per_second, "tokn".to_owned())).collect();
            let deltas = deltas_of(&pieces, DEFAULT_INTERVAL);
            assert!(deltas.len() < 1000, "{tokens_per_second} tokens a second are {} deltas", deltas.len());
        }
    }

    proptest! {
        #[test]
        fn nothing_is_lost_and_offsets_are_right(
            pieces in prop::collection::vec((0u64..2_000, "\\PC{0,12}|[aé日🙂\\n]{0,12}"), 0..200),
            interval_ms in 0u64..1_000,
        ) {
            let interval = Duration::from_millis(interval_ms);
            let deltas = deltas_of(&pieces, interval);
            let mut text = String::new();
            for (_, delta) in &deltas {
                prop_assert!(!delta.text.is_empty());
                prop_assert_eq!(delta.offset, text.chars().count() as u64);
                text.push_str(&delta.text);
            }
            prop_assert_eq!(text, pieces.iter().map(|(_, text)| text.as_str()).collect::<String>());
            // All but the last, which the end of the answer may force, keep their distance.
            for pair in deltas.windows(2).rev().skip(1) {
                prop_assert!(pair[1].0 - pair[0].0 >= interval);
            }
        }
    }
}
