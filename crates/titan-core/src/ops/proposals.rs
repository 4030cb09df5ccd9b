//! Proposals: a change to Titan's own code that somebody wants. Each is a task, its stages are the steps of the task's run, and what a
//! stage found stands in the step's output; here is what was proposed, and the whole as one thing for people.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::{
    Array, BigInt, Binary, Integer, Jsonb, Nullable, SmallInt, Text, Timestamptz, Uuid as SqlUuid,
};
use diesel::{Connection as _, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;
use uuid::Uuid;

use super::decisions::{self, Decision, Verdict};
use super::rollouts::{self, Rollout, RolloutState};
use crate::blobs::{self, Blob};
use crate::engine::{self, Applied, IdempotencyKey, NewTask, Submission};
use crate::page::{self, Page};
use crate::queue::Hint;
use crate::state::{ExecutionStatus, StepStatus, WaitingOn, text_enum};
use crate::{Error, Result, idempotency, projects};

/// The type of the tasks, and the name of their workflow.
pub const TASK_TYPE: &str = "ops";
/// The project that they belong to: Titan itself. There is one in each installation, made with the first proposal.
pub const PROJECT: Uuid = Uuid::from_u128(0x0000_7461_6e00_7000_8000_0000_0000_0001);
/// A forge may be in trouble for a while.
const MOST_RETRIES: i32 = 10;
/// Characters.
pub const MAX_DESCRIPTION: usize = 20_000;
pub const MAX_TITLE: usize = 200;
const MAX_NOW: usize = 300;

/// What the names of the proposals' own branches begin with; their ids follow.
const BRANCHES: &str = "titan/ops/";

/// The branch of a proposal.
#[must_use]
pub fn branch(id: Uuid) -> String {
    format!("{BRANCHES}{id}")
}

/// The proposal whose branch would be called so.
#[must_use]
pub fn of_branch(name: &str) -> Option<Uuid> {
    Uuid::try_parse(name.strip_prefix(BRANCHES)?).ok().filter(|id| branch(*id) == name)
}

/// A proposal that keeps all rules.
#[derive(Debug, Clone)]
pub struct NewProposal {
    pub title: String,
    pub description: String,
    pub author: String,
    pub now_item: Option<String>,
    pub base_commit: Option<String>,
    /// The patches as JSON; to be put where blobs are kept before it is created.
    pub patches: Blob,
    pub paths: Vec<String>,
}

text_enum! {
    /// How a proposal stands.
    ProposalState {
        Running = "running",
        Waiting = "waiting_for_approval",
        Done = "done",
        Rejected = "rejected",
        Failed = "failed",
        Canceled = "canceled",
        RollingBack = "rolling_back",
        RolledBack = "rolled_back",
        RollbackFailed = "rollback_failed",
    }
}

text_enum! {
    /// What a person is asked.
    Gate { PullRequest = "pull_request", Canary = "canary", Merge = "merge" }
}

/// What a proposal waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Ask {
    pub gate: Gate,
    /// What a decision is about, to be named with it: the tree of the change before there is a commit, its commit afterwards.
    pub subject: String,
    /// In words.
    pub question: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Proposal {
    pub id: Uuid,
    pub title: String,
    /// In lists left empty.
    pub description: String,
    pub author: String,
    /// The heading under "Now" in TASKS.md that it belongs to.
    pub now_item: Option<String>,
    /// The commit that its patches are for; null for wherever the branch stands.
    pub base_commit: Option<String>,
    pub paths: Vec<String>,
    pub state: ProposalState,
    /// Why it failed, or what it waits for.
    pub reason: Option<String>,
    /// The newest run; its log and its outputs tell the rest.
    pub run_id: Option<Uuid>,
    pub project_id: Uuid,
    pub stages: Vec<Stage>,
    /// What it waits for a person to decide.
    pub asks: Option<Ask>,
    /// The newest.
    pub rollout: Option<Rollout>,
    /// What was decided last.
    pub decision: Option<Decision>,
    pub created_at: DateTime<Utc>,
    pub ended_at: Option<DateTime<Utc>>,
}

/// One stage of a proposal, and what it found.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Stage {
    #[serde(skip)]
    #[diesel(sql_type = SqlUuid)]
    run_id: Uuid,
    #[serde(skip)]
    #[diesel(sql_type = SmallInt)]
    pub seq: i16,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub status: StepStatus,
    #[diesel(sql_type = Nullable<Text>)]
    pub waiting_on: Option<WaitingOn>,
    #[diesel(sql_type = Nullable<Text>)]
    pub waiting_reason: Option<String>,
    #[diesel(sql_type = Integer)]
    pub attempt: i32,
    #[diesel(sql_type = Nullable<Text>)]
    pub error: Option<String>,
    /// What it found, as its kind has it; null while it has not ended. In lists only the `risk` of the first.
    #[diesel(sql_type = Nullable<Jsonb>)]
    pub evidence: Option<Value>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub started_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub finished_at: Option<DateTime<Utc>>,
}

/// What makes two calls the same.
#[derive(Debug, Clone)]
pub enum Same {
    /// The key that the caller gave: one proposal for it, whatever came of that.
    Key(IdempotencyKey),
    /// What they say: one proposal, unless it has come to nothing by now. Who says it again then means it anew.
    Body(IdempotencyKey),
}

/// Writes a proposal down and begins its run. The same call makes one. The flag says whether it was there before.
///
/// # Errors
/// What is wrong with a field; the key's misuse.
pub fn create(connection: &mut PgConnection, new: &NewProposal, same: Same) -> Result<(Proposal, bool, Vec<Hint>)> {
    let title = projects::checked_text("title", &new.title, MAX_TITLE)?;
    if title.chars().any(char::is_control) {
        return Err(Error::invalid("title", "must be one line: it becomes the headline of a commit"));
    }
    checked_description(&new.description)?;
    new.now_item.as_deref().map(|now| projects::checked_text("now", now, MAX_NOW)).transpose()?;
    connection.transaction(|connection| {
        let key = match same {
            Same::Key(key) => key,
            Same::Body(key) => {
                forget_vain(connection, &key)?;
                key
            }
        };
        let key = Some(key);
        // Who asks again for what was proposed before must not find that blobs or a project are made anew.
        if !idempotency::was_used(connection, key.as_ref())? {
            blobs::store(connection, &[&new.patches])?;
            keep_project(connection)?;
        }
        let task = NewTask {
            project_id: PROJECT,
            task_type: TASK_TYPE.to_owned(),
            title: Some(title.clone()),
            payload: json!({"paths": new.paths, "author": new.author}),
            execution_type: None,
            priority: 0,
            max_retries: Some(MOST_RETRIES),
            queue: None,
            limit_key: None,
            run_at: None,
        };
        let (applied, mut hints) = engine::apply_one(connection, Submission { task, key, trace_id: None }.into())?;
        let Applied::Submitted(submitted) = applied else {
            return Err(Error::Internal("a proposal was answered with something else".to_owned()));
        };
        if !submitted.replayed {
            insert(connection, submitted.task_id, new)?;
            hints.push(Hint::change("project", PROJECT, PROJECT));
        }
        Ok((get(connection, submitted.task_id)?, submitted.replayed, hints))
    })
}

/// Forgets the call of a proposal that has failed, was canceled, or was rolled back since.
fn forget_vain(connection: &mut PgConnection, key: &IdempotencyKey) -> Result<()> {
    sql_query(
        "DELETE FROM idempotency_keys k USING tasks t WHERE k.scope = $1 AND k.key_hash = $2 AND k.body_fingerprint = $3 \
         AND t.id = (k.result ->> 'id')::uuid AND (t.execution_status IN ('failed', 'canceled') \
           OR EXISTS (SELECT FROM ops_rollouts r WHERE r.task_id = t.id AND r.state = 'rolled_back'))",
    )
    .bind::<Text, _>(&key.scope)
    .bind::<Binary, _>(&key.key_hash)
    .bind::<Binary, _>(&key.body_fingerprint)
    .execute(connection)?;
    Ok(())
}

fn checked_description(description: &str) -> Result<()> {
    let length = description.chars().count();
    if length > MAX_DESCRIPTION {
        let message = format!("must have at most {MAX_DESCRIPTION} characters, and has {length}");
        return Err(Error::invalid("description", message));
    }
    if description.contains('\0') {
        return Err(Error::invalid("description", "must not contain NUL characters"));
    }
    Ok(())
}

fn insert(connection: &mut PgConnection, id: Uuid, new: &NewProposal) -> Result<()> {
    sql_query(
        "INSERT INTO ops_proposals (task_id, author, description, now_item, base_commit, patches, paths) \
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(&new.author)
    .bind::<Text, _>(&new.description)
    .bind::<Nullable<Text>, _>(new.now_item.as_deref())
    .bind::<Nullable<Text>, _>(new.base_commit.as_deref())
    .bind::<Binary, _>(new.patches.sha256())
    .bind::<Array<Text>, _>(&new.paths)
    .execute(connection)?;
    Ok(())
}

/// The project of Titan itself; one that somebody has deleted is there again.
pub(super) fn keep_project(connection: &mut PgConnection) -> Result<()> {
    let spec = json!({"description": "Titan's own code: each task is a proposal to change it."});
    sql_query(
        "INSERT INTO projects AS p (id, name, type, spec) VALUES ($1, 'Titan', $2, $3) \
         ON CONFLICT (id) DO UPDATE SET deleted_at = NULL, updated_at = now() WHERE p.deleted_at IS NOT NULL",
    )
    .bind::<SqlUuid, _>(PROJECT)
    .bind::<Text, _>(TASK_TYPE)
    .bind::<Jsonb, _>(spec)
    .execute(connection)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    project_id: Uuid,
    #[diesel(sql_type = Text)]
    title: String,
    #[diesel(sql_type = Text)]
    description: String,
    #[diesel(sql_type = Text)]
    author: String,
    #[diesel(sql_type = Nullable<Text>)]
    now_item: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    base_commit: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    paths: Vec<String>,
    #[diesel(sql_type = Text)]
    execution_status: ExecutionStatus,
    #[diesel(sql_type = Nullable<Text>)]
    failure_reason: Option<String>,
    #[diesel(sql_type = Nullable<SqlUuid>)]
    run_id: Option<Uuid>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
}

const SELECT: &str = "SELECT t.id, t.project_id, t.title, p.description, p.author, p.now_item, p.base_commit, p.paths, \
     t.execution_status, t.failure_reason, t.latest_run_id AS run_id, p.created_at, t.completed_at AS ended_at \
     FROM ops_proposals p JOIN tasks t ON t.id = p.task_id";

/// # Errors
/// [`Error::NotFound`].
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Proposal> {
    let rows: Vec<Row> = sql_query(format!("{SELECT} WHERE t.id = $1")).bind::<SqlUuid, _>(id).load(connection)?;
    complete(connection, rows)?.pop().ok_or(Error::NotFound("proposal", id))
}

/// The newest first.
///
/// # Errors
/// A cursor or limit that is wrong.
pub fn list(connection: &mut PgConnection, limit: Option<i64>, cursor: Option<&str>) -> Result<Page<Proposal>> {
    let limit = page::limit(limit)?;
    let rows: Vec<Row> =
        sql_query(format!("{SELECT} WHERE ($1 IS NULL OR t.id < $1) ORDER BY p.task_id DESC LIMIT $2"))
            .bind::<Nullable<SqlUuid>, _>(page::id_cursor(cursor)?)
            .bind::<BigInt, _>(limit + 1)
            .load(connection)?;
    let mut proposals = complete(connection, rows)?;
    for proposal in &mut proposals {
        proposal.description.clear();
        // Of all evidence, what people choose by.
        for stage in &mut proposal.stages {
            let risk = stage.evidence.take().and_then(|evidence| evidence.get("risk").cloned());
            stage.evidence = risk.map(|risk| json!({"risk": risk}));
        }
        if let Some(rollout) = &mut proposal.rollout {
            rollout.analysis = None;
        }
    }
    Ok(Page::of(proposals, limit, |proposal| proposal.id.to_string()))
}

fn complete(connection: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Proposal>> {
    let runs: Vec<Uuid> = rows.iter().filter_map(|row| row.run_id).collect();
    let stages: Vec<Stage> = sql_query(
        "SELECT run_id, seq, name, status, waiting_on, waiting_reason, attempt, error, output AS evidence, started_at, finished_at \
         FROM steps WHERE run_id = ANY($1) ORDER BY run_id, seq",
    )
    .bind::<Array<SqlUuid>, _>(&runs)
    .load(connection)?;
    let mut of_run: HashMap<Uuid, Vec<Stage>> = HashMap::new();
    for stage in stages {
        of_run.entry(stage.run_id).or_default().push(stage);
    }
    let mut decided = decisions::latest(connection, &rows.iter().map(|row| row.id).collect::<Vec<_>>())?;
    let mut rolled_out = rollouts::latest(connection, &rows.iter().map(|row| row.id).collect::<Vec<_>>())?;
    let proposal = |row: Row| {
        let stages = row.run_id.and_then(|id| of_run.remove(&id)).unwrap_or_default();
        let decision = decided.remove(&row.id);
        let rollout = rolled_out.remove(&row.id);
        let waiting = stages.iter().find(|stage| stage.waiting_on.is_some());
        Proposal {
            state: state(row.execution_status, waiting, decision.as_ref(), rollout.as_ref()),
            asks: asks(&stages),
            rollout,
            reason: row.failure_reason.or_else(|| waiting.and_then(|stage| stage.waiting_reason.clone())),
            id: row.id,
            title: row.title,
            description: row.description,
            author: row.author,
            now_item: row.now_item,
            base_commit: row.base_commit,
            paths: row.paths,
            run_id: row.run_id,
            project_id: row.project_id,
            stages,
            decision,
            created_at: row.created_at,
            ended_at: row.ended_at,
        }
    };
    Ok(rows.into_iter().map(proposal).collect())
}

/// The step that waits for an approval says what for.
fn asks(stages: &[Stage]) -> Option<Ask> {
    let waiting = stages.iter().find(|stage| stage.waiting_on == Some(WaitingOn::Approval))?;
    let found = |stage: &str, name: &str| {
        let stage = stages.iter().find(|other| other.name == stage)?;
        stage.evidence.as_ref()?.get(name)?.as_str().map(str::to_owned)
    };
    let (gate, subject) = match waiting.name.as_str() {
        "patch" => (Gate::PullRequest, found("diff", "tree")?),
        "canary" => (Gate::Canary, found("patch", "commit")?),
        _ => (Gate::Merge, found("patch", "commit")?),
    };
    Some(Ask { gate, subject, question: waiting.waiting_reason.clone().unwrap_or_default() })
}

fn state(
    status: ExecutionStatus,
    waiting: Option<&Stage>,
    decision: Option<&Decision>,
    rollout: Option<&Rollout>,
) -> ProposalState {
    match rollout.map(|rollout| rollout.state) {
        Some(RolloutState::RollingBack) => return ProposalState::RollingBack,
        Some(RolloutState::RollbackFailed) => return ProposalState::RollbackFailed,
        _ => {}
    }
    let rejected = decision.is_some_and(|decision| decision.decision == Verdict::Rejected);
    // By hand. One that failed is called so, and its rollout says that it was taken back.
    let taken_back = rollout.is_some_and(|rollout| rollout.state == RolloutState::RolledBack) && !rejected;
    if taken_back && matches!(status, ExecutionStatus::Completed | ExecutionStatus::Canceled) {
        return ProposalState::RolledBack;
    }
    match status {
        ExecutionStatus::Completed => ProposalState::Done,
        ExecutionStatus::Failed => ProposalState::Failed,
        ExecutionStatus::Canceled if rejected => ProposalState::Rejected,
        ExecutionStatus::Canceled => ProposalState::Canceled,
        _ if waiting.is_some_and(|stage| stage.waiting_on == Some(WaitingOn::Approval)) => ProposalState::Waiting,
        _ => ProposalState::Running,
    }
}

/// What a stage works on.
#[derive(Debug, Clone)]
pub struct Proposed {
    pub title: String,
    pub description: String,
    pub author: String,
    pub now_item: Option<String>,
    pub base_commit: Option<String>,
    /// The checksum of the blob with the patches, in hexadecimal digits.
    pub patches: String,
}

/// # Errors
/// [`Error::NotFound`], also for a task that nobody proposed.
pub fn proposed(connection: &mut PgConnection, id: Uuid) -> Result<Proposed> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        title: String,
        #[diesel(sql_type = Text)]
        description: String,
        #[diesel(sql_type = Text)]
        author: String,
        #[diesel(sql_type = Nullable<Text>)]
        now_item: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        base_commit: Option<String>,
        #[diesel(sql_type = Text)]
        patches: String,
    }
    let row: Option<Row> = sql_query(
        "SELECT t.title, p.description, p.author, p.now_item, p.base_commit, encode(p.patches, 'hex') AS patches \
         FROM ops_proposals p JOIN tasks t ON t.id = p.task_id WHERE p.task_id = $1",
    )
    .bind::<SqlUuid, _>(id)
    .get_result(connection)
    .optional()?;
    let row = row.ok_or(Error::NotFound("proposal", id))?;
    Ok(Proposed {
        title: row.title,
        description: row.description,
        author: row.author,
        now_item: row.now_item,
        base_commit: row.base_commit,
        patches: row.patches,
    })
}
