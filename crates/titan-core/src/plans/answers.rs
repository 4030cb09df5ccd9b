//! What a person answers to the questions of a plan. Answers belong to a version and are kept with it; the next version is made
//! from them.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::content::{PlanContent, PlanQuestion};
use super::{AnswerKind, Plan, PlanState, get};
use crate::engine::IdempotencyKey;
use crate::idempotency;
use crate::projects::checked_text;
use crate::{Error, Result};

/// Characters of an answer.
const MAX_ANSWER: usize = 4_000;

/// An answer as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, QueryableByName)]
#[schema(as = PlanAnswer)]
pub struct Answered {
    /// The key of the question.
    #[diesel(sql_type = Text)]
    pub question: String,
    #[diesel(sql_type = Text)]
    pub kind: AnswerKind,
    /// Null when the question is left to whoever makes the next version.
    #[diesel(sql_type = Nullable<Text>)]
    pub answer: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub answered_at: DateTime<Utc>,
}

/// An answer as it is given: a text, or one of the choices, or neither and `decide_for_me`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[schema(as = NewPlanAnswerBody)]
pub struct NewAnswer {
    /// The key of the question.
    pub question: String,
    #[schema(max_length = 4000)]
    pub answer: Option<String>,
    #[serde(default)]
    pub decide_for_me: bool,
}

impl NewAnswer {
    fn checked(&self, content: &PlanContent) -> Result<(AnswerKind, Option<String>)> {
        let question = content.questions.iter().find(|question| question.key == self.question).ok_or_else(|| {
            let known: Vec<&str> = content.questions.iter().map(|question| question.key.as_str()).collect();
            let known = if known.is_empty() { "no questions".to_owned() } else { known.join(", ") };
            Error::invalid("answers.question", format!("there is no question {:?}; there are {known}", self.question))
        })?;
        let given = self.answer.as_deref().map(str::trim).filter(|answer| !answer.is_empty());
        match (given, self.decide_for_me) {
            (Some(answer), false) => {
                let answer = checked_text("answers.answer", answer, MAX_ANSWER)?;
                Ok((kind_of(question, &answer), Some(answer)))
            }
            (None, true) => Ok((AnswerKind::Decide, None)),
            _ => Err(Error::invalid("answers.answer", "must be a text, or decide_for_me must be true, and not both")),
        }
    }
}

fn kind_of(question: &PlanQuestion, answer: &str) -> AnswerKind {
    if question.choices.iter().any(|choice| choice == answer) { AnswerKind::Choice } else { AnswerKind::Text }
}

/// Keeps answers to a version, in place of earlier ones to the same questions.
///
/// # Errors
/// [`Error::NoPlan`], what is wrong with an answer, or that the version is decided or not the newest.
pub fn answer(connection: &mut PgConnection, project_id: Uuid, number: i32, answers: &[NewAnswer]) -> Result<Plan> {
    connection.transaction(|connection| {
        // Nobody approves it, or makes the next version, in between.
        super::hold(connection, &[project_id].into())?;
        let plan = get(connection, project_id, number)?;
        let mut last: BTreeMap<&str, (AnswerKind, Option<String>)> = BTreeMap::new();
        for answer in answers {
            last.insert(&answer.question, answer.checked(&plan.content)?);
        }
        let same = |(question, (_, answer)): (&&str, &(AnswerKind, Option<String>))| {
            plan.answers.iter().any(|had| had.question == **question && had.answer == *answer)
        };
        // To say again what was said changes nothing, whatever has happened since.
        if last.iter().all(same) {
            return Ok(plan);
        }
        refuse_late(connection, &plan)?;
        for (question, (kind, answer)) in last {
            sql_query(
                "INSERT INTO plan_answers (plan_id, question, kind, answer) VALUES ($1, $2, $3, $4) \
                 ON CONFLICT (plan_id, question) DO UPDATE SET kind = excluded.kind, answer = excluded.answer, answered_at = now()",
            )
            .bind::<SqlUuid, _>(plan.summary.id)
            .bind::<Text, _>(question)
            .bind::<Text, _>(kind)
            .bind::<Nullable<Text>, _>(answer)
            .execute(connection)?;
        }
        get(connection, project_id, number)
    })
}

/// The same under a key that nothing else is made with: asked for again, nothing is stored, whatever was answered since.
///
/// # Errors
/// As [`answer`]; [`Error::KeyReused`].
pub fn answer_once(
    connection: &mut PgConnection,
    project_id: Uuid,
    number: i32,
    answers: &[NewAnswer],
    key: Option<&IdempotencyKey>,
) -> Result<Plan> {
    connection.transaction(|connection| match idempotency::claim_one(connection, key)? {
        (_, true) => get(connection, project_id, number),
        (_, false) => answer(connection, project_id, number, answers),
    })
}

fn refuse_late(connection: &mut PgConnection, plan: &Plan) -> Result<()> {
    let number = plan.summary.number;
    if plan.summary.state != PlanState::Draft {
        return Err(Error::Conflict(format!(
            "version {number} of the plan was {} and takes no more answers",
            plan.summary.state
        )));
    }
    let newest = super::newest_number(connection, plan.project_id)?;
    if newest > number {
        return Err(Error::Conflict(format!(
            "version {number} of the plan is not the newest; answer version {newest}"
        )));
    }
    Ok(())
}

/// The answers to a version, in the order of its questions.
pub(super) fn of(connection: &mut PgConnection, plan_id: Uuid, content: &PlanContent) -> Result<Vec<Answered>> {
    let mut answers: Vec<Answered> =
        sql_query("SELECT question, kind, answer, answered_at FROM plan_answers WHERE plan_id = $1")
            .bind::<SqlUuid, _>(plan_id)
            .load(connection)?;
    answers.sort_by_key(|answer| content.questions.iter().position(|question| question.key == answer.question));
    Ok(answers)
}
