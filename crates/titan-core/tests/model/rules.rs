//! What must always be true. The rules look at rows and steps alone and know nothing of flaws, so a flawed protocol is caught
//! by the same rules that the right one keeps.

use crate::action::Action;
use crate::protocol::{Flaw, Protocol};
use crate::state::{Answer, Beat, Claim, Job, Life, Row, Speed, State, Worker, Write};

/// The first rule that a step breaks.
pub(crate) fn broken(protocol: &Protocol, before: &State, action: &Action, after: &State) -> Option<&'static str> {
    let rows = || before.jobs.iter().zip(&after.jobs).enumerate();
    let changed = |job: usize| before.jobs[job] != after.jobs[job];
    let kept: [(&'static str, bool); 10] = [
        ("a job that is gone has exactly one terminal row, and stays gone", rows().all(|(_, (old, new))| ends_once(old, new))),
        ("only the holder writes, and only under the row's epoch", is_fenced(before, action, &changed)),
        ("under one epoch a start is recorded once, and a finish only after it", begins_then_ends(before, action)),
        ("an epoch never falls", rows().all(|(_, (old, new))| new.row == Row::Gone || new.epoch >= old.epoch)),
        ("an epoch is handed out once, to one worker", hands_out_once(before, action) && no_two_hold_the_same(after)),
        ("attempts and rescues count as they should", rows().all(|(job, pair)| counts(job, pair, action))),
        ("a fast rescue finds the lock free and the beat old", fast_rescue_is_careful(before, action)),
        ("nobody who is up and in touch is rescued from", rescue_has_cause(before, action)),
        ("a leader whose term is over rescues nothing", protocol.has(Flaw::NoTerm) || leads(before, action)),
        ("every rescue has a fault of its own", rescues_are_few(protocol, after)),
    ];
    kept.iter().find(|(_, kept)| !kept).map(|(rule, _)| *rule)
}

fn ends_once(old: &Job, new: &Job) -> bool {
    let rows_agree = new.ended == u8::from(new.row == Row::Gone);
    rows_agree && (old.row != Row::Gone || new == old)
}

/// Whoever wrote, by whatever check it got through: the row must have been its own.
fn is_fenced(before: &State, action: &Action, changed: impl Fn(usize) -> bool) -> bool {
    match *action {
        Action::WriteCommits { worker, job, epoch, .. } | Action::ReleaseCommits { worker, job, epoch, .. } => {
            let row = &before.jobs[job];
            !changed(job) || row.row == Row::Running { holder: worker } && row.epoch == epoch
        }
        _ => true,
    }
}

fn begins_then_ends(before: &State, action: &Action) -> bool {
    match *action {
        Action::WriteCommits { job, write, answer: Answer::Accepted, .. } => {
            before.jobs[job].begun == matches!(write, Write::Finish(_))
        }
        _ => true,
    }
}

fn hands_out_once(before: &State, action: &Action) -> bool {
    match *action {
        Action::ClaimCommits { job, epoch, .. } => epoch > before.jobs[job].handed_out,
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
        held.iter().all(|(other_job, other_epoch, other)| {
            (job, epoch) != (other_job, other_epoch) || worker == other
        })
    })
}

/// An attempt is counted by the claim, and given back by a rescue or a release, but not when a handler hung.
fn counts(job: usize, (old, new): (&Job, &Job), action: &Action) -> bool {
    if new.row == Row::Gone || old == new {
        return true;
    }
    let (attempts, rescues) = match *action {
        Action::ClaimCommits { job: claimed, .. } if claimed == job => (1, 0),
        Action::RescueCommits { .. } => (-1, 1),
        Action::RescuesOverdue { .. } => (0, 1),
        Action::ReleaseCommits { .. } => (-1, 0),
        _ => (0, 0),
    };
    let grew = |old: u8, new: u8| i16::from(new) - i16::from(old);
    grew(old.attempt, new.attempt) == attempts && grew(old.rescues, new.rescues) == rescues
}

fn fast_rescue_is_careful(before: &State, action: &Action) -> bool {
    match *action {
        Action::RescueCommits { from, speed: Speed::Fast, .. } if before.held_by(from).next().is_some() => {
            let process = before.worker(from);
            !process.session && process.beat != Beat::Young
        }
        _ => true,
    }
}

fn rescue_has_cause(before: &State, action: &Action) -> bool {
    match *action {
        Action::BeginsRescue { from, .. } => before.worker(from).life != Life::Up || before.worker(from).out_of_touch,
        _ => true,
    }
}

fn leads(before: &State, action: &Action) -> bool {
    match *action {
        Action::RescueCommits { leader, .. } | Action::RescuesOverdue { leader, .. } => {
            before.leadership.believes[leader as usize] == before.leadership.term
        }
        _ => true,
    }
}

/// One fault may cost a job two rescues: from the hand of the worker that failed, and from a claim that it had sent before.
fn rescues_are_few(protocol: &Protocol, state: &State) -> bool {
    let faults = protocol.faults - state.faults_left;
    state.jobs.iter().all(|job| job.rescues <= 2 * faults)
}
