//! A thread of the committer: gathers what is waiting, has it written, and answers.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::super::transition::Transition;
use super::feed::Feed;
use super::writer::Writer;
use super::{Error, Item};
use crate::meter::Meter;

/// Transitions per transaction at most: beyond that a larger batch costs no less for each, and keeps the other threads idle.
const MAX_BATCH: usize = 256;
/// From so many transitions in its last batch on, a thread waits for company at most this long, and looks for it this often. It
/// sleeps in between: to be woken by each that comes would cost more than it brings.
const CROWD: usize = 16;
const LINGER: Duration = Duration::from_millis(3);
const LOOK: Duration = Duration::from_micros(250);
/// How often a thread that rests looks whether it is wanted again. How large the fleet is comes once a second.
const REST: Duration = Duration::from_millis(200);

pub(super) struct Thread {
    writer: Writer,
    waiting: Arc<Mutex<Receiver<Item>>>,
    feed: Arc<Feed>,
    /// While it is set, this thread leaves everything to the others. Gone with the last handle.
    rests: Option<Weak<AtomicBool>>,
    /// Transitions of the last batch.
    last: usize,
}

impl Thread {
    pub(super) fn new(
        writer: Writer,
        waiting: Arc<Mutex<Receiver<Item>>>,
        feed: Arc<Feed>,
        rests: Option<Weak<AtomicBool>>,
    ) -> Self {
        Thread { writer, waiting, feed, rests, last: 0 }
    }

    pub(super) fn run(mut self) {
        while let Some(items) = self.next() {
            let mut transitions = Vec::with_capacity(items.len());
            let mut answers = Vec::with_capacity(items.len());
            for item in items {
                if let Item::Apply(transition, answer) = item {
                    transitions.push(transition);
                    answers.push(answer);
                }
            }
            self.last = transitions.len();
            let ending = transitions.iter().filter(|transition| ends_a_job(transition)).count();
            let heavy = is_heavy(&transitions);
            let ride = self.feed.ride(heavy, ending);
            if transitions.is_empty() && ride.is_none() {
                continue;
            }
            let begun = Instant::now();
            let (results, taken) = self.writer.write(&transitions, ride.as_ref().map(|(_, claim)| claim));
            self.feed.batch_took(heavy, begun.elapsed());
            for (answer, result) in answers.into_iter().zip(results) {
                if matches!(result, Err(Error::Fenced { .. })) {
                    Meter::get().fenced.one();
                }
                // Who asked may be gone; what was done stays done.
                let _ = answer.send(result);
            }
            if let Some((intake, claim)) = ride {
                intake.took(&claim, taken);
            }
        }
    }

    /// Everything that is waiting, at least one. Under load it waits a little for company: a batch twice as large costs
    /// much less than two. `None` when nobody can send any more.
    fn next(&self) -> Option<Vec<Item>> {
        while self.rests.as_ref().and_then(Weak::upgrade).is_some_and(|rests| rests.load(Ordering::Relaxed)) {
            std::thread::sleep(REST);
        }
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let mut items = vec![waiting.recv().ok()?];
        let until = Instant::now() + LINGER;
        // A little more than last time, so that batches may grow.
        let enough = MAX_BATCH.min(self.last + self.last / 4);
        loop {
            let before = items.len();
            items.extend(waiting.try_iter().take(MAX_BATCH - before));
            let nobody_came = items.len() == before && before > 1;
            if self.last < CROWD || items.len() >= enough || nobody_came || Instant::now() >= until {
                break;
            }
            std::thread::sleep(LOOK);
        }
        Some(items)
    }
}

/// Whether a claim that rides with such a batch may wait long: a plain end is so little to write that its slot is best filled at
/// once.
fn is_heavy(transitions: &[Transition]) -> bool {
    transitions.iter().filter(|transition| !matches!(transition, Transition::FinishJob(_))).count() >= CROWD
}

/// Whether its slot is free afterwards.
fn ends_a_job(transition: &Transition) -> bool {
    match transition {
        Transition::Finish(finish) => finish.go_on.is_none(),
        Transition::FinishJob(_) => true,
        _ => false,
    }
}
