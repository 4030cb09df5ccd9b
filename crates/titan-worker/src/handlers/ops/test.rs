//! The third stage: what the merge would be is built and tested in the sandbox, and the forge's own checks are waited for. Commands run
//! once; while the checks are waited for the step sleeps and holds no place.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use titan_core::config::Checks;
use titan_core::engine::Done;
use titan_core::ops::intents::Intended;
use titan_core::state::Level;
use titan_core::templates::Cache;
use titan_ops::forge::{Check, CheckState, ForgeError};
use titan_ops::repository::{Merged, Mirror};
use titan_sandbox::remove_all;

use super::built;
use super::change::conflicts;
use super::diff::{head, short};
use super::halt::Halt;
use super::patch::moved;
use super::rollout::meant;
use super::yard::{Yard, intend, receive};
use super::{done, found};
use crate::handler::Work;
use crate::workshop::run::{Job, Site};

/// One command; the step has a limit of its own.
const TIMEOUT: Duration = Duration::from_secs(2 * 3600);
/// Between two looks at the forge's checks: often at first, then less and less.
const SOONEST: Duration = Duration::from_secs(2);
const LATEST: Duration = Duration::from_secs(30);
/// After the last check that ended.
const SETTLED: TimeDelta = TimeDelta::seconds(20);
/// So that the look which finds them settled is not too early by a hair.
const A_MOMENT: Duration = Duration::from_millis(100);
/// Lines of each command that are kept as evidence.
const LAST: usize = 40;

pub(super) async fn run(yard: &Yard, work: &Work) -> Result<Done, Halt> {
    let (branch, commit, base) =
        (found(work, "patch", "branch")?, found(work, "patch", "commit")?, found(work, "diff", "base_branch")?);
    let fetched = async {
        let mirror = yard.mirror().await?;
        let merged = merged(&mirror, base, branch, commit).await?;
        Ok((mirror, merged))
    };
    let (mirror, merged) = match fetched.await {
        // Git may be as silent as the rest of the forge while its checks are waited for.
        Err(Halt::Passing(why)) => return Err(out_of_reach(yard, work, commit, why).await?),
        fetched => fetched?,
    };
    let commands = tested(yard, work, &mirror, &merged.tree).await?;
    let checks = checks(yard, work, commit).await?;
    Ok(done(
        json!({"tree": merged.tree, "base": merged.base, "commit": commit, "commands": commands, "checks": checks}),
    ))
}

/// Builds and tests this tree, once in each run: what is run may have been set anew since.
pub(super) async fn tested(yard: &Yard, work: &Work, mirror: &Mirror, tree: &str) -> Result<Value, Halt> {
    let key = format!("test:{tree}:{}", work.fence.run_id);
    match intend(work, &key, json!({"tree": tree})).await? {
        Intended::Done(receipt) => Ok(receipt),
        // Nothing outside is changed by it, so it is simply done again.
        Intended::First | Intended::Again => {
            let receipt = commands(yard, work, mirror, tree).await?;
            receive(work, &key, receipt.clone()).await?;
            Ok(receipt)
        }
    }
}

/// What the merge would be now.
pub(super) struct WouldBe {
    pub(super) tree: String,
    pub(super) base: String,
}

pub(super) async fn merged(mirror: &Mirror, base: &str, branch: &str, commit: &str) -> Result<WouldBe, Halt> {
    let base_head = head(mirror, base).await?;
    let stands_at = head(mirror, branch).await?;
    if stands_at != commit {
        return Err(Halt::Failed(moved(branch, commit, &stands_at)));
    }
    let (ours, theirs) = (base_head.clone(), commit.to_owned());
    match mirror.with(move |mirror| mirror.merge(&ours, &theirs)).await? {
        Merged::Tree(tree) => Ok(WouldBe { tree, base: base_head }),
        Merged::Conflicts(paths) => Err(conflicts(&base_head, &paths)),
    }
}

pub(super) async fn commands(yard: &Yard, work: &Work, mirror: &Mirror, tree: &str) -> Result<Value, Halt> {
    let folder = yard.folder_for(work);
    let ran = run_in(yard, work, mirror, tree, &folder).await;
    // What cannot be removed now is when the run has ended.
    let caches = yard.workshop.caches_of(work.started.task_id);
    let _ = tokio::task::spawn_blocking(move || (remove_all(&folder), remove_all(&caches))).await;
    ran
}

async fn run_in(yard: &Yard, work: &Work, mirror: &Mirror, tree: &str, folder: &Path) -> Result<Value, Halt> {
    let (to, of, tree) = (folder.to_owned(), tree.to_owned(), tree.to_owned());
    fs::create_dir_all(folder)
        .map_err(|error| Halt::Passing(format!("{} cannot be made: {error}", folder.display())))?;
    mirror.with(move |mirror| mirror.check_out(&of, &to)).await?;
    yard.workshop.give_away(folder).await?;
    let lines = match &yard.settings.test {
        Some(lines) => lines.clone(),
        None => usual(folder, yard.destination.as_ref().is_some_and(|to| to.programs.is_some()))?,
    };
    let mut told = Vec::new();
    for line in lines {
        let job = Job {
            // For the caches: what one proposal's commands left there is not for another's.
            project_id: work.started.task_id,
            name: &line,
            argv: vec!["sh".to_owned(), "-c".to_owned(), line.clone()],
            folder,
            timeout: TIMEOUT,
            registries: true,
            caches: &Cache::ALL,
            env: BTreeMap::new(),
            inbound: None,
        };
        let (ended, tail) = yard.workshop.run(Site::from(work), job).await?;
        let last: Vec<&String> = tail.iter().skip(tail.len().saturating_sub(LAST)).collect();
        told.push(json!({"command": line, "seconds": ended.wall.as_secs_f64(), "last": last}));
    }
    if let Some(programs) = yard.destination.as_ref().and_then(|to| to.programs.as_ref()) {
        built::keep(&yard.builds(), &tree, folder, programs)?;
    }
    Ok(json!(told))
}

/// What a repository of this kind is built and tested with.
fn usual(folder: &Path, for_release: bool) -> Result<Vec<String>, Halt> {
    let has = |name: &str| folder.join(name).is_file();
    let lines: &[&str] = match () {
        () if has("Cargo.toml") && for_release => {
            &["cargo build --locked --release --workspace", "cargo test --locked --workspace"]
        }
        () if has("Cargo.toml") => &["cargo build --locked --workspace", "cargo test --locked --workspace"],
        () if has("package-lock.json") => &["npm ci", "npm test"],
        () => {
            let message = "nobody has said how it is built and tested, and the repository has neither a Cargo.toml nor a \
                           package-lock.json: set TITAN_OPS_TEST";
            return Err(Halt::Failed(message.to_owned()));
        }
    };
    Ok(lines.iter().map(|line| (*line).to_owned()).collect())
}

async fn checks(yard: &Yard, work: &Work, commit: &str) -> Result<Value, Halt> {
    if yard.settings.checks == Checks::Off {
        return Ok(json!({"wanted": false, "checks": []}));
    }
    let since = waiting_since(work, commit).await?;
    let waited = Utc::now() - since;
    let usual = usual_pause(waited);
    // No limit of a rate outlasts the deadline.
    let left = yard.settings.checks_timeout.saturating_sub(waited.to_std().unwrap_or_default()) + A_MOMENT;
    let later = |after: Duration| move |reason| Halt::Later { after: after.max(usual).min(left.max(usual)), reason };
    let found = match yard.forge.checks(commit).await {
        Ok(found) => found.checks,
        // Whoever waits anyhow looks again: that the forge does not answer for a while is no attempt that has failed. It is slept out,
        // whatever is reported meanwhile.
        Err(ForgeError::Unavailable(why)) => return Err(still_waiting(yard, waited, why, later(usual))),
        Err(ForgeError::RateLimited { after, why }) => return Err(still_waiting(yard, waited, why, later(after))),
        Err(other) => return Err(other.into()),
    };
    let of = |state: CheckState| found.iter().filter(move |check| check.state == state);
    if let Some(failed) = of(CheckState::Failed).next() {
        return Err(Halt::Failed(format!("the check {:?} failed on {}: {}", failed.name, short(commit), said(failed))));
    }
    let pending = of(CheckState::Pending).count();
    let is_enough = of(CheckState::Passed).next().is_some() || yard.settings.checks == Checks::IfAny;
    let settled = settled_for(&found, waited);
    if pending == 0 && is_enough && settled > SETTLED {
        let line = format!("{} checks of {} have passed", found.len(), yard.forge.name());
        Site::from(work).say(Level::Info, line).await?;
        return Ok(json!({"wanted": true, "checks": found.iter().map(shown).collect::<Vec<_>>()}));
    }
    let reason = match (pending, found.len()) {
        (0, _) if is_enough => {
            format!("the checks of {} have passed; whether others follow is seen in a moment", short(commit))
        }
        (0, 0) => format!("no check of {} has begun yet", short(commit)),
        (0, _) => format!("no check of {} has passed yet", short(commit)),
        (pending, all) => format!("{pending} of {all} checks of {} have not ended", short(commit)),
    };
    let after = match pending == 0 && is_enough {
        true => (SETTLED - settled).to_std().unwrap_or_default().min(LATEST) + A_MOMENT,
        false => usual,
    };
    Err(still_waiting(yard, waited, reason, |reason| Halt::Expect { after, reason }))
}

/// Less often the longer they are waited for.
fn usual_pause(waited: TimeDelta) -> Duration {
    (waited.to_std().unwrap_or_default() / 4).clamp(SOONEST, LATEST)
}

/// What the forge's silence means: no attempt that has failed, for as long as its checks would be waited for.
async fn out_of_reach(yard: &Yard, work: &Work, commit: &str, why: String) -> Result<Halt, Halt> {
    let waiting = meant(work, work.started.task_id, checks_key(work, commit)).await?;
    let waited = waiting.map(|intent| Utc::now() - intent.created_at);
    Ok(match waited.filter(|waited| waited.to_std().unwrap_or_default() < yard.settings.checks_timeout) {
        Some(waited) => Halt::Later { after: usual_pause(waited), reason: why },
        None => Halt::Passing(why),
    })
}

/// The checks are looked at again, or they took too long.
fn still_waiting(yard: &Yard, waited: TimeDelta, reason: String, halt: impl FnOnce(String) -> Halt) -> Halt {
    let deadline = TimeDelta::from_std(yard.settings.checks_timeout).unwrap_or(TimeDelta::MAX);
    if waited > deadline {
        let minutes = yard.settings.checks_timeout.as_secs() / 60;
        return Halt::Failed(format!(
            "{reason}, and that after {minutes} minutes; TITAN_OPS_CHECKS says what checks are worth, TITAN_OPS_CHECKS_TIMEOUT how long \
             they are waited for"
        ));
    }
    halt(reason)
}

/// Since when nothing has happened. A check that needs another one is listed only when that has ended, and the first of all some time
/// after the commit.
fn settled_for(checks: &[Check], waited: TimeDelta) -> TimeDelta {
    checks.iter().filter_map(|check| check.finished_at).max().map_or(waited, |last| Utc::now() - last)
}

fn checks_key(work: &Work, commit: &str) -> String {
    format!("checks:{commit}:{}", work.fence.run_id)
}

/// Since when the checks of this commit are waited for, whichever worker began.
async fn waiting_since(work: &Work, commit: &str) -> Result<DateTime<Utc>, Halt> {
    // Of each run: who runs a proposal again has mended what was waited for in vain.
    let (key, now) = (checks_key(work, commit), Utc::now());
    match intend(work, &key, json!({"commit": commit})).await? {
        Intended::Done(receipt) => {
            let since = receipt.get("since").and_then(Value::as_str).and_then(|since| since.parse().ok());
            Ok(since.unwrap_or(now))
        }
        Intended::First | Intended::Again => {
            receive(work, &key, json!({"since": now})).await?;
            Ok(now)
        }
    }
}

fn said(check: &Check) -> String {
    let page = check.page.as_deref().map(|page| format!(" ({page})")).unwrap_or_default();
    let summary = check.summary.trim();
    if summary.is_empty() { format!("it does not say why{page}") } else { format!("{summary}{page}") }
}

fn shown(check: &Check) -> Value {
    let state = match check.state {
        CheckState::Pending => "pending",
        CheckState::Passed => "passed",
        CheckState::Failed => "failed",
        CheckState::Neutral => "neutral",
    };
    json!({"name": check.name, "state": state, "summary": check.summary, "page": check.page})
}
