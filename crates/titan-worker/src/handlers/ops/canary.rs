//! The fifth stage: the new commit is deployed beside what people use, or in its place for a while, and both are looked at. The state of
//! the analysis is written down after each sample, so that whoever goes on after a kill does not begin anew.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::json;
use titan_core::db::PgConnection;
use titan_core::engine::Done;
use titan_core::ops::decisions::Verdict;
use titan_core::ops::rollouts::{self, Begun, Move, NewRollout, Rollout, RolloutState};
use titan_core::ops::targets;
use titan_core::state::{Level, WaitingOn};
use titan_ops::canary::{Analysis, Collector, Phase, Sample};
use titan_ops::target::{Release, Side};
use url::Url;

use super::destination::Destination;
use super::diff::short;
use super::halt::Halt;
use super::pull::as_tested;
use super::rollout::{advance, asked, deployed, is_ordered, look, ours};
use super::yard::{ELSEWHERE, Yard};
use super::{built, done, found, number, told};
use crate::handler::Work;
use crate::workshop::run::Site;

/// Between two looks whether the target is free.
const NEXT: Duration = Duration::from_secs(5);
/// Since a target was asked last by any worker.
const GIVEN_UP: TimeDelta = TimeDelta::days(1);
/// Samples of production before there is a canary, where both cannot run side by side.
const BASELINES: u32 = 12;

pub(super) async fn run(yard: &Yard, work: &Work) -> Result<Done, Halt> {
    let Some(to) = &yard.destination else { return skipped(work).await };
    let (commit, tree) = (found(work, "patch", "commit")?, found(work, "test", "tree")?);
    let (decision, since) = asked(work, commit).await?;
    if let Some(rejected) = decision.as_ref().filter(|decision| decision.decision == Verdict::Rejected) {
        return Err(Halt::Failed(format!("rejected by {}", rejected.decided_by)));
    }
    as_tested(yard, work, commit).await?;
    let mut rollout = begun(to, work, commit).await?;
    stands_still(work, &rollout, since).await?;
    if rollout.analysis.is_none() {
        rollout = baseline(to, work, rollout).await?;
        told::tell(yard, &rollout).await;
    }
    // What has been looked at to the end waits for a person, however its daemons are by now.
    if rollout.state != RolloutState::Paused {
        let release = match is_ordered(work, Side::Canary, commit).await? {
            true => Release { commit: commit.to_owned(), folder: None },
            false => {
                let merge_of = (found(work, "test", "base")?.to_owned(), commit.to_owned());
                built::release(yard, to, work, &yard.mirror().await?, commit, tree, Some(merge_of)).await?
            }
        };
        deployed(to, work, work.started.task_id, Side::Canary, release, yard.settings.rollouts.deploy_timeout).await?;
    }
    let (rollout, analysis) = analysed(yard, to, work, rollout, since).await?;
    // A worker that dies again and again answers no request, and so spoils no metric.
    if let Some(why) = to.target.died(Side::Canary).await? {
        return Err(Halt::Failed(format!("the canary failed: {why}")));
    }
    match analysis.phase {
        Phase::Success => Ok(done(json!({"phase": "success", "reason": analysis.reason}))),
        Phase::Failure => Err(Halt::Failed(format!("the canary failed: {}", analysis.reason))),
        Phase::Running | Phase::Inconclusive => {
            if let Some(decision) = decision.filter(|decision| decision.decision == Verdict::Approved) {
                let output =
                    json!({"phase": "inconclusive", "reason": analysis.reason, "approved_by": decision.decided_by});
                return Ok(done(output));
            }
            let reason = format!(
                "the analysis of {} is inconclusive: {}; to approve it is to approve its merge as well",
                short(commit),
                analysis.reason
            );
            if rollout.state != RolloutState::Paused {
                told::tell(yard, &advance(work, rollout.id, Move::to(RolloutState::Paused, &reason)).await?).await;
            }
            Err(Halt::Wait { on: WaitingOn::Approval, reason, since })
        }
    }
}

/// Where no target is set up at all. A worker that merely does not know it leaves the stage to one that does.
async fn skipped(work: &Work) -> Result<Done, Halt> {
    let known = work.db.run(targets::list).await?;
    // One that nobody has asked for a day was given up.
    if let Some(known) = known.first().filter(|known| Utc::now() - known.seen_at < GIVEN_UP) {
        let reason = format!("this worker knows no target {}, and another one does: TITAN_OPS_TARGET", known.name);
        return Err(Halt::Later { after: ELSEWHERE, reason });
    }
    let reason = "nobody has said where it is rolled out: TITAN_OPS_TARGET";
    Ok(done(json!({"phase": "skipped", "reason": reason})))
}

/// This run's rollout. One that waits for another proposal's sleeps.
async fn begun(to: &Destination, work: &Work, commit: &str) -> Result<Rollout, Halt> {
    let (fence, proposal_id) = (work.fence, work.started.task_id);
    if let Some(ours) = ours(work).await? {
        return Ok(ours);
    }
    let running = look(to, &work.db).await?;
    let name = to.target.name().to_owned();
    let last_good = running.commit.filter(|_| running.ready).ok_or_else(|| {
        let why = running.reason.unwrap_or_else(|| "it does not say its commit".to_owned());
        Halt::Passing(format!("nothing is rolled out while production ({name}) is not well: {why}"))
    })?;
    is_mended(work, &name, &last_good).await?;
    let new = NewRollout {
        proposal_id,
        target: name.clone(),
        commit: commit.to_owned(),
        last_good,
        pull_number: number(work)?,
    };
    let begin = move |connection: &mut PgConnection| rollouts::begin(connection, fence, &new);
    match work.db.run(begin).await? {
        Begun::Ours(rollout) => {
            let line = format!("Rollout of {} to {name}; production runs {}", short(commit), short(&rollout.last_good));
            Site::from(work).say(Level::Info, line).await?;
            Ok(*rollout)
        }
        Begun::Taken { title, .. } => {
            let reason = format!("{name} is taken by the rollout of {title:?}; there is one at a time");
            Err(Halt::Later { after: NEXT, reason })
        }
    }
}

/// After a rollback that failed production may run what was to be taken back, which is not to become what others go back to.
async fn is_mended(work: &Work, target: &str, runs: &str) -> Result<(), Halt> {
    let name = target.to_owned();
    let broken = work.db.run(move |connection: &mut PgConnection| rollouts::broken(connection, &name)).await?;
    match broken.filter(|broken| broken.last_good != runs) {
        None => Ok(()),
        Some(broken) => Err(Halt::Later {
            after: ELSEWHERE,
            reason: format!(
                "a rollback on {target} has failed, and production runs {} instead of {}: docs/OPS.md, \"A rollback failed\"",
                short(runs),
                short(&broken.last_good)
            ),
        }),
    }
}

/// Whether a person wants it to go no further for now.
pub(super) async fn stands_still(work: &Work, rollout: &Rollout, since: DateTime<Utc>) -> Result<(), Halt> {
    let Some(by) = &rollout.paused_by else { return Ok(()) };
    let reason = format!("paused by {by}");
    advance(work, rollout.id, Move::to(RolloutState::Paused, &reason)).await?;
    Err(Halt::Wait { on: WaitingOn::Input, reason, since })
}

/// Before the first sample: where the canary takes production's place, what production was like before.
async fn baseline(to: &Destination, work: &Work, rollout: Rollout) -> Result<Rollout, Halt> {
    let mut analysis = Analysis::begin(&to.template);
    if !to.target.side_by_side() {
        let collector = Collector::new().map_err(Halt::Passing)?;
        let production = address(to, Side::Production).await?;
        for _ in 0..to.template.samples.min(BASELINES) {
            let sample = sampled(to, work, &collector, Some(&production), None).await?;
            analysis = analysis.with_baseline(&to.template, &sample);
        }
    }
    keep(work, &rollout, &analysis, "production was looked at").await
}

async fn analysed(
    yard: &Yard,
    to: &Destination,
    work: &Work,
    mut rollout: Rollout,
    since: DateTime<Utc>,
) -> Result<(Rollout, Analysis), Halt> {
    let collector = Collector::new().map_err(Halt::Passing)?;
    let mut analysis: Analysis = match rollout.analysis.clone() {
        Some(kept) => serde_json::from_value(kept)
            .map_err(|error| Halt::Failed(format!("the state of the analysis cannot be read: {error}")))?,
        None => Analysis::begin(&to.template),
    };
    // Somebody wants what was inconclusive to be looked at once more. What production was like before its canary stays known.
    if analysis.phase == Phase::Inconclusive && rollout.state != RolloutState::Paused {
        analysis = analysis.again(&to.template, to.target.side_by_side());
    }
    let begun = analysis.phase;
    let baseline = if to.target.side_by_side() { Some(address(to, Side::Production).await?) } else { None };
    while analysis.phase == Phase::Running {
        let canary = address(to, Side::Canary).await?;
        let sample = sampled(to, work, &collector, baseline.as_ref(), Some(&canary)).await?;
        analysis = analysis.take(&to.template, &sample);
        let reason = analysis.reason.clone();
        rollout = keep(work, &rollout, &analysis, &reason).await?;
        Site::from(work).say(Level::Info, format!("Canary: {reason}")).await?;
        if analysis.phase == Phase::Running {
            stands_still(work, &rollout, since).await?;
        }
    }
    if begun == Phase::Running {
        told::tell(yard, &rollout).await;
    }
    Ok((rollout, analysis))
}

async fn sampled(
    to: &Destination,
    work: &Work,
    collector: &Collector,
    baseline: Option<&Url>,
    canary: Option<&Url>,
) -> Result<Sample, Halt> {
    tokio::select! {
        sample = collector.sample(&to.template, baseline, canary) => Ok(sample),
        () = work.stop.requested() => Err(Halt::Stopped),
    }
}

async fn keep(work: &Work, rollout: &Rollout, analysis: &Analysis, reason: &str) -> Result<Rollout, Halt> {
    let kept = serde_json::to_value(analysis).map_err(|error| Halt::Failed(error.to_string()))?;
    let to = Move { reason: Some(reason.to_owned()), analysis: Some(kept), ..Move::default() };
    advance(work, rollout.id, to).await
}

async fn address(to: &Destination, side: Side) -> Result<Url, Halt> {
    // Some targets know it only once they were asked, which a worker that has just begun has not done.
    if to.target.address(side).is_none() {
        to.target.running(side).await?;
    }
    let address = to.target.address(side).and_then(|address| Url::parse(&address).ok());
    address.ok_or_else(|| Halt::Passing(format!("{} has no address now", side.name())))
}
