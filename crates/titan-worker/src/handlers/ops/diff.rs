//! The first stage: the patches are put onto the code as it is, and what they really change is held against the rules. What is shown
//! here is what a person decides about later.

use serde_json::{Value, json};
use titan_core::db::PgConnection;
use titan_core::engine::{Done, Write};
use titan_core::ops::RepoPath;
use titan_core::ops::intents;
use titan_core::ops::proposals;
use titan_core::ops::risk::{self, Touched};
use titan_core::ops::tree::{self, TreeChange};
use titan_core::state::Level;
use titan_ops::repository::{FileChange, Mirror, Renames};

use super::halt::Halt;
use super::now;
use super::yard::{Yard, proposed};
use crate::handler::Work;
use crate::workshop::run::Site;

/// Bytes of the difference that is kept for people, and of that of one file which the risk is judged by.
const MAX_DIFF: u64 = 2 << 20;
const MAX_DIFF_OF_FILE: u64 = 256 << 10;
const MAX_TASKS: u64 = 1 << 20;

pub(super) async fn run(yard: &Yard, work: &Work) -> Result<Done, Halt> {
    let site = Site::from(work);
    let proposed = proposed(work).await?;
    let patches = yard.patches(work, &proposed).await?;
    let (mirror, branch) = (yard.mirror().await?, yard.base().await?);
    let now = head(&mirror, &branch).await?;
    // What is on its branch already is not made anew on another commit.
    let head = stands_on(work).await?.unwrap_or(now);
    let item = item(yard, &mirror, &head, proposed.now_item.as_deref(), &proposed.title).await?;
    let change = yard.change(&mirror, patches, proposed.base_commit, head).await?;

    let (from, to) = (change.base.clone(), change.tree.clone());
    let (files, paths, diff) = mirror
        .with(move |mirror| {
            let files = mirror.changes(&from, &to, Renames::Apart)?;
            let mut paths = mirror.paths(&mirror.tree_of(&from)?)?;
            paths.extend(mirror.paths(&to)?);
            Ok((files, paths, mirror.diff(&from, &to, MAX_DIFF)?))
        })
        .await?;
    let changes: Vec<TreeChange> = files.iter().map(TreeChange::from).collect();
    let faults = tree::check(&changes, &paths, &yard.policy);
    if !faults.is_empty() {
        return Err(Halt::faults("what it changes may not be changed", &faults));
    }
    let touched = touched(&mirror, &change.base, &change.tree, &files).await?;
    let assessment = risk::assess(&touched);
    let shown: Vec<Value> = files.iter().zip(&touched).map(|(file, touched)| shown(yard, file, touched)).collect();
    let line = format!(
        "{} files are changed on {}; risk: {}",
        files.len(),
        short(&change.base),
        assessment.reasons.join(", ")
    );
    site.say(Level::Info, line).await?;
    for shift in &change.shifts {
        site.say(Level::Warn, shift.clone()).await?;
    }
    let output = json!({
        // Whose output "Changes" is: a run that goes on after this stage has none of its own.
        "run": work.fence.run_id,
        "branch": proposals::branch(work.started.task_id),
        "base_branch": branch,
        "base": change.base,
        "tree": change.tree,
        "now_item": item,
        "files": shown,
        "shifts": change.shifts,
        "risk": assessment.risk,
        "reasons": assessment.reasons,
        "truncated": diff.truncated,
    });
    let changes = Write::Output {
        name: "Changes".to_owned(),
        kind: "code",
        media_type: "text/x-diff; charset=utf-8".to_owned(),
        content: diff.text.into_bytes().into(),
    };
    Ok(Done { output, writes: vec![changes] })
}

/// The commit that an earlier run of this proposal has put its change onto, if one has.
async fn stands_on(work: &Work) -> Result<Option<String>, Halt> {
    let id = work.started.task_id;
    let made = work.db.run(move |connection: &mut PgConnection| intents::newest(connection, id, "commit:")).await?;
    Ok(made.and_then(|made| made.what.get("parent").and_then(Value::as_str).map(str::to_owned)))
}

/// Where the base branch stands.
pub(super) async fn head(mirror: &Mirror, branch: &str) -> Result<String, Halt> {
    let name = branch.to_owned();
    let heads = mirror.with(move |mirror| mirror.fetch(&[&name])).await?;
    heads.get(branch).cloned().ok_or_else(|| Halt::Failed(format!("the repository has no branch {branch:?}")))
}

/// The beginning of a commit's id, for people.
pub(super) fn short(commit: &str) -> &str {
    commit.get(..12).unwrap_or(commit)
}

/// What it belongs to.
async fn item(
    yard: &Yard,
    mirror: &Mirror,
    head: &str,
    named: Option<&str>,
    title: &str,
) -> Result<Option<String>, Halt> {
    if !yard.settings.require_now {
        return Ok(named.map(str::to_owned));
    }
    let head = head.to_owned();
    let file = mirror.with(move |mirror| mirror.file(&head, "TASKS.md", MAX_TASKS)).await?;
    let tasks = file.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default();
    let items = now::items(&tasks);
    match now::named(&items, named, title) {
        Some(item) => Ok(Some(item.to_owned())),
        None if items.is_empty() => Err(Halt::Failed(
            "a proposal belongs to an item under \"Now\" in TASKS.md, and there is none; TITAN_OPS_REQUIRE_NOW=off lets it pass".to_owned(),
        )),
        None => Err(Halt::Failed(format!(
            "it must name what it belongs to under \"Now\" in TASKS.md, in \"now\" or as its title: {}",
            items.join("; ")
        ))),
    }
}

async fn touched(mirror: &Mirror, from: &str, to: &str, files: &[FileChange]) -> Result<Vec<Touched>, Halt> {
    let (from, to, files) = (from.to_owned(), to.to_owned(), files.to_vec());
    let read = mirror.with(move |mirror| {
        let mut touched = Vec::new();
        for file in &files {
            let diff = mirror.diff_of_file(&from, &to, &file.path, None, MAX_DIFF_OF_FILE)?;
            // The rules have let its path pass, so it is one.
            if let Ok(path) = RepoPath::parse(&file.path) {
                let whole = (!diff.truncated).then_some(diff.text.as_str());
                touched.push(Touched::of(path, file.mode == 0, whole));
            }
        }
        Ok(touched)
    });
    Ok(read.await?)
}

fn shown(yard: &Yard, file: &FileChange, touched: &Touched) -> Value {
    let judged = yard.policy.judge(&touched.path);
    json!({
        "path": file.path,
        "status": file.status,
        "additions": file.additions,
        "deletions": file.deletions,
        "binary": file.binary,
        "verdict": judged.verdict,
        "pattern": judged.pattern,
        "reason": judged.reason,
    })
}
