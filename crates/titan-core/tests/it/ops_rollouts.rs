//! Rollouts: one for each target, moved by one run under its claim; decisions about what was shown; and a rollback for what nobody moves
//! any more. And what production answers.

use serde_json::json;
use titan_core::Error;
use titan_core::blobs::Blob;
use titan_core::engine::{CancelRun, Done, Fence, IdempotencyKey, Outcome, Wake};
use titan_core::ids::Uuid;
use titan_core::ops::decisions::{self, NewDecision, Verdict};
use titan_core::ops::proposals::{self, Gate, NewProposal, Proposal, ProposalState, Same};
use titan_core::ops::rollbacks;
use titan_core::ops::rollouts::{self, Begun, Move, NewRollout, Rollout, RolloutState};
use titan_core::ops::targets;
use titan_core::queue::{Claim, claim};
use titan_core::state::WaitingOn;

use crate::support::{Bench, fence};

pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";
pub(crate) const TREE: &str = "fedcba9876543210fedcba9876543210fedcba98";
const KINDS: [&str; 7] =
    ["ops.diff", "ops.patch", "ops.test", "ops.pr", "ops.deploy-canary", "ops.promote", "ops.rollback"];

/// The same title is the same call.
pub(crate) fn propose(bench: &mut Bench, title: &str) -> Proposal {
    said(bench, title, Same::Body).0
}

fn said(bench: &mut Bench, title: &str, same: fn(IdempotencyKey) -> Same) -> (Proposal, bool) {
    let patches: Blob = format!("[\"{title}\"]").into_bytes().into();
    let new = NewProposal {
        title: title.to_owned(),
        description: String::new(),
        author: "token".to_owned(),
        now_item: None,
        base_commit: None,
        patches,
        paths: vec!["README.md".to_owned()],
    };
    let key = IdempotencyKey::new("propose", title, title.as_bytes());
    let (proposal, replayed, _) = proposals::create(&mut bench.connection, &new, same(key)).unwrap();
    (proposal, replayed)
}

pub(crate) fn proposal(bench: &mut Bench, id: Uuid) -> Proposal {
    proposals::get(&mut bench.connection, id).unwrap()
}

/// The next job of the workflows of this file.
pub(crate) fn next(bench: &mut Bench) -> Fence {
    let kinds = KINDS.map(str::to_owned).to_vec();
    let jobs = claim(&mut bench.connection, &Claim::simple(bench.worker, kinds, 1)).unwrap();
    let fence = fence(&jobs[0]);
    bench.start(fence).unwrap();
    fence
}

/// Brings a proposal to its canary, and gives the claim of that stage.
pub(crate) fn at_the_canary(bench: &mut Bench) -> Fence {
    for output in [json!({"tree": TREE}), json!({"commit": COMMIT}), json!({}), json!({"number": 1})] {
        let fence = next(bench);
        bench.finish(fence, done(output)).unwrap();
    }
    next(bench)
}

pub(crate) fn done(output: serde_json::Value) -> Outcome {
    Outcome::Done(Done { output, writes: Vec::new() })
}

fn begin(bench: &mut Bench, fence: Fence, id: Uuid) -> titan_core::Result<Begun> {
    let new = NewRollout {
        proposal_id: id,
        target: "local".to_owned(),
        commit: COMMIT.to_owned(),
        last_good: "old".to_owned(),
        pull_number: 1,
    };
    rollouts::begin(&mut bench.connection, fence, &new)
}

fn begun(bench: &mut Bench, fence: Fence, id: Uuid) -> Rollout {
    match begin(bench, fence, id).unwrap() {
        Begun::Ours(rollout) => *rollout,
        taken => panic!("{taken:?}"),
    }
}

fn advance(bench: &mut Bench, fence: Fence, id: Uuid, to: RolloutState) -> titan_core::Result<Rollout> {
    rollouts::advance(&mut bench.connection, fence, id, &Move::to(to, "because"))
}

fn wait(on: WaitingOn, reason: &str) -> Outcome {
    Outcome::Wait { on, reason: reason.to_owned(), since: chrono::Utc::now(), look_again: None }
}

#[test]
fn a_target_has_one_rollout_which_its_run_alone_moves() {
    let mut bench = Bench::new();
    let first = propose(&mut bench, "First");
    let ours = at_the_canary(&mut bench);
    let second = propose(&mut bench, "Second");
    let theirs = at_the_canary(&mut bench);
    let rollout = begun(&mut bench, ours, first.id);
    // Asked again it is the same, and the other one hears who has it.
    assert_eq!(begun(&mut bench, ours, first.id).id, rollout.id);
    assert_eq!(
        begin(&mut bench, theirs, second.id).unwrap(),
        Begun::Taken { proposal_id: first.id, title: "First".to_owned() }
    );
    assert!(matches!(advance(&mut bench, theirs, rollout.id, RolloutState::Promoted), Err(Error::Fenced { .. })));
    let moved = advance(&mut bench, ours, rollout.id, RolloutState::Approval).unwrap();
    assert_eq!((moved.state, moved.reason.as_deref(), moved.ended_at), (RolloutState::Approval, Some("because"), None));
    // What a person wants to stand still is not merged, and what is being merged does not stand still.
    rollouts::pause(&mut bench.connection, first.id, Some("local")).unwrap();
    assert!(!rollouts::promote(&mut bench.connection, ours, rollout.id).unwrap());
    rollouts::pause(&mut bench.connection, first.id, None).unwrap();
    assert!(rollouts::promote(&mut bench.connection, ours, rollout.id).unwrap());
    assert!(matches!(rollouts::pause(&mut bench.connection, first.id, Some("local")), Err(Error::Conflict(_))));
    // A claim that was lost moves nothing, and begins nothing.
    let stale = Fence { epoch: ours.epoch + 1, ..ours };
    assert!(matches!(advance(&mut bench, stale, rollout.id, RolloutState::Promoted), Err(Error::Fenced { .. })));
    assert!(matches!(begin(&mut bench, stale, first.id), Err(Error::Fenced { .. })));
    // Once it has ended it is the other one's turn, and this one stays as it ended.
    let ended = advance(&mut bench, ours, rollout.id, RolloutState::Promoted).unwrap();
    assert!(ended.ended_at.is_some());
    assert!(matches!(advance(&mut bench, ours, rollout.id, RolloutState::Canary), Err(Error::Fenced { .. })));
    let newer = begun(&mut bench, theirs, second.id);
    advance(&mut bench, theirs, newer.id, RolloutState::Promoted).unwrap();
    // To take the first back would take the second back, also for whoever was told to before.
    let late = rollouts::take_over(&mut bench.connection, ours, rollout.id, "x").unwrap_err();
    assert!(matches!(late, Error::Stale(_)), "{late}");
    assert_eq!(rollouts::get(&mut bench.connection, rollout.id).unwrap().state, RolloutState::Promoted);
    let refused = rollbacks::order(&mut bench.connection, first.id, "x", "local").unwrap_err();
    assert!(refused.to_string().contains("promoted since"), "{refused}");
}

#[test]
fn what_is_asked_is_decided_once_and_by_somebody_else() {
    let mut bench = Bench::new();
    let id = propose(&mut bench, "First").id;
    let stage = at_the_canary(&mut bench);
    bench.finish(stage, wait(WaitingOn::Approval, "inconclusive")).unwrap();
    let asks = proposal(&mut bench, id).asks.unwrap();
    assert_eq!((asks.gate, asks.subject.as_str(), asks.question.as_str()), (Gate::Canary, COMMIT, "inconclusive"));
    let mut decide = |subject: &str, verdict, by: &str| {
        decisions::decide(&mut bench.connection, id, &NewDecision { subject, verdict, by, comment: Some(" ") })
    };
    assert!(matches!(decide(COMMIT, Verdict::Approved, "token"), Err(Error::Conflict(_))));
    assert!(matches!(decide(TREE, Verdict::Approved, "local"), Err(Error::Stale(_))));
    let made = decide(COMMIT, Verdict::Approved, "local").unwrap();
    assert_eq!((made.comment.as_deref(), decide(COMMIT, Verdict::Approved, "local").unwrap()), (None, made.clone()));
    assert!(matches!(decide(COMMIT, Verdict::Rejected, "local"), Err(Error::AlreadyDecided("approved"))));
    // Nobody has woken it, so the leader does; and then it is not asleep any more.
    let overslept = rollouts::overslept(&mut bench.connection).unwrap();
    assert_eq!(overslept, [stage.run_id]);
    bench.apply(Wake::for_person(stage.run_id, WaitingOn::Approval).into()).unwrap();
    bench.skip_waiting();
    assert_eq!(next(&mut bench).step, stage.step);
    assert!(rollouts::overslept(&mut bench.connection).unwrap().is_empty());
    assert_eq!(proposal(&mut bench, id).asks, None);
}

#[test]
fn what_nobody_moves_any_more_is_rolled_back_once() {
    let mut bench = Bench::new();
    let id = propose(&mut bench, "First").id;
    let stage = at_the_canary(&mut bench);
    let rollout = begun(&mut bench, stage, id);
    assert!(rollbacks::see_to(&mut bench.connection).unwrap().ordered.is_empty(), "its run goes on");
    bench.finish(stage, Outcome::Fail { error: "the canary failed".to_owned() }).unwrap();
    assert_eq!(rollbacks::see_to(&mut bench.connection).unwrap().ordered, [id]);
    assert!(rollbacks::see_to(&mut bench.connection).unwrap().ordered.is_empty(), "one is enough");
    assert!(rollbacks::order(&mut bench.connection, id, "me too", "local").unwrap().0.replayed);

    let back = next(&mut bench);
    let taken = rollouts::take_over(&mut bench.connection, back, rollout.id, "the canary failed").unwrap();
    assert_eq!((taken.state, taken.run_id), (RolloutState::RollingBack, back.run_id));
    assert_eq!(proposal(&mut bench, id).state, ProposalState::RollingBack);
    assert!(matches!(advance(&mut bench, stage, rollout.id, RolloutState::Promoted), Err(Error::Fenced { .. })));
    // Its own rollback ends without an end of it: that is loud.
    bench.finish(back, Outcome::Fail { error: "no disk".to_owned() }).unwrap();
    let seen = rollbacks::see_to(&mut bench.connection).unwrap();
    assert_eq!(seen.failed.iter().map(|failed| failed.id).collect::<Vec<_>>(), [rollout.id]);
    let failed = rollouts::get(&mut bench.connection, rollout.id).unwrap();
    assert_eq!((failed.state, failed.reason.as_deref()), (RolloutState::RollbackFailed, Some("no disk")));
    assert_eq!(proposal(&mut bench, id).state, ProposalState::RollbackFailed);
    let broken = rollouts::broken(&mut bench.connection, "local").unwrap().unwrap();
    assert_eq!((broken.id, broken.last_good.as_str()), (rollout.id, "old"));

    // Somebody has mended it: the same once more, which then stays as it is.
    assert!(!rollbacks::order(&mut bench.connection, id, "mended", "local").unwrap().0.replayed);
    let back = next(&mut bench);
    rollouts::take_over(&mut bench.connection, back, rollout.id, "mended").unwrap();
    advance(&mut bench, back, rollout.id, RolloutState::RolledBack).unwrap();
    let there = rollouts::take_over(&mut bench.connection, back, rollout.id, "again").unwrap();
    assert_eq!(there.state, RolloutState::RolledBack);
    assert_eq!(rollouts::broken(&mut bench.connection, "local").unwrap(), None, "it was made good");
    bench.finish(back, Outcome::Done(Done::default())).unwrap();
    assert!(rollbacks::order(&mut bench.connection, id, "x", "local").is_err());
}

#[test]
fn to_roll_back_stops_the_run() {
    let mut bench = Bench::new();
    let id = propose(&mut bench, "First").id;
    let refused = rollbacks::order(&mut bench.connection, id, "x", "local").unwrap_err();
    assert!(refused.to_string().contains("cancel its run"), "{refused}");
    let stage = at_the_canary(&mut bench);
    let rollout = begun(&mut bench, stage, id);
    let (paused, _) = rollouts::pause(&mut bench.connection, id, Some("local")).unwrap();
    assert_eq!(paused.paused_by.as_deref(), Some("local"));
    bench.finish(stage, wait(WaitingOn::Input, "paused")).unwrap();
    let (ordered, _) = rollbacks::order(&mut bench.connection, id, "enough", "local").unwrap();
    assert!(bench.run(stage.run_id).status.is_terminal(), "nobody was at it, so it ends at once");
    assert_eq!(next(&mut bench).run_id, ordered.run_id.unwrap());
    assert!(rollouts::pause(&mut bench.connection, id, None).is_ok(), "it has not been taken over yet");
    assert_eq!(rollouts::get(&mut bench.connection, rollout.id).unwrap().paused_by, None);
    let canceled = bench.apply(CancelRun { run_id: ordered.run_id.unwrap(), reason: "no".to_owned() }.into());
    assert!(canceled.is_ok());
}

#[test]
fn a_rejection_takes_back_what_is_there() {
    let mut bench = Bench::new();
    let rejection =
        NewDecision { subject: COMMIT, verdict: Verdict::Rejected, by: "local", comment: Some(" not like this ") };
    let id = propose(&mut bench, "First").id;
    let stage = at_the_canary(&mut bench);
    let rollout = begun(&mut bench, stage, id);
    // Nothing is asked yet: nothing is written, and nothing taken back.
    assert!(matches!(rollbacks::reject(&mut bench.connection, id, &rejection), Err(Error::Conflict(_))));
    assert!(!bench.run(stage.run_id).status.is_terminal());
    bench.finish(stage, wait(WaitingOn::Approval, "inconclusive")).unwrap();
    rollbacks::reject(&mut bench.connection, id, &rejection).unwrap();
    let run = bench.run(stage.run_id);
    assert!(run.status.is_terminal(), "{run:?}");
    let back = next(&mut bench);
    let taken = rollouts::take_over(&mut bench.connection, back, rollout.id, "x").unwrap();
    assert_eq!(taken.state, RolloutState::RollingBack);
    let rollback = rollbacks::order(&mut bench.connection, id, "x", "local").unwrap().0;
    assert!(rollback.replayed, "it was ordered with the rejection");

    // Without anything outside to end its run is all.
    let id = propose(&mut bench, "Second").id;
    let stage = at_the_canary(&mut bench);
    bench.finish(stage, wait(WaitingOn::Approval, "inconclusive")).unwrap();
    rollbacks::reject(&mut bench.connection, id, &rejection).unwrap();
    assert_eq!(proposal(&mut bench, id).state, ProposalState::Rejected);
}

#[test]
fn who_says_the_same_again_means_it_anew_once_it_has_come_to_nothing() {
    let mut bench = Bench::new();
    let (first, replayed) = said(&mut bench, "First", Same::Body);
    assert!(!replayed);
    let (again, replayed) = said(&mut bench, "First", Same::Body);
    assert_eq!((again.id, replayed), (first.id, true));
    bench.apply(CancelRun { run_id: first.run_id.unwrap(), reason: "a slip".to_owned() }.into()).unwrap();
    // Whoever gave a key asked for one thing, whatever came of it.
    let (same, replayed) = said(&mut bench, "First", Same::Key);
    assert_eq!((same.id, replayed), (first.id, true));
    let (anew, replayed) = said(&mut bench, "First", Same::Body);
    assert!(anew.id != first.id && !replayed);
    // What was done stays done, until it is rolled back.
    let stage = at_the_canary(&mut bench);
    let rollout = begun(&mut bench, stage, anew.id);
    advance(&mut bench, stage, rollout.id, RolloutState::Promoted).unwrap();
    let last = next_after(&mut bench, stage);
    bench.finish(last, Outcome::Done(Done::default())).unwrap();
    assert_eq!(said(&mut bench, "First", Same::Body).0.id, anew.id);
    let ordered = rollbacks::order(&mut bench.connection, anew.id, "x", "local").unwrap().0;
    let back = next(&mut bench);
    assert_eq!(Some(back.run_id), ordered.run_id);
    rollouts::take_over(&mut bench.connection, back, rollout.id, "x").unwrap();
    advance(&mut bench, back, rollout.id, RolloutState::RolledBack).unwrap();
    assert!(said(&mut bench, "First", Same::Body).0.id != anew.id);
}

/// Ends a stage and gives the claim of the one after it.
fn next_after(bench: &mut Bench, stage: Fence) -> Fence {
    bench.finish(stage, Outcome::Done(Done::default())).unwrap();
    next(bench)
}

#[test]
fn since_when_production_answers_so() {
    let mut bench = Bench::new();
    let mut saw = |commit, why_not| {
        let now = targets::now(&mut bench.connection).unwrap();
        targets::saw(&mut bench.connection, "local", now, commit, why_not).unwrap()
    };
    assert!(saw(Some("a"), None), "nobody knew it before");
    assert!(!saw(Some("a"), None));
    assert!(saw(Some("a"), Some("it starts")), "it is not ready any more");
    assert!(!saw(Some("a"), Some("another reason for the same")));
    assert!(saw(None, Some("nobody answers")));
    assert!(saw(Some("b"), None));
    bench
        .test
        .execute("UPDATE ops_targets SET since = since - interval '1 hour', seen_at = seen_at - interval '1 minute'");
    assert!(!targets::seen_within(&mut bench.connection, "local", 30).unwrap());
    let asked_at = targets::now(&mut bench.connection).unwrap();
    assert!(!targets::saw(&mut bench.connection, "local", asked_at, Some("b"), None).unwrap());
    // An answer that was under way when a newer one was written down.
    assert!(!targets::saw(&mut bench.connection, "local", asked_at, Some("a"), None).unwrap());
    assert!(targets::seen_within(&mut bench.connection, "local", 30).unwrap());
    assert!(!targets::seen_within(&mut bench.connection, "elsewhere", 30).unwrap());
    let target = targets::list(&mut bench.connection).unwrap().remove(0);
    assert_eq!((target.commit_id.as_deref(), target.ready, target.reason), (Some("b"), true, None));
    assert!(target.seen_at - target.since.unwrap() > chrono::TimeDelta::minutes(59));
}
