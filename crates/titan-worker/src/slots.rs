//! The slots of a worker: how many jobs it may still take, and which queues are worth a look. A job holds its slot until its
//! outcome is durable.

use std::sync::{Mutex, MutexGuard, PoisonError};

use titan_core::queue::ClaimedJob;

#[derive(Debug)]
pub(crate) struct Slots {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// At most so many with one claim: a third of all, so that two batches are written while the jobs of another are carried out.
    per_claim: i64,
    /// Below zero for the moment between a batch that ends jobs and claims others, and the ends themselves.
    free: i64,
    queues: Vec<Queue>,
    closed: bool,
    suspects: usize,
    /// Suspects are rare, and none is in a hurry: they are looked for with the poll only.
    look_for_suspects: bool,
}

#[derive(Debug)]
struct Queue {
    name: String,
    /// There may be jobs that were not looked for yet.
    hungry: bool,
    /// The last claim brought all it could: the next one need not wait until another one is back.
    plenty: bool,
}

impl State {
    fn wants_more(&self) -> bool {
        !self.closed && self.free > 0 && self.queues.iter().any(|queue| queue.hungry)
    }

    fn set_aside(&mut self, room: impl FnOnce(i64) -> i64) -> Option<Room> {
        let limit = usize::try_from(room(self.free).min(self.per_claim)).unwrap_or(0);
        if limit == 0 || self.closed || self.queues.iter().all(|queue| !queue.hungry) {
            return None;
        }
        self.free -= signed(limit);
        // In another order each time, so that a full queue does not starve the ones behind it.
        self.queues.rotate_left(1);
        let hungry = self.queues.iter_mut().filter(|queue| queue.hungry);
        let queues = hungry
            .map(|queue| {
                queue.hungry = queue.plenty;
                queue.name.clone()
            })
            .collect();
        let suspect = std::mem::take(&mut self.look_for_suspects) && self.suspects == 0;
        self.suspects += usize::from(suspect);
        Some(Room { queues, limit, suspect })
    }
}

/// What a claim may take, and from where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Room {
    pub(crate) queues: Vec<String>,
    pub(crate) limit: usize,
    pub(crate) suspect: bool,
}

impl Slots {
    pub(crate) fn new(free: usize, queues: Vec<String>) -> Self {
        let queues = queues.into_iter().map(|name| Queue { name, hungry: true, plenty: false }).collect();
        let per_claim = signed(free.div_ceil(3));
        let state =
            State { free: signed(free), per_claim, queues, closed: false, suspects: 0, look_for_suspects: true };
        Slots { state: Mutex::new(state) }
    }

    /// There may be work.
    pub(crate) fn ring(&self) {
        self.lock().queues.iter_mut().for_each(|queue| queue.hungry = true);
    }

    /// The same, from time to time: then also for what is not in a hurry.
    pub(crate) fn ring_for_all(&self) {
        self.ring();
        self.lock().look_for_suspects = true;
    }

    /// The queues that there are now. A new one is worth a look.
    pub(crate) fn know_queues(&self, names: impl Iterator<Item = String>) {
        let mut state = self.lock();
        let known = std::mem::take(&mut state.queues);
        let known = |name: String| match known.iter().find(|queue| queue.name == name) {
            Some(queue) => Queue { name, ..*queue },
            None => Queue { name, hungry: true, plenty: false },
        };
        state.queues = names.map(known).collect();
    }

    pub(crate) fn queues(&self) -> Vec<String> {
        self.lock().queues.iter().map(|queue| queue.name.clone()).collect()
    }

    /// Nothing more is taken.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
    }

    /// Sets the free slots aside, and those of the jobs that end with the claim. `None` when there is nothing to claim, or
    /// no slot for it.
    pub(crate) fn set_aside(&self, ending: usize) -> Option<Room> {
        self.lock().set_aside(|free| free + signed(ending))
    }

    /// Sets some of the free slots aside, and leaves some for the next claim while there are several.
    pub(crate) fn set_some_aside(&self) -> Option<Room> {
        self.lock().set_aside(|free| (free + 3) / 4)
    }

    /// Counts what a claim brought, and frees the rest of what was set aside for it. When it brought all it could, there may
    /// be more in the queue of the last job and in those behind it. True when it is worth to look again at once.
    pub(crate) fn taken(&self, room: &Room, jobs: &[&ClaimedJob]) -> bool {
        let mut state = self.lock();
        let suspects = jobs.iter().filter(|job| job.suspect).count();
        state.suspects = (state.suspects + suspects).saturating_sub(usize::from(room.suspect));
        state.free += signed(room.limit) - signed(jobs.len());
        if jobs.len() - suspects >= room.limit {
            let gave = |name: &String| jobs.iter().any(|job| !job.suspect && job.queue == *name);
            let from = room.queues.iter().rposition(gave).unwrap_or(0);
            let (emptied, left) = room.queues.split_at(from);
            for queue in &mut state.queues {
                if left.contains(&queue.name) {
                    (queue.hungry, queue.plenty) = (true, true);
                } else if emptied.contains(&queue.name) {
                    queue.plenty = false;
                }
            }
        } else {
            // Those that are hungry still have a last look: somebody may have rung since.
            state
                .queues
                .iter_mut()
                .filter(|queue| room.queues.contains(&queue.name))
                .for_each(|queue| queue.plenty = false);
        }
        state.wants_more()
    }

    /// A claim failed: what was set aside for it is free again, and nobody knows whether there is work.
    pub(crate) fn nothing_taken(&self, room: &Room) {
        let mut state = self.lock();
        state.free += signed(room.limit);
        state.suspects = state.suspects.saturating_sub(usize::from(room.suspect));
        drop(state);
        // No more than that: when the database is away, to look again with each poll is soon enough.
        self.ring_for_all();
    }

    /// A job was put down. True when it is worth to look for another one.
    pub(crate) fn free(&self, suspect: bool) -> bool {
        let mut state = self.lock();
        if suspect {
            state.suspects = state.suspects.saturating_sub(1);
            state.look_for_suspects = true;
            state.queues.iter_mut().for_each(|queue| queue.hungry = true);
        }
        state.free += 1;
        state.wants_more()
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

    fn job(queue: &str) -> ClaimedJob {
        ClaimedJob {
            id: 1,
            kind: "chat".to_owned(),
            queue: queue.to_owned(),
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

    fn slots(free: usize, queues: &[&str]) -> Slots {
        Slots::new(free, queues.iter().map(|name| (*name).to_owned()).collect())
    }

    #[test]
    fn a_slot_is_taken_once_and_freed_once() {
        let slots = slots(4, &["default"]);
        let chat = job("default");
        let room = slots.set_aside(0).unwrap();
        assert!(slots.set_aside(0).is_none(), "the question is asked already");
        slots.taken(&room, &[&chat]);
        assert!(slots.set_aside(0).is_none(), "there is nothing more");
        for left in [2, 2] {
            slots.ring();
            let room = slots.set_aside(0).unwrap();
            assert_eq!(room.limit, left);
            slots.taken(&room, &[&chat]);
        }
        slots.ring();
        let room = slots.set_aside(0).unwrap();
        assert_eq!(room.limit, 1);
        slots.taken(&room, &[&chat]);
        assert!(slots.set_aside(0).is_none(), "all are taken");
        assert!(slots.free(false));
    }

    #[test]
    fn one_claim_takes_a_third_of_the_slots_and_the_next_one_follows_at_once() {
        let slots = slots(4, &["default"]);
        let chat = job("default");
        let room = slots.set_aside(0).unwrap();
        assert_eq!(room.limit, 2);
        assert!(slots.taken(&room, &[&chat, &chat]), "it brought all it could and there are slots");
        let room = slots.set_aside(0).unwrap();
        assert!(!slots.taken(&room, &[&chat, &chat]), "there are no slots");
        assert!(slots.set_aside(0).is_none());
    }

    #[test]
    fn where_there_is_plenty_one_claim_does_not_wait_for_another() {
        let slots = slots(6, &["default"]);
        let chat = job("default");
        let first = slots.set_aside(0).unwrap();
        assert!(slots.taken(&first, &[&chat, &chat]));
        let (second, third) = (slots.set_aside(0).unwrap(), slots.set_aside(0).unwrap());
        assert_eq!((second.limit, third.limit), (2, 2));
        // The last one comes back with less: one more look, since somebody may have rung, and no further one.
        assert!(!slots.taken(&second, &[&chat, &chat]), "all slots are taken or set aside");
        assert!(slots.taken(&third, &[]));
        let last = slots.set_aside(0).unwrap();
        assert!(!slots.taken(&last, &[]));
        assert!(slots.set_aside(0).is_none());
    }

    #[test]
    fn a_claim_that_brings_less_than_it_could_is_not_followed_by_another() {
        let slots = slots(4, &["default"]);
        let room = slots.set_aside(0).unwrap();
        assert!(!slots.taken(&room, &[&job("default")]));
        // Unless somebody said meanwhile that there is more.
        slots.ring();
        let room = slots.set_aside(0).unwrap();
        slots.ring();
        assert!(slots.taken(&room, &[]));
    }

    #[test]
    fn who_claims_often_leaves_some_slots_for_the_next_time() {
        let slots = slots(64, &["default"]);
        let chat = job("default");
        let mut taken = Vec::new();
        while let Some(room) = slots.set_some_aside() {
            slots.taken(&room, &vec![&chat; room.limit]);
            taken.push(room.limit);
        }
        assert_eq!(taken[..5], [16, 12, 9, 7, 5]);
        assert_eq!(taken.iter().sum::<usize>(), 64);
    }

    #[test]
    fn the_slots_of_jobs_that_end_with_the_claim_count() {
        let slots = slots(1, &["default"]);
        let chat = job("default");
        let room = slots.set_aside(0).unwrap();
        slots.taken(&room, &[&chat]);
        let room = slots.set_aside(1).unwrap();
        assert_eq!(room.limit, 1);
        slots.taken(&room, &[&chat]);
        assert!(!slots.free(false), "its slot has gone to the next job");
        assert!(slots.free(false));
    }

    #[test]
    fn a_queue_that_was_emptied_is_left_alone_until_somebody_rings() {
        let slots = slots(6, &["a", "b"]);
        let room = slots.set_aside(0).unwrap();
        assert_eq!(room.queues, ["b", "a"]);
        let job = job("a");
        slots.taken(&room, &[&job, &job, &job]);
        let room = slots.set_aside(0).unwrap();
        assert_eq!(room.queues, ["a"]);
        slots.taken(&room, &[]);
        slots.ring();
        assert_eq!(slots.set_aside(0).unwrap().queues.len(), 2);
    }

    #[test]
    fn suspects_are_looked_for_with_the_poll_and_one_at_a_time() {
        let slots = slots(9, &["default"]);
        let suspect = ClaimedJob { suspect: true, ..job("default") };
        let room = slots.set_aside(0).unwrap();
        assert!(room.suspect);
        slots.taken(&room, &[&suspect]);
        slots.ring_for_all();
        let room = slots.set_aside(0).unwrap();
        assert!(!room.suspect, "it holds one");
        slots.taken(&room, &[]);
        assert!(slots.free(true));
        assert!(slots.set_aside(0).unwrap().suspect);
    }

    #[test]
    fn what_is_known_of_a_queue_stays_known() {
        let slots = slots(1, &["a"]);
        let room = slots.set_aside(0).unwrap();
        slots.taken(&room, &[]);
        slots.know_queues(["a", "b"].map(str::to_owned).into_iter());
        assert_eq!(slots.queues(), ["a", "b"]);
        assert_eq!(slots.set_aside(0).unwrap().queues, ["b"]);
    }
}
