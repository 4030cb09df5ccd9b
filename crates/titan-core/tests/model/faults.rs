//! What goes wrong, what people do, and what mends by itself. Each fault takes one from what is left of them.

use crate::action::Action;
use crate::protocol::{Flaw, Protocol, step};
use crate::state::{Answer, Beat, Claim, Job, Life, Message, Phase, Process, Request, Row, State, Worker, Write};

impl Protocol {
    pub(crate) fn fail(&self, state: &State, next: &mut Vec<(Action, State)>) {
        for (worker, process) in state.all_workers().filter(|(_, process)| process.life != Life::Dead) {
            step(next, state, Action::Crashes(worker), |after| after.end_process(worker));
            if process.session {
                step(next, state, Action::LosesConnection(worker), |after| after.worker_mut(worker).session = false);
            }
            if process.life == Life::Up {
                self.fail_living(state, worker, process, next);
            }
        }
        for (place, message) in state.wire.iter().enumerate().filter(|(_, message)| !message.cut_off) {
            step(next, state, Action::AnswerIsLost(*message), |after| {
                after.wire[place].cut_off = true;
                after.wire.sort_unstable();
                after.leave_unanswered(message);
            });
        }
        step(next, state, Action::PostgresRestarts, |after| self.restart(after));
        self.take_over(state, next);
        self.rescue_overdue(state, next);
        for job in (0..state.jobs.len()).filter(|job| state.jobs[*job].row != Row::Gone && !state.jobs[*job].canceled) {
            step(next, state, Action::PersonCancels { job }, |after| after.jobs[job].cancel());
        }
    }

    fn fail_living(&self, state: &State, worker: Worker, process: &Process, next: &mut Vec<(Action, State)>) {
        step(next, state, Action::IsStopped(worker), |after| {
            let process = after.worker_mut(worker);
            process.life = Life::Stopped;
            process.out_of_touch = true;
        });
        if process.session && process.beat < Beat::Over {
            step(next, state, Action::BeatsLate(worker), |after| after.worker_mut(worker).grow_older());
        }
        if !process.leaving {
            step(next, state, Action::IsToldToShutDown(worker), |after| after.worker_mut(worker).leaving = true);
        }
        for hand in process.hands.iter().filter(|hand| matches!(hand.phase, Phase::Unsure(..))) {
            let (job, epoch) = (hand.job, hand.epoch);
            step(next, state, Action::GivesUpAsking { worker, job, epoch }, |after| match hand.phase {
                Phase::Unsure(Write::Start, _) => after.give_back(worker, job, epoch),
                _ => after.worker_mut(worker).put_down(job, epoch),
            });
        }
    }

    /// Open transactions are gone, and all locks of sessions. Nobody could beat for as long as it took.
    fn restart(&self, after: &mut State) {
        for message in std::mem::take(&mut after.wire) {
            after.leave_unanswered(&message);
        }
        for process in &mut after.workers {
            process.session = false;
            process.beat = Beat::Over;
            for hand in &mut process.hands {
                if let Phase::Unsure(write, None) = hand.phase {
                    hand.phase = Phase::Unsure(write, Some(Answer::Aborted));
                }
            }
        }
        after.leadership.rescuing = [None; 2];
        after.grace = !self.has(Flaw::NoGrace);
    }

    pub(crate) fn mend(&self, state: &State, next: &mut Vec<(Action, State)>) {
        for (worker, process) in state.all_workers() {
            let cannot_beat = process.life != Life::Up || !process.session;
            // Nobody looks at the beat of a worker that holds nothing.
            if cannot_beat && process.beat < Beat::Over && !state.nothing_speaks_of(worker) {
                step(next, state, Action::TimePassesFor(worker), |after| after.worker_mut(worker).grow_older());
            }
            let lock_is_free = !state.lock_is_taken_by_a_leader(worker) || self.has(Flaw::LockNotTaken);
            match process.life {
                Life::Up if !process.session && lock_is_free => {
                    step(next, state, Action::Reconnects(worker), |after| after.worker_mut(worker).session = true);
                }
                Life::Stopped => {
                    step(next, state, Action::Continues(worker), |after| after.worker_mut(worker).life = Life::Up);
                }
                // A new process has a new id. The letter is free for it when nothing speaks of the old one any more.
                Life::Dead if state.nothing_speaks_of(worker) => {
                    step(next, state, Action::StartsAnew(worker), |after| *after.worker_mut(worker) = Process::new());
                }
                _ => {}
            }
        }
        // The one thing that is taken for granted about time: who lives is back before the grace is over.
        let back = |process: &Process| process.life != Life::Up || process.out_of_touch || process.beat == Beat::Young;
        if state.grace && state.workers.iter().all(back) {
            step(next, state, Action::GraceEnds, |after| after.grace = false);
        }
    }
}

impl Process {
    fn grow_older(&mut self) {
        self.out_of_touch = true;
        self.beat = if self.beat == Beat::Young { Beat::Old } else { Beat::Over };
    }
}

impl Job {
    /// What nobody holds ends at once; who holds it is asked to stop.
    fn cancel(&mut self) {
        if matches!(self.row, Row::Running { .. }) {
            self.canceled = true;
        } else {
            self.end();
        }
    }
}

impl State {
    /// The sender's connection breaks while it waits. The server may carry the request out all the same.
    fn leave_unanswered(&mut self, message: &Message) {
        if message.cut_off {
            return;
        }
        let process = self.worker_mut(message.from);
        match message.what {
            Request::Claim => process.claim = Claim::Idle,
            Request::Write { job, epoch, write, .. } => process.set_phase(job, epoch, Phase::Unsure(write, None)),
            Request::Release { .. } => {}
        }
    }

    fn nothing_speaks_of(&self, worker: Worker) -> bool {
        let rescued = self.leadership.rescuing.iter().flatten().any(|rescue| rescue.from == worker);
        !rescued && self.held_by(worker).next().is_none() && self.wire.iter().all(|message| message.from != worker)
    }
}
