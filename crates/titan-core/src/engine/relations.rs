//! Which tasks hang together: those that wait for others, and those that belong to a group. Read only for batches that touch
//! such a task. It is looked up before it is locked; what an approval adds in between is found by a second look, see `load`.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{Array, Text, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::Result;
use crate::db::Prepare as _;
use crate::state::ExecutionStatus;

/// Groups in groups, which nobody makes so deep.
const DEEPEST: i32 = 8;

#[derive(Debug, Default)]
pub(super) struct Relations {
    needs: BTreeMap<Uuid, BTreeSet<Uuid>>,
    parts: BTreeMap<Uuid, BTreeSet<Uuid>>,
    /// How the tasks stood that are named here, also where the batch does not change them.
    statuses: BTreeMap<Uuid, ExecutionStatus>,
}

#[derive(QueryableByName)]
struct Pair {
    #[diesel(sql_type = SqlUuid)]
    task_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    other_id: Uuid,
    #[diesel(sql_type = Text)]
    status: ExecutionStatus,
}

/// These tasks, those that wait for them, and the groups that any of them belong to: whoever changes one holds them all. So
/// of two that end at once the second sees what the first one did.
pub(super) fn find(connection: &mut PgConnection, tasks: &BTreeSet<Uuid>) -> Result<BTreeSet<Uuid>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    if tasks.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows: Vec<Row> = sql_query(format!(
        "WITH RECURSIVE touched AS (SELECT unnest($1) AS id UNION SELECT n.task_id FROM task_needs n WHERE n.needs_id = ANY($1)), \
         up AS (SELECT id, 0 AS depth FROM touched \
           UNION SELECT t.parent_task_id, up.depth + 1 FROM up JOIN tasks t ON t.id = up.id \
             WHERE t.parent_task_id IS NOT NULL AND up.depth < {DEEPEST}) \
         SELECT DISTINCT id FROM up"
    ))
    .bind::<Array<SqlUuid>, _>(tasks.iter().copied().collect::<Vec<_>>())
    .prepared()
    .load(connection)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

impl Relations {
    /// Of tasks that are locked.
    pub(super) fn read(connection: &mut PgConnection, tasks: &BTreeSet<Uuid>) -> Result<Self> {
        let mut relations = Relations::default();
        if tasks.is_empty() {
            return Ok(relations);
        }
        let needs = "SELECT n.task_id, n.needs_id AS other_id, t.execution_status AS status \
             FROM task_needs n JOIN tasks t ON t.id = n.needs_id WHERE n.task_id = ANY($1)";
        for pair in pairs(connection, needs, tasks)? {
            relations.needs.entry(pair.task_id).or_default().insert(pair.other_id);
            relations.statuses.insert(pair.other_id, pair.status);
        }
        let parts = "SELECT parent_task_id AS task_id, id AS other_id, execution_status AS status \
             FROM tasks WHERE parent_task_id = ANY($1)";
        for pair in pairs(connection, parts, tasks)? {
            relations.parts.entry(pair.task_id).or_default().insert(pair.other_id);
            relations.statuses.insert(pair.other_id, pair.status);
        }
        Ok(relations)
    }

    /// A new task, with what it needs and the group that it belongs to.
    pub(super) fn add(&mut self, task: Uuid, needs: BTreeSet<Uuid>, group: Option<Uuid>) {
        self.set_needs(task, needs);
        if let Some(group) = group {
            self.parts.entry(group).or_default().insert(task);
        }
    }

    pub(super) fn set_needs(&mut self, task: Uuid, needs: BTreeSet<Uuid>) {
        self.needs.insert(task, needs);
    }

    pub(super) fn needs(&self, task: Uuid) -> Vec<Uuid> {
        self.needs.get(&task).into_iter().flatten().copied().collect()
    }

    /// The tasks that wait for this one.
    pub(super) fn waiting_for(&self, task: Uuid) -> Vec<Uuid> {
        self.needs.iter().filter(|(_, needs)| needs.contains(&task)).map(|(waiting, _)| *waiting).collect()
    }

    pub(super) fn parts(&self, group: Uuid) -> Vec<Uuid> {
        self.parts.get(&group).into_iter().flatten().copied().collect()
    }

    /// As it was read.
    pub(super) fn status(&self, task: Uuid) -> Option<ExecutionStatus> {
        self.statuses.get(&task).copied()
    }
}

fn pairs(connection: &mut PgConnection, sql: &'static str, tasks: &BTreeSet<Uuid>) -> Result<Vec<Pair>> {
    Ok(sql_query(sql)
        .bind::<Array<SqlUuid>, _>(tasks.iter().copied().collect::<Vec<_>>())
        .prepared()
        .load(connection)?)
}
