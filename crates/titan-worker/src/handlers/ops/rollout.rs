//! A rollout as its stages write it down, and what is asked of a target on the way: each deployment once, looked at before it is
//! repeated, and waited for asleep.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use titan_core::db::{Db, PgConnection};
use titan_core::ops::decisions::{self, Decision};
use titan_core::ops::intents::{self, Intended, Intent};
use titan_core::ops::rollouts::{self, Move, Rollout};
use titan_core::ops::targets;
use titan_ops::target::{Deployment, DeploymentState, Order, Release, Running, Side};
use uuid::Uuid;

use super::destination::Destination;
use super::diff::short;
use super::halt::Halt;
use super::yard::{intend_for, receive_for};
use crate::handler::Work;

/// Between two looks at a deployment.
const SOONEST: Duration = Duration::from_millis(500);
const LATEST: Duration = Duration::from_secs(15);

/// Moves a rollout, as long as it is this run's.
pub(super) async fn advance(work: &Work, id: Uuid, to: Move) -> Result<Rollout, Halt> {
    let fence = work.fence;
    let moved = work.db.run(move |connection: &mut PgConnection| rollouts::advance(connection, fence, id, &to)).await?;
    Ok(moved)
}

/// The rollout of this run, once it has begun. One of a run before has to be over, and the proposal with it.
pub(super) async fn ours(work: &Work) -> Result<Option<Rollout>, Halt> {
    let id = work.started.task_id;
    let newest = work.db.run(move |connection| rollouts::of_proposal(connection, id)).await?;
    match newest {
        Some(other) if other.run_id != work.fence.run_id && other.ended_at.is_none() => {
            // Its rollback waits for this run to end, so that to wait for it would be for ever.
            Err(Halt::Failed("the rollout of the run before is being taken back: propose it again".to_owned()))
        }
        Some(other) if other.run_id != work.fence.run_id => {
            let why = other.reason.map(|why| format!(" ({why})")).unwrap_or_default();
            Err(Halt::Failed(format!("its rollout has ended before{why}: propose it again")))
        }
        ours => Ok(ours),
    }
}

/// What was decided about what was shown, and when that was looked up.
pub(super) async fn asked(work: &Work, subject: &str) -> Result<(Option<Decision>, DateTime<Utc>), Halt> {
    let (id, subject) = (work.started.task_id, subject.to_owned());
    Ok(work.db.run(move |connection| decisions::asked(connection, id, &subject)).await?)
}

/// What was meant to be done, by its key.
pub(super) async fn meant(work: &Work, proposal_id: Uuid, key: String) -> Result<Option<Intent>, Halt> {
    Ok(work.db.run(move |connection| intents::one(connection, proposal_id, &key)).await?)
}

/// What production answers, written down for people.
pub(super) async fn look(to: &Destination, db: &Db) -> Result<Running, Halt> {
    let asked_at = db.run(targets::now).await?;
    let running = to.target.running(Side::Production).await?;
    note(to, db, asked_at, &running).await?;
    Ok(running)
}

/// Writes down what production answered when it was asked.
pub(super) async fn note(to: &Destination, db: &Db, asked_at: DateTime<Utc>, running: &Running) -> Result<(), Halt> {
    let (name, seen) = (to.target.name().to_owned(), running.clone());
    let why_not = (!seen.ready).then(|| seen.reason.clone().unwrap_or_else(|| "it is not ready".to_owned()));
    let saw = move |connection: &mut PgConnection| {
        targets::saw(connection, &name, asked_at, seen.commit.as_deref(), why_not.as_deref())
    };
    if db.run(saw).await? {
        let (target, commit) = (to.target.name(), running.commit.as_deref().unwrap_or("unknown"));
        match &running.reason {
            Some(why) if !running.ready => tracing::warn!(target, commit, "production is not well: {why}"),
            _ => tracing::info!(target, commit, running.ready, "production answers something else than before"),
        }
    }
    Ok(())
}

/// The key of the intent to deploy a commit to a side, in this run.
pub(super) fn key(side: Side, commit: &str, work: &Work) -> String {
    format!("deploy:{}:{commit}:{}", side.name(), work.fence.run_id)
}

/// Whether the target has taken the order of this run, so that its programs are needed no more.
pub(super) async fn is_ordered(work: &Work, side: Side, commit: &str) -> Result<bool, Halt> {
    let intent = meant(work, work.started.task_id, key(side, commit, work)).await?;
    Ok(intent.is_some_and(|intent| intent.receipt.is_some()))
}

/// Has a release deployed to a side, and comes to its end when its commit answers there and says that it is ready.
pub(super) async fn deployed(
    to: &Destination,
    work: &Work,
    proposal_id: Uuid,
    side: Side,
    release: Release,
    within: Duration,
) -> Result<(), Halt> {
    let (commit, key) = (release.commit.clone(), key(side, &release.commit, work));
    let what = json!({"target": to.target.name(), "side": side, "commit": commit});
    let intended = intend_for(work, proposal_id, &key, what).await?;
    let intent = meant(work, proposal_id, key.clone()).await?;
    let asked_at = intent.map_or_else(Utc::now, |intent| intent.created_at);
    let order = Order { side, release, key: name(side, &commit, work), asked_at };
    let deployment = match intended {
        Intended::Done(receipt) => to.target.stand(side, id_of(&receipt)?).await?,
        Intended::First => ordered(to, work, proposal_id, &key, &order).await?,
        Intended::Again => match to.target.find(&order).await? {
            Some(found) => received(work, proposal_id, &key, found).await?,
            None => ordered(to, work, proposal_id, &key, &order).await?,
        },
    };
    let what = format!("{} on {} ({})", short(&commit), side.name(), to.target.name());
    let why = match deployment.state {
        DeploymentState::Failed => {
            let why = deployment.reason.unwrap_or_else(|| "the target does not say why".to_owned());
            return Err(Halt::Failed(format!("{what} does not come up: {why}")));
        }
        DeploymentState::UnderWay => deployment.reason.unwrap_or_else(|| "it is being deployed".to_owned()),
        DeploymentState::Live => {
            let running = to.target.running(side).await?;
            if running.ready && running.commit.as_deref() == Some(commit.as_str()) {
                return Ok(());
            }
            let answers = running.commit.as_deref().map_or("nothing", short).to_owned();
            running.reason.unwrap_or_else(|| format!("it answers {answers}"))
        }
    };
    let waited = (Utc::now() - asked_at).max(TimeDelta::zero());
    if waited.to_std().unwrap_or_default() > within {
        let minutes = within.as_secs_f64() / 60.0;
        return Err(Halt::Failed(format!("{what} is not there after {minutes:.1} minutes: {why}")));
    }
    let after = (waited.to_std().unwrap_or_default() / 4).clamp(SOONEST, LATEST);
    Err(Halt::Expect { after, reason: format!("{what}: {why}") })
}

async fn ordered(
    to: &Destination,
    work: &Work,
    proposal_id: Uuid,
    key: &str,
    order: &Order,
) -> Result<Deployment, Halt> {
    let made = to.target.deploy(order).await?;
    received(work, proposal_id, key, made).await
}

async fn received(work: &Work, proposal_id: Uuid, key: &str, made: Deployment) -> Result<Deployment, Halt> {
    receive_for(work, proposal_id, key, json!({"id": made.id, "began_at": made.began_at})).await?;
    Ok(made)
}

fn id_of(receipt: &Value) -> Result<&str, Halt> {
    let id = receipt.get("id").and_then(Value::as_str);
    id.ok_or_else(|| Halt::Failed("the receipt of a deployment has no id".to_owned()))
}

/// The order's own name at the target.
fn name(side: Side, commit: &str, work: &Work) -> String {
    format!("{}-{}-{}", side.name(), short(commit), work.fence.run_id.simple())
}
