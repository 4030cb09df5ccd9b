//! The steps of a pipeline, one file each: scaffold, build, deploy, verify, publish. Each may be begun again after a crash at any
//! point, so each looks first at what is there already.

mod build;
mod deploy;
mod hook;
mod preview;
mod publish;
mod scaffold;
mod verify;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use titan_core::engine::{Done, Outcome};
use titan_core::pipelines::Order;

use crate::handler::{DuplicateKind, Handler, Registry, Work};
use crate::workshop::Workshop;
use crate::workshop::build::Build;
use crate::workshop::run::{Site, Trouble};

/// Adds all of them.
pub(super) fn add(handlers: &mut Registry, workshop: &Arc<Workshop>) -> Result<(), DuplicateKind> {
    for stage in [Stage::Scaffold, Stage::Build, Stage::Deploy, Stage::Verify, Stage::Publish] {
        handlers.add(Pipeline { stage, workshop: Arc::clone(workshop) })?;
    }
    handlers.add_job(preview::Serve::new(Arc::clone(workshop)))
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Scaffold,
    Build,
    Deploy,
    Verify,
    Publish,
}

struct Pipeline {
    stage: Stage,
    workshop: Arc<Workshop>,
}

#[async_trait]
impl Handler for Pipeline {
    fn kind(&self) -> &'static str {
        match self.stage {
            Stage::Scaffold => "scaffold",
            Stage::Build => "build",
            Stage::Deploy => "deploy",
            Stage::Verify => "verify",
            Stage::Publish => "publish",
        }
    }

    async fn run(&self, work: Work) -> Outcome {
        let done = match Order::of(&work.started.payload) {
            Ok(order) => self.stage(&work, order).await,
            Err(error) => Err(error.into()),
        };
        done.map_or_else(Trouble::outcome, Outcome::Done)
    }
}

impl Pipeline {
    async fn stage(&self, work: &Work, order: Order) -> Result<Done, Trouble> {
        let workshop = &self.workshop;
        match self.stage {
            Stage::Scaffold => scaffold::run(workshop, work, order).await,
            Stage::Build => build::run(workshop, work, order).await,
            Stage::Deploy => deploy::run(workshop, work, order).await,
            Stage::Verify => verify::run(workshop, work, order).await,
            Stage::Publish => publish::run(workshop, work, order).await,
        }
    }
}

/// What the step of this name left for those after it.
fn left_by<'a>(work: &'a Work, step: &str, name: &str) -> Option<&'a str> {
    work.started.inputs.get(step)?.get(name).and_then(Value::as_str)
}

/// What was built, as the step before said: by this run, or by the one that it goes on from.
async fn build_of(work: &Work, order: &Order) -> Result<Build, Trouble> {
    let commit = left_by(work, "build", "commit")
        .ok_or_else(|| Trouble::Failed("the build said of no commit that it was built".to_owned()))?;
    let by = left_by(work, "build", "run_id").and_then(|id| id.parse().ok()).unwrap_or(work.fence.run_id);
    Build::of(Site::from(work), work.started.project_id, by, commit.to_owned(), order.clone()).await
}
