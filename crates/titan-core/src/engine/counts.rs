//! What a batch changes in the counters of its projects: runs and tasks that are in another state than before. New rows are
//! counted by a trigger of their table; for changes a trigger would copy each changed row twice, and no one but the engine
//! moves a run or a task.

use std::collections::BTreeMap;

use diesel::sql_types::{Array, BigInt, Text, Uuid as SqlUuid};
use diesel::{PgConnection, sql_query};
use uuid::Uuid;

use super::load::{Run, Task};
use super::story::Story;
use crate::Result;
use crate::db::Prepare as _;
use crate::state::{ExecutionStatus, RunStatus};

/// The states of all runs and tasks as they were loaded.
#[derive(Debug, Default)]
pub(super) struct Before {
    runs: BTreeMap<Uuid, RunStatus>,
    tasks: BTreeMap<Uuid, ExecutionStatus>,
}

impl Before {
    pub(super) fn of(runs: &BTreeMap<Uuid, Run>, tasks: &BTreeMap<Uuid, Task>) -> Self {
        Before {
            runs: runs.values().map(|run| (run.id, run.status)).collect(),
            tasks: tasks.values().map(|task| (task.id, task.status)).collect(),
        }
    }

    /// None for a task that this batch has made.
    pub(super) fn task(&self, id: Uuid) -> Option<ExecutionStatus> {
        self.tasks.get(&id).copied()
    }
}

/// By project, subject and state.
type Deltas = BTreeMap<(Uuid, &'static str, &'static str), i64>;

fn deltas(story: &Story) -> Deltas {
    let (world, changes) = (&story.world, &story.changes);
    let mut deltas = Deltas::new();
    let mut moved = |project_id, subject, was: &'static str, is: &'static str| {
        *deltas.entry((project_id, subject, was)).or_default() -= 1;
        *deltas.entry((project_id, subject, is)).or_default() += 1;
    };
    for run in changes.runs.iter().filter_map(|id| world.runs.get(id)) {
        if let Some(was) = world.before.runs.get(&run.id) {
            moved(run.project_id, "runs", was.as_str(), run.status.as_str());
        }
    }
    for task in changes.tasks.iter().filter_map(|id| world.tasks.get(id)) {
        if let Some(was) = world.before.tasks.get(&task.id) {
            moved(task.project_id, "tasks", was.as_str(), task.status.as_str());
        }
    }
    deltas.retain(|_, delta| *delta != 0);
    deltas
}

pub(super) fn save(connection: &mut PgConnection, story: &Story) -> Result<()> {
    let deltas = deltas(story);
    if deltas.is_empty() {
        return Ok(());
    }
    let column =
        |of: fn(&(Uuid, &'static str, &'static str)) -> &'static str| deltas.keys().map(of).collect::<Vec<_>>();
    sql_query("INSERT INTO counter_deltas (project_id, subject, state, delta) SELECT * FROM unnest($1, $2, $3, $4)")
        .bind::<Array<SqlUuid>, _>(deltas.keys().map(|(project_id, ..)| *project_id).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(column(|(_, subject, _)| subject))
        .bind::<Array<Text>, _>(column(|(.., state)| state))
        .bind::<Array<BigInt>, _>(deltas.values().copied().collect::<Vec<_>>())
        .prepared()
        .run(connection)?;
    Ok(())
}
