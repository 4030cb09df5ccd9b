//! Projects: create, read, change, delete.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use diesel::sql_types::{Array, BigInt, Integer, Jsonb, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::counters::{self, Stats};
use crate::db::Prepare as _;
use crate::engine::IdempotencyKey;
use crate::idempotency;
use crate::page::Page;
use crate::{Error, Result};

/// The advisory locks of projects. Locks with two keys are apart from those with one, by which workers are known to live.
const LOCKS: i32 = 1;

#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct Project {
    pub id: Uuid,
    pub name: String,
    #[serde(rename = "type")]
    pub project_type: String,
    pub template_ref: Option<String>,
    pub spec: Value,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
    pub stats: Stats,
}

#[derive(Debug, Clone)]
pub struct NewProject {
    pub name: String,
    pub project_type: Option<String>,
    pub template_ref: Option<String>,
    pub spec: Option<Value>,
}

/// What is `None` stays as it is.
#[derive(Debug, Clone, Default)]
pub struct ProjectPatch {
    pub name: Option<String>,
    pub project_type: Option<String>,
    pub template_ref: Option<String>,
    pub spec: Option<Value>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    project_type: String,
    #[diesel(sql_type = Nullable<Text>)]
    template_ref: Option<String>,
    #[diesel(sql_type = Jsonb)]
    spec: Value,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
}

const COLUMNS: &str = "id, name, type AS project_type, template_ref, spec, created_at, updated_at";

/// Makes a project; with a key that was seen before, finds the one that it made. The flag says which.
///
/// # Errors
/// What is wrong with a field, or the key's misuse.
pub fn create(
    connection: &mut PgConnection,
    new: &NewProject,
    key: Option<&IdempotencyKey>,
) -> Result<(Project, bool)> {
    let name = checked_name(&new.name)?;
    let project_type = checked_type(new.project_type.as_deref().unwrap_or("general"))?;
    let spec = checked_spec(new.spec.as_ref())?;
    let template_ref = checked_template(new.template_ref.as_deref())?;
    let (id, replayed) = connection.transaction(|connection| {
        let (id, replayed) = idempotency::claim_one(connection, key)?;
        if replayed {
            return Ok((id, true));
        }
        sql_query("INSERT INTO projects (id, name, type, template_ref, spec) VALUES ($1, $2, $3, $4, $5)")
            .bind::<SqlUuid, _>(id)
            .bind::<Text, _>(&name)
            .bind::<Text, _>(&project_type)
            .bind::<Nullable<Text>, _>(template_ref)
            .bind::<Jsonb, _>(spec.unwrap_or_else(|| Value::Object(serde_json::Map::new())))
            .execute(connection)?;
        Ok::<_, Error>((id, false))
    })?;
    Ok((get(connection, id)?, replayed))
}

/// # Errors
/// [`Error::NotFound`] also for a deleted one.
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<Project> {
    let rows: Vec<Row> = sql_query(format!("SELECT {COLUMNS} FROM projects WHERE id = $1 AND deleted_at IS NULL"))
        .bind::<SqlUuid, _>(id)
        .load(connection)?;
    with_stats(connection, rows)?.pop().ok_or(Error::NotFound("project", id))
}

/// What it is called, and its spec.
///
/// # Errors
/// [`Error::NotFound`].
pub fn name_and_spec(connection: &mut PgConnection, id: Uuid) -> Result<(String, Value)> {
    #[derive(QueryableByName)]
    struct Brief {
        #[diesel(sql_type = Text)]
        name: String,
        #[diesel(sql_type = Jsonb)]
        spec: Value,
    }
    let rows: Vec<Brief> = sql_query("SELECT name, spec FROM projects WHERE id = $1 AND deleted_at IS NULL")
        .bind::<SqlUuid, _>(id)
        .prepared()
        .load(connection)?;
    let project = rows.into_iter().next().ok_or(Error::NotFound("project", id))?;
    Ok((project.name, project.spec))
}

/// That it is there, for the lists beneath a project.
///
/// # Errors
/// [`Error::NotFound`] when it is not.
pub fn exists(connection: &mut PgConnection, id: Uuid) -> Result<()> {
    let found = sql_query("SELECT 1 FROM projects WHERE id = $1 AND deleted_at IS NULL")
        .bind::<SqlUuid, _>(id)
        .execute(connection)?;
    if found == 1 { Ok(()) } else { Err(Error::NotFound("project", id)) }
}

/// Like [`exists`], also for one that was deleted since: what was stored of it is still somebody's to have and to erase.
///
/// # Errors
/// [`Error::NotFound`] when it never was.
pub fn was_created(connection: &mut PgConnection, id: Uuid) -> Result<()> {
    let found = sql_query("SELECT 1 FROM projects WHERE id = $1").bind::<SqlUuid, _>(id).execute(connection)?;
    if found == 1 { Ok(()) } else { Err(Error::NotFound("project", id)) }
}

/// The newest first.
///
/// # Errors
/// A cursor or limit that is wrong.
pub fn list(connection: &mut PgConnection, limit: Option<i64>, cursor: Option<&str>) -> Result<Page<Project>> {
    let limit = crate::page::limit(limit)?;
    let rows: Vec<Row> = sql_query(format!(
        "SELECT {COLUMNS} FROM projects WHERE deleted_at IS NULL AND ($1 IS NULL OR id < $1) ORDER BY id DESC LIMIT $2"
    ))
    .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(with_stats(connection, rows)?, limit, |project| project.id.to_string()))
}

/// # Errors
/// What is wrong with a field.
pub fn update(connection: &mut PgConnection, id: Uuid, patch: &ProjectPatch) -> Result<Project> {
    let name = patch.name.as_deref().map(checked_name).transpose()?;
    let project_type = patch.project_type.as_deref().map(checked_type).transpose()?;
    let spec = checked_spec(patch.spec.as_ref())?;
    let template_ref = checked_template(patch.template_ref.as_deref())?;
    let changed = sql_query(
        "UPDATE projects SET name = coalesce($2, name), type = coalesce($3, type), template_ref = coalesce($4, template_ref), \
         spec = coalesce($5, spec), updated_at = now() WHERE id = $1 AND deleted_at IS NULL",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Nullable<Text>, _>(name)
    .bind::<Nullable<Text>, _>(project_type)
    .bind::<Nullable<Text>, _>(template_ref)
    .bind::<Nullable<Jsonb>, _>(spec)
    .execute(connection)?;
    if changed == 0 { Err(Error::NotFound("project", id)) } else { get(connection, id) }
}

/// Hides a project and returns its runs that are still under way, for the caller to cancel.
///
/// # Errors
/// [`Error::NotFound`] when it is not there.
pub fn delete(connection: &mut PgConnection, id: Uuid) -> Result<Vec<Uuid>> {
    #[derive(QueryableByName)]
    struct Run {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    connection.transaction(|connection| {
        // In a statement of its own, so that the next ones see what was committed while this one waited.
        sql_query("SELECT pg_advisory_xact_lock($1, $2)")
            .bind::<Integer, _>(LOCKS)
            .bind::<Integer, _>(lock_key(id))
            .execute(connection)?;
        let hidden = sql_query("UPDATE projects SET deleted_at = now() WHERE id = $1 AND deleted_at IS NULL")
            .bind::<SqlUuid, _>(id)
            .execute(connection)?;
        if hidden == 0 {
            return Err(Error::NotFound("project", id));
        }
        let runs: Vec<Run> = sql_query("SELECT id FROM runs WHERE project_id = $1 AND finished_at IS NULL ORDER BY id")
            .bind::<SqlUuid, _>(id)
            .load(connection)?;
        Ok(runs.into_iter().map(|run| run.id).collect())
    })
}

/// Two projects may have one: then the deletion of one waits for who adds to the other.
pub(crate) fn lock_key(id: Uuid) -> i32 {
    let [.., a, b, c, d] = id.into_bytes();
    i32::from_be_bytes([a, b, c, d])
}

/// Keeps projects from being deleted until the end of the transaction. Whoever adds to one holds this lock and not one on its row:
/// when two at once do that, each time over, Postgres writes down who they are.
pub(crate) fn keep(connection: &mut PgConnection, ids: &BTreeSet<Uuid>) -> Result<()> {
    let keys: BTreeSet<i32> = ids.iter().copied().map(lock_key).collect();
    sql_query("SELECT pg_advisory_xact_lock_shared($1, key) FROM unnest($2) AS key")
        .bind::<Integer, _>(LOCKS)
        .bind::<Array<Integer>, _>(keys.into_iter().collect::<Vec<_>>())
        .prepared()
        .execute(connection)?;
    Ok(())
}

fn with_stats(connection: &mut PgConnection, rows: Vec<Row>) -> Result<Vec<Project>> {
    let ids: Vec<Uuid> = rows.iter().map(|row| row.id).collect();
    let mut stats = if ids.is_empty() { Default::default() } else { counters::of_projects(connection, &ids)? };
    let project = |row: Row| Project {
        stats: stats.remove(&row.id).unwrap_or_default(),
        id: row.id,
        name: row.name,
        project_type: row.project_type,
        template_ref: row.template_ref,
        spec: row.spec,
        created_at: row.created_at,
        updated_at: row.updated_at,
    };
    Ok(rows.into_iter().map(project).collect())
}

fn checked_name(name: &str) -> Result<String> {
    checked_text("name", name, 200)
}

fn checked_type(name: &str) -> Result<String> {
    checked_text("type", name, 100)
}

fn checked_template(name: Option<&str>) -> Result<Option<String>> {
    name.map(|name| checked_text("template_ref", name, 200)).transpose()
}

fn checked_spec(spec: Option<&Value>) -> Result<Option<Value>> {
    match spec {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(_)) => {
            spec.map(|spec| crate::tasks::check_json("spec", spec).map(|()| spec.clone())).transpose()
        }
        Some(_) => Err(Error::invalid("spec", "must be an object")),
    }
}

/// Those of these projects that were deleted.
///
/// # Errors
/// When the database does not answer.
pub fn deleted_among(connection: &mut PgConnection, ids: &[Uuid]) -> Result<BTreeSet<Uuid>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = SqlUuid)]
        id: Uuid,
    }
    let rows: Vec<Row> = sql_query("SELECT id FROM projects WHERE id = ANY ($1) AND deleted_at IS NOT NULL")
        .bind::<Array<SqlUuid>, _>(ids)
        .load(connection)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}

/// Text that is not empty, not too long and storable.
pub(crate) fn checked_text(field: &'static str, text: &str, most: usize) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid(field, "must not be empty"));
    }
    let length = text.chars().count();
    if length > most {
        return Err(Error::invalid(field, format!("must have at most {most} characters, and has {length}")));
    }
    if text.contains('\0') {
        return Err(Error::invalid(field, "must not contain NUL characters"));
    }
    Ok(text.to_owned())
}
