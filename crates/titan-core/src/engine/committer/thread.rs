//! A thread of the committer: gathers what is waiting, has it written, and answers.

use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::super::story::JobOutcome;
use super::super::transition::Transition;
use super::feed::Feed;
use super::fleet::Fleet;
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
/// From so many transitions on that are more than plain ends, a claim that would ride may wait long.
const HEAVY: usize = 16;

pub(super) struct Thread {
    writer: Writer,
    waiting: Arc<Mutex<Receiver<Item>>>,
    feed: Arc<Feed>,
    fleet: Arc<Fleet>,
    /// Transitions of the last batch.
    last: usize,
}

impl Thread {
    pub(super) fn new(writer: Writer, waiting: Arc<Mutex<Receiver<Item>>>, feed: Arc<Feed>, fleet: Arc<Fleet>) -> Self {
        Thread { writer, waiting, feed, fleet, last: 0 }
    }

    pub(super) fn run(mut self) {
        loop {
            let _turn = self.fleet.turn();
            let Some(items) = self.next() else { return };
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

/// Whether claims had better not wait for such a batch. The plain end of a job is so little to write that its slot is best filled
/// with it, however many there are.
fn is_heavy(transitions: &[Transition]) -> bool {
    transitions.iter().filter(|transition| !is_plain_end(transition)).count() >= HEAVY
}

/// Such an end is written without a look at the job before.
fn is_plain_end(transition: &Transition) -> bool {
    matches!(transition, Transition::FinishJob(finish) if JobOutcome::of(&finish.outcome).is_some())
}

/// Whether its slot is free afterwards.
fn ends_a_job(transition: &Transition) -> bool {
    match transition {
        Transition::Finish(finish) => finish.go_on.is_none(),
        Transition::FinishJob(_) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::engine::{CancelJob, Done, FinishJob, Outcome};

    fn ends(count: usize, outcome: &Outcome) -> Vec<Transition> {
        (0..count).map(|_| FinishJob { job_id: 1, epoch: 1, outcome: outcome.clone() }.into()).collect()
    }

    #[test]
    fn plain_ends_are_light_and_a_crowd_of_anything_else_is_heavy() {
        let plain = || ends(240, &Outcome::Done(Done::default()));
        let other = |count: usize| (0..count).map(|_| Transition::from(CancelJob { job_id: 1 }));
        assert!(!is_heavy(&plain()));
        assert!(!is_heavy(&plain().into_iter().chain(other(HEAVY - 1)).collect::<Vec<_>>()));
        assert!(is_heavy(&plain().into_iter().chain(other(HEAVY)).collect::<Vec<_>>()));
        assert!(is_heavy(&ends(HEAVY, &Outcome::Retry { error: "x".to_owned(), after: Some(Duration::ZERO) })));
    }
}
