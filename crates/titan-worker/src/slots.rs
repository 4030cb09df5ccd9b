//! The slots of a worker: how many jobs it may still take. A job holds its slot until its outcome is durable.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use titan_core::queue::{ClaimedJob, Lane};

/// The slots that all kinds share, and those of kinds with a number of their own.
#[derive(Debug)]
pub(crate) struct Slots {
    state: Mutex<State>,
    shared_kinds: Vec<String>,
}

#[derive(Debug)]
struct State {
    /// Below zero for the moment between a batch that ends jobs and claims others, and the ends themselves.
    free: i64,
    /// Of the kinds with slots of their own.
    own: BTreeMap<String, i64>,
    /// There may be jobs that were not looked for yet.
    hungry: bool,
    closed: bool,
    suspects: usize,
}

/// What a claim may take.
#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) lanes: Vec<Lane>,
    pub(crate) suspect: bool,
}

impl Slots {
    /// `kinds` with the number of slots that each has for itself, if it has.
    pub(crate) fn new(free: usize, kinds: impl IntoIterator<Item = (String, Option<usize>)>) -> Self {
        let (mut shared_kinds, mut own) = (Vec::new(), BTreeMap::new());
        for (kind, slots) in kinds {
            match slots {
                Some(slots) => drop(own.insert(kind, signed(slots))),
                None => shared_kinds.push(kind),
            }
        }
        let state = State { free: signed(free), own, hungry: true, closed: false, suspects: 0 };
        Slots { state: Mutex::new(state), shared_kinds }
    }

    /// There may be work.
    pub(crate) fn ring(&self) {
        self.lock().hungry = true;
    }

    /// Nothing more is taken.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    /// Sets the free slots aside, and those of the jobs that end with the claim. `None` when there is nothing to claim, or
    /// no slot for it.
    pub(crate) fn set_aside(&self, ending: usize) -> Option<Room> {
        let mut state = self.lock();
        if !state.hungry || state.closed {
            return None;
        }
        let limit = usize::try_from(state.free + signed(ending)).unwrap_or(0);
        let mut lanes = vec![Lane { kinds: self.shared_kinds.clone(), limit }];
        for (kind, free) in &mut state.own {
            let limit = usize::try_from(*free).unwrap_or(0);
            *free -= signed(limit);
            lanes.push(Lane { kinds: vec![kind.clone()], limit });
        }
        if lanes.iter().all(|lane| lane.limit == 0) {
            return None;
        }
        state.free -= signed(limit);
        state.hungry = false;
        Some(Room { lanes, suspect: state.suspects == 0 })
    }

    /// Counts what a claim brought, and frees the rest of what was set aside for it. A lane that is full may have more.
    pub(crate) fn taken(&self, lanes: &[Lane], jobs: &[&ClaimedJob]) {
        let mut state = self.lock();
        for lane in lanes {
            let used = jobs.iter().filter(|job| lane.kinds.contains(&job.kind)).count();
            if used >= lane.limit && lane.limit > 0 {
                state.hungry = true;
            }
            match lane.kinds.first().and_then(|kind| state.own.get_mut(kind)) {
                Some(own) => *own += signed(lane.limit) - signed(used),
                None => state.free += signed(lane.limit) - signed(used),
            }
        }
        state.suspects += jobs.iter().filter(|job| job.suspect).count();
    }

    /// A claim failed: what was set aside for it is free again, and nobody knows whether there is work.
    pub(crate) fn nothing_taken(&self, lanes: &[Lane]) {
        self.taken(lanes, &[]);
        self.ring();
    }

    /// A job was put down. True when it is worth to look for another one.
    pub(crate) fn free(&self, kind: &str, suspect: bool) -> bool {
        let mut state = self.lock();
        if suspect {
            state.suspects = state.suspects.saturating_sub(1);
            state.hungry = true;
        }
        let free = match state.own.get_mut(kind) {
            Some(own) => own,
            None => &mut state.free,
        };
        *free += 1;
        *free > 0 && state.hungry
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn signed(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn job(kind: &str) -> ClaimedJob {
        ClaimedJob {
            id: 1,
            kind: kind.to_owned(),
            queue: "default".to_owned(),
            priority: 0,
            limit_key: None,
            epoch: 1,
            attempt: 1,
            max_attempts: 3,
            rescues: 0,
            suspect: false,
            timeout_ms: 1000,
            project_id: None,
            run_id: None,
            step: None,
            payload: None,
        }
    }

    fn slots() -> Slots {
        Slots::new(2, [("chat".to_owned(), None), ("build".to_owned(), Some(1))])
    }

    fn limits(room: &Room) -> Vec<usize> {
        room.lanes.iter().map(|lane| lane.limit).collect()
    }

    #[test]
    fn a_slot_is_taken_once_and_freed_once() {
        let slots = slots();
        let room = slots.set_aside(0).unwrap();
        assert_eq!(limits(&room), [2, 1]);
        assert!(slots.set_aside(0).is_none(), "the question is asked already");
        let (chat, build) = (job("chat"), job("build"));
        slots.taken(&room.lanes, &[&chat, &build]);
        let room = slots.set_aside(0).unwrap();
        assert_eq!(limits(&room), [1, 0]);
        slots.taken(&room.lanes, &[&chat]);
        assert!(slots.set_aside(0).is_none(), "all are taken");
        assert!(slots.free("chat", false));
    }

    #[test]
    fn the_slots_of_jobs_that_end_with_the_claim_count() {
        let slots = Slots::new(1, [("chat".to_owned(), None)]);
        let chat = job("chat");
        let room = slots.set_aside(0).unwrap();
        slots.taken(&room.lanes, &[&chat]);
        let room = slots.set_aside(1).unwrap();
        assert_eq!(limits(&room), [1]);
        slots.taken(&room.lanes, &[&chat]);
        assert!(!slots.free("chat", false), "its slot has gone to the next job");
        assert!(slots.free("chat", false));
    }
}
