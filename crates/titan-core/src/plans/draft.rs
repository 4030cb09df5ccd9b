//! A draft: the task whose run makes a version of a plan.

use chrono::{DateTime, Utc};
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::engine::{self, Applied, IdempotencyKey, NewTask, Submission};
use crate::projects::{self, NewProject, checked_text};
use crate::queue::Hint;
use crate::state::ExecutionStatus;
use crate::tasks::{self, Task};
use crate::text::head;
use crate::title::title_of;
use crate::{Error, Result};

/// The type of such a task.
pub const PLAN: &str = "plan";
/// Characters of a wish.
pub const MAX_WISH: usize = 20_000;

/// The newest draft of a project, however it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, QueryableByName)]
#[schema(as = PlanDraft)]
pub struct Drafting {
    #[diesel(sql_type = SqlUuid)]
    pub task_id: Uuid,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    pub run_id: Option<Uuid>,
    #[diesel(sql_type = Text)]
    pub execution_status: ExecutionStatus,
    /// What it is made from.
    #[diesel(sql_type = Text)]
    pub wish: String,
    /// Why there is no plan of it.
    #[diesel(sql_type = Nullable<Text>)]
    pub failure_reason: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

/// # Errors
/// An empty wish, or one that is too long.
pub fn checked_wish(wish: &str) -> Result<String> {
    checked_text("wish", wish, MAX_WISH)
}

/// Whether a draft can be made of this.
///
/// # Errors
/// What is wrong with the payload.
pub fn check_payload(payload: &Value) -> Result<()> {
    match payload.get("wish") {
        Some(Value::String(wish)) => checked_text("payload.wish", wish, MAX_WISH).map(|_| ()),
        _ => Err(Error::invalid("payload.wish", "must be the text of the wish")),
    }
}

/// A draft for a wish. Answers, and the version that they belong to, are read when it is made.
#[must_use]
pub fn draft_of(project_id: Uuid, wish: &str, model: Option<&str>) -> NewTask {
    let mut payload = json!({"wish": wish});
    if let (Some(model), Some(payload)) = (model, payload.as_object_mut()) {
        payload.insert("model".to_owned(), model.into());
    }
    NewTask {
        project_id,
        task_type: PLAN.to_owned(),
        title: Some(format!("Plan: {}", head(&title_of(wish), 180))),
        payload,
        execution_type: None,
        priority: 0,
        max_retries: None,
        queue: None,
        limit_key: None,
        run_at: None,
    }
}

/// A project for a wish, with its first draft, all or nothing. The flag says that both were there already.
///
/// # Errors
/// What is wrong with the project or the draft; the keys' misuse.
pub fn begin_project(
    connection: &mut PgConnection,
    new: &NewProject,
    of_project: Option<&IdempotencyKey>,
    wish: &str,
    model: Option<&str>,
    of_draft: Option<IdempotencyKey>,
) -> Result<(Task, bool, Vec<Hint>)> {
    connection.transaction(|connection| {
        let (project, _) = projects::create(connection, new, of_project)?;
        let submission = Submission { task: draft_of(project.id, wish, model), key: of_draft, trace_id: None };
        let (applied, more) = engine::apply_one(connection, submission.into())?;
        let Applied::Submitted(submitted) = applied else {
            return Err(Error::Internal("a draft was answered with something else".to_owned()));
        };
        let mut hints = vec![Hint::change("project", project.id, project.id)];
        hints.extend(more);
        Ok((tasks::get(connection, submitted.task_id)?, submitted.replayed, hints))
    })
}

/// # Errors
/// When the database does not answer.
pub fn newest_draft(connection: &mut PgConnection, project_id: Uuid) -> Result<Option<Drafting>> {
    let rows: Vec<Drafting> = sql_query(
        "SELECT id AS task_id, latest_run_id AS run_id, execution_status, coalesce(payload ->> 'wish', '') AS wish, \
           failure_reason, created_at \
         FROM tasks WHERE project_id = $1 AND type = $2 ORDER BY id DESC LIMIT 1",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<Text, _>(PLAN)
    .load(connection)?;
    Ok(rows.into_iter().next())
}

/// That no draft is being made: a second one would know nothing of the first. Who orders one is refused by the engine, under
/// the lock of the plan; this is for what is to be done before that.
///
/// # Errors
/// [`Error::Conflict`], with the run.
pub fn refuse_second(connection: &mut PgConnection, project_id: Uuid) -> Result<()> {
    match drafts_under_way(connection, project_id)?.first() {
        Some((_, run_id)) => Err(second(*run_id)),
        None => Ok(()),
    }
}

pub(crate) fn second(run_id: Option<Uuid>) -> Error {
    let run = run_id.map(|id| format!(" by run {id}")).unwrap_or_default();
    Error::Conflict(format!("a version of the plan is being made{run}; wait for it, or cancel it"))
}

/// The tasks that are to make a version and have not ended, with the run of each.
pub(crate) fn drafts_under_way(connection: &mut PgConnection, project_id: Uuid) -> Result<Vec<(Uuid, Option<Uuid>)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Nullable<SqlUuid>)]
        run_id: Option<Uuid>,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT id, latest_run_id AS run_id FROM tasks WHERE project_id = $1 AND type = $2 \
           AND execution_status IN ('pending', 'queued', 'in_progress', 'paused', 'blocked') ORDER BY id DESC",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<Text, _>(PLAN)
    .load(connection)?;
    Ok(rows.into_iter().map(|row| (row.id, row.run_id)).collect())
}
