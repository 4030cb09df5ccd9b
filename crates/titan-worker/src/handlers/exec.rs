//! The step that runs a command on a project's files, in a folder of its own. What it changed is committed to the run's branch, which
//! a person merges by approving it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use chrono::Utc;
use serde_json::json;
use titan_core::commands::Command;
use titan_core::db::PgConnection;
use titan_core::engine::{Done, Outcome, Write};
use titan_core::queue;
use titan_core::state::Level;
use titan_core::templates::Cache;
use titan_core::text;
use titan_core::workspaces::{self, Branch, Said, Target, forget_index};
use titan_sandbox::{Ended, remove_all};

use crate::handler::{Handler, Work};
use crate::workshop::Workshop;
use crate::workshop::lines::without_colours;
use crate::workshop::run::{Job, Site, Trouble};

/// Characters of a command that it is called by.
const NAME: usize = 60;
/// Lines of its end that are kept with the result.
const LAST: usize = 20;

pub struct Exec {
    workshop: Arc<Workshop>,
}

impl Exec {
    #[must_use]
    pub fn new(workshop: Arc<Workshop>) -> Self {
        Self { workshop }
    }
}

#[async_trait]
impl Handler for Exec {
    fn kind(&self) -> &'static str {
        "exec"
    }

    async fn run(&self, work: Work) -> Outcome {
        let command = match Command::of(&work.started.payload) {
            Ok(command) => command,
            Err(error) => return Outcome::Fail { error: error.to_string() },
        };
        // Of each attempt, so that none finds what another one left.
        let folder = folders(&self.workshop.work_dir()).join(format!("{}-{}", work.fence.run_id, work.fence.epoch));
        let done = self.run_in(&work, &command, &folder).await;
        // What cannot be removed now is when the run has ended.
        let _ = tokio::task::spawn_blocking(move || (remove_all(&folder), forget_index(&folder))).await;
        done.unwrap_or_else(Trouble::outcome)
    }
}

/// Where commands work: one folder for each attempt, named after the run, and what git knows of it beside it.
pub(crate) fn folders(work_dir: &Path) -> PathBuf {
    work_dir.join("exec")
}

impl Exec {
    async fn run_in(&self, work: &Work, command: &Command, folder: &Path) -> Result<Outcome, Trouble> {
        let (site, project_id) = (Site::from(work), work.started.project_id);
        let branch = Branch::OfRun(work.fence.run_id);
        let files = self.workshop.workspaces(site);
        let (job_id, epoch) = (work.fence.job_id, work.fence.epoch);
        // An attempt that was lost may have come as far as that; what it did is done again from the beginning.
        let hold = move |connection: &mut PgConnection| queue::hold(connection, job_id, epoch);
        work.db.run(move |connection| workspaces::begin_afresh(connection, project_id, branch, &mut { hold })).await?;
        let base = files.with(project_id, |workspace| Ok(workspace.head(Branch::Main).map(str::to_owned))).await?;
        self.workshop.lay_out(site, project_id, base.clone(), folder).await?;
        let line = command.line();
        let job = Job {
            project_id,
            name: text::head(&line, NAME),
            argv: command.argv.clone(),
            folder,
            timeout: command.timeout,
            registries: command.registries,
            caches: &Cache::ALL,
            env: BTreeMap::new(),
            inbound: None,
        };
        let (ended, tail) = self.workshop.run(site, job).await?;
        let (from, to, message) = (base.clone(), folder.to_owned(), format!("Run {line}"));
        let (collected, changes) = files
            .with(project_id, move |workspace| {
                let said = Said { author: "Titan", message: &message, at: Utc::now() };
                let collected = workspace.collect(
                    Target { branch, expected: None, base: from.as_deref(), also: &mut { hold } },
                    &to,
                    &said,
                )?;
                let changes = match collected.changed {
                    true => Some(workspace.difference(from.as_deref(), &collected.commit)?),
                    false => None,
                };
                Ok((collected, changes))
            })
            .await?;
        for left_out in &collected.left_out {
            site.say(Level::Warn, format!("Not kept: {left_out}")).await?;
        }
        let mut writes = vec![output("Result", "text/markdown; charset=utf-8", told(&line, &ended, &tail))];
        if let Some(changes) = &changes {
            // Always the same, so that those of the next run are another version of it.
            writes.push(output("Changes", "text/x-diff; charset=utf-8", changes.patch.clone()));
        }
        let output = json!({"commit": collected.commit, "changed": collected.changed});
        Ok(Outcome::Done(Done { output, writes }))
    }
}

fn output(name: &str, media_type: &str, content: String) -> Write {
    let kind = if media_type.starts_with("text/x-diff") { "code" } else { "text" };
    Write::Output {
        name: name.to_owned(),
        kind,
        media_type: media_type.to_owned(),
        content: content.into_bytes().into(),
    }
}

/// How it went and what it wrote last, for who was not there.
fn told(line: &str, ended: &Ended, tail: &[String]) -> String {
    let cpu = (ended.cpu_user + ended.cpu_system).as_secs_f64();
    let took = ended.wall.as_secs_f64();
    let memory = ended.peak_memory >> 20;
    let plain: Vec<String> =
        tail.iter().skip(tail.len().saturating_sub(LAST)).map(|line| without_colours(line)).collect();
    let last = if plain.is_empty() { "It wrote nothing.".to_owned() } else { fenced(&plain.join("\n")) };
    format!(
        "{}\n\nIt ended well after {took:.1} s, with {cpu:.1} s of processor time and {memory} MiB of memory.\n\n{last}\n",
        fenced(line)
    )
}

/// Longer than any fence within.
fn fenced(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::fenced;

    #[test]
    fn nothing_ends_a_fence_early() {
        assert_eq!(fenced("ls"), "```\nls\n```");
        assert_eq!(fenced("a ````"), "`````\na ````\n`````");
    }
}
