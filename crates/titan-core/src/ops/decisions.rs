//! What people decided about proposals. A decision is about what was shown, the tree of a change or its commit: what a proposal becomes
//! later is decided anew.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection as _, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::proposals;
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
    /// What they were shown: the tree of the change, or its commit.
    #[diesel(sql_type = Text)]
    #[serde(rename = "subject")]
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

/// What somebody has to say.
#[derive(Debug, Clone, Copy)]
pub struct NewDecision<'a> {
    /// What they were shown.
    pub subject: &'a str,
    pub verdict: Verdict,
    pub by: &'a str,
    pub comment: Option<&'a str>,
}

const COLUMNS: &str = "task_id, commit_id, decision, decided_by, comment, created_at";

/// Writes a decision down about what the proposal asks now. The same once more changes nothing.
///
/// # Errors
/// [`Error::NotFound`] for the proposal; [`Error::Conflict`] when the proposer approves, or when nothing is asked; [`Error::Stale`] when
/// something else is asked by now; [`Error::AlreadyDecided`] when the other was decided before.
pub fn decide(connection: &mut PgConnection, proposal_id: Uuid, new: &NewDecision<'_>) -> Result<Decision> {
    let NewDecision { subject, verdict, by, comment } = *new;
    let comment = comment.map(str::trim).filter(|comment| !comment.is_empty());
    let comment = comment.map(|comment| projects::checked_text("comment", comment, MAX_COMMENT)).transpose()?;
    connection.transaction(|connection| {
        // Two who decide at once take turns.
        sql_query("SELECT 1 FROM ops_proposals WHERE task_id = $1 FOR NO KEY UPDATE")
            .bind::<SqlUuid, _>(proposal_id)
            .execute(connection)?;
        let proposal = proposals::get(connection, proposal_id)?;
        if verdict == Verdict::Approved && proposal.author == by {
            return Err(Error::Conflict(
                "you proposed this; somebody else has to approve it: who proposes with the token approves in the dashboard, and the \
                 other way round"
                    .to_owned(),
            ));
        }
        if let Some(made) = of(connection, proposal_id, subject)? {
            return match made.decision == verdict {
                true => Ok(made),
                false => Err(Error::AlreadyDecided(made.decision.as_str())),
            };
        }
        match &proposal.asks {
            None => return Err(Error::Conflict("it does not wait for anybody's decision now".to_owned())),
            Some(ask) if ask.subject != subject => {
                let message = format!("it is {} by now; read it again and decide about that", ask.subject);
                return Err(Error::Stale(message));
            }
            Some(_) => {}
        }
        // Not the time at which the transaction began: who looked in between looks again.
        let made: Decision = sql_query(format!(
            "INSERT INTO ops_decisions (task_id, commit_id, decision, decided_by, comment, created_at) \
             VALUES ($1, $2, $3, $4, $5, clock_timestamp()) RETURNING {COLUMNS}"
        ))
        .bind::<SqlUuid, _>(proposal_id)
        .bind::<Text, _>(subject)
        .bind::<Text, _>(verdict)
        .bind::<Text, _>(by)
        .bind::<Nullable<Text>, _>(comment)
        .get_result(connection)?;
        Ok(made)
    })
}

/// What was decided about a tree or a commit.
///
/// # Errors
/// When the database does not answer.
pub fn of(connection: &mut PgConnection, proposal_id: Uuid, subject: &str) -> Result<Option<Decision>> {
    Ok(sql_query(format!("SELECT {COLUMNS} FROM ops_decisions WHERE task_id = $1 AND commit_id = $2"))
        .bind::<SqlUuid, _>(proposal_id)
        .bind::<Text, _>(subject)
        .get_result(connection)
        .optional()?)
}

/// What was decided about it, and when that was looked up by the database's clock: what is decided after that wakes who waits.
///
/// # Errors
/// When the database does not answer.
pub fn asked(
    connection: &mut PgConnection,
    proposal_id: Uuid,
    subject: &str,
) -> Result<(Option<Decision>, DateTime<Utc>)> {
    #[derive(QueryableByName)]
    struct Now {
        #[diesel(sql_type = Timestamptz)]
        now: DateTime<Utc>,
    }
    let Now { now } = sql_query("SELECT clock_timestamp() AS now").get_result(connection)?;
    Ok((of(connection, proposal_id, subject)?, now))
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
