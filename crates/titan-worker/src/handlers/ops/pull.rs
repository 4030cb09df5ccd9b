//! The fourth stage: the pull request, with everything that a reviewer has to know. There is one for each proposal, and it is described
//! anew when there is more to say.

use std::fmt::Write as _;

use serde_json::{Value, json};
use titan_core::engine::Done;
use titan_core::ops::intents::Intended;
use titan_core::ops::proposals::Proposed;
use titan_core::redact::redact;
use titan_core::state::Level;
use titan_ops::forge::{NewPullRequest, PullRequest, PullState};
use titan_ops::repository::Mirror;

use super::halt::Halt;
use super::patch::moved;
use super::yard::{Yard, intend, proposed, receive};
use super::{done, found, number};
use crate::handler::Work;
use crate::workshop::run::Site;

/// Files that are listed by name.
const MOST_FILES: usize = 50;

pub(super) async fn run(yard: &Yard, work: &Work) -> Result<Done, Halt> {
    let proposed = proposed(work).await?;
    let (branch, commit, base) =
        (found(work, "patch", "branch")?, found(work, "patch", "commit")?, found(work, "diff", "base_branch")?);
    let body = body(work, &proposed);
    let wanted =
        NewPullRequest { branch: branch.to_owned(), base: base.to_owned(), title: redact(&proposed.title), body };
    let forge = &yard.forge;
    // What was not tested is not shown as if it had been.
    let stands_at = forge.head(branch).await?;
    if stands_at.as_deref() != Some(commit) {
        return Err(Halt::Failed(moved(branch, commit, stands_at.as_deref().unwrap_or("nothing"))));
    }
    // Meant before, done or not: whether there is one says the forge.
    let before = intend(work, "pull", json!({"branch": branch, "base": base, "commit": commit})).await?;
    let there = match before {
        Intended::First => None,
        Intended::Again | Intended::Done(_) => forge.pull_request(branch).await?,
    };
    let pull = match there {
        None => forge.open(&wanted).await?,
        Some(pull) if pull.state == PullState::Open => forge.describe(pull.number, &wanted.title, &wanted.body).await?,
        // Somebody was faster than the word that it was opened.
        Some(pull) if pull.state == PullState::Merged && pull.head == commit => pull,
        Some(pull) => return Err(Halt::Failed(ended(&pull))),
    };
    if pull.head != commit {
        return Err(Halt::Failed(moved(branch, commit, &pull.head)));
    }
    receive(work, "pull", json!({"number": pull.number, "page": pull.page})).await?;
    Site::from(work).say(Level::Info, format!("Pull request {}: {}", pull.number, pull.page)).await?;
    // Nobody waits for the mirror to be tidied, and it is no failure of the proposal.
    if let Err(error) = yard.mirror().await?.with(Mirror::clear_old).await {
        tracing::warn!(%error, "the mirror of the repository cannot be tidied");
    }
    Ok(done(json!({"number": pull.number, "page": pull.page, "commit": commit})))
}

fn ended(pull: &PullRequest) -> String {
    let how = if pull.state == PullState::Merged { "merged" } else { "closed" };
    format!("somebody has {how} pull request {} ({}), so the proposal ends here", pull.number, pull.page)
}

/// What a reviewer has to know, from what the stages found.
fn body(work: &Work, proposed: &Proposed) -> String {
    let of = |stage: &str, name: &str| {
        work.started.inputs.get(stage).and_then(|output| output.get(name)).cloned().unwrap_or(Value::Null)
    };
    let mut text = String::new();
    let description = proposed.description.trim();
    if !description.is_empty() {
        let _ = writeln!(text, "{description}\n");
    }
    if let Some(item) = of("diff", "now_item").as_str() {
        let _ = writeln!(text, "Belongs to: {item}\n");
    }
    let _ = writeln!(text, "## Risk: {}\n", of("diff", "risk").as_str().unwrap_or("unknown"));
    for reason in of("diff", "reasons").as_array().into_iter().flatten().filter_map(Value::as_str) {
        let _ = writeln!(text, "- {reason}");
    }
    for shift in of("diff", "shifts").as_array().into_iter().flatten().filter_map(Value::as_str) {
        let _ = writeln!(text, "- {shift}");
    }
    let files = of("diff", "files");
    let files: Vec<&Value> = files.as_array().into_iter().flatten().collect();
    let _ = writeln!(text, "\n## Files\n\n| path | lines | allowed by |\n|---|---|---|");
    for file in files.iter().take(MOST_FILES) {
        let text_of = |name: &str| file.get(name).and_then(Value::as_str).unwrap_or("-");
        let lines = match (file.get("additions").and_then(Value::as_u64), file.get("deletions").and_then(Value::as_u64))
        {
            (Some(added), Some(removed)) => format!("+{added} -{removed}"),
            _ => "binary".to_owned(),
        };
        let _ = writeln!(text, "| `{}` | {lines} | `{}` |", text_of("path"), text_of("pattern"));
    }
    if files.len() > MOST_FILES {
        let _ = writeln!(text, "\nand {} more", files.len() - MOST_FILES);
    }
    let _ = writeln!(text, "\n## Tests\n\nOf the merge with {}:\n", of("test", "base").as_str().unwrap_or("the base"));
    for command in of("test", "commands").as_array().into_iter().flatten() {
        let line = command.get("command").and_then(Value::as_str).unwrap_or("-");
        let seconds = command.get("seconds").and_then(Value::as_f64).unwrap_or_default();
        let _ = writeln!(text, "- `{line}` passed in {seconds:.0} s");
    }
    for check in of("test", "checks").get("checks").and_then(Value::as_array).into_iter().flatten() {
        let text_of = |name: &str| check.get(name).and_then(Value::as_str).unwrap_or("-");
        let _ = writeln!(text, "- check {}: {}", text_of("name"), text_of("state"));
    }
    let _ = writeln!(text, "\nProposed by {} as {}.", proposed.author, work.started.task_id);
    // It leaves the house, and commands write what they like.
    redact(&text)
}

/// The pull request of this proposal: it is not closed, and would merge what was tested. One that was merged at the forge is looked at
/// all the same, and taken back when it does badly.
pub(super) async fn as_tested(yard: &Yard, work: &Work, commit: &str) -> Result<PullRequest, Halt> {
    let (branch, number) = (found(work, "patch", "branch")?, number(work)?);
    let pull = yard.forge.pull_request(branch).await?.filter(|pull| pull.number == number);
    let pull = pull.ok_or_else(|| Halt::Failed(format!("pull request {number} is gone")))?;
    if pull.head != commit {
        return Err(Halt::Failed(moved(branch, commit, &pull.head)));
    }
    if pull.state == PullState::Closed {
        return Err(Halt::Failed(ended(&pull)));
    }
    Ok(pull)
}
