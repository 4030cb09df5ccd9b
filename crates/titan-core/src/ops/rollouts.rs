//! Rollouts: how far a proposal has come on its way to where Titan runs. One for each target at a time; only the run that it belongs to
//! moves it, under the claim of its job. People order by rows that the run reads.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection as _, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::engine::Fence;
use crate::page::{self, Page};
use crate::queue::{self, Hint};
use crate::state::text_enum;
use crate::text::head;
use crate::{Error, Result, ids};

/// Characters of a reason.
const MAX_REASON: usize = 4_000;

text_enum! {
    /// How a rollout stands. The last three are its ends.
    RolloutState {
        Canary = "canary",
        Paused = "paused",
        Approval = "approval",
        Promoting = "promoting",
        Promoted = "promoted",
        RollingBack = "rolling_back",
        RolledBack = "rolled_back",
        RollbackFailed = "rollback_failed",
    }
}

impl RolloutState {
    #[must_use]
    pub fn is_terminal(self) -> bool {
        matches!(self, RolloutState::Promoted | RolloutState::RolledBack | RolloutState::RollbackFailed)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Rollout {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    #[serde(rename = "proposal_id")]
    pub task_id: Uuid,
    /// The run that moves it: the proposal's, or that of its rollback.
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    /// Where it is deployed to.
    #[diesel(sql_type = Text)]
    pub target: String,
    #[diesel(sql_type = Text)]
    pub state: RolloutState,
    /// Why it is in this state.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    /// The commit that is tried out.
    #[diesel(sql_type = Text)]
    #[serde(rename = "commit")]
    pub commit_id: String,
    /// What production ran when it began.
    #[diesel(sql_type = Text)]
    pub last_good: String,
    /// The commit that it became on the base branch.
    #[diesel(sql_type = Nullable<Text>)]
    pub merged_as: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub pull_number: i64,
    /// The analysis after its last sample: `phase`, `reason`, and each metric with its samples. Null before the first, and in lists.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub analysis: Option<Value>,
    /// Who wants it to stand still.
    #[diesel(sql_type = Nullable<Text>)]
    pub paused_by: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub began_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ended_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "r.id, r.task_id, r.run_id, r.target, r.state, r.reason, r.commit_id, r.last_good, r.merged_as, r.pull_number, \
     r.analysis, r.paused_by, r.began_at, r.updated_at, r.ended_at";

/// What a rollout is begun with.
#[derive(Debug, Clone)]
pub struct NewRollout {
    pub proposal_id: Uuid,
    pub target: String,
    pub commit: String,
    pub last_good: String,
    pub pull_number: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Begun {
    Ours(Box<Rollout>),
    /// Another proposal has the target.
    Taken {
        proposal_id: Uuid,
        title: String,
    },
}

/// Begins a rollout, or gives the one that this proposal has there already.
///
/// # Errors
/// [`Error::Fenced`] when the claim was lost.
pub fn begin(connection: &mut PgConnection, fence: Fence, new: &NewRollout) -> Result<Begun> {
    #[derive(QueryableByName)]
    struct Other {
        #[diesel(sql_type = SqlUuid)]
        task_id: Uuid,
        #[diesel(sql_type = Text)]
        title: String,
    }
    connection.transaction(|connection| {
        queue::hold(connection, fence.job_id, fence.epoch)?;
        sql_query(
            "INSERT INTO ops_rollouts (id, task_id, run_id, target, state, commit_id, last_good, pull_number) \
             VALUES ($1, $2, $3, $4, 'canary', $5, $6, $7) ON CONFLICT (target) WHERE ended_at IS NULL DO NOTHING",
        )
        .bind::<SqlUuid, _>(ids::new())
        .bind::<SqlUuid, _>(new.proposal_id)
        .bind::<SqlUuid, _>(fence.run_id)
        .bind::<Text, _>(&new.target)
        .bind::<Text, _>(&new.commit)
        .bind::<Text, _>(&new.last_good)
        .bind::<BigInt, _>(i64::try_from(new.pull_number).unwrap_or(i64::MAX))
        .execute(connection)?;
        let ours: Option<Rollout> = sql_query(format!(
            "SELECT {COLUMNS} FROM ops_rollouts r WHERE r.target = $1 AND r.ended_at IS NULL AND r.run_id = $2"
        ))
        .bind::<Text, _>(&new.target)
        .bind::<SqlUuid, _>(fence.run_id)
        .get_result(connection)
        .optional()?;
        if let Some(ours) = ours {
            return Ok(Begun::Ours(Box::new(ours)));
        }
        let other: Option<Other> = sql_query(
            "SELECT r.task_id, t.title FROM ops_rollouts r JOIN tasks t ON t.id = r.task_id WHERE r.target = $1 AND r.ended_at IS NULL",
        )
        .bind::<Text, _>(&new.target)
        .get_result(connection)
        .optional()?;
        // It may have ended this moment; then it is asked again.
        let Other { task_id, title } =
            other.ok_or_else(|| Error::Unavailable("the rollout before has just ended".to_owned()))?;
        Ok(Begun::Taken { proposal_id: task_id, title })
    })
}

/// What changes about a rollout; none is left as it is.
#[derive(Debug, Clone, Default)]
pub struct Move {
    pub state: Option<RolloutState>,
    pub reason: Option<String>,
    pub merged_as: Option<String>,
    pub analysis: Option<Value>,
}

impl Move {
    #[must_use]
    pub fn to(state: RolloutState, reason: impl Into<String>) -> Self {
        Move { state: Some(state), reason: Some(reason.into()), ..Move::default() }
    }
}

/// Moves a rollout, under the claim of a job of the run that it belongs to, and gives it as it is then.
///
/// # Errors
/// [`Error::Fenced`] when the claim was lost, or the rollout is another run's by now.
pub fn advance(connection: &mut PgConnection, fence: Fence, id: Uuid, to: &Move) -> Result<Rollout> {
    connection.transaction(|connection| {
        queue::hold(connection, fence.job_id, fence.epoch)?;
        let moved: Option<Rollout> = sql_query(format!(
            "UPDATE ops_rollouts r SET state = coalesce($3, r.state), reason = coalesce($4, r.reason), \
             merged_as = coalesce(r.merged_as, $5), analysis = coalesce($6, r.analysis), updated_at = now(), \
             ended_at = CASE WHEN coalesce($3, r.state) IN ('promoted', 'rolled_back', 'rollback_failed') THEN now() END \
             WHERE r.id = $1 AND r.run_id = $2 AND r.ended_at IS NULL RETURNING {COLUMNS}"
        ))
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(fence.run_id)
        .bind::<Nullable<Text>, _>(to.state.map(RolloutState::as_str))
        .bind::<Nullable<Text>, _>(to.reason.as_deref().map(|reason| head(reason, MAX_REASON)))
        .bind::<Nullable<Text>, _>(to.merged_as.as_deref())
        .bind::<Nullable<Jsonb>, _>(to.analysis.as_ref())
        .get_result(connection)
        .optional()?;
        moved.ok_or(Error::Fenced { job_id: fence.job_id, epoch: fence.epoch })
    })
}

/// The merge may begin, and from then on it cannot be paused. False when somebody wants the rollout to stand still, or it is not this
/// run's any more.
///
/// # Errors
/// [`Error::Fenced`] when the claim was lost.
pub fn promote(connection: &mut PgConnection, fence: Fence, id: Uuid) -> Result<bool> {
    connection.transaction(|connection| {
        queue::hold(connection, fence.job_id, fence.epoch)?;
        let begun = sql_query(
            "UPDATE ops_rollouts SET state = 'promoting', reason = 'it is being merged', updated_at = now() \
             WHERE id = $1 AND run_id = $2 AND ended_at IS NULL AND paused_by IS NULL",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(fence.run_id)
        .execute(connection)?;
        Ok(begun > 0)
    })
}

/// The rollback of a proposal makes its rollout its own, whichever run had it. One that had ended is active again by it; one that was
/// rolled back stays so.
///
/// # Errors
/// [`Error::Fenced`] when the claim was lost; [`Error::Conflict`] while another proposal has the target; [`Error::Stale`] when something
/// newer was promoted there.
pub fn take_over(connection: &mut PgConnection, fence: Fence, id: Uuid, reason: &str) -> Result<Rollout> {
    connection.transaction(|connection| {
        queue::hold(connection, fence.job_id, fence.epoch)?;
        let there = get(connection, id)?;
        if there.state == RolloutState::RolledBack {
            return Ok(there);
        }
        if is_outdone(connection, &there)? {
            return Err(Error::Stale(OUTDONE.to_owned()));
        }
        let taken: Option<Rollout> = sql_query(format!(
            "UPDATE ops_rollouts r SET state = 'rolling_back', paused_by = NULL, reason = $3, run_id = $2, updated_at = now(), ended_at = NULL \
             WHERE r.id = $1 AND r.state <> 'rolled_back' AND NOT EXISTS \
             (SELECT 1 FROM ops_rollouts o WHERE o.target = r.target AND o.ended_at IS NULL AND o.id <> r.id) RETURNING {COLUMNS}"
        ))
        .bind::<SqlUuid, _>(id)
        .bind::<SqlUuid, _>(fence.run_id)
        .bind::<Text, _>(head(reason, MAX_REASON))
        .get_result(connection)
        .optional()?;
        taken.ok_or_else(|| Error::Conflict("another proposal is being rolled out there".to_owned()))
    })
}

/// What came after it stands on it: the old build would take that back as well.
pub(super) const OUTDONE: &str =
    "other changes have been promoted since, which this would take back as well: propose the opposite of it instead";

/// Whether something newer was promoted at its target.
pub(super) fn is_outdone(connection: &mut PgConnection, rollout: &Rollout) -> Result<bool> {
    let newer =
        sql_query("SELECT 1 FROM ops_rollouts WHERE target = $1 AND began_at > $2 AND state = 'promoted' LIMIT 1")
            .bind::<Text, _>(&rollout.target)
            .bind::<Timestamptz, _>(rollout.began_at)
            .execute(connection)?;
    Ok(newer > 0)
}

/// # Errors
/// [`Error::NotFound`].
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Rollout> {
    let rollout = sql_query(format!("SELECT {COLUMNS} FROM ops_rollouts r WHERE r.id = $1"))
        .bind::<SqlUuid, _>(id)
        .get_result(connection)
        .optional()?;
    rollout.ok_or(Error::NotFound("rollout", id))
}

/// The newest of a proposal.
///
/// # Errors
/// When the database does not answer.
pub fn of_proposal(connection: &mut PgConnection, proposal_id: Uuid) -> Result<Option<Rollout>> {
    Ok(sql_query(format!(
        "SELECT {COLUMNS} FROM ops_rollouts r WHERE r.task_id = $1 ORDER BY r.began_at DESC, r.id DESC LIMIT 1"
    ))
    .bind::<SqlUuid, _>(proposal_id)
    .get_result(connection)
    .optional()?)
}

/// What was done last at a target, if that was a rollback that failed.
///
/// # Errors
/// When the database does not answer.
pub fn broken(connection: &mut PgConnection, target: &str) -> Result<Option<Rollout>> {
    let last: Option<Rollout> = sql_query(format!(
        "SELECT {COLUMNS} FROM ops_rollouts r WHERE r.target = $1 AND r.ended_at IS NOT NULL ORDER BY r.updated_at DESC LIMIT 1"
    ))
    .bind::<Text, _>(target)
    .get_result(connection)
    .optional()?;
    Ok(last.filter(|rollout| rollout.state == RolloutState::RollbackFailed))
}

/// The newest of each.
pub(super) fn latest(connection: &mut PgConnection, proposals: &[Uuid]) -> Result<HashMap<Uuid, Rollout>> {
    let rows: Vec<Rollout> = sql_query(format!(
        "SELECT DISTINCT ON (r.task_id) {COLUMNS} FROM ops_rollouts r WHERE r.task_id = ANY($1) ORDER BY r.task_id, r.began_at DESC, r.id DESC"
    ))
    .bind::<Array<SqlUuid>, _>(proposals)
    .load(connection)?;
    Ok(rows.into_iter().map(|row| (row.task_id, row)).collect())
}

/// The newest first, without their analyses.
///
/// # Errors
/// A cursor or limit that is wrong.
pub fn list(connection: &mut PgConnection, limit: Option<i64>, cursor: Option<&str>) -> Result<Page<Rollout>> {
    let limit = page::limit(limit)?;
    let mut rollouts: Vec<Rollout> = sql_query(format!(
        "SELECT {COLUMNS} FROM ops_rollouts r WHERE ($1 IS NULL OR r.id < $1) ORDER BY r.id DESC LIMIT $2"
    ))
    .bind::<Nullable<SqlUuid>, _>(page::id_cursor(cursor)?)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    rollouts.iter_mut().for_each(|rollout| rollout.analysis = None);
    Ok(Page::of(rollouts, limit, |rollout| rollout.id.to_string()))
}

/// Has a rollout stand still, or go on. Who waits looks again.
///
/// # Errors
/// [`Error::NotFound`] for the proposal; [`Error::Conflict`] when there is nothing to pause or to resume.
pub fn pause(connection: &mut PgConnection, proposal_id: Uuid, by: Option<&str>) -> Result<(Rollout, Vec<Hint>)> {
    connection.transaction(|connection| {
        super::proposals::proposed(connection, proposal_id)?;
        let rollout: Option<Rollout> = sql_query(format!(
            "UPDATE ops_rollouts r SET paused_by = $2, ordered_at = clock_timestamp(), updated_at = now(), \
             state = CASE WHEN $2 IS NULL AND r.state = 'paused' THEN 'canary' ELSE r.state END \
             WHERE r.task_id = $1 AND r.ended_at IS NULL AND r.state IN ('canary', 'paused', 'approval') RETURNING {COLUMNS}"
        ))
        .bind::<SqlUuid, _>(proposal_id)
        .bind::<Nullable<Text>, _>(by)
        .get_result(connection)
        .optional()?;
        let rollout = rollout.ok_or_else(|| {
            let what = if by.is_some() { "paused" } else { "resumed" };
            Error::Conflict(format!("nothing can be {what}: there is no rollout of this proposal before its merge"))
        })?;
        Ok((rollout, vec![told(proposal_id)]))
    })
}

/// Those who watch the proposal read it again.
#[must_use]
pub fn told(proposal_id: Uuid) -> Hint {
    Hint::change("task", proposal_id, super::proposals::PROJECT)
}

/// Runs of which a step waits for a person who has spoken since.
///
/// # Errors
/// When the database does not answer.
pub fn overslept(connection: &mut PgConnection) -> Result<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT s.run_id FROM ops_proposals p JOIN tasks t ON t.id = p.task_id JOIN steps s ON s.run_id = t.latest_run_id \
         WHERE s.waiting_on IN ('approval', 'input') AND t.execution_status IN ('queued', 'in_progress') AND \
         (EXISTS (SELECT 1 FROM ops_decisions d WHERE d.task_id = p.task_id AND d.created_at >= s.waiting_since) OR \
          EXISTS (SELECT 1 FROM ops_rollouts r WHERE r.task_id = p.task_id AND r.ordered_at >= s.waiting_since)) LIMIT 100",
    )
    .load(connection)?;
    Ok(rows.into_iter().map(|row| row.run_id).collect())
}
