//! The workers: their rows and heartbeats, how full the queue is, and why a run does not move.

use std::collections::HashMap;

use chrono::{DateTime, SecondsFormat, Utc};
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::db::Prepare as _;
use crate::meter::Snapshot;
use crate::state::WaitingOn;
use crate::{Error, Result};

/// What a worker says about itself when it starts.
#[derive(Debug, Clone)]
pub struct Registration {
    pub id: Uuid,
    pub name: String,
    pub host: String,
    pub pid: i32,
    pub version: String,
    pub kinds: Vec<String>,
    pub slots: i32,
    pub lease_ms: i64,
    /// What runs commands there: `bubblewrap`, `landlock`, or why nothing does. None when it runs none.
    pub sandbox: Option<String>,
}

/// What it says about itself every second. In between it beats without a word.
#[derive(Debug, Clone, Default)]
pub struct Beat {
    pub stopping: bool,
    pub current_tasks: Vec<Uuid>,
    pub running: i32,
    /// Runs whose cancel it wants to hear of.
    pub runs: Vec<Uuid>,
    /// The lock that its session holds now.
    pub lock_key: Option<i64>,
    /// The queues that it claims from.
    pub queues: Vec<String>,
    /// What it has counted so far.
    pub stats: Snapshot,
}

/// What it hears back.
#[derive(Debug, Clone, Default)]
pub struct Pulse {
    /// (job id, epoch) of everything that the database thinks this worker holds.
    pub held: Vec<(i64, i64)>,
    /// Of the runs that were named, those that are to stop.
    pub canceled_runs: Vec<Uuid>,
    /// Workers that go on working and were heard of lately, this one among them. Those that are there for one run do not count.
    pub fleet: i64,
}

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Worker {
    pub id: Uuid,
    pub name: String,
    pub host: String,
    pub pid: i32,
    pub version: String,
    /// `running`, `stopping`, `stopped` or `lost`.
    pub status: String,
    pub kinds: Vec<String>,
    pub slots: i32,
    pub running: i32,
    pub current_tasks: Vec<Uuid>,
    /// The queues that it claims from.
    pub queues: Vec<String>,
    /// What it counted since it started.
    pub stats: Snapshot,
    /// What runs commands there: `bubblewrap`, `landlock`, or why nothing does.
    pub sandbox: Option<String>,
    pub started_at: DateTime<Utc>,
    pub heartbeat_at: DateTime<Utc>,
}

/// The queue in numbers.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema, QueryableByName)]
pub struct Depth {
    #[diesel(sql_type = BigInt)]
    pub ready: i64,
    #[diesel(sql_type = BigInt)]
    pub scheduled: i64,
    #[diesel(sql_type = BigInt)]
    pub running: i64,
    #[diesel(sql_type = Nullable<Double>)]
    pub oldest_ready_seconds: Option<f64>,
}

/// Why a run does not move, for a person.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct RunHint {
    /// `no_worker`, `busy`, `retrying`, `waiting`, `canceling` or `worker_lost`; of a task that waits for others, `needs`.
    pub code: String,
    pub message: String,
    pub since: Option<DateTime<Utc>>,
}

/// Registers, or comes back after the row was pruned.
///
/// # Errors
/// When the database does not answer.
pub fn register(connection: &mut PgConnection, worker: &Registration) -> Result<()> {
    sql_query(
        "INSERT INTO workers (id, name, host, pid, version, kinds, slots, lease_ms, sandbox) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) \
         ON CONFLICT (id) DO UPDATE SET heartbeat_at = now(), stopped_at = NULL",
    )
    .bind::<SqlUuid, _>(worker.id)
    .bind::<Text, _>(&worker.name)
    .bind::<Text, _>(&worker.host)
    .bind::<Integer, _>(worker.pid)
    .bind::<Text, _>(&worker.version)
    .bind::<Array<Text>, _>(&worker.kinds)
    .bind::<Integer, _>(worker.slots)
    .bind::<BigInt, _>(worker.lease_ms)
    .bind::<Nullable<Text>, _>(worker.sandbox.as_deref())
    .execute(connection)?;
    Ok(())
}

/// The session advisory lock by which a worker is known to live: the low half of its id, which is random.
#[must_use]
pub fn lock_key(id: Uuid) -> i64 {
    let [_, _, _, _, _, _, _, _, low @ ..] = id.into_bytes();
    i64::from_be_bytes(low)
}

/// A connection to beat on, at the address where a session is Postgres's own. A beat that is lost when Postgres crashes is no
/// loss, so its commits wait for no disk.
///
/// # Errors
/// When the database cannot be reached.
pub fn connect_to_beat(direct: &SecretString) -> Result<PgConnection> {
    let mut connection = crate::db::connect(direct.expose_secret())?;
    connection.batch_execute("SET synchronous_commit = off")?;
    Ok(connection)
}

/// Makes this session the one that holds the worker's lock. False when another session has it: an old one of the same
/// worker that Postgres has not noticed yet, or a rescuer for a moment. Call it once per session.
///
/// # Errors
/// When the database does not answer.
pub fn hold_lock(connection: &mut PgConnection, key: i64) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        held: bool,
    }
    let row: Row = sql_query("SELECT pg_try_advisory_lock($1) AS held")
        .bind::<BigInt, _>(key)
        .prepared()
        .get_result(connection)?;
    Ok(row.held)
}

/// A heartbeat and nothing else. It names the worker's lock while this session holds it; without it only the lease counts.
/// False when the row is gone and the worker must register again.
///
/// # Errors
/// When the database does not answer.
pub fn sign_of_life(connection: &mut PgConnection, id: Uuid, lock_key: Option<i64>) -> Result<bool> {
    let known = sql_query("UPDATE workers SET heartbeat_at = clock_timestamp(), lock_key = $2 WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .bind::<Nullable<BigInt>, _>(lock_key)
        .prepared()
        .execute(connection)?;
    Ok(known == 1)
}

/// The fuller heartbeat. The flag of the answer is false when the row is gone and the worker must register again.
///
/// # Errors
/// When the database does not answer.
pub fn beat(connection: &mut PgConnection, id: Uuid, beat: &Beat) -> Result<(bool, Pulse)> {
    #[derive(QueryableByName)]
    struct Held {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = BigInt)]
        epoch: i64,
    }
    #[derive(QueryableByName)]
    struct Run {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    #[derive(QueryableByName)]
    struct Fleet {
        #[diesel(sql_type = BigInt)]
        fleet: i64,
    }
    let stats = serde_json::to_value(beat.stats).map_err(|error| Error::Internal(error.to_string()))?;
    let known: Option<Fleet> = sql_query(
        "UPDATE workers SET heartbeat_at = clock_timestamp(), running = $2, current_tasks = $3, stopping = $4, \
         lock_key = $5, queues = $6, stats = $7 WHERE id = $1 \
         RETURNING 1 + (SELECT count(*) FROM workers other WHERE other.id <> $1 AND other.stopped_at IS NULL \
           AND NOT other.stopping AND other.kinds <> '{}' AND other.heartbeat_at > clock_timestamp() - interval '3 seconds') AS fleet",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Integer, _>(beat.running)
    .bind::<Array<SqlUuid>, _>(&beat.current_tasks)
    .bind::<Bool, _>(beat.stopping)
    .bind::<Nullable<BigInt>, _>(beat.lock_key)
    .bind::<Array<Text>, _>(&beat.queues)
    .bind::<Jsonb, _>(stats)
    .prepared()
    .get_result(connection)
    .optional()?;
    let held: Vec<Held> = sql_query("SELECT id, epoch FROM jobs WHERE worker_id = $1 AND state = 'running'")
        .bind::<SqlUuid, _>(id)
        .prepared()
        .load(connection)?;
    let runs: Vec<Run> = if beat.runs.is_empty() {
        Vec::new()
    } else {
        sql_query("SELECT id FROM runs WHERE id = ANY($1) AND cancel_requested_at IS NOT NULL")
            .bind::<Array<SqlUuid>, _>(&beat.runs)
            .prepared()
            .load(connection)?
    };
    let pulse = Pulse {
        held: held.into_iter().map(|job| (job.id, job.epoch)).collect(),
        canceled_runs: runs.into_iter().map(|run| run.id).collect(),
        fleet: known.as_ref().map_or(1, |row| row.fleet),
    };
    Ok((known.is_some(), pulse))
}

/// The last word of a worker that stops in order.
///
/// # Errors
/// When the database does not answer.
pub fn stopped(connection: &mut PgConnection, id: Uuid) -> Result<()> {
    sql_query("UPDATE workers SET stopping = true, running = 0, current_tasks = '{}', stopped_at = clock_timestamp() WHERE id = $1")
        .bind::<SqlUuid, _>(id)
        .execute(connection)?;
    Ok(())
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    host: String,
    #[diesel(sql_type = Integer)]
    pid: i32,
    #[diesel(sql_type = Text)]
    version: String,
    #[diesel(sql_type = Text)]
    status: String,
    #[diesel(sql_type = Array<Text>)]
    kinds: Vec<String>,
    #[diesel(sql_type = Integer)]
    slots: i32,
    #[diesel(sql_type = Integer)]
    running: i32,
    #[diesel(sql_type = Array<SqlUuid>)]
    current_tasks: Vec<Uuid>,
    #[diesel(sql_type = Array<Text>)]
    queues: Vec<String>,
    #[diesel(sql_type = Jsonb)]
    stats: serde_json::Value,
    #[diesel(sql_type = Nullable<Text>)]
    sandbox: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    heartbeat_at: DateTime<Utc>,
}

/// Workers of the last hour, the living ones first. One that beats three times a second and was not heard for five seconds
/// is lost to whoever looks at the screen; one that can only beat once a second is when its lease is over.
///
/// # Errors
/// When the database does not answer.
pub fn list(connection: &mut PgConnection) -> Result<Vec<Worker>> {
    let rows: Vec<Row> = sql_query(
        "SELECT id, name, host, pid, version, kinds, slots, running, current_tasks, queues, stats, sandbox, started_at, heartbeat_at, \
         CASE WHEN stopped_at IS NOT NULL THEN 'stopped' \
              WHEN heartbeat_at + CASE WHEN lock_key IS NULL THEN lease_ms ELSE least(lease_ms, 5000) END \
                * interval '1 millisecond' < clock_timestamp() THEN 'lost' \
              WHEN stopping THEN 'stopping' ELSE 'running' END AS status \
         FROM workers WHERE heartbeat_at > now() - interval '1 hour' \
         ORDER BY stopped_at IS NOT NULL, heartbeat_at DESC LIMIT 100",
    )
    .load(connection)?;
    let worker = |row: Row| Worker {
        id: row.id,
        name: row.name,
        host: row.host,
        pid: row.pid,
        version: row.version,
        status: row.status,
        kinds: row.kinds,
        slots: row.slots,
        running: row.running,
        current_tasks: row.current_tasks,
        queues: row.queues,
        // A worker of another version may count other things.
        stats: serde_json::from_value(row.stats).unwrap_or_default(),
        sandbox: row.sandbox,
        started_at: row.started_at,
        heartbeat_at: row.heartbeat_at,
    };
    Ok(rows.into_iter().map(worker).collect())
}

/// # Errors
/// When the database does not answer.
pub fn depth(connection: &mut PgConnection) -> Result<Depth> {
    Ok(sql_query(
        "SELECT count(*) FILTER (WHERE state = 'ready') AS ready, count(*) FILTER (WHERE state = 'scheduled') AS scheduled, \
         count(*) FILTER (WHERE state = 'running') AS running, \
         extract(epoch FROM clock_timestamp() - min(run_at) FILTER (WHERE state = 'ready'))::float8 AS oldest_ready_seconds \
         FROM jobs",
    )
    .get_result(connection)?)
}

/// What would be right where nobody does jobs of this kind.
fn missing(kind: &str) -> &'static str {
    if kind.starts_with("ops.") {
        return "Start titan-worker with a repository: GITHUB_REPO or FORGEJO_REPO (docs/OPS.md).";
    }
    "Start titan-worker."
}

/// Why these runs, which have not ended, do not move. A run that moves is missing from the answer.
///
/// # Errors
/// When the database does not answer.
pub fn hints_of_runs(connection: &mut PgConnection, runs: &[Uuid]) -> Result<HashMap<Uuid, RunHint>> {
    #[derive(QueryableByName)]
    struct Facts {
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Text)]
        state: String,
        #[diesel(sql_type = Timestamptz)]
        run_at: DateTime<Utc>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        cancel_requested_at: Option<DateTime<Utc>>,
        #[diesel(sql_type = Nullable<Text>)]
        waiting_on: Option<WaitingOn>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        waiting_since: Option<DateTime<Utc>>,
        #[diesel(sql_type = Nullable<Text>)]
        waiting_reason: Option<String>,
        #[diesel(sql_type = Bool)]
        served: bool,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        last_heartbeat: Option<DateTime<Utc>>,
        #[diesel(sql_type = Bool)]
        holder_lost: bool,
        #[diesel(sql_type = Bool)]
        late: bool,
    }
    // A kind counts as served while a worker that knows it has beaten within the last five seconds: the lease would be too
    // long a silence for somebody who looks at the screen.
    let facts: Vec<Facts> = sql_query(
        "SELECT j.run_id, j.kind, j.state, j.run_at, r.cancel_requested_at, s.waiting_on, s.waiting_since, s.waiting_reason, \
           EXISTS (SELECT FROM workers w WHERE j.kind = ANY(w.kinds) AND NOT w.stopping \
             AND w.heartbeat_at > clock_timestamp() - interval '5 seconds') AS served, \
           (SELECT max(w.heartbeat_at) FROM workers w WHERE j.kind = ANY(w.kinds)) AS last_heartbeat, \
           j.state = 'running' AND NOT EXISTS (SELECT FROM workers w WHERE w.id = j.worker_id AND w.stopped_at IS NULL \
             AND w.heartbeat_at > clock_timestamp() - interval '5 seconds') AS holder_lost, \
           j.run_at < clock_timestamp() - interval '5 seconds' AS late \
         FROM jobs j JOIN runs r ON r.id = j.run_id LEFT JOIN steps s ON s.run_id = j.run_id AND s.seq = j.step \
         WHERE j.run_id = ANY($1) ORDER BY j.id",
    )
    .bind::<Array<SqlUuid>, _>(runs)
    .load(connection)?;
    let hint = |facts: Facts| {
        let (code, message, since) = match facts.state.as_str() {
            _ if facts.cancel_requested_at.is_some() => {
                let message = "Asked to stop; it ends within the grace time at the latest.";
                ("canceling", message.to_owned(), facts.cancel_requested_at)
            }
            // Its job sleeps until somebody wakes it; when it would look by itself says nothing.
            "scheduled" if facts.waiting_on.is_some_and(|on| !matches!(on, WaitingOn::Timer | WaitingOn::Event)) => {
                let why = facts.waiting_reason.unwrap_or_default();
                ("waiting", format!("Waiting: {why}"), facts.waiting_since)
            }
            "scheduled" => {
                let at = facts.run_at.to_rfc3339_opts(SecondsFormat::Secs, true);
                let why = facts.waiting_reason.unwrap_or_else(|| "waiting for its time".to_owned());
                ("retrying", format!("Goes on at {at}: {why}"), facts.waiting_since)
            }
            "running" if facts.holder_lost => {
                let message = "Its worker has stopped reporting; another one takes over when the lease ends.";
                ("worker_lost", message.to_owned(), facts.last_heartbeat)
            }
            "ready" if !facts.served => {
                let missing = missing(&facts.kind);
                let message = match facts.last_heartbeat {
                    Some(at) => {
                        let at = at.to_rfc3339_opts(SecondsFormat::Secs, true);
                        format!("No worker that serves {} has reported since {at}. {missing}", facts.kind)
                    }
                    None => format!("No worker that serves {} has reported yet. {missing}", facts.kind),
                };
                ("no_worker", message, facts.last_heartbeat)
            }
            "ready" if facts.late => {
                ("busy", "All workers are busy; it is next in line.".to_owned(), Some(facts.run_at))
            }
            _ => return None,
        };
        Some((facts.run_id, RunHint { code: code.to_owned(), message, since }))
    };
    Ok(facts.into_iter().filter_map(hint).collect())
}
