//! What a person decides about an output, once. A rejection may have the task done again: the next run is told why.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{Output, get};
use crate::engine::{Applied, Execute, apply_one};
use crate::queue::Hint;
use crate::state::{Level, Review};
use crate::workspaces::{self, Branch};
use crate::{Error, Result, tasks};

const LONGEST_COMMENT: usize = 4000;

#[derive(Debug, Clone, Copy)]
pub struct Decision<'a> {
    pub review: Review,
    pub comment: Option<&'a str>,
    /// Has the task done again, by a new run that is shown the comment.
    pub run_again: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Reviewed {
    #[serde(flatten)]
    pub output: Output,
    /// The run that does the task again, when that was asked for.
    pub next_run_id: Option<Uuid>,
}

/// Records a decision. The same again changes nothing, and starts no second run; the other one is refused. The event goes to
/// the run, which may long have ended: its events go on, its status does not change.
///
/// # Errors
/// [`Error::NotFound`], [`Error::AlreadyDecided`], a comment that is too long, or [`Error::Conflict`] when the task cannot be
/// done again now; nothing is recorded then.
pub fn review(connection: &mut PgConnection, id: Uuid, decision: &Decision<'_>) -> Result<(Reviewed, Vec<Hint>)> {
    let comment = checked(decision.comment)?;
    connection.transaction(|connection| {
        let seen = get(connection, id)?;
        // The run first: the one lock order.
        sql_query("SELECT 1 FROM runs WHERE id = $1 FOR NO KEY UPDATE")
            .bind::<SqlUuid, _>(seen.run_id)
            .execute(connection)?;
        let output = get(connection, id)?;
        let mut hints = Vec::new();
        if output.review == Review::Pending {
            fits_the_others(connection, &output, decision.review)?;
            record(connection, &output, decision.review, comment.as_deref(), &mut hints)?;
        } else if output.review != decision.review {
            return Err(Error::AlreadyDecided(output.review.as_str()));
        }
        let next_run_id = match decision.run_again {
            true => Some(run_again(connection, &output, &mut hints)?),
            false => None,
        };
        Ok((Reviewed { output: get(connection, id)?, next_run_id }, hints))
    })
}

/// A comment without what surrounds it; none when there is nothing in it.
pub(super) fn checked(comment: Option<&str>) -> Result<Option<String>> {
    let comment = comment.map(str::trim).filter(|text| !text.is_empty());
    comment.map(|text| crate::projects::checked_text("comment", text, LONGEST_COMMENT)).transpose()
}

/// The changes of a run come into the project as a whole, so that they cannot be approved once something else of it was rejected.
fn fits_the_others(connection: &mut PgConnection, output: &Output, review: Review) -> Result<()> {
    if review != Review::Approved || !output.is_of_files() {
        return Ok(());
    }
    let others = super::of_run(connection, output.run_id)?;
    match others.iter().find(|other| other.review == Review::Rejected) {
        None => Ok(()),
        Some(other) => Err(Error::Conflict(format!(
            "{:?} of the same run was rejected, and its changes with it; run the task again",
            other.name
        ))),
    }
}

fn record(
    connection: &mut PgConnection,
    output: &Output,
    review: Review,
    comment: Option<&str>,
    hints: &mut Vec<Hint>,
) -> Result<()> {
    sql_query("UPDATE outputs SET review = $2, comment = $3, reviewed_at = clock_timestamp() WHERE id = $1")
        .bind::<SqlUuid, _>(output.id)
        .bind::<Text, _>(review)
        .bind::<Nullable<Text>, _>(comment)
        .execute(connection)?;
    if review == Review::Rejected {
        // What the run left is not merged any more, whatever is said of the rest of it.
        workspaces::drop_branch(connection, output.project_id, Branch::OfRun(output.run_id))?;
    }
    let seq = append(connection, output, review, comment)?;
    hints.push(Hint::Run { id: output.run_id, project_id: output.project_id, seq, ended: true });
    hints.push(Hint::change("output", output.id, output.project_id));
    Ok(())
}

/// The run that does the task again: one that is under way, or that came after the rejection, which it was told of; else a new one.
fn run_again(connection: &mut PgConnection, output: &Output, hints: &mut Vec<Hint>) -> Result<Uuid> {
    let latest = tasks::get(connection, output.task_id)?.latest_run;
    if let Some(latest) = latest.filter(|latest| latest.id != output.run_id)
        && (!latest.status.is_terminal() || came_after(connection, latest.id, output.reviewed_at)?)
    {
        return Ok(latest.id);
    }
    let (applied, more) = apply_one(connection, Execute { task_id: output.task_id, trace_id: None }.into())?;
    hints.extend(more);
    match applied {
        Applied::Executed(executed) if executed.run_id != output.run_id => Ok(executed.run_id),
        Applied::Executed(_) => Err(Error::Conflict(
            "the run that made the output is still under way; reject it and run it again when it has ended".to_owned(),
        )),
        other => Err(Error::Internal(format!("the engine answered an execution with {other:?}"))),
    }
}

/// Whether a run was made after a decision, or with it; not when there was none.
fn came_after(connection: &mut PgConnection, run_id: Uuid, decided: Option<DateTime<Utc>>) -> Result<bool> {
    let found = sql_query("SELECT 1 FROM runs WHERE id = $1 AND created_at >= $2")
        .bind::<SqlUuid, _>(run_id)
        .bind::<Nullable<Timestamptz>, _>(decided)
        .execute(connection)?;
    Ok(found > 0)
}

fn append(connection: &mut PgConnection, output: &Output, review: Review, comment: Option<&str>) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        seq: i64,
    }
    let line = match comment {
        Some(comment) => format!("Output {} {review}: {comment}", output.name),
        None => format!("Output {} {review}", output.name),
    };
    let row: Row = sql_query(
        "WITH run AS (UPDATE runs SET last_seq = last_seq + 1 WHERE id = $1 RETURNING id, last_seq, project_id, task_id) \
         INSERT INTO run_events (run_id, seq, project_id, task_id, kind, level, message, data) \
         SELECT id, last_seq, project_id, task_id, $2, $3, $4, $5 FROM run RETURNING seq",
    )
    .bind::<SqlUuid, _>(output.run_id)
    .bind::<Text, _>(format!("output.{review}"))
    .bind::<Text, _>(Level::Info)
    .bind::<Text, _>(line)
    .bind::<Jsonb, _>(json!({"output_id": output.id, "comment": comment}))
    .get_result(connection)?;
    Ok(row.seq)
}
