//! The versions of a project's plan, read. The engine writes them.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use super::PlanState;
use super::answers::{self, Answered};
use super::content::PlanContent;
use crate::page::Page;
use crate::{Error, Result};

/// A version in a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, QueryableByName)]
pub struct PlanSummary {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    /// Counts the versions of a project, from 1.
    #[serde(rename = "version")]
    #[diesel(sql_type = Integer)]
    pub number: i32,
    #[diesel(sql_type = Text)]
    pub state: PlanState,
    /// Who wrote it: `provider:model`.
    #[diesel(sql_type = Text)]
    pub author: String,
    #[diesel(sql_type = Text)]
    pub wish: String,
    /// The run that made it.
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    #[diesel(sql_type = BigInt)]
    pub questions: i64,
    /// How many of them are answered.
    #[diesel(sql_type = BigInt)]
    pub answered: i64,
    #[diesel(sql_type = BigInt)]
    pub tasks: i64,
    /// Why it was refused.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub decided_at: Option<DateTime<Utc>>,
}

/// A version with all that it says.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Plan {
    #[serde(flatten)]
    pub summary: PlanSummary,
    pub project_id: Uuid,
    pub content: PlanContent,
    /// In the order of the questions; one that nobody answered is missing.
    pub answers: Vec<Answered>,
}

const COLUMNS: &str = "p.id, p.number, p.state, p.author, p.wish, p.run_id, \
     jsonb_array_length(p.content -> 'questions')::bigint AS questions, \
     (SELECT count(*) FROM plan_answers a WHERE a.plan_id = p.id) AS answered, \
     jsonb_array_length(p.content -> 'tasks')::bigint AS tasks, p.reason, p.created_at, p.decided_at";

/// The newest first.
///
/// # Errors
/// [`Error::NotFound`] for the project; a cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    project_id: Uuid,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<PlanSummary>> {
    let limit = crate::page::limit(limit)?;
    let before = cursor.map(str::parse::<i32>).transpose();
    let before = before.map_err(|_| Error::invalid("cursor", "is not one that a list of plans gave"))?;
    crate::projects::exists(connection, project_id)?;
    let rows: Vec<PlanSummary> = sql_query(format!(
        "SELECT {COLUMNS} FROM plans p WHERE p.project_id = $1 AND ($2 IS NULL OR p.number < $2) ORDER BY p.number DESC LIMIT $3"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<Integer>, _>(before)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(rows, limit, |plan| plan.number.to_string()))
}

/// One version.
///
/// # Errors
/// [`Error::NotFound`] for the project, [`Error::NoPlan`] with what there is instead.
pub fn get(connection: &mut PgConnection, project_id: Uuid, number: i32) -> Result<Plan> {
    crate::projects::exists(connection, project_id)?;
    match one(connection, project_id, Some(number))? {
        Some(plan) => Ok(plan),
        None => Err(Error::NoPlan { asked: number, newest: super::newest_number(connection, project_id)? }),
    }
}

/// The newest version, if there is one.
///
/// # Errors
/// When the database does not answer.
pub fn latest(connection: &mut PgConnection, project_id: Uuid) -> Result<Option<Plan>> {
    one(connection, project_id, None)
}

fn one(connection: &mut PgConnection, project_id: Uuid, number: Option<i32>) -> Result<Option<Plan>> {
    #[derive(QueryableByName)]
    struct Content {
        #[diesel(sql_type = Jsonb)]
        content: Value,
    }
    let found: Vec<PlanSummary> = sql_query(format!(
        "SELECT {COLUMNS} FROM plans p WHERE p.project_id = $1 AND ($2 IS NULL OR p.number = $2) ORDER BY p.number DESC LIMIT 1"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<Integer>, _>(number)
    .load(connection)?;
    let Some(summary) = found.into_iter().next() else { return Ok(None) };
    let Content { content } =
        sql_query("SELECT content FROM plans WHERE id = $1").bind::<SqlUuid, _>(summary.id).get_result(connection)?;
    let content = stored(content)?;
    let answers = answers::of(connection, summary.id, &content)?;
    Ok(Some(Plan { summary, project_id, content, answers }))
}

/// It was checked before it was written.
pub(super) fn stored(content: Value) -> Result<PlanContent> {
    serde_json::from_value(content).map_err(|error| Error::Internal(format!("a stored plan cannot be read: {error}")))
}
