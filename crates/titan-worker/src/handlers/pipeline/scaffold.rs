//! The first step: the template's files come into the project. What is there already is kept, so that to do it again changes nothing.

use chrono::Utc;
use serde_json::json;
use titan_core::engine::Done;
use titan_core::pipelines::Order;
use titan_core::state::Level;
use titan_core::workspaces::{Branch, Change, Precondition, Said};

use crate::handler::Work;
use crate::workshop::Workshop;
use crate::workshop::run::{Site, Trouble};

/// Files that are named one by one.
const MOST_NAMED: usize = 20;

pub(super) async fn run(workshop: &Workshop, work: &Work, order: Order) -> Result<Done, Trouble> {
    let site = Site::from(work);
    let template = order.template.clone();
    site.say(Level::Info, format!("Making the project of {template}")).await?;
    let rendered = work.db.run(move |connection| order.rendered(connection)).await?;
    let message = format!("Begin with {template}");
    let (commit, kept, written) = workshop
        .workspaces(site)
        .with(work.started.project_id, move |workspace| {
            let there = match workspace.head(Branch::Main) {
                Some(head) => workspace.entries(head)?,
                None => Vec::new(),
            };
            let (kept, new): (Vec<_>, Vec<_>) =
                rendered.files.into_iter().partition(|file| there.iter().any(|entry| entry.path == file.path));
            let written = new.len();
            let changes: Vec<Change> = new
                .into_iter()
                .map(|file| Change::Put { path: file.path, bytes: file.bytes, executable: file.executable })
                .collect();
            let said = Said { author: "Titan", message: &message, at: Utc::now() };
            let commit = match workspace.head(Branch::Main) {
                Some(head) if changes.is_empty() => head.to_owned(),
                _ => workspace.write(Branch::Main, &changes, &Precondition::None, &said)?.commit,
            };
            Ok((commit, kept.into_iter().map(|file| file.path).collect::<Vec<_>>(), written))
        })
        .await?;
    for path in kept.iter().take(MOST_NAMED) {
        site.say(Level::Info, format!("{path} was there already, and is kept as it is")).await?;
    }
    site.say(Level::Info, format!("{written} files written, {} kept", kept.len())).await?;
    Ok(Done { output: json!({"commit": commit, "written": written, "kept": kept.len()}), writes: Vec::new() })
}
