//! Takes a proposal back, in a run of its own: first what people use runs the last good commit again, then the forge is told. Before the
//! merge its pull request is closed; after it a pull request is opened that takes it back, which a person merges.

use std::time::Duration;

use serde_json::{Value, json};
use titan_core::db::PgConnection;
use titan_core::engine::Done;
use titan_core::ops::intents;
use titan_core::ops::proposals::{self, Proposal};
use titan_core::ops::rollbacks::Rollback;
use titan_core::ops::rollouts::{self, Move, Rollout, RolloutState};
use titan_core::redact::redact;
use titan_core::runs;
use titan_core::state::Level;
use titan_ops::forge::{ForgeError, NewCommit, NewPullRequest, PullRequest, PullState};
use titan_ops::repository::{Merged, Mirror};
use titan_ops::target::{Release, Side};
use uuid::Uuid;

use super::destination::Destination;
use super::diff::{head, short};
use super::halt::Halt;
use super::patch::moved;
use super::rollout::{advance, deployed, look, meant};
use super::yard::{Yard, intend_for, receive_for};
use super::{done, told};
use crate::handler::Work;
use crate::workshop::run::Site;

/// Between two looks whether the run that is taken back has ended.
const SOON: Duration = Duration::from_secs(1);
/// Until another proposal's rollout has ended.
const NEXT: Duration = Duration::from_secs(5);
/// For people, where a rollback fails.
const RUNBOOK: &str = "docs/OPS.md, \"A rollback failed\"";

pub(super) async fn run(yard: &Yard, work: &Work) -> Result<Done, Halt> {
    let rollback = Rollback::of(&work.started.payload)?;
    let id = rollback.proposal_id;
    let proposal = work.db.run(move |connection| proposals::get(connection, id)).await?;
    has_stopped(work, &proposal).await?;
    let rollout = match rollback.rollout_id {
        Some(rollout_id) => Some(taken_over(work, rollout_id, &rollback.reason).await?),
        None => None,
    };
    if rollout.as_ref().is_some_and(|rollout| rollout.state == RolloutState::RolledBack) {
        return Ok(done(json!({})));
    }
    match take_back(yard, work, &rollback, &proposal, rollout.as_ref()).await {
        Ok(output) => Ok(done(output)),
        Err(Halt::Failed(why)) => {
            let why = format!("the rollback failed: {why}; what has to be done by hand stands in {RUNBOOK}");
            if let Some(rollout) = rollout {
                let rollout = advance(work, rollout.id, Move::to(RolloutState::RollbackFailed, &why)).await?;
                tracing::error!(proposal.id = %id, target = rollout.target, last_good = rollout.last_good, "{why}");
                told::tell(yard, &rollout).await;
            }
            Err(Halt::Failed(why))
        }
        Err(Halt::Passing(why)) => {
            // Whether another attempt follows is not known here; reviewers are to know in either case.
            if let Some(rollout) = rollout {
                let reason = format!("the rollback has not come through yet: {why}");
                let moved = Move { reason: Some(reason), ..Move::default() };
                told::tell(yard, &advance(work, rollout.id, moved).await?).await;
            }
            Err(Halt::Passing(why))
        }
        Err(other) => Err(other),
    }
}

/// Nobody works on it any more: it was told to stop.
async fn has_stopped(work: &Work, proposal: &Proposal) -> Result<(), Halt> {
    let Some(run_id) = proposal.run_id else { return Ok(()) };
    let run = work.db.run(move |connection| runs::get(connection, run_id)).await?;
    if run.status.is_terminal() {
        return Ok(());
    }
    Err(Halt::Later { after: SOON, reason: "the run of the proposal is being stopped".to_owned() })
}

async fn taken_over(work: &Work, id: Uuid, reason: &str) -> Result<Rollout, Halt> {
    let (fence, reason) = (work.fence, reason.to_owned());
    let take = move |connection: &mut PgConnection| rollouts::take_over(connection, fence, id, &reason);
    work.db.run(take).await.map_err(|error| match error {
        titan_core::Error::Conflict(reason) => Halt::Later { after: NEXT, reason },
        titan_core::Error::Stale(reason) => Halt::Failed(reason),
        other => other.into(),
    })
}

async fn take_back(
    yard: &Yard,
    work: &Work,
    rollback: &Rollback,
    proposal: &Proposal,
    rollout: Option<&Rollout>,
) -> Result<Value, Halt> {
    let site = Site::from(work);
    site.say(Level::Warn, format!("Rolled back by {}: {}", rollback.by, rollback.reason)).await?;
    if let Some(rollout) = rollout {
        told::tell(yard, rollout).await;
        redeploy(yard, yard.destination(rollout)?, work, proposal.id, rollout).await?;
    }
    let branch = proposals::branch(proposal.id);
    let (text, output) = match at_the_forge(yard, rollback, rollout, &branch).await? {
        Some(merged) => reverted(yard, work, rollback, proposal, rollout, &merged).await?,
        None => (format!("nothing of it was merged: {}", rollback.reason), json!({})),
    };
    site.say(Level::Info, format!("Rolled back: {text}")).await?;
    if let Some(rollout) = rollout {
        let rollout = advance(work, rollout.id, Move::to(RolloutState::RolledBack, text)).await?;
        told::tell(yard, &rollout).await;
    }
    Ok(output)
}

/// Closes its pull request with the reason; gives one that was merged.
async fn at_the_forge(
    yard: &Yard,
    rollback: &Rollback,
    rollout: Option<&Rollout>,
    branch: &str,
) -> Result<Option<PullRequest>, Halt> {
    let Some(pull) = yard.forge.pull_request(branch).await? else { return Ok(None) };
    if pull.state == PullState::Open {
        if rollout.is_none() {
            told::say(yard, pull.number, &format!("## Not merged\n\n{}", rollback.reason)).await?;
        }
        yard.forge.close(pull.number).await?;
    }
    // A merge that was asked for by whoever was stopped may have come through in this moment.
    let now = yard.forge.pull_request(branch).await?;
    Ok(now.filter(|pull| pull.state == PullState::Merged))
}

/// What people use runs the last good commit, and nothing else runs beside it.
async fn redeploy(
    yard: &Yard,
    to: &Destination,
    work: &Work,
    proposal_id: Uuid,
    rollout: &Rollout,
) -> Result<(), Halt> {
    // Where a canary takes production's place, it has been touched by that already.
    let touched = if to.target.side_by_side() { "deploy:production:" } else { "deploy:" };
    let meant = move |connection: &mut PgConnection| intents::newest(connection, proposal_id, touched);
    if work.db.run(meant).await?.is_some() {
        let release = Release { commit: rollout.last_good.clone(), folder: None };
        deployed(to, work, proposal_id, Side::Production, release, yard.settings.rollouts.deploy_timeout).await?;
    }
    to.target.end_canary().await?;
    let running = look(to, &work.db).await?;
    if running.ready && running.commit.as_deref() == Some(rollout.last_good.as_str()) {
        return Ok(());
    }
    let why = running.reason.unwrap_or_else(|| format!("it answers {:?}", running.commit));
    Err(Halt::Passing(format!("production ({}) does not run {}: {why}", rollout.target, short(&rollout.last_good))))
}

/// Opens the pull request that takes the merge back.
async fn reverted(
    yard: &Yard,
    work: &Work,
    rollback: &Rollback,
    proposal: &Proposal,
    rollout: Option<&Rollout>,
    pull: &PullRequest,
) -> Result<(String, Value), Halt> {
    let known = rollout.and_then(|rollout| rollout.merged_as.clone()).or_else(|| pull.merged_as.clone());
    let merged = known.ok_or_else(|| Halt::Passing(format!("the forge does not say what {} became", pull.number)))?;
    let (base, branch) = (pull.base.clone(), format!("{}-revert", proposals::branch(proposal.id)));
    let mirror = yard.mirror().await?;
    let title = redact(&format!("Revert {:?}", proposal.title));
    let about = redact(&format!(
        "Takes back {merged}, which was pull request {}.\n\n{}\n\nProduction runs what it ran before.",
        pull.number, rollback.reason
    ));
    let undo = Undo { base: &base, branch: &branch, merged: &merged, title: &title, about: &about };
    match undone(yard, work, &mirror, proposal.id, undo).await? {
        Undone::Made => {}
        Undone::Before => {
            let text = format!("{}; {} was taken back at the forge before", clause(&rollback.reason), short(&merged));
            return Ok((text, json!({"merged_as": merged})));
        }
        Undone::Conflicts(paths) => {
            let text = format!(
                "production runs {}; {} cannot be taken back by itself, since others have changed the same since: {}",
                rollout.map_or("what it ran before", |rollout| short(&rollout.last_good)),
                short(&merged),
                paths.join(", ")
            );
            return Ok((text, json!({"merged_as": merged, "conflicts": paths})));
        }
    }
    let new = NewPullRequest { branch, base, title, body: about };
    let key = format!("revert:{merged}:pull");
    intend_for(work, proposal.id, &key, json!({"branch": new.branch})).await?;
    let opened = match yard.forge.pull_request(&new.branch).await? {
        Some(opened) => opened,
        None => yard.forge.open(&new).await?,
    };
    receive_for(work, proposal.id, &key, json!({"number": opened.number, "page": opened.page})).await?;
    let text = format!(
        "{}; pull request {} takes {} back and is to be merged by a person: {}",
        clause(&rollback.reason),
        opened.number,
        short(&merged),
        opened.page
    );
    Ok((text, json!({"merged_as": merged, "revert": opened.number, "page": opened.page})))
}

/// What a person gave as a reason may end as a sentence does; more is to follow.
fn clause(reason: &str) -> &str {
    reason.trim_end_matches(['.', ' '])
}

/// What is to be undone, and how it is called.
struct Undo<'a> {
    base: &'a str,
    branch: &'a str,
    merged: &'a str,
    title: &'a str,
    about: &'a str,
}

enum Undone {
    /// The commit stands on its branch.
    Made,
    /// Nothing of the merge is left on the base.
    Before,
    /// What others have changed since.
    Conflicts(Vec<String>),
}

/// Makes the commit that takes the merge back. What an attempt before this one meant counts, wherever the base stands by now; whether it
/// was made says the branch.
async fn undone(yard: &Yard, work: &Work, mirror: &Mirror, proposal_id: Uuid, undo: Undo<'_>) -> Result<Undone, Halt> {
    let now = head(mirror, undo.base).await?;
    let key = format!("revert:{}:commit", undo.merged);
    let before = meant(work, proposal_id, key.clone()).await?;
    let kept = before.and_then(|intent| intent.what.get("parent").and_then(Value::as_str).map(str::to_owned));
    let parent = kept.unwrap_or(now);
    let (at, of) = (parent.clone(), undo.merged.to_owned());
    let (merged, had) = mirror.with(move |mirror| Ok((mirror.revert_tree(&of, &at)?, mirror.tree_of(&at)?))).await?;
    let tree = match merged {
        Merged::Tree(tree) if tree == had => return Ok(Undone::Before),
        Merged::Tree(tree) => tree,
        Merged::Conflicts(paths) => return Ok(Undone::Conflicts(paths)),
    };
    intend_for(work, proposal_id, &key, json!({"branch": undo.branch, "parent": parent, "tree": tree})).await?;
    let commit = match yard.forge.head(undo.branch).await?.filter(|stands_at| *stands_at != parent) {
        Some(stands_at) => {
            head(mirror, undo.branch).await?;
            let of = stands_at.clone();
            if mirror.with(move |mirror| mirror.tree_of(&of)).await? != tree {
                return Err(Halt::Failed(moved(undo.branch, &parent, &stands_at)));
            }
            stands_at
        }
        None => {
            let (from, to) = (parent.clone(), tree.clone());
            let files = mirror.with(move |mirror| mirror.files_between(&from, &to)).await?;
            let new = NewCommit {
                branch: undo.branch.to_owned(),
                parent,
                headline: undo.title.to_owned(),
                body: undo.about.to_owned(),
                files: files.files,
                deletions: files.deletions,
            };
            match yard.forge.commit(&new).await {
                // The forge may have carried out late what it was asked before: the next look tells.
                Err(error @ ForgeError::Moved { .. }) => return Err(Halt::Passing(error.to_string())),
                made => made?,
            }
        }
    };
    receive_for(work, proposal_id, &key, json!({"commit": commit})).await?;
    Ok(Undone::Made)
}
