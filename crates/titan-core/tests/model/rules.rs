//! What must always be true. The rules look at rows and steps alone and know nothing of flaws, so a flawed protocol is caught
//! by the same rules that the right one keeps.

use crate::action::Action;
use crate::protocol::{Flaw, Protocol};
use crate::state::{Answer, Beat, Claim, Job, Life, Row, Speed, State, Worker, Write};

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) says: &'static str,
    kept: fn(&Step) -> bool,
}

pub(crate) const ALL: &[Rule] = &[
    Rule {
        says: "a job that is gone has exactly one terminal row, and stays gone",
        kept: |step| step.rows().all(ends_once),
    },
    ENDED_BY_ITS_HOLDER,
    Rule { says: "only the holder writes, and only under the row's epoch", kept: is_fenced },
    Rule { says: "under one epoch a start is recorded once, and never after the finish", kept: begins_once },
    Rule { says: "an epoch never falls", kept: |step| step.rows().all(epoch_stays_or_grows) },
    Rule {
        says: "an epoch is handed out once, to one worker",
        kept: |step| hands_out_once(step) && no_two_hold_the_same(step.after),
    },
    Rule { says: "attempts and rescues count as they should", kept: counts },
    Rule { says: "a fast rescue finds the lock free and the beat old", kept: fast_rescue_is_careful },
    Rule { says: "nobody who is up and in touch is rescued from", kept: rescue_has_cause },
    Rule { says: "a leader whose term is over rescues nothing", kept: leads },
    Rule { says: "every rescue has a fault of its own", kept: rescues_are_few },
];

/// What somebody would notice who knows nothing of epochs: the work of one worker is ended by another one.
pub(crate) const ENDED_BY_ITS_HOLDER: Rule =
    Rule { says: "no worker ends or takes back what another worker holds", kept: ended_by_its_holder };

pub(crate) struct Step<'a> {
    pub(crate) protocol: &'a Protocol,
    pub(crate) before: &'a State,
    pub(crate) action: Action,
    pub(crate) after: &'a State,
}

impl Step<'_> {
    /// The first rule that is broken.
    pub(crate) fn breaks(&self) -> Option<&'static str> {
        self.protocol.rules.iter().find(|rule| !(rule.kept)(self)).map(|rule| rule.says)
    }

    fn rows(&self) -> impl Iterator<Item = (&Job, &Job)> {
        self.before.jobs.iter().zip(&self.after.jobs)
    }
}

fn ends_once((old, new): (&Job, &Job)) -> bool {
    let rows_agree = new.ended == u8::from(new.row == Row::Gone);
    rows_agree && (old.row != Row::Gone || new == old)
}

/// Whoever wrote, by whatever check it got through: the row must have been its own.
fn is_fenced(step: &Step) -> bool {
    match step.action {
        Action::WriteCommits { worker, job, epoch, .. } | Action::ReleaseCommits { worker, job, epoch, .. } => {
            let (old, new) = (&step.before.jobs[job], &step.after.jobs[job]);
            old == new || old.row == Row::Running { holder: worker } && old.epoch == epoch
        }
        _ => true,
    }
}

fn ended_by_its_holder(step: &Step) -> bool {
    match step.action {
        Action::WriteCommits { worker, job, .. } | Action::ReleaseCommits { worker, job, .. } => {
            let (old, new) = (step.before.jobs[job].row, step.after.jobs[job].row);
            old == new || !matches!(old, Row::Running { holder } if holder != worker)
        }
        _ => true,
    }
}

fn epoch_stays_or_grows((old, new): (&Job, &Job)) -> bool {
    new.row == Row::Gone || new.epoch >= old.epoch
}

fn begins_once(step: &Step) -> bool {
    match step.action {
        Action::WriteCommits { job, write: Write::Start, answer: Answer::Accepted, .. } => {
            let row = &step.before.jobs[job];
            !row.begun && row.row != Row::Gone
        }
        _ => true,
    }
}

fn hands_out_once(step: &Step) -> bool {
    match step.action {
        Action::ClaimCommits { job, epoch, .. } => epoch > step.before.jobs[job].handed_out,
        _ => true,
    }
}

fn no_two_hold_the_same(state: &State) -> bool {
    let mut held: Vec<(usize, u8, Worker)> = Vec::new();
    for (worker, process) in state.all_workers() {
        held.extend(process.hands.iter().map(|hand| (hand.job, hand.epoch, worker)));
        if let Claim::Answered { job, epoch, .. } = process.claim {
            held.push((job, epoch, worker));
        }
    }
    held.iter().all(|(job, epoch, worker)| {
        held.iter().all(|(other_job, other_epoch, other)| (job, epoch) != (other_job, other_epoch) || worker == other)
    })
}

/// An attempt is counted by the claim, and given back by a rescue or a release, but not when a handler hung.
fn counts(step: &Step) -> bool {
    let (attempts, rescues) = match step.action {
        Action::ClaimCommits { .. } => (1, 0),
        Action::RescueCommits { .. } => (-1, 1),
        Action::RescuesOverdue { .. } => (0, 1),
        Action::ReleaseCommits { .. } => (-1, 0),
        _ => (0, 0),
    };
    let grew = |old: u8, new: u8| i16::from(new) - i16::from(old);
    let changed = |(old, new): &(&Job, &Job)| new.row != Row::Gone && old != new;
    step.rows()
        .filter(changed)
        .all(|(old, new)| grew(old.attempt, new.attempt) == attempts && grew(old.rescues, new.rescues) == rescues)
}

fn fast_rescue_is_careful(step: &Step) -> bool {
    match step.action {
        Action::RescueCommits { from, speed: Speed::Fast, .. } if step.before.held_by(from).next().is_some() => {
            let process = step.before.worker(from);
            !process.session && process.beat != Beat::Young
        }
        _ => true,
    }
}

fn rescue_has_cause(step: &Step) -> bool {
    match step.action {
        Action::BeginsRescue { from, .. } => {
            step.before.worker(from).life != Life::Up || step.before.worker(from).out_of_touch
        }
        _ => true,
    }
}

fn leads(step: &Step) -> bool {
    match step.action {
        Action::RescueCommits { leader, .. } | Action::RescuesOverdue { leader, .. } => {
            let leadership = &step.before.leadership;
            leadership.believes[leader as usize] == leadership.term || step.protocol.has(Flaw::NoTerm)
        }
        _ => true,
    }
}

/// One fault may cost a job two rescues: from the hand of the worker that failed, and from a claim that it had sent step.before.
fn rescues_are_few(step: &Step) -> bool {
    let faults = step.protocol.faults - step.after.faults_left;
    step.after.jobs.iter().all(|job| job.rescues <= 2 * faults)
}
