//! What people decided about proposals. A decision is about one commit: what a proposal becomes later is decided anew.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection as _, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::state::text_enum;
use crate::{Error, Result, projects};

/// Characters of a comment.
const MAX_COMMENT: usize = 4_000;

text_enum! {
    /// What was decided.
    Verdict { Approved = "approved", Rejected = "rejected" }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema, QueryableByName)]
#[schema(as = ProposalDecision)]
pub struct Decision {
    #[serde(skip)]
    #[diesel(sql_type = SqlUuid)]
    task_id: Uuid,
    /// The commit that they were shown.
    #[diesel(sql_type = Text)]
    #[serde(rename = "commit")]
    pub commit_id: String,
    #[diesel(sql_type = Text)]
    pub decision: Verdict,
    #[diesel(sql_type = Text)]
    pub decided_by: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub comment: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

const COLUMNS: &str = "task_id, commit_id, decision, decided_by, comment, created_at";

/// Writes a decision down. The same once more changes nothing.
///
/// # Errors
/// [`Error::NotFound`] for the proposal; [`Error::Conflict`] when the proposer approves; [`Error::AlreadyDecided`] when the other was
/// decided before.
pub fn decide(
    connection: &mut PgConnection,
    proposal_id: Uuid,
    commit: &str,
    verdict: Verdict,
    by: &str,
    comment: Option<&str>,
) -> Result<Decision> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        author: String,
    }
    let comment = comment.map(str::trim).filter(|comment| !comment.is_empty());
    let comment = comment.map(|comment| projects::checked_text("comment", comment, MAX_COMMENT)).transpose()?;
    connection.transaction(|connection| {
        let row: Option<Row> = sql_query("SELECT author FROM ops_proposals WHERE task_id = $1 FOR UPDATE")
            .bind::<SqlUuid, _>(proposal_id)
            .get_result(connection)
            .optional()?;
        let author = row.ok_or(Error::NotFound("proposal", proposal_id))?.author;
        if verdict == Verdict::Approved && author == by {
            return Err(Error::Conflict(
                "you proposed this; somebody else has to approve it: who proposes with the token approves in the dashboard, and the \
                 other way round"
                    .to_owned(),
            ));
        }
        if let Some(made) = of(connection, proposal_id, commit)? {
            return match made.decision == verdict {
                true => Ok(made),
                false => Err(Error::AlreadyDecided(made.decision.as_str())),
            };
        }
        let made: Decision = sql_query(format!(
            "INSERT INTO ops_decisions (task_id, commit_id, decision, decided_by, comment) VALUES ($1, $2, $3, $4, $5) \
             RETURNING {COLUMNS}"
        ))
        .bind::<SqlUuid, _>(proposal_id)
        .bind::<Text, _>(commit)
        .bind::<Text, _>(verdict)
        .bind::<Text, _>(by)
        .bind::<Nullable<Text>, _>(comment)
        .get_result(connection)?;
        Ok(made)
    })
}

/// What was decided about a commit.
///
/// # Errors
/// When the database does not answer.
pub fn of(connection: &mut PgConnection, proposal_id: Uuid, commit: &str) -> Result<Option<Decision>> {
    Ok(sql_query(format!("SELECT {COLUMNS} FROM ops_decisions WHERE task_id = $1 AND commit_id = $2"))
        .bind::<SqlUuid, _>(proposal_id)
        .bind::<Text, _>(commit)
        .get_result(connection)
        .optional()?)
}

/// The last decision about each.
pub(super) fn latest(connection: &mut PgConnection, proposals: &[Uuid]) -> Result<HashMap<Uuid, Decision>> {
    let rows: Vec<Decision> = sql_query(format!(
        "SELECT DISTINCT ON (task_id) {COLUMNS} FROM ops_decisions WHERE task_id = ANY($1) ORDER BY task_id, created_at DESC"
    ))
    .bind::<Array<SqlUuid>, _>(proposals)
    .load(connection)?;
    Ok(rows.into_iter().map(|row| (row.task_id, row)).collect())
}
