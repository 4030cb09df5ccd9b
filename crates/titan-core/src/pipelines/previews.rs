//! The preview of a project: what it is to show, and where it can be seen. A worker serves it as a job of its own, which looks here
//! for what it should do.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection as _, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::queue::{self, NewJob};
use crate::{Error, Result, projects};

/// The kind of the job that serves it.
pub const JOB: &str = "preview";
/// Longer than the server inside is let run before it is begun anew.
const JOB_TIMEOUT: Duration = Duration::from_secs(24 * 3600);

/// Where a project can be looked at.
#[derive(Debug, Clone, PartialEq, Serialize, QueryableByName, ToSchema)]
pub struct Preview {
    #[diesel(sql_type = SqlUuid)]
    pub project_id: Uuid,
    /// The run whose build it shows.
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    #[diesel(sql_type = Text)]
    pub commit_id: String,
    #[diesel(sql_type = BigInt)]
    #[serde(skip)]
    pub generation: i64,
    #[diesel(sql_type = Bool)]
    #[serde(skip)]
    pub wanted: bool,
    /// `starting`, `running`, `stopped` or `failed`.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// Set once it was running.
    #[diesel(sql_type = Nullable<Text>)]
    pub address: Option<String>,
    #[diesel(sql_type = Nullable<Integer>)]
    #[serde(skip)]
    pub port: Option<i32>,
    /// Whose loopback address it is served at, as the worker that serves it said.
    #[diesel(sql_type = Nullable<Text>)]
    #[serde(skip)]
    pub network: Option<String>,
    /// Why it failed.
    #[diesel(sql_type = Nullable<Text>)]
    pub error: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub updated_at: DateTime<Utc>,
}

const COLUMNS: &str =
    "project_id, run_id, commit_id, generation, wanted, state, address, port, network, error, updated_at";

/// The preview of a project, if it ever had one.
///
/// # Errors
/// [`Error::NotFound`] for the project.
pub fn get(connection: &mut PgConnection, project_id: Uuid) -> Result<Option<Preview>> {
    projects::exists(connection, project_id)?;
    let preview = sql_query(format!("SELECT {COLUMNS} FROM previews WHERE project_id = $1"))
        .bind::<SqlUuid, _>(project_id)
        .get_result(connection)
        .optional()?;
    Ok(preview)
}

/// Has it show what a run built; said twice of the same, it changes nothing. Gives what to wait for.
///
/// # Errors
/// When the database does not answer.
pub fn show(connection: &mut PgConnection, project_id: Uuid, run_id: Uuid, commit: &str) -> Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        generation: i64,
    }
    connection.transaction(|connection| {
        let row: Row = sql_query(
            "INSERT INTO previews AS p (project_id, run_id, commit_id, state) VALUES ($1, $2, $3, 'starting') \
             ON CONFLICT (project_id) DO UPDATE SET run_id = $2, commit_id = $3, wanted = true, updated_at = now(), \
               generation = p.generation + CASE WHEN p.run_id = $2 AND p.commit_id = $3 AND p.wanted \
                 AND p.state IN ('starting', 'running') THEN 0 ELSE 1 END, \
               state = CASE WHEN p.run_id = $2 AND p.commit_id = $3 AND p.wanted AND p.state = 'running' THEN 'running' \
                 ELSE 'starting' END, error = NULL \
             RETURNING generation",
        )
        .bind::<SqlUuid, _>(project_id)
        .bind::<SqlUuid, _>(run_id)
        .bind::<Text, _>(commit)
        .get_result(connection)?;
        serve(connection, project_id)?;
        Ok(row.generation)
    })
}

/// A job that serves it, unless there is one.
fn serve(connection: &mut PgConnection, project_id: Uuid) -> Result<()> {
    let job = NewJob {
        key: Some(project_id.to_string()),
        payload: Some(json!({"project_id": project_id})),
        project_id: Some(project_id),
        timeout: JOB_TIMEOUT,
        max_attempts: 100,
        ..NewJob::new(JOB)
    };
    queue::enqueue(connection, &[job])?;
    Ok(())
}

/// Starts it again, with what it showed last.
///
/// # Errors
/// [`Error::NotFound`] for the project, [`Error::Conflict`] when it never showed anything.
pub fn start(connection: &mut PgConnection, project_id: Uuid) -> Result<Preview> {
    let preview = get(connection, project_id)?.ok_or_else(nothing_to_show)?;
    show(connection, project_id, preview.run_id, &preview.commit_id)?;
    get(connection, project_id)?.ok_or_else(nothing_to_show)
}

/// Has it stop. Nothing happens when it does not run.
///
/// # Errors
/// As above.
pub fn stop(connection: &mut PgConnection, project_id: Uuid) -> Result<Preview> {
    projects::exists(connection, project_id)?;
    sql_query("UPDATE previews SET wanted = false, updated_at = now() WHERE project_id = $1")
        .bind::<SqlUuid, _>(project_id)
        .execute(connection)?;
    get(connection, project_id)?.ok_or_else(nothing_to_show)
}

fn nothing_to_show() -> Error {
    Error::Conflict("there is nothing to show yet: a pipeline has to build and deploy the project first".to_owned())
}

/// What became of serving a generation.
#[derive(Debug, Clone)]
pub enum Served {
    Running { address: String, port: u16, network: String },
    Stopped,
    Failed { error: String },
}

/// Writes it down, unless it is told to show something else by now; then the answer is false.
///
/// # Errors
/// When the database does not answer.
pub fn tell(connection: &mut PgConnection, project_id: Uuid, generation: i64, served: &Served) -> Result<bool> {
    let (state, address, port, network, error) = match served {
        Served::Running { address, port, network } => {
            ("running", Some(address.as_str()), Some(i32::from(*port)), Some(network.as_str()), None)
        }
        Served::Stopped => ("stopped", None, None, None, None),
        Served::Failed { error } => ("failed", None, None, None, Some(error.as_str())),
    };
    let changed = sql_query(
        "UPDATE previews SET state = $3, address = coalesce($4, address), port = coalesce($5, port), error = $6, \
         network = coalesce($7, network), updated_at = now() WHERE project_id = $1 AND generation = $2",
    )
    .bind::<SqlUuid, _>(project_id)
    .bind::<BigInt, _>(generation)
    .bind::<Text, _>(state)
    .bind::<Nullable<Text>, _>(address)
    .bind::<Nullable<Integer>, _>(port)
    .bind::<Nullable<Text>, _>(error)
    .bind::<Nullable<Text>, _>(network)
    .execute(connection)?;
    if changed == 1 && matches!(served, Served::Running { .. }) {
        // It serves for days: workers that are lost meanwhile are not lost because of it.
        sql_query("UPDATE jobs SET rescues = 0, suspect = false, lone_losses = 0 WHERE kind = $1 AND key = $2 AND rescues > 0")
            .bind::<Text, _>(JOB)
            .bind::<Text, _>(project_id.to_string())
            .execute(connection)?;
    }
    Ok(changed == 1)
}

/// The runs whose builds of a project are in use, and may therefore not be cleared away: the one that is shown, and those under way.
///
/// # Errors
/// When the database does not answer.
pub fn used(connection: &mut PgConnection, project_id: Uuid) -> Result<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        run_id: Uuid,
    }
    let rows: Vec<Row> = sql_query(
        "SELECT run_id FROM previews WHERE project_id = $1 UNION \
         SELECT id FROM runs WHERE project_id = $1 AND status IN ('queued', 'running') UNION \
         SELECT (s.output->>'run_id')::uuid FROM runs r JOIN steps s ON s.run_id = r.id AND s.name = 'build' \
         WHERE r.project_id = $1 AND r.status IN ('queued', 'running') AND s.output ? 'run_id'",
    )
    .bind::<SqlUuid, _>(project_id)
    .load(connection)?;
    Ok(rows.into_iter().map(|row| row.run_id).collect())
}

/// Has somebody see to the previews that nobody sees to although they are to run or to stop: whose job was ended for good, or was
/// about to end when it was wanted again. Gives how many.
///
/// # Errors
/// When the database does not answer.
pub fn reconcile(connection: &mut PgConnection) -> Result<usize> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        project_id: Uuid,
    }
    // Asked for each preview by itself: an anti-join may begin with the jobs, of which there may be many.
    let forgotten: Vec<Row> = sql_query(
        "SELECT p.project_id FROM previews p WHERE p.state IN ('starting', 'running') \
           AND (SELECT j.id FROM jobs j WHERE j.kind = $1 AND j.key = p.project_id::text LIMIT 1) IS NULL LIMIT 100",
    )
    .bind::<Text, _>(JOB)
    .load(connection)?;
    for row in &forgotten {
        serve(connection, row.project_id)?;
    }
    Ok(forgotten.len())
}
