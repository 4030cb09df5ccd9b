//! The second stage: one commit on the proposal's own branch, made by the forge. It is fetched again and must be exactly what was shown.

use serde_json::json;
use titan_core::engine::Done;
use titan_core::ops::Risk;
use titan_core::ops::decisions::Verdict;
use titan_core::ops::intents::Intended;
use titan_core::ops::proposals::Proposed;
use titan_core::redact::redact;
use titan_core::state::{Level, WaitingOn};
use titan_ops::forge::{ForgeError, NewCommit};
use titan_ops::repository::Mirror;

use super::change::Change;
use super::diff::{head, short};
use super::halt::Halt;
use super::rollout::asked;
use super::yard::{Yard, intend, proposed, receive};
use super::{done, found};
use crate::handler::Work;
use crate::workshop::run::Site;

pub(super) async fn run(yard: &Yard, work: &Work) -> Result<Done, Halt> {
    let proposed = proposed(work).await?;
    let (branch, base) = (found(work, "diff", "branch")?, found(work, "diff", "base")?);
    may_leave(yard, work).await?;
    let mirror = yard.mirror().await?;
    let change = as_shown(yard, work, &mirror, &proposed).await?;
    let key = format!("commit:{}", change.tree);
    let commit = match intend(work, &key, json!({"branch": branch, "parent": base, "tree": change.tree})).await? {
        Intended::Done(receipt) => receipt.get("commit").and_then(|id| id.as_str()).unwrap_or_default().to_owned(),
        Intended::First => make(yard, work, &mirror, &proposed, &change, branch).await?,
        // It may have been made; then it is where it would be made.
        Intended::Again => match made(yard, &mirror, &change, branch).await? {
            Some(commit) => commit,
            None => make(yard, work, &mirror, &proposed, &change, branch).await?,
        },
    };
    verify(yard, &mirror, &change, branch, &commit).await?;
    receive(work, &key, json!({"commit": commit})).await?;
    Site::from(work).say(Level::Info, format!("Commit {} stands on {branch}", short(&commit))).await?;
    Ok(done(json!({"branch": branch, "commit": commit, "tree": change.tree})))
}

/// Waits for a person, unless its risk is one that nobody has to be asked for. Nothing has left the house yet.
async fn may_leave(yard: &Yard, work: &Work) -> Result<(), Halt> {
    let (risk, tree) = (found(work, "diff", "risk")?, found(work, "diff", "tree")?);
    let allowed = yard.settings.rollouts.auto_pull;
    let risky: Option<Risk> = serde_json::from_value(json!(risk)).ok();
    if risky.is_some_and(|risk| allowed.is_some_and(|allowed| risk <= allowed)) {
        return Ok(());
    }
    let (decision, since) = asked(work, tree).await?;
    match decision.map(|decision| (decision.decision, decision.decided_by)) {
        Some((Verdict::Approved, by)) => {
            Ok(Site::from(work).say(Level::Info, format!("Approved for a pull request by {by}")).await?)
        }
        Some((Verdict::Rejected, by)) => Err(Halt::Failed(format!("rejected by {by}"))),
        None => {
            let reason =
                format!("its risk is {risk}: somebody has to look at the change before it becomes a pull request");
            Err(Halt::Wait { on: WaitingOn::Approval, reason, since })
        }
    }
}

/// The change as the first stage has shown it, made on this machine.
pub(super) async fn as_shown(yard: &Yard, work: &Work, mirror: &Mirror, proposed: &Proposed) -> Result<Change, Halt> {
    let (branch, base, tree) =
        (found(work, "diff", "base_branch")?, found(work, "diff", "base")?, found(work, "diff", "tree")?);
    let patches = yard.patches(work, proposed).await?;
    // What the branch had then is in what it has now, unless somebody took it away.
    head(mirror, branch).await?;
    let change = yard.change(mirror, patches, proposed.base_commit.clone(), base.to_owned()).await?;
    if change.tree != tree {
        let message = format!("the patches make another tree than was shown: {} instead of {tree}", change.tree);
        return Err(Halt::Failed(message));
    }
    Ok(change)
}

async fn make(
    yard: &Yard,
    work: &Work,
    mirror: &Mirror,
    proposed: &Proposed,
    change: &Change,
    branch: &str,
) -> Result<String, Halt> {
    let (from, to) = (change.base.clone(), change.tree.clone());
    let written = mirror.with(move |mirror| mirror.files_between(&from, &to)).await?;
    let new = NewCommit {
        branch: branch.to_owned(),
        parent: change.base.clone(),
        headline: redact(&proposed.title),
        body: body(proposed, work),
        files: written.files,
        deletions: written.deletions,
    };
    match yard.forge.commit(&new).await {
        // The forge may have carried out late what it was asked before: then the branch stands at the very change.
        Err(error @ ForgeError::Moved { .. }) => match made(yard, mirror, change, branch).await? {
            Some(commit) => Ok(commit),
            None => Err(error.into()),
        },
        answer => Ok(answer?),
    }
}

fn body(proposed: &Proposed, work: &Work) -> String {
    let about = format!("Titan-Proposal: {}\nProposed-by: {}", work.started.task_id, proposed.author);
    let description = redact(proposed.description.trim());
    if description.is_empty() { about } else { format!("{description}\n\n{about}") }
}

/// The commit that an attempt before this one has made.
async fn made(yard: &Yard, mirror: &Mirror, change: &Change, branch: &str) -> Result<Option<String>, Halt> {
    match yard.forge.head(branch).await? {
        Some(head) if head != change.base => {
            verify(yard, mirror, change, branch, &head).await?;
            Ok(Some(head))
        }
        _ => Ok(None),
    }
}

/// That the branch stands at this commit, which is the change and nothing else.
async fn verify(yard: &Yard, mirror: &Mirror, change: &Change, branch: &str, commit: &str) -> Result<(), Halt> {
    let name = branch.to_owned();
    let heads = mirror.with(move |mirror| mirror.fetch(&[&name])).await?;
    let stands_at = heads.get(branch).map_or("nothing", String::as_str);
    // A server that has not heard of the commit yet is behind, and nobody has moved anything.
    if stands_at == change.base || stands_at == "nothing" {
        return Err(Halt::Passing(format!("{branch} does not stand at {commit} yet")));
    }
    if stands_at != commit {
        return Err(Halt::Failed(moved(branch, commit, stands_at)));
    }
    let (head, tree, base) = (commit.to_owned(), change.tree.clone(), change.base.clone());
    let is_right = mirror
        .with(move |mirror| {
            let only_ours = mirror.log(&base, &head, 2)?.len() == 1;
            Ok(only_ours && mirror.is_ancestor(&base, &head)? && mirror.tree_of(&head)? == tree)
        })
        .await?;
    if is_right {
        return Ok(());
    }
    let forge = yard.forge.name();
    Err(Halt::Failed(format!(
        "commit {commit} on {branch} at {forge} is not the change that was shown: somebody else has written there"
    )))
}

/// Somebody else's hand at the proposal's branch ends it.
pub(super) fn moved(branch: &str, expected: &str, found: &str) -> String {
    format!(
        "{branch} stands at {found} and not at {expected}: somebody else has moved it, so the proposal ends here; propose it again with what they changed"
    )
}
