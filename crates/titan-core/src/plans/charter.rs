//! The charter: what a project has bound itself to, and how far it has come with it. It is written once, by an approval.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::content::PlanContent;
use super::{Answered, Plan, get};
use crate::state::{ExecutionStatus, ExecutionType};
use crate::workflow::GROUP;
use crate::{Error, Result};

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Charter {
    pub id: Uuid,
    pub project_id: Uuid,
    /// Counts the charters of a project, from 1.
    pub number: i32,
    /// The version of the plan that was approved.
    pub plan_version: i32,
    pub wish: String,
    pub content: PlanContent,
    pub answers: Vec<Answered>,
    /// What became of its tasks, in the order of the plan.
    pub items: Vec<CharterItem>,
    /// Over all of them.
    pub progress: Progress,
    pub created_at: DateTime<Utc>,
}

/// A task of the charter, as it stands now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct CharterItem {
    pub key: String,
    pub task_id: Uuid,
    pub title: String,
    pub execution_type: ExecutionType,
    pub execution_status: ExecutionStatus,
    pub parent_task_id: Option<Uuid>,
    /// The tasks that come first.
    pub needs: Vec<Uuid>,
    /// For a group, how far the tasks in it are.
    pub progress: Option<Progress>,
}

/// Of tasks that are no groups.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub struct Progress {
    pub total: u32,
    pub completed: u32,
    pub failed: u32,
    pub canceled: u32,
}

impl Progress {
    fn count(&mut self, status: ExecutionStatus) {
        self.total += 1;
        match status {
            ExecutionStatus::Completed => self.completed += 1,
            ExecutionStatus::Failed => self.failed += 1,
            ExecutionStatus::Canceled => self.canceled += 1,
            _ => {}
        }
    }
}

#[derive(QueryableByName)]
struct Head {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Integer)]
    number: i32,
    #[diesel(sql_type = Integer)]
    version: i32,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Item {
    #[diesel(sql_type = Text)]
    item: String,
    #[diesel(sql_type = SqlUuid)]
    task_id: Uuid,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    task_type: String,
    #[diesel(sql_type = Text)]
    execution_type: ExecutionType,
    #[diesel(sql_type = Text)]
    execution_status: ExecutionStatus,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    parent_task_id: Option<Uuid>,
    #[diesel(sql_type = Array<SqlUuid>)]
    needs: Vec<Uuid>,
}

/// One of them by its number, or the newest.
///
/// # Errors
/// [`Error::NotFound`] for the project, [`Error::NoCharter`].
pub fn charter(connection: &mut PgConnection, project_id: Uuid, number: Option<i32>) -> Result<Charter> {
    crate::projects::exists(connection, project_id)?;
    let head = head(connection, project_id, number)?.ok_or(Error::NoCharter { asked: number })?;
    let Plan { summary, content, answers, .. } = get(connection, project_id, head.version)?;
    let mut items: Vec<Item> = sql_query(
        "SELECT c.item, c.task_id, t.title, t.type AS task_type, t.execution_type, t.execution_status, t.parent_task_id, \
           ARRAY(SELECT n.needs_id FROM task_needs n WHERE n.task_id = t.id ORDER BY n.needs_id) AS needs \
         FROM charter_tasks c JOIN tasks t ON t.id = c.task_id WHERE c.charter_id = $1",
    )
    .bind::<SqlUuid, _>(head.id)
    .load(connection)?;
    items.sort_by_key(|item| content.tasks.iter().position(|task| task.key == item.item));
    let progress = progress(&items);
    Ok(Charter {
        id: head.id,
        project_id,
        number: head.number,
        plan_version: head.version,
        wish: summary.wish,
        content,
        answers,
        progress: progress.get(&None).copied().unwrap_or_default(),
        items: items.into_iter().map(|item| item.with(&progress)).collect(),
        created_at: head.created_at,
    })
}

/// The charter that a version of the plan became.
///
/// # Errors
/// As [`charter`].
pub fn charter_of_plan(connection: &mut PgConnection, project_id: Uuid, version: i32) -> Result<Charter> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        number: i32,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT c.number FROM charters c JOIN plans p ON p.id = c.plan_id WHERE p.project_id = $1 AND p.number = $2",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<Integer, _>(version)
    .load(connection)?;
    let row = rows.first().ok_or(Error::NoCharter { asked: None })?;
    charter(connection, project_id, Some(row.number))
}

fn head(connection: &mut PgConnection, project_id: Uuid, number: Option<i32>) -> Result<Option<Head>> {
    let heads: Vec<Head> = sql_query(
        "SELECT c.id, c.number, p.number AS version, c.created_at FROM charters c JOIN plans p ON p.id = c.plan_id \
         WHERE c.project_id = $1 AND ($2 IS NULL OR c.number = $2) ORDER BY c.number DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<Integer>, _>(number)
    .load(connection)?;
    Ok(heads.into_iter().next())
}

/// By group, and without one over all.
fn progress(items: &[Item]) -> BTreeMap<Option<Uuid>, Progress> {
    let parents: BTreeMap<Uuid, Uuid> =
        items.iter().filter_map(|item| Some((item.task_id, item.parent_task_id?))).collect();
    let mut progress: BTreeMap<Option<Uuid>, Progress> = BTreeMap::new();
    for item in items.iter().filter(|item| item.task_type != GROUP) {
        progress.entry(None).or_default().count(item.execution_status);
        for group in std::iter::successors(item.parent_task_id, |id| parents.get(id).copied()) {
            progress.entry(Some(group)).or_default().count(item.execution_status);
        }
    }
    progress
}

impl Item {
    fn with(self, progress: &BTreeMap<Option<Uuid>, Progress>) -> CharterItem {
        let is_group = self.task_type == GROUP;
        CharterItem {
            progress: is_group.then(|| progress.get(&Some(self.task_id)).copied().unwrap_or_default()),
            key: self.item,
            task_id: self.task_id,
            title: self.title,
            execution_type: self.execution_type,
            execution_status: self.execution_status,
            parent_task_id: self.parent_task_id,
            needs: self.needs,
        }
    }
}

/// The newest charter as a model is shown it; none when there is none.
///
/// # Errors
/// When the database does not answer.
pub fn charter_text(connection: &mut PgConnection, project_id: Uuid) -> Result<Option<String>> {
    let Some(head) = head(connection, project_id, None)? else { return Ok(None) };
    let plan = get(connection, project_id, head.version)?;
    let mut text = plan.content.goal.clone();
    let mut part = |heading: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            text.push_str(&format!("\n\n{heading}:\n- {}", lines.join("\n- ")));
        }
    };
    part("Assumptions", plan.content.assumptions.clone());
    let decided = |answer: &Answered| {
        let question = plan.content.questions.iter().find(|question| question.key == answer.question)?;
        Some(format!("{} {}", question.question, answer.answer.as_deref()?))
    };
    part("Decided", plan.answers.iter().filter_map(decided).collect());
    Ok(Some(text))
}
