//! What reviewers are told on the pull request while its change is rolled out: one comment, written anew with each change.

use std::fmt::Write as _;

use titan_core::ops::rollouts::{Rollout, RolloutState};
use titan_core::redact::redact;
use titan_ops::canary::{Analysis, Phase};

use super::diff::short;
use super::halt::Halt;
use super::yard::Yard;

/// What the comment is found by.
const MARKER: &str = "rollout";

/// Says how a rollout stands. That the forge does not take it now is no reason to stop.
pub(super) async fn tell(yard: &Yard, rollout: &Rollout) {
    let number = u64::try_from(rollout.pull_number).unwrap_or_default();
    if let Err(error) = yard.forge.comment(number, MARKER, &comment(rollout)).await {
        tracing::warn!(%error, pull = number, "the pull request cannot be told how its rollout stands");
    }
}

/// Says something that has to be there before what follows it.
pub(super) async fn say(yard: &Yard, number: u64, text: &str) -> Result<(), Halt> {
    Ok(yard.forge.comment(number, MARKER, &redact(text)).await?)
}

/// All that there is to say about a rollout.
pub(super) fn comment(rollout: &Rollout) -> String {
    let mut text = format!("## Rollout: {}\n\n", words(rollout.state));
    let _ = writeln!(text, "| | |\n|---|---|\n| target | {} |", rollout.target);
    let _ = writeln!(
        text,
        "| commit | `{}` |\n| production before | `{}` |",
        short(&rollout.commit_id),
        short(&rollout.last_good)
    );
    if let Some(merged) = &rollout.merged_as {
        let _ = writeln!(text, "| merged as | `{}` |", short(merged));
    }
    if let Some(reason) = &rollout.reason {
        let _ = writeln!(text, "\n{}", reason.trim());
    }
    let analysis = rollout.analysis.clone().and_then(|found| serde_json::from_value::<Analysis>(found).ok());
    if let Some(analysis) = analysis {
        let _ = writeln!(text, "\n| metric | verdict | why |\n|---|---|---|");
        for metric in &analysis.metrics {
            let why = metric.reason.replace('|', "\\|").replace('\n', " ");
            let _ = writeln!(text, "| {} | {} | {why} |", metric.name, phase(metric.phase));
        }
    }
    // It leaves the house, and what a daemon answers is anything.
    redact(&text)
}

fn words(state: RolloutState) -> &'static str {
    match state {
        RolloutState::Canary => "the canary is being looked at",
        RolloutState::Paused => "it stands still",
        RolloutState::Approval => "it waits for an approval",
        RolloutState::Promoting => "it is being promoted",
        RolloutState::Promoted => "promoted",
        RolloutState::RollingBack => "it is being rolled back",
        RolloutState::RolledBack => "rolled back",
        RolloutState::RollbackFailed => "the rollback FAILED",
    }
}

fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Running => "running",
        Phase::Success => "success",
        Phase::Failure => "failure",
        Phase::Inconclusive => "inconclusive",
    }
}
