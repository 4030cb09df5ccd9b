//! What leaders do. A rescue is one transaction: it locks the leader's own row and checks the term, takes the worker's lock if
//! it is a fast one, looks at the beat, and then takes the jobs. Between its beginning and its commit anything may happen that
//! these locks do not hold up.

use crate::action::Action;
use crate::protocol::{Flaw, Protocol, step};
use crate::state::{Beat, LEADERS, Leader, Process, Rescue, Row, Speed, State, Worker};

impl Protocol {
    pub(crate) fn lead(&self, state: &State, next: &mut Vec<(Action, State)>) {
        for leader in LEADERS {
            if let Some(Rescue { from, speed }) = state.leadership.rescuing[leader as usize] {
                step(next, state, Action::RescueCommits { leader, from, speed }, |after| {
                    after.leadership.rescuing[leader as usize] = None;
                    let held = |row: &Row| *row == Row::Running { holder: from };
                    after.jobs.iter_mut().filter(|job| held(&job.row)).for_each(|job| self.rescue(job));
                });
                step(next, state, Action::RescueDies { leader, from }, |after| {
                    after.leadership.rescuing[leader as usize] = None;
                });
            } else if self.may_act(state, leader) {
                self.begin_rescues(state, leader, next);
            } else if state.leadership.believes[leader as usize] != 0 {
                step(next, state, Action::IsRefusedByTerm(leader), |after| {
                    after.leadership.believes[leader as usize] = 0;
                });
            }
        }
        for job in (0..state.jobs.len()).filter(|job| state.jobs[*job].canceled) {
            step(next, state, Action::ForcesCancel { job }, |after| after.jobs[job].end());
        }
    }

    /// The fence of leaders: who was replaced writes nothing more.
    pub(crate) fn may_act(&self, state: &State, leader: Leader) -> bool {
        let believes = state.leadership.believes[leader as usize];
        believes == state.leadership.term || believes != 0 && self.has(Flaw::NoTerm)
    }

    fn begin_rescues(&self, state: &State, leader: Leader, next: &mut Vec<(Action, State)>) {
        if state.grace {
            return;
        }
        for (from, process) in state.all_workers() {
            if state.held_by(from).next().is_none() {
                continue;
            }
            for speed in [Speed::Fast, Speed::Slow] {
                if self.is_due(state, from, process, speed) {
                    step(next, state, Action::BeginsRescue { leader, from, speed }, |after| {
                        after.leadership.rescuing[leader as usize] = Some(Rescue { from, speed });
                    });
                }
            }
        }
    }

    fn is_due(&self, state: &State, from: Worker, process: &Process, speed: Speed) -> bool {
        match speed {
            Speed::Fast => {
                let silent = process.beat >= Beat::Old || self.has(Flaw::LockAlone);
                let lock_is_free = !process.session && !state.lock_is_taken_by_a_leader(from);
                self.fast_lane && lock_is_free && silent
            }
            Speed::Slow => process.beat == Beat::Over,
        }
    }

    /// A new leader must wait for the open transaction of the one before it, whose lock on the leaders' row it needs.
    pub(crate) fn take_over(&self, state: &State, next: &mut Vec<(Action, State)>) {
        let open = state.leadership.rescuing.iter().any(Option::is_some);
        for leader in LEADERS {
            if !self.may_act(state, leader) && (!open || self.has(Flaw::NoTerm)) {
                step(next, state, Action::TakesOver(leader), |after| {
                    after.leadership.term += 1;
                    after.leadership.believes[leader as usize] = after.leadership.term;
                });
            }
        }
    }

    /// A handler hangs far beyond its deadline although its worker lives. The attempt counts.
    pub(crate) fn rescue_overdue(&self, state: &State, next: &mut Vec<(Action, State)>) {
        for leader in LEADERS.into_iter().filter(|leader| self.may_act(state, *leader)) {
            for job in (0..state.jobs.len()).filter(|job| matches!(state.jobs[*job].row, Row::Running { .. })) {
                step(next, state, Action::RescuesOverdue { leader, job }, |after| {
                    self.rescue(&mut after.jobs[job]);
                    after.jobs[job].attempt += 1;
                });
            }
        }
    }
}
