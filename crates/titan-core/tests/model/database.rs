//! What Postgres does: each request is one transaction, and a fence locks the row that it checks. The statements are those of
//! `queue/claim.rs`, `queue/release.rs`, `queue/maintenance` and of the engine's finish, as far as they touch `jobs`.

use crate::action::Action;
use crate::protocol::{Flaw, MAX_ATTEMPTS, Protocol, step};
use crate::state::{Answer, Claim, Job, Message, Outcome, Phase, Request, Row, State, Worker, Write};

impl Protocol {
    /// Requests arrive in any order, and as late as they like.
    pub(crate) fn requests(&self, state: &State, next: &mut Vec<(Action, State)>) {
        for (place, message) in state.wire.iter().enumerate() {
            let worker = message.from;
            match message.what {
                Request::Claim => self.claim(state, place, message, next),
                Request::Write { job, epoch, write, checked: false, .. } if self.has(Flaw::FenceWithoutLock) => {
                    let action = Action::FenceIsRead { worker, job, epoch, write };
                    step(next, state, action, |after| self.read_fence(after, place, message));
                }
                Request::Write { job, epoch, attempt, write, checked } => {
                    let mut after = state.clone();
                    after.wire.remove(place);
                    let row = &mut after.jobs[job];
                    let fenced = if checked { row.row != Row::Gone } else { self.fence_holds(row, epoch, attempt) };
                    let answer = if fenced { row.write(write) } else { Answer::Refused };
                    after.tell(worker, job, epoch, write, answer);
                    next.push((Action::WriteCommits { worker, job, epoch, write, answer }, after));
                }
                Request::Release { job, epoch } => {
                    let mut after = state.clone();
                    after.wire.remove(place);
                    let row = &mut after.jobs[job];
                    let released = row.row == Row::Running { holder: worker } && row.epoch == epoch;
                    if released {
                        row.release();
                    }
                    next.push((Action::ReleaseCommits { worker, job, epoch, released }, after));
                }
            }
            if message.cut_off {
                step(next, state, Action::RequestDies(*message), |after| {
                    after.wire.remove(place);
                    if let Request::Write { job, epoch, write, .. } = message.what {
                        after.tell(worker, job, epoch, write, Answer::Aborted);
                    }
                });
            }
        }
    }

    /// Any job that is ready may be the one.
    fn claim(&self, state: &State, place: usize, message: &Message, next: &mut Vec<(Action, State)>) {
        let worker = message.from;
        let ready = (0..state.jobs.len()).filter(|job| state.jobs[*job].row == Row::Ready);
        let mut found = false;
        for job in ready {
            found = true;
            let mut after = state.clone();
            after.wire.remove(place);
            let row = &mut after.jobs[job];
            let keeps = self.has(Flaw::ReclaimKeepsEpoch) && row.rescues > 0;
            row.epoch += u8::from(!keeps);
            row.attempt += 1;
            row.begun = false;
            row.handed_out = row.handed_out.max(row.epoch);
            row.row = Row::Running { holder: worker };
            let (epoch, attempt) = (row.epoch, row.attempt);
            if !message.cut_off {
                after.worker_mut(worker).claim = Claim::Answered { job, epoch, attempt };
            }
            next.push((Action::ClaimCommits { worker, job, epoch }, after));
        }
        if !found {
            step(next, state, Action::ClaimFindsNothing(worker), |after| {
                after.wire.remove(place);
                if !message.cut_off {
                    after.worker_mut(worker).claim = Claim::Idle;
                }
            });
        }
    }

    fn fence_holds(&self, row: &Job, epoch: u8, attempt: u8) -> bool {
        let running = matches!(row.row, Row::Running { .. });
        match self.flaw {
            Some(Flaw::NoFence) => row.row != Row::Gone,
            Some(Flaw::FenceOnAttempt) => running && row.attempt == attempt,
            _ => running && row.epoch == epoch,
        }
    }

    fn read_fence(&self, after: &mut State, place: usize, message: &Message) {
        let Request::Write { job, epoch, attempt, write, .. } = message.what else { return };
        after.wire.remove(place);
        if self.fence_holds(&after.jobs[job], epoch, attempt) {
            let what = Request::Write { job, epoch, attempt, write, checked: true };
            after.wire.push(Message { what, ..*message });
            after.wire.sort_unstable();
        } else {
            after.tell(message.from, job, epoch, write, Answer::Refused);
        }
    }

    pub(crate) fn rescue(&self, row: &mut Job) {
        row.row = Row::Ready;
        row.epoch += u8::from(!self.has(Flaw::ReclaimKeepsEpoch) && !self.has(Flaw::RescueKeepsEpoch));
        row.rescues += 1;
        row.attempt -= 1;
        row.begun = false;
    }
}

impl Job {
    fn write(&mut self, write: Write) -> Answer {
        match write {
            // Who was asked to stop died before it could; the next one is the one to end it.
            Write::Start if self.canceled => {
                self.end();
                return Answer::Refused;
            }
            Write::Start => self.begun = true,
            Write::Finish(Outcome::Retry) if !self.canceled && self.attempt < MAX_ATTEMPTS => {
                self.row = Row::Ready;
                self.begun = false;
            }
            Write::Finish(_) => self.end(),
        }
        Answer::Accepted
    }

    fn release(&mut self) {
        self.row = Row::Ready;
        self.epoch += 1;
        self.attempt -= 1;
        self.begun = false;
    }

    /// `DELETE ... RETURNING` into the history: a row that is not there makes no second terminal row.
    pub(crate) fn end(&mut self) {
        let ended = self.ended + u8::from(self.row != Row::Gone);
        *self = Job { row: Row::Gone, ended, ..Job::new() };
    }
}

impl State {
    /// The answer reaches whoever still waits for it. A stopped process finds it when it continues.
    fn tell(&mut self, worker: Worker, job: usize, epoch: u8, write: Write, answer: Answer) {
        let process = self.worker_mut(worker);
        let hand = process.hands.iter().find(|hand| (hand.job, hand.epoch) == (job, epoch));
        match hand.map(|hand| hand.phase) {
            Some(Phase::Sent(sent)) if sent == write => process.hear(job, epoch, write, answer),
            Some(Phase::Unsure(sent, None)) if sent == write => {
                process.set_phase(job, epoch, Phase::Unsure(write, Some(answer)));
            }
            _ => {}
        }
    }

    pub(crate) fn all_ended(&self) -> bool {
        self.jobs.iter().all(|job| job.row == Row::Gone)
    }
}
