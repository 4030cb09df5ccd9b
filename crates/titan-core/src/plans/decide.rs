//! What is decided about a version of a plan: it is refused here, and approved by the engine, which reads here what it needs
//! to know.

use std::collections::{BTreeMap, BTreeSet};

use diesel::sql_types::{Array, Integer, Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde_json::Value;
use uuid::Uuid;

use super::content::PlanContent;
use super::rows::stored;
use super::{Plan, PlanState, get};
use crate::projects::lock_key;
use crate::{Error, Result};

/// The advisory locks of plans, apart from those of projects.
const LOCKS: i32 = 2;
const MAX_REASON: usize = 2_000;

/// Until the end of the transaction nobody else makes, answers, or decides about a version of these projects' plans.
pub(crate) fn hold(connection: &mut PgConnection, projects: &BTreeSet<Uuid>) -> Result<()> {
    if projects.is_empty() {
        return Ok(());
    }
    let keys: BTreeSet<i32> = projects.iter().copied().map(lock_key).collect();
    sql_query("SELECT pg_advisory_xact_lock($1, key) FROM unnest($2) AS key")
        .bind::<Integer, _>(LOCKS)
        .bind::<Array<Integer>, _>(keys.into_iter().collect::<Vec<_>>())
        .execute(connection)?;
    Ok(())
}

/// Nothing is to become of this version.
///
/// # Errors
/// [`Error::NoPlan`], or that it was approved.
pub fn refuse(connection: &mut PgConnection, project_id: Uuid, number: i32, reason: Option<&str>) -> Result<Plan> {
    let reason = crate::people::optional("reason", reason, MAX_REASON)?;
    connection.transaction(|connection| {
        hold(connection, &[project_id].into())?;
        let plan = get(connection, project_id, number)?;
        match plan.summary.state {
            PlanState::Refused => return Ok(plan),
            PlanState::Approved => {
                return Err(Error::Conflict(format!("version {number} of the plan was approved already")));
            }
            PlanState::Draft => {}
        }
        sql_query("UPDATE plans SET state = 'refused', reason = $2, decided_at = now() WHERE id = $1")
            .bind::<SqlUuid, _>(plan.summary.id)
            .bind::<Nullable<Text>, _>(reason)
            .execute(connection)?;
        get(connection, project_id, number)
    })
}

/// A version, as far as it matters to its approval.
#[derive(Debug, Clone)]
pub(crate) struct Approvable {
    pub(crate) id: Uuid,
    pub(crate) state: PlanState,
    pub(crate) content: PlanContent,
}

/// None when there is no such version.
pub(crate) fn approvable(connection: &mut PgConnection, project_id: Uuid, number: i32) -> Result<Option<Approvable>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Text)]
        state: PlanState,
        #[diesel(sql_type = Jsonb)]
        content: Value,
    }
    let rows: Vec<Row> = sql_query("SELECT id, state, content FROM plans WHERE project_id = $1 AND number = $2")
        .bind::<SqlUuid, _>(project_id)
        .bind::<Integer, _>(number)
        .load(connection)?;
    let row = rows.into_iter().next();
    row.map(|row| Ok(Approvable { id: row.id, state: row.state, content: stored(row.content)? })).transpose()
}

/// The number of the newest version; 0 when there is none.
pub(crate) fn newest_number(connection: &mut PgConnection, project_id: Uuid) -> Result<i32> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        newest: i32,
    }
    let row: Row = sql_query("SELECT coalesce(max(number), 0) AS newest FROM plans WHERE project_id = $1")
        .bind::<SqlUuid, _>(project_id)
        .get_result(connection)?;
    Ok(row.newest)
}

/// What a project has bound itself to so far.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastCharter {
    /// 0 when there is none.
    pub(crate) number: i32,
    /// The task of each item.
    pub(crate) tasks: BTreeMap<String, Uuid>,
}

pub(crate) fn last_charter(connection: &mut PgConnection, project_id: Uuid) -> Result<LastCharter> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        number: i32,
        #[diesel(sql_type = Text)]
        item: String,
        #[diesel(sql_type = SqlUuid)]
        task_id: Uuid,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT c.number, t.item, t.task_id FROM charters c JOIN charter_tasks t ON t.charter_id = c.id \
         WHERE c.project_id = $1 AND c.number = (SELECT max(number) FROM charters WHERE project_id = $1)",
    )
    .bind::<SqlUuid, _>(project_id)
    .load(connection)?;
    let number = rows.first().map_or(0, |row| row.number);
    Ok(LastCharter { number, tasks: rows.into_iter().map(|row| (row.item, row.task_id)).collect() })
}
