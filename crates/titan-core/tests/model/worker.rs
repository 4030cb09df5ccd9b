//! What a worker does of its own accord: claim, begin, work, finish, beat, and hand back when it is told to go.

use crate::action::Action;
use crate::protocol::{Flaw, Protocol, step};
use crate::state::{Answer, Beat, Claim, Hand, Life, Outcome, Phase, Process, Request, Row, State, Worker, Write};

impl Protocol {
    pub(crate) fn work(&self, state: &State, next: &mut Vec<(Action, State)>) {
        for (worker, process) in state.all_workers().filter(|(_, process)| process.life == Life::Up) {
            self.ask_for_work(state, worker, process, next);
            for hand in &process.hands {
                self.carry_out(state, worker, process, *hand, next);
            }
            if process.session {
                let keeps_strays = self.has(Flaw::StraysStay);
                step(next, state, Action::Beats(worker), |after| after.beat(worker, keeps_strays));
            }
            if process.leaving && process.hands.is_empty() && process.claim == Claim::Idle {
                step(next, state, Action::Exits(worker), |after| after.end_process(worker));
            }
        }
    }

    /// Only who is in touch claims: with its lock held and its last beat taken. Otherwise what it claims is rescued at once,
    /// and again, until the job looks as if it killed workers.
    fn ask_for_work(&self, state: &State, worker: Worker, process: &Process, next: &mut Vec<(Action, State)>) {
        let in_touch = process.session && process.beat == Beat::Young || self.has(Flaw::ClaimsOutOfTouch);
        match process.claim {
            Claim::Idle
                if !process.leaving && in_touch && process.hands.len() < self.slots && state.anything_is_ready() =>
            {
                step(next, state, Action::SendsClaim(worker), |after| {
                    after.worker_mut(worker).claim = Claim::Asked;
                    after.send(worker, Request::Claim);
                });
            }
            Claim::Answered { job, epoch, attempt } => {
                step(next, state, Action::TakesInHand { worker, job, epoch }, |after| {
                    let process = after.worker_mut(worker);
                    process.claim = Claim::Idle;
                    process.hands.push(Hand { job, epoch, attempt, phase: Phase::Claimed });
                    process.hands.sort_unstable();
                });
            }
            _ => {}
        }
    }

    fn carry_out(&self, state: &State, worker: Worker, process: &Process, hand: Hand, next: &mut Vec<(Action, State)>) {
        let Hand { job, epoch, .. } = hand;
        match hand.phase {
            // The handler runs in either phase; of a job that ends at once the outcome is the first word.
            Phase::Claimed | Phase::Working => {
                if hand.phase == Phase::Claimed {
                    let action = Action::SendsStart { worker, job, epoch };
                    step(next, state, action, |after| after.send_write(worker, hand, Write::Start));
                }
                for outcome in [Outcome::Done, Outcome::Retry] {
                    let action = Action::SendsFinish { worker, job, epoch, outcome };
                    step(next, state, action, |after| after.send_write(worker, hand, Write::Finish(outcome)));
                }
            }
            Phase::Unsure(write, _) if self.has(Flaw::ResendsUnasked) => {
                let action = Action::Resends { worker, job, epoch, write };
                step(next, state, action, |after| after.send_write(worker, hand, write));
            }
            Phase::Unsure(write, Some(answer)) => {
                let action = Action::Learns { worker, job, epoch, answer };
                step(next, state, action, |after| after.worker_mut(worker).hear(job, epoch, write, answer));
            }
            Phase::Sent(_) | Phase::Unsure(_, None) => {}
        }
        if process.leaving && matches!(hand.phase, Phase::Claimed | Phase::Working) {
            step(next, state, Action::HandsBack { worker, job, epoch }, |after| after.give_back(worker, job, epoch));
        }
    }
}

impl Process {
    pub(crate) fn hear(&mut self, job: usize, epoch: u8, write: Write, answer: Answer) {
        match (write, answer) {
            (Write::Start, Answer::Accepted) | (Write::Finish(_), Answer::Aborted) => {
                self.set_phase(job, epoch, Phase::Working);
            }
            (Write::Start, Answer::Aborted) => self.set_phase(job, epoch, Phase::Claimed),
            (Write::Finish(_), Answer::Accepted) | (_, Answer::Refused) => self.put_down(job, epoch),
        }
    }
}

impl State {
    fn send_write(&mut self, worker: Worker, hand: Hand, write: Write) {
        let Hand { job, epoch, attempt, .. } = hand;
        self.worker_mut(worker).set_phase(job, epoch, Phase::Sent(write));
        self.send(worker, Request::Write { job, epoch, attempt, write, checked: false });
    }

    pub(crate) fn give_back(&mut self, worker: Worker, job: usize, epoch: u8) {
        self.worker_mut(worker).put_down(job, epoch);
        let what = Request::Release { job, epoch };
        if !self.wire.iter().any(|message| message.from == worker && message.what == what) {
            self.send(worker, what);
        }
    }

    /// Says that it lives; drops what the database does not count as its own, unless the outcome is just being written; and
    /// gives back what the database thinks it has and nobody here knows of.
    fn beat(&mut self, worker: Worker, keeps_strays: bool) {
        let ours: Vec<(usize, u8)> = self.held_by(worker).map(|(job, row)| (job, row.epoch)).collect();
        let process = self.worker_mut(worker);
        process.beat = Beat::Young;
        process.out_of_touch = false;
        process.hands.retain(|hand| {
            let finishing = matches!(hand.phase, Phase::Sent(Write::Finish(_)) | Phase::Unsure(Write::Finish(_), _));
            finishing || ours.contains(&(hand.job, hand.epoch))
        });
        if process.claim == Claim::Idle && !keeps_strays {
            let known: Vec<(usize, u8)> = process.hands.iter().map(|hand| (hand.job, hand.epoch)).collect();
            for (job, epoch) in ours.into_iter().filter(|key| !known.contains(key)) {
                self.give_back(worker, job, epoch);
            }
        }
    }

    /// The process is gone, and with it its memory and its connections. What it has sent may still be carried out.
    pub(crate) fn end_process(&mut self, worker: Worker) {
        let process = self.worker_mut(worker);
        let (beat, out_of_touch) = (process.beat, process.out_of_touch);
        *process = Process { life: Life::Dead, session: false, beat, out_of_touch, ..Process::new() };
        for message in self.wire.iter_mut().filter(|message| message.from == worker) {
            message.cut_off = true;
        }
        self.wire.sort_unstable();
    }

    fn anything_is_ready(&self) -> bool {
        self.jobs.iter().any(|job| job.row == Row::Ready)
    }

    pub(crate) fn anyone_is_up(&self) -> bool {
        self.workers.iter().any(|process| process.life == Life::Up && !process.leaving)
    }
}
