//! The last stage: a person approves, exactly what was looked at is merged, and production runs it. What the merge has become is held
//! against what was tested, and tested again where others have moved the base.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use titan_core::db::PgConnection;
use titan_core::engine::Done;
use titan_core::ops::decisions::{Decision, Verdict};
use titan_core::ops::intents::Intended;
use titan_core::ops::rollouts::{self, Move, Rollout, RolloutState};
use titan_core::redact::redact;
use titan_core::state::{Level, WaitingOn};
use titan_ops::forge::{MergeMethod, PullRequest, PullState};
use titan_ops::repository::Mirror;
use titan_ops::target::{Release, Side};
use uuid::Uuid;

use super::canary::stands_still;
use super::diff::{head, short};
use super::halt::Halt;
use super::pull::as_tested;
use super::rollout::{advance, asked, deployed, is_ordered, look, ours};
use super::test::{merged, tested};
use super::yard::{Yard, intend, proposed, receive};
use super::{built, done, found, told};
use crate::handler::Work;
use crate::workshop::run::Site;

pub(super) async fn run(yard: &Yard, work: &Work) -> Result<Done, Halt> {
    let commit = found(work, "patch", "commit")?;
    let (decision, since) = asked(work, commit).await?;
    let rollout = ours(work).await?;
    if let Some(promoted) = rollout.as_ref().filter(|rollout| rollout.state == RolloutState::Promoted) {
        leave(yard, work, promoted, commit).await;
        return Ok(done(output(commit, promoted.merged_as.as_deref().unwrap_or(commit), Some(promoted))));
    }
    let pull = as_tested(yard, work, commit).await?;
    let mirror = yard.mirror().await?;
    if pull.state != PullState::Merged {
        if let Some(rollout) = &rollout {
            stands_still(work, rollout, since).await?;
        }
        approved(yard, work, commit, decision.as_ref(), rollout.as_ref(), since).await?;
    }
    let merged_as = merge(yard, work, &mirror, &pull, rollout.as_ref(), since).await?;
    let tree = settled(yard, work, &mirror, &merged_as).await?;
    let Some(rollout) = rollout else {
        tidy(yard, work, commit).await;
        return Ok(done(output(commit, &merged_as, None)));
    };
    let to = yard.destination(&rollout)?;
    // It comes by here with each look at the deployment.
    if rollout.merged_as.is_none() {
        let reason = format!("merged as {}; production is being brought there", short(&merged_as));
        let to_merged = Move { merged_as: Some(merged_as.clone()), ..Move::to(RolloutState::Promoting, reason) };
        told::tell(yard, &advance(work, rollout.id, to_merged).await?).await;
    }
    let release = match is_ordered(work, Side::Production, &merged_as).await? {
        true => Release { commit: merged_as.clone(), folder: None },
        false => built::release(yard, to, work, &mirror, &merged_as, &tree, None).await?,
    };
    let within = yard.settings.rollouts.deploy_timeout;
    deployed(to, work, work.started.task_id, Side::Production, release, within).await?;
    let reason = format!("production ({}) runs {}", to.target.name(), short(&merged_as));
    Site::from(work).say(Level::Info, format!("Promoted: {reason}")).await?;
    let rollout = advance(work, rollout.id, Move::to(RolloutState::Promoted, reason)).await?;
    leave(yard, work, &rollout, commit).await;
    Ok(done(output(commit, &merged_as, Some(&rollout))))
}

/// Production does what it is to do: whatever else is left to do is no reason to take it back.
async fn leave(yard: &Yard, work: &Work, rollout: &Rollout, commit: &str) {
    if let Ok(to) = yard.destination(rollout) {
        if let Err(error) = to.target.end_canary().await {
            tracing::warn!(%error, target = rollout.target, "the canary of a rollout that was promoted cannot be ended");
        }
        if look(to, &work.db).await.is_err() {
            tracing::warn!(target = rollout.target, "production cannot be asked what it runs");
        }
    }
    told::tell(yard, rollout).await;
    tidy(yard, work, commit).await;
}

fn output(commit: &str, merged_as: &str, rollout: Option<&Rollout>) -> Value {
    json!({"commit": commit, "merged_as": merged_as, "target": rollout.map(|rollout| rollout.target.as_str())})
}

/// Waits for a person, unless the settings say that this one needs nobody.
async fn approved(
    yard: &Yard,
    work: &Work,
    commit: &str,
    decision: Option<&Decision>,
    rollout: Option<&Rollout>,
    since: DateTime<Utc>,
) -> Result<(), Halt> {
    match decision.map(|decision| (decision.decision, &decision.decided_by)) {
        Some((Verdict::Approved, by)) => {
            return Ok(Site::from(work).say(Level::Info, format!("Approved by {by}")).await?);
        }
        Some((Verdict::Rejected, by)) => return Err(Halt::Failed(format!("rejected by {by}"))),
        None => {}
    }
    let did_well = found(work, "canary", "phase")? == "success";
    if yard.settings.rollouts.auto_merge && did_well && found(work, "diff", "risk")? == "low" {
        let line = "Nobody is asked: its risk is low, its canary did well, and TITAN_OPS_MERGE is auto";
        return Ok(Site::from(work).say(Level::Info, line).await?);
    }
    let where_to =
        rollout.map_or_else(String::new, |rollout| format!(", and production ({}) to run it", rollout.target));
    let reason = format!("{} is to be merged into {}{where_to}", short(commit), found(work, "diff", "base_branch")?);
    if let Some(rollout) = rollout.filter(|rollout| rollout.state != RolloutState::Approval) {
        let rollout = advance(work, rollout.id, Move::to(RolloutState::Approval, &reason)).await?;
        told::tell(yard, &rollout).await;
    }
    Err(Halt::Wait { on: WaitingOn::Approval, reason, since })
}

/// Merges exactly this head, after what that would be was tested, and gives the commit that it became.
async fn merge(
    yard: &Yard,
    work: &Work,
    mirror: &Mirror,
    pull: &PullRequest,
    rollout: Option<&Rollout>,
    since: DateTime<Utc>,
) -> Result<String, Halt> {
    let commit = found(work, "patch", "commit")?;
    let key = format!("merge:{commit}");
    if pull.state == PullState::Merged
        && let Some(merged_as) = &pull.merged_as
    {
        // By a person at the forge, or by an attempt that did not hear the answer.
        receive(work, &key, json!({"commit": merged_as})).await?;
        return Ok(merged_as.clone());
    }
    let (branch, base) = (found(work, "patch", "branch")?, found(work, "diff", "base_branch")?);
    let would_be = merged(mirror, base, branch, commit).await?;
    if would_be.tree != found(work, "test", "tree")? {
        let line = format!("{base} has moved to {}: the merge is tested again", short(&would_be.base));
        Site::from(work).say(Level::Info, line).await?;
        tested(yard, work, mirror, &would_be.tree).await?;
    }
    if let Some(rollout) = rollout {
        is_promoting(work, rollout.id, since).await?;
    }
    let before = intend(work, &key, json!({"pull": pull.number, "head": commit, "tree": would_be.tree})).await?;
    if let Intended::Done(receipt) = &before
        && let Some(merged_as) = receipt.get("commit").and_then(Value::as_str)
    {
        return Ok(merged_as.to_owned());
    }
    let headline = redact(&proposed(work).await?.title);
    // What was merged before, by whoever did not live to tell, is the same commit.
    let merged_as = yard.forge.merge(pull.number, commit, MergeMethod::Squash, &headline).await?;
    receive(work, &key, json!({"commit": merged_as})).await?;
    Site::from(work).say(Level::Info, format!("Merged as {}", short(&merged_as))).await?;
    Ok(merged_as)
}

/// Somebody may have wanted it to stand still since it was looked at. From here on it cannot be paused.
async fn is_promoting(work: &Work, id: Uuid, since: DateTime<Utc>) -> Result<(), Halt> {
    let fence = work.fence;
    while !work.db.run(move |connection: &mut PgConnection| rollouts::promote(connection, fence, id)).await? {
        let rollout = ours(work).await?.filter(|rollout| rollout.ended_at.is_none()).ok_or(Halt::Stopped)?;
        // Whoever has taken the pause back in this moment does not stop it: it is asked once more.
        stands_still(work, &rollout, since).await?;
    }
    Ok(())
}

/// The tree that the merge became, which was tested. Somebody may have moved the base in the very moment; then it is tested now.
async fn settled(yard: &Yard, work: &Work, mirror: &Mirror, merged_as: &str) -> Result<String, Halt> {
    let base = found(work, "diff", "base_branch")?;
    let stands_at = head(mirror, base).await?;
    let (of, at) = (merged_as.to_owned(), stands_at.clone());
    let tree = mirror
        .with(move |mirror| Ok(if mirror.is_ancestor(&of, &at)? { Some(mirror.tree_of(&of)?) } else { None }))
        .await;
    let tree = match tree {
        Ok(Some(tree)) => tree,
        // A server may be behind.
        Ok(None) | Err(titan_ops::repository::RepositoryError::NotFound(_)) => {
            return Err(Halt::Passing(format!(
                "{base} at {} does not have {} yet",
                short(&stands_at),
                short(merged_as)
            )));
        }
        Err(error) => return Err(error.into()),
    };
    if tree != found(work, "test", "tree")? {
        tested(yard, work, mirror, &tree).await?;
    }
    Ok(tree)
}

/// The branch has done its work. Nobody waits for it.
async fn tidy(yard: &Yard, work: &Work, commit: &str) {
    let removed = match found(work, "patch", "branch") {
        Ok(branch) => yard.forge.remove_branch(branch, commit).await,
        Err(_) => return,
    };
    if let Err(error) = removed {
        tracing::warn!(%error, "the branch of a proposal that was merged cannot be removed");
    }
}
