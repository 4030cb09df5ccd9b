//! The stages of a proposal to change Titan's own code, one file each: diff, patch, test, pull request, canary, promote; and its rollback.
//! Each may be begun again after a crash at any point and on another machine, so each makes anew what it needs of the stages before, and
//! looks at the forge and at the target before anything is repeated there.
//!
//! - `yard`: the forge, the mirror and the rules that all of them work with; `forge` and `destination` make them of the settings.
//! - `halt`: why a stage does not come to its end, and what that means for its step.
//! - `change`: a proposal's patches on the code: the tree that they make.
//! - `built`: the programs of a change, for a target that does not build by itself.
//! - `rollout`: the rollout as it is written down, and each deployment asked for once.
//! - `told`: what reviewers read on the pull request.
//! - `watch`: what production runs while nothing is rolled out.

mod built;
mod canary;
mod change;
mod destination;
mod diff;
mod forge;
mod halt;
mod now;
mod patch;
mod promote;
mod pull;
mod rollback;
mod rollout;
mod test;
mod told;
mod watch;
mod yard;

use std::sync::Arc;

use async_trait::async_trait;
use serde_json::Value;
use titan_core::config::Config;
use titan_core::engine::{Done, Outcome};

use crate::handler::{Handler, Registry, Work};
use crate::workshop::Workshop;
use halt::Halt;
use yard::Yard;

/// Adds all of them, where a repository is set up: a worker without one is not to take what another could do.
pub(super) fn add(handlers: &mut Registry, config: &Config, workshop: &Arc<Workshop>) -> anyhow::Result<()> {
    let Some(forge) = &config.ops.forge else { return Ok(()) };
    let yard = Arc::new(Yard::new(config, forge, workshop)?);
    for stage in Stage::ALL {
        handlers.add(Ops { stage, yard: Arc::clone(&yard) })?;
    }
    handlers.keep_on(watch::Watch(yard));
    Ok(())
}

#[derive(Debug, Clone, Copy)]
enum Stage {
    Diff,
    Patch,
    Test,
    Pull,
    Canary,
    Promote,
    Rollback,
}

impl Stage {
    const ALL: [Stage; 7] =
        [Stage::Diff, Stage::Patch, Stage::Test, Stage::Pull, Stage::Canary, Stage::Promote, Stage::Rollback];
}

struct Ops {
    stage: Stage,
    yard: Arc<Yard>,
}

#[async_trait]
impl Handler for Ops {
    fn kind(&self) -> &'static str {
        match self.stage {
            Stage::Diff => "ops.diff",
            Stage::Patch => "ops.patch",
            Stage::Test => "ops.test",
            Stage::Pull => "ops.pr",
            Stage::Canary => "ops.deploy-canary",
            Stage::Promote => "ops.promote",
            Stage::Rollback => "ops.rollback",
        }
    }

    async fn run(&self, work: Work) -> Outcome {
        let done = match self.stage {
            Stage::Diff => diff::run(&self.yard, &work).await,
            Stage::Patch => patch::run(&self.yard, &work).await,
            Stage::Test => test::run(&self.yard, &work).await,
            Stage::Pull => pull::run(&self.yard, &work).await,
            Stage::Canary => canary::run(&self.yard, &work).await,
            Stage::Promote => promote::run(&self.yard, &work).await,
            Stage::Rollback => rollback::run(&self.yard, &work).await,
        };
        done.map_or_else(Halt::outcome, Outcome::Done)
    }
}

/// What the stage of this name found, under this name.
fn found<'a>(work: &'a Work, stage: &str, name: &str) -> Result<&'a str, Halt> {
    let value = work.started.inputs.get(stage).and_then(|output| output.get(name)).and_then(Value::as_str);
    value.ok_or_else(|| Halt::Failed(format!("the stage {stage} left no {name}")))
}

/// The number of the pull request.
fn number(work: &Work) -> Result<u64, Halt> {
    let value = work.started.inputs.get("pull request").and_then(|output| output.get("number")).and_then(Value::as_u64);
    value.ok_or_else(|| Halt::Failed("the stage pull request left no number".to_owned()))
}

fn done(output: Value) -> Done {
    Done { output, writes: Vec::new() }
}
