//! Versions of plans, and charters: what of them a batch reads, and how it writes them. Whoever makes or approves a version
//! holds the lock of the project's plan, from before the first row that it locks.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{Array, Integer, Jsonb, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use serde_json::{Value, json};
use uuid::Uuid;

use super::save::col;
use super::story::Story;
use super::wanted::Wanted;
use crate::db::Prepare as _;
use crate::plans::{self, Approvable, LastCharter, NewPlan};
use crate::{Error, Result};

/// The plan of a project as it stands.
#[derive(Debug, Default)]
pub(super) struct Planning {
    /// 0 when there is none.
    pub(super) newest: i32,
    /// The versions that are to be approved.
    pub(super) versions: BTreeMap<i32, Approvable>,
    pub(super) charter: LastCharter,
    /// The drafts that had not ended, with the run of each, where one more is to be begun.
    pub(super) drafts: Vec<(Uuid, Option<Uuid>)>,
}

/// By project.
pub(super) type Plannings = BTreeMap<Uuid, Planning>;

/// The projects of those of these tasks that are drafts. Neither changes, so they may be looked up before anything is locked.
pub(super) fn projects_of_drafts(connection: &mut PgConnection, tasks: &BTreeSet<Uuid>) -> Result<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        project_id: Uuid,
    }
    if tasks.is_empty() {
        return Ok(Vec::new());
    }
    let rows: Vec<Row> = sql_query("SELECT DISTINCT project_id FROM tasks WHERE id = ANY($1) AND type = $2")
        .bind::<Array<SqlUuid>, _>(tasks.iter().copied().collect::<Vec<_>>())
        .bind::<Text, _>(plans::PLAN)
        .prepared()
        .load(connection)?;
    Ok(rows.into_iter().map(|row| row.project_id).collect())
}

/// Locks and reads the plans that a batch is about, and the versions that it names.
pub(super) fn load(connection: &mut PgConnection, wanted: &Wanted) -> Result<Plannings> {
    plans::hold(connection, &wanted.planning)?;
    let mut plannings = Plannings::new();
    for project_id in &wanted.planning {
        let newest = plans::newest_number(connection, *project_id)?;
        let drafts = match wanted.drafting.contains(project_id) {
            true => plans::drafts_under_way(connection, *project_id)?,
            false => Vec::new(),
        };
        plannings.insert(*project_id, Planning { newest, drafts, ..Planning::default() });
    }
    for (project_id, number) in &wanted.approvals {
        let version = plans::approvable(connection, *project_id, *number)?;
        let charter = plans::last_charter(connection, *project_id)?;
        if let Some(planning) = plannings.get_mut(project_id) {
            planning.versions.extend(version.map(|version| (*number, version)));
            planning.charter = charter;
        }
    }
    Ok(plannings)
}

/// A version that a run has made.
pub(super) struct NewVersion {
    pub(super) id: Uuid,
    pub(super) number: i32,
    pub(super) run_id: Uuid,
    pub(super) plan: NewPlan,
}

pub(super) struct NewCharter {
    pub(super) id: Uuid,
    pub(super) project_id: Uuid,
    pub(super) number: i32,
    pub(super) plan_id: Uuid,
    /// Each item with its task.
    pub(super) items: BTreeMap<String, Uuid>,
    /// The template that the project is made from now, and what it is told.
    pub(super) template: Option<(String, Value)>,
}

/// After the tasks.
pub(super) fn save(connection: &mut PgConnection, story: &Story) -> Result<()> {
    delete_needs(connection, &story.changes.dropped_needs)?;
    insert_needs(connection, &story.changes.new_needs)?;
    for version in &story.changes.new_plans {
        insert_version(connection, version, story)?;
    }
    for charter in &story.changes.new_charters {
        insert_charter(connection, charter, story)?;
    }
    Ok(())
}

fn delete_needs(connection: &mut PgConnection, needs: &[(Uuid, Uuid)]) -> Result<()> {
    if needs.is_empty() {
        return Ok(());
    }
    sql_query("DELETE FROM task_needs n USING unnest($1, $2) AS d (task_id, needs_id) WHERE n.task_id = d.task_id AND n.needs_id = d.needs_id")
        .bind::<Array<SqlUuid>, _>(col(needs, |(task, _)| *task))
        .bind::<Array<SqlUuid>, _>(col(needs, |(_, needed)| *needed))
        .prepared()
        .run(connection)?;
    Ok(())
}

fn insert_needs(connection: &mut PgConnection, needs: &[(Uuid, Uuid)]) -> Result<()> {
    if needs.is_empty() {
        return Ok(());
    }
    sql_query("INSERT INTO task_needs (task_id, needs_id) SELECT * FROM unnest($1, $2)")
        .bind::<Array<SqlUuid>, _>(col(needs, |(task, _)| *task))
        .bind::<Array<SqlUuid>, _>(col(needs, |(_, needed)| *needed))
        .prepared()
        .run(connection)?;
    Ok(())
}

fn insert_version(connection: &mut PgConnection, version: &NewVersion, story: &Story) -> Result<()> {
    let NewVersion { id, number, run_id, plan } = version;
    let content = serde_json::to_value(&plan.content).map_err(|error| Error::Internal(error.to_string()))?;
    sql_query(
        "INSERT INTO plans (id, project_id, number, author, wish, content, run_id, created_at) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<SqlUuid, _>(plan.project_id)
    .bind::<Integer, _>(number)
    .bind::<Text, _>(&plan.author)
    .bind::<Text, _>(&plan.wish)
    .bind::<Jsonb, _>(content)
    .bind::<SqlUuid, _>(run_id)
    .bind::<Timestamptz, _>(story.world.now)
    .prepared()
    .run(connection)?;
    Ok(())
}

fn insert_charter(connection: &mut PgConnection, charter: &NewCharter, story: &Story) -> Result<()> {
    sql_query("UPDATE plans SET state = 'approved', decided_at = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(charter.plan_id)
        .bind::<Timestamptz, _>(story.world.now)
        .prepared()
        .run(connection)?;
    sql_query("INSERT INTO charters (id, project_id, number, plan_id, created_at) VALUES ($1, $2, $3, $4, $5)")
        .bind::<SqlUuid, _>(charter.id)
        .bind::<SqlUuid, _>(charter.project_id)
        .bind::<Integer, _>(charter.number)
        .bind::<SqlUuid, _>(charter.plan_id)
        .bind::<Timestamptz, _>(story.world.now)
        .prepared()
        .run(connection)?;
    let items: Vec<(&String, &Uuid)> = charter.items.iter().collect();
    sql_query("INSERT INTO charter_tasks (charter_id, item, task_id) SELECT $1, item, task_id FROM unnest($2, $3) AS i (item, task_id)")
        .bind::<SqlUuid, _>(charter.id)
        .bind::<Array<Text>, _>(col(&items, |(item, _)| item.as_str()))
        .bind::<Array<SqlUuid>, _>(col(&items, |(_, task)| **task))
        .prepared()
        .run(connection)?;
    if let Some((reference, inputs)) = &charter.template {
        let inputs = if inputs.is_object() { inputs.clone() } else { json!({}) };
        sql_query("UPDATE projects SET template_ref = $2, spec = spec || $3, updated_at = now() WHERE id = $1")
            .bind::<SqlUuid, _>(charter.project_id)
            .bind::<Text, _>(reference)
            .bind::<Jsonb, _>(inputs)
            .prepared()
            .run(connection)?;
    }
    Ok(())
}
