//! The second step: the project as it is now is built, whoever changed it since.

use serde_json::json;
use titan_core::engine::Done;
use titan_core::pipelines::Order;
use titan_core::state::Level;
use titan_core::workspaces::Branch;

use crate::handler::Work;
use crate::workshop::Workshop;
use crate::workshop::build::Build;
use crate::workshop::run::{Site, Trouble};

pub(super) async fn run(workshop: &Workshop, work: &Work, order: Order) -> Result<Done, Trouble> {
    let (site, project_id) = (Site::from(work), work.started.project_id);
    let head = workshop
        .workspaces(site)
        .with(project_id, |workspace| Ok(workspace.head(Branch::Main).map(str::to_owned)))
        .await?;
    let commit = head.ok_or_else(|| Trouble::Failed("the project has no files to build".to_owned()))?;
    site.say(Level::Info, format!("Building {}", commit.get(..12).unwrap_or(&commit))).await?;
    let build = Build::of(site, project_id, work.fence.run_id, commit.clone(), order).await?;
    workshop.built(site, &build).await?;
    if build.rendered.steps.build.is_empty() {
        site.say(Level::Info, "The template has nothing to build").await?;
    }
    Ok(Done { output: json!({"commit": commit, "run_id": work.fence.run_id}), writes: Vec::new() })
}
