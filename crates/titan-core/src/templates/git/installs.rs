//! How far the installing of a template from git has come. It is a job without a run: what the worker says is believed while the
//! install is pending, and twice the same changes nothing.
//!
//! An install whose job is gone without a word (given up, cleared away) counts as failed from that moment: whoever reads it sees
//! so, and nobody has to be alive to write it down.

use std::time::Duration;

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Binary, Bool, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{Connection, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::source::GitSource;
use crate::engine::IdempotencyKey;
use crate::page::{self, Page};
use crate::queue::NewJob;
use crate::state::text_enum;
use crate::templates::{self, Template};
use crate::text::{head, hex};
use crate::{Error, Result, idempotency, queue};

/// The kind of the jobs.
pub const INSTALL: &str = "install_template";
/// Fetching, with a slow network.
const TIMEOUT: Duration = Duration::from_secs(300);
/// Under way at the same time.
const MOST_PENDING: i64 = 20;
/// Older ones are forgotten when a new one comes.
const MOST_KEPT: i64 = 500;
const LONGEST_ERROR: usize = 2000;
const JOB_GONE: &str = "the worker did not get to its end, and it is not tried again; install it once more";

text_enum! {
    /// How far it is.
    InstallState { Pending = "pending", Installed = "installed", Failed = "failed" }
}

/// A template on its way from a git repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct TemplateInstall {
    pub id: Uuid,
    pub state: InstallState,
    pub url: String,
    /// The tag, branch or commit that was asked for; null for what the repository itself offers.
    #[serde(rename = "ref")]
    pub git_ref: Option<String>,
    /// The folder of the repository; null for its top.
    pub directory: Option<String>,
    /// Why it failed; while it is pending, why the last try did.
    pub error: Option<String>,
    /// What was fetched.
    pub commit: Option<String>,
    /// `name@version`; set when it is installed.
    pub reference: Option<String>,
    /// Of its manifest and files, in lowercase hex; set when it is installed.
    pub sha256: Option<String>,
    /// Whether this very template was installed before; set when it is installed.
    pub unchanged: Option<bool>,
    pub created_at: DateTime<Utc>,
    pub updated_at: DateTime<Utc>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = SqlUuid)]
    id: Uuid,
    #[diesel(sql_type = Text)]
    url: String,
    #[diesel(sql_type = Nullable<Text>)]
    git_ref: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    directory: Option<String>,
    #[diesel(sql_type = Text)]
    state: InstallState,
    #[diesel(sql_type = Nullable<Text>)]
    error: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    commit_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    reference: Option<String>,
    #[diesel(sql_type = Nullable<Binary>)]
    sha256: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Bool>)]
    unchanged: Option<bool>,
    #[diesel(sql_type = Timestamptz)]
    created_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    updated_at: DateTime<Utc>,
    #[diesel(sql_type = Bool)]
    has_job: bool,
}

impl From<Row> for TemplateInstall {
    fn from(row: Row) -> Self {
        let is_lost = row.state == InstallState::Pending && !row.has_job;
        TemplateInstall {
            id: row.id,
            state: if is_lost { InstallState::Failed } else { row.state },
            url: row.url,
            git_ref: row.git_ref,
            directory: row.directory,
            error: if is_lost { Some(row.error.unwrap_or_else(|| JOB_GONE.to_owned())) } else { row.error },
            commit: row.commit_id,
            reference: row.reference,
            sha256: row.sha256.map(|bytes| hex(&bytes)),
            unchanged: row.unchanged,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

impl TemplateInstall {
    #[must_use]
    pub fn source(&self) -> GitSource {
        GitSource { url: self.url.clone(), reference: self.git_ref.clone(), directory: self.directory.clone() }
    }
}

fn select() -> String {
    format!(
        "SELECT i.id, i.url, i.ref AS git_ref, i.directory, i.state, i.error, i.commit_id, i.reference, i.sha256, i.unchanged, \
         i.created_at, i.updated_at, EXISTS (SELECT 1 FROM jobs j WHERE j.kind = '{INSTALL}' AND j.key = i.id::text) AS has_job \
         FROM template_installs i"
    )
}

/// Writes down what is wanted and has a worker fetch it. The flag says whether the key had been seen before.
///
/// # Errors
/// [`Error::Conflict`] when too many are under way; the key's misuse.
pub fn create(
    connection: &mut PgConnection,
    source: &GitSource,
    key: Option<&IdempotencyKey>,
) -> Result<(TemplateInstall, bool)> {
    let (id, replayed) = connection.transaction(|connection| {
        let (id, replayed) = idempotency::claim_one(connection, key)?;
        if replayed {
            return Ok((id, true));
        }
        // One after the other, so that the limit holds.
        sql_query("LOCK TABLE template_installs IN SHARE ROW EXCLUSIVE MODE").execute(connection)?;
        tidy_up(connection)?;
        sql_query("INSERT INTO template_installs (id, url, ref, directory) VALUES ($1, $2, $3, $4)")
            .bind::<SqlUuid, _>(id)
            .bind::<Text, _>(&source.url)
            .bind::<Nullable<Text>, _>(source.reference.as_deref())
            .bind::<Nullable<Text>, _>(source.directory.as_deref())
            .execute(connection)?;
        let job = NewJob {
            payload: Some(json!({"install_id": id})),
            key: Some(id.to_string()),
            timeout: TIMEOUT,
            ..NewJob::new(INSTALL)
        };
        queue::enqueue(connection, &[job])?;
        Ok::<_, Error>((id, false))
    })?;
    Ok((get(connection, id)?, replayed))
}

/// Ends those that have lost their jobs, forgets the oldest, and refuses one more when there are too many.
fn tidy_up(connection: &mut PgConnection) -> Result<()> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        pending: i64,
    }
    sql_query(
        "UPDATE template_installs i SET state = 'failed', error = coalesce(error, $2), updated_at = now() \
         WHERE state = 'pending' AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.kind = $1 AND j.key = i.id::text)",
    )
    .bind::<Text, _>(INSTALL)
    .bind::<Text, _>(JOB_GONE)
    .execute(connection)?;
    sql_query(
        "DELETE FROM template_installs WHERE state <> 'pending' \
         AND id IN (SELECT id FROM template_installs ORDER BY id DESC OFFSET $1)",
    )
    .bind::<BigInt, _>(MOST_KEPT - 1)
    .execute(connection)?;
    let count: Count = sql_query("SELECT count(*) AS pending FROM template_installs WHERE state = 'pending'")
        .get_result(connection)?;
    if count.pending >= MOST_PENDING {
        return Err(Error::Conflict(format!(
            "{MOST_PENDING} templates are being installed, which is all that may be at once; wait until some of them are"
        )));
    }
    Ok(())
}

/// # Errors
/// [`Error::NotFound`].
pub fn get(connection: &mut PgConnection, id: Uuid) -> Result<TemplateInstall> {
    let row: Option<Row> =
        sql_query(format!("{} WHERE i.id = $1", select())).bind::<SqlUuid, _>(id).get_result(connection).optional()?;
    row.map(TemplateInstall::from).ok_or(Error::NotFound("template install", id))
}

/// The newest first.
///
/// # Errors
/// A cursor or limit that is wrong.
pub fn list(connection: &mut PgConnection, limit: Option<i64>, cursor: Option<&str>) -> Result<Page<TemplateInstall>> {
    let limit = page::limit(limit)?;
    let rows: Vec<Row> = sql_query(format!("{} WHERE ($1 IS NULL OR i.id < $1) ORDER BY i.id DESC LIMIT $2", select()))
        .bind::<Nullable<SqlUuid>, _>(page::id_cursor(cursor)?)
        .bind::<BigInt, _>(limit + 1)
        .load(connection)?;
    Ok(Page::of(rows, limit, |row| row.id.to_string()).map(TemplateInstall::from))
}

/// What a worker is to fetch; nothing, when that has ended or is forgotten.
///
/// # Errors
/// When the database does not answer.
pub fn begin(connection: &mut PgConnection, id: Uuid) -> Result<Option<TemplateInstall>> {
    let row: Option<Row> = sql_query(format!("{} WHERE i.id = $1 AND i.state = 'pending'", select()))
        .bind::<SqlUuid, _>(id)
        .get_result(connection)
        .optional()?;
    Ok(row.map(TemplateInstall::from))
}

/// Installs what was fetched, if the install is still pending; where that is not possible, it fails with the reason. All in one:
/// a worker that ends before or after leaves nothing half done.
///
/// # Errors
/// When the database does not answer.
pub fn installed(connection: &mut PgConnection, id: Uuid, template: &Template, commit: &str) -> Result<()> {
    connection.transaction(|connection| {
        let row: Option<Row> = sql_query(format!("{} WHERE i.id = $1 AND i.state = 'pending' FOR UPDATE OF i", select()))
            .bind::<SqlUuid, _>(id)
            .get_result(connection)
            .optional()?;
        let Some(install) = row.map(TemplateInstall::from) else { return Ok(()) };
        let unchanged = match templates::install(connection, template, &install.source().origin(commit)) {
            Ok(unchanged) => unchanged,
            Err(Error::Conflict(why)) => return failed(connection, id, &why, Some(commit)),
            Err(error) => return Err(error),
        };
        sql_query(
            "UPDATE template_installs SET state = 'installed', error = NULL, commit_id = $2, reference = $3, sha256 = $4, \
             unchanged = $5, updated_at = now() WHERE id = $1",
        )
        .bind::<SqlUuid, _>(id)
        .bind::<Text, _>(commit)
        .bind::<Text, _>(template.reference())
        .bind::<Binary, _>(template.sha256().as_slice())
        .bind::<Bool, _>(unchanged)
        .execute(connection)?;
        Ok(())
    })
}

/// It failed for good, and why.
///
/// # Errors
/// When the database does not answer.
pub fn failed(connection: &mut PgConnection, id: Uuid, error: &str, commit: Option<&str>) -> Result<()> {
    end_try(connection, id, InstallState::Failed, error, commit)
}

/// It did not work this time, and is tried again.
///
/// # Errors
/// When the database does not answer.
pub fn try_again(connection: &mut PgConnection, id: Uuid, error: &str) -> Result<()> {
    end_try(connection, id, InstallState::Pending, error, None)
}

fn end_try(
    connection: &mut PgConnection,
    id: Uuid,
    state: InstallState,
    error: &str,
    commit: Option<&str>,
) -> Result<()> {
    // Parts of it are a stranger's words, for a screen; and Postgres stores no NUL.
    let error = error.replace(char::is_control, " ");
    sql_query(
        "UPDATE template_installs SET state = $2, error = $3, commit_id = coalesce($4, commit_id), updated_at = now() \
         WHERE id = $1 AND state = 'pending'",
    )
    .bind::<SqlUuid, _>(id)
    .bind::<Text, _>(state)
    .bind::<Text, _>(head(&error, LONGEST_ERROR))
    .bind::<Nullable<Text>, _>(commit)
    .execute(connection)?;
    Ok(())
}
