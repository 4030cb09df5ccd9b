//! Rollbacks: a task of their own, since the run of the proposal may be over, lost, or the very thing that is in the way. There is one
//! at a time for each proposal; a person orders it, or the leader does for a rollout whose run has ended without it.

use diesel::sql_types::{Jsonb, Nullable, Text, Uuid as SqlUuid};
use diesel::{Connection as _, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::decisions::{self, NewDecision};
use super::proposals::{self, PROJECT, Proposed};
use super::rollouts::{self, Rollout, RolloutState};
use crate::engine::{self, Applied, CancelRun, NewTask, Submission};
use crate::projects::checked_text;
use crate::queue::Hint;
use crate::text::head;
use crate::{Error, Result};

/// The type of the tasks, and the name of their workflow.
pub const TASK_TYPE: &str = "ops-rollback";
/// Outages of a forge or a target pass within these.
const MOST_RETRIES: i32 = 10;
const MAX_REASON: usize = 2_000;
/// Characters of a rejection's comment that become the reason; the whole of it stands with the decision.
const MOST_OF_COMMENT: usize = 1_500;

/// What a rollback is about: the payload of its task.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rollback {
    pub proposal_id: Uuid,
    /// None: nothing was deployed; its pull request is to be closed.
    pub rollout_id: Option<Uuid>,
    pub reason: String,
    /// `titan`, or who ordered it.
    pub by: String,
}

impl Rollback {
    /// # Errors
    /// What is wrong with the payload.
    pub fn of(payload: &Value) -> Result<Self> {
        serde_json::from_value(payload.clone()).map_err(|error| Error::invalid("payload", error.to_string()))
    }
}

/// A rollback that was ordered.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Ordered {
    pub task_id: Uuid,
    pub run_id: Option<Uuid>,
    /// It was ordered before and is under way.
    pub replayed: bool,
}

/// Orders the rollback of a proposal.
///
/// # Errors
/// [`Error::NotFound`] for the proposal; [`Error::Conflict`] when there is nothing to roll back, or it is too late to.
pub fn order(connection: &mut PgConnection, proposal_id: Uuid, reason: &str, by: &str) -> Result<(Ordered, Vec<Hint>)> {
    let reason = checked_text("reason", reason, MAX_REASON)?;
    connection.transaction(|connection| {
        lock(connection, proposal_id)?;
        let proposed = proposals::proposed(connection, proposal_id)?;
        if let Some(under_way) = under_way(connection, proposal_id)? {
            return Ok((under_way, Vec::new()));
        }
        let rollout = rollouts::of_proposal(connection, proposal_id)?;
        match &rollout {
            Some(rollout) => refuse_what_is_over(connection, rollout)?,
            None if !has_pull_request(connection, proposal_id)? => {
                let message = "it has no pull request and was not deployed: cancel its run instead";
                return Err(Error::Conflict(message.to_owned()));
            }
            None => {}
        }
        let stopping = stop(connection, proposal_id, &format!("it is rolled back: {reason}"))?;
        let rollback =
            Rollback { proposal_id, rollout_id: rollout.map(|rollout| rollout.id), reason, by: by.to_owned() };
        let (ordered, mut hints) = submit(connection, &proposed, &rollback)?;
        hints.extend(stopping);
        Ok((ordered, hints))
    })
}

/// Writes a rejection down, and takes back what is there of the proposal: nobody finds the one without the other.
///
/// # Errors
/// Those of [`decisions::decide`].
pub fn reject(connection: &mut PgConnection, proposal_id: Uuid, rejection: &NewDecision<'_>) -> Result<Vec<Hint>> {
    let by = rejection.by;
    let reason = match rejection.comment.map(str::trim) {
        Some(comment) if !comment.is_empty() => format!("rejected by {by}: {}", head(comment, MOST_OF_COMMENT)),
        _ => format!("rejected by {by}"),
    };
    connection.transaction(|connection| {
        decisions::decide(connection, proposal_id, rejection)?;
        let mut hints = match order(connection, proposal_id, &reason, by) {
            Ok((_, hints)) => hints,
            // There is no pull request yet, so that to end its run is all.
            Err(Error::Conflict(_)) => stop(connection, proposal_id, &reason)?,
            Err(error) => return Err(error),
        };
        hints.push(rollouts::told(proposal_id));
        Ok(hints)
    })
}

/// The run of the proposal goes no further.
fn stop(connection: &mut PgConnection, proposal_id: Uuid, reason: &str) -> Result<Vec<Hint>> {
    let Some(run_id) = proposals::get(connection, proposal_id)?.run_id else { return Ok(Vec::new()) };
    let cancel = CancelRun { run_id, reason: reason.to_owned() };
    engine::apply_one(connection, cancel.into()).map(|(_, hints)| hints)
}

fn submit(connection: &mut PgConnection, proposed: &Proposed, rollback: &Rollback) -> Result<(Ordered, Vec<Hint>)> {
    let title = head(&format!("Roll back: {}", proposed.title), proposals::MAX_TITLE).to_owned();
    let task = NewTask {
        project_id: PROJECT,
        task_type: TASK_TYPE.to_owned(),
        title: Some(title),
        payload: json!(rollback),
        execution_type: None,
        // Ahead of all else: what is taken back may be hurting people.
        priority: 10,
        max_retries: Some(MOST_RETRIES),
        queue: None,
        limit_key: None,
        run_at: None,
    };
    // Somebody may have deleted it, and what runs has to be taken back all the same.
    proposals::keep_project(connection)?;
    let submission = Submission { task, key: None, trace_id: None };
    let (applied, mut hints) = engine::apply_one(connection, submission.into())?;
    let Applied::Submitted(submitted) = applied else {
        return Err(Error::Internal("a rollback was answered with something else".to_owned()));
    };
    hints.push(rollouts::told(rollback.proposal_id));
    Ok((Ordered { task_id: submitted.task_id, run_id: submitted.run_id, replayed: false }, hints))
}

/// Two who order at once take turns; a stage that writes an intent meanwhile is not hindered, since it only refers to the row.
fn lock(connection: &mut PgConnection, proposal_id: Uuid) -> Result<()> {
    sql_query("SELECT 1 FROM ops_proposals WHERE task_id = $1 FOR NO KEY UPDATE")
        .bind::<SqlUuid, _>(proposal_id)
        .execute(connection)?;
    Ok(())
}

fn under_way(connection: &mut PgConnection, proposal_id: Uuid) -> Result<Option<Ordered>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
        #[diesel(sql_type = Nullable<SqlUuid>)]
        run_id: Option<Uuid>,
    }
    let row: Option<Row> = sql_query(
        "SELECT id, latest_run_id AS run_id FROM tasks WHERE project_id = $1 AND type = $2 AND payload @> $3 \
         AND execution_status IN ('pending', 'queued', 'in_progress') LIMIT 1",
    )
    .bind::<SqlUuid, _>(PROJECT)
    .bind::<Text, _>(TASK_TYPE)
    .bind::<Jsonb, _>(json!({"proposal_id": proposal_id}))
    .get_result(connection)
    .optional()?;
    Ok(row.map(|row| Ordered { task_id: row.id, run_id: row.run_id, replayed: true }))
}

fn refuse_what_is_over(connection: &mut PgConnection, rollout: &Rollout) -> Result<()> {
    if rollout.state == RolloutState::RolledBack {
        return Err(Error::Conflict("it was rolled back already".to_owned()));
    }
    if rollouts::is_outdone(connection, rollout)? {
        return Err(Error::Conflict(rollouts::OUTDONE.to_owned()));
    }
    Ok(())
}

fn has_pull_request(connection: &mut PgConnection, proposal_id: Uuid) -> Result<bool> {
    let meant = sql_query("SELECT 1 FROM ops_intents WHERE task_id = $1 AND key = 'pull'")
        .bind::<SqlUuid, _>(proposal_id)
        .execute(connection)?;
    Ok(meant > 0)
}

/// What the leader did about rollouts that nobody moves any more.
#[derive(Debug, Default)]
pub struct Seen {
    /// Proposals whose rollback was ordered.
    pub ordered: Vec<Uuid>,
    /// Rollouts whose rollback has failed.
    pub failed: Vec<Rollout>,
    pub hints: Vec<Hint>,
}

#[derive(QueryableByName)]
struct Abandoned {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    proposal_id: Uuid,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Nullable<Text>)]
    error: Option<String>,
    /// How its rollback stands, if there is one.
    #[diesel(sql_type = Nullable<Text>)]
    rollback: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    rollback_error: Option<String>,
}

/// Orders the rollback of each rollout whose run has ended before it, and says of one whose rollback has ended before it that it failed.
///
/// # Errors
/// When the database does not answer.
pub fn see_to(connection: &mut PgConnection) -> Result<Seen> {
    let abandoned: Vec<Abandoned> = sql_query(
        "SELECT r.id, r.task_id AS proposal_id, o.status, o.error, b.execution_status AS rollback, b.failure_reason AS rollback_error \
         FROM ops_rollouts r JOIN runs o ON o.id = r.run_id \
         LEFT JOIN LATERAL (SELECT t.execution_status, t.failure_reason FROM tasks t WHERE t.project_id = $1 AND t.type = $2 \
           AND t.payload @> jsonb_build_object('rollout_id', r.id) ORDER BY t.id DESC LIMIT 1) b ON true \
         WHERE r.ended_at IS NULL AND o.status IN ('completed', 'failed', 'canceled') ORDER BY r.began_at LIMIT 20",
    )
    .bind::<SqlUuid, _>(PROJECT)
    .bind::<Text, _>(TASK_TYPE)
    .load(connection)?;
    let mut seen = Seen::default();
    for rollout in abandoned {
        // One that cannot be ordered is not in the way of the others.
        if let Err(error) = connection.transaction(|connection| see_to_one(connection, &rollout, &mut seen)) {
            tracing::error!(%error, rollout.id = %rollout.id, "a rollout that nobody moves cannot be rolled back now");
        }
    }
    Ok(seen)
}

fn see_to_one(connection: &mut PgConnection, rollout: &Abandoned, seen: &mut Seen) -> Result<()> {
    match rollout.rollback.as_deref() {
        None => {
            let why = rollout.error.as_deref().map(str::trim).filter(|why| !why.is_empty());
            let ended = || format!("its run was {} before it was rolled out", rollout.status);
            let reason = why.map_or_else(ended, |why| head(why, MAX_REASON).to_owned());
            let (ordered, hints) = order(connection, rollout.proposal_id, &reason, "titan")?;
            if !ordered.replayed {
                seen.ordered.push(rollout.proposal_id);
            }
            seen.hints.extend(hints);
        }
        Some("completed" | "failed" | "canceled") => {
            let why = rollout.rollback_error.as_deref().unwrap_or("the rollback was stopped");
            if let Some(failed) = fail(connection, rollout.id, why)? {
                seen.hints.push(rollouts::told(failed.task_id));
                seen.failed.push(failed);
            }
        }
        Some(_) => {}
    }
    Ok(())
}

fn fail(connection: &mut PgConnection, id: Uuid, why: &str) -> Result<Option<Rollout>> {
    let changed = sql_query(
        "UPDATE ops_rollouts SET state = 'rollback_failed', reason = $2, updated_at = now(), ended_at = now() \
         WHERE id = $1 AND ended_at IS NULL",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(head(why, MAX_REASON))
    .execute(connection)?;
    if changed == 0 { Ok(None) } else { rollouts::get(connection, id).map(Some) }
}
