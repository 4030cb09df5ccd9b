//! The table of what this worker holds. A job that was lost and claimed again stands here twice for a moment, so the key
//! is the job with its epoch.

use std::collections::{HashMap, HashSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use uuid::Uuid;

use crate::stop::{Stop, StopReason};

/// Job id and epoch.
pub(crate) type Key = (i64, i64);

#[derive(Debug, Default)]
pub(crate) struct InHand(Mutex<HashMap<Key, Entry>>);

#[derive(Debug)]
struct Entry {
    run_id: Option<Uuid>,
    task_id: Option<Uuid>,
    stop: Stop,
    /// Its outcome is being written: the database may have let go of it already, and that is no loss.
    finishing: bool,
}

impl InHand {
    pub(crate) fn take(&self, key: Key, run_id: Option<Uuid>, task_id: Option<Uuid>) -> Stop {
        let stop = Stop::default();
        let entry = Entry { run_id, task_id, stop: stop.clone(), finishing: false };
        self.lock().insert(key, entry);
        stop
    }

    pub(crate) fn begun(&self, key: Key, task_id: Uuid) {
        if let Some(entry) = self.lock().get_mut(&key) {
            entry.task_id = Some(task_id);
        }
    }

    pub(crate) fn finishing(&self, key: Key) {
        if let Some(entry) = self.lock().get_mut(&key) {
            entry.finishing = true;
        }
    }

    pub(crate) fn put_down(&self, key: Key) {
        self.lock().remove(&key);
    }

    pub(crate) fn len(&self) -> usize {
        self.lock().len()
    }

    pub(crate) fn keys(&self) -> HashSet<Key> {
        self.lock().keys().copied().collect()
    }

    /// What a beat says: the tasks that were begun, and the runs whose cancel matters.
    pub(crate) fn tasks_and_runs(&self) -> (Vec<Uuid>, Vec<Uuid>) {
        let jobs = self.lock();
        let tasks: HashSet<Uuid> = jobs.values().filter_map(|entry| entry.task_id).collect();
        let runs: HashSet<Uuid> = jobs.values().filter_map(|entry| entry.run_id).collect();
        (tasks.into_iter().collect(), runs.into_iter().collect())
    }

    pub(crate) fn stop_run(&self, run_id: Uuid, reason: StopReason) {
        self.lock().values().filter(|entry| entry.run_id == Some(run_id)).for_each(|entry| entry.stop.because(reason));
    }

    pub(crate) fn stop_all(&self, reason: StopReason) {
        self.lock().values().for_each(|entry| entry.stop.because(reason));
    }

    /// Stops the jobs among `asked` that the database does not count as ours, and says which they were.
    pub(crate) fn stop_lost(&self, asked: &HashSet<Key>, ours: &HashSet<Key>) -> Vec<Key> {
        let jobs = self.lock();
        let lost = jobs.iter().filter(|(key, entry)| {
            asked.contains(*key) && !ours.contains(*key) && !entry.finishing && entry.stop.reason().is_none()
        });
        lost.map(|(key, entry)| {
            entry.stop.because(StopReason::Lost);
            *key
        })
        .collect()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Key, Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_asked_about_and_is_not_being_finished_can_be_lost() {
        let hand = InHand::default();
        let stops: Vec<Stop> = (1..=4).map(|id| hand.take((id, 1), None, None)).collect();
        hand.finishing((3, 1));
        let asked = HashSet::from([(1, 1), (2, 1), (3, 1)]);
        assert_eq!(hand.stop_lost(&asked, &HashSet::from([(1, 1)])), vec![(2, 1)]);
        let reasons: Vec<_> = stops.iter().map(Stop::reason).collect();
        assert_eq!(reasons, vec![None, Some(StopReason::Lost), None, None]);
    }

    #[test]
    fn a_job_that_was_claimed_again_is_another_one() {
        let hand = InHand::default();
        let old = hand.take((1, 1), None, None);
        let new = hand.take((1, 3), None, None);
        hand.stop_lost(&HashSet::from([(1, 1), (1, 3)]), &HashSet::from([(1, 3)]));
        assert_eq!((old.reason(), new.reason()), (Some(StopReason::Lost), None));
        hand.put_down((1, 1));
        assert_eq!(hand.keys(), HashSet::from([(1, 3)]));
    }
}
