//! The published versions of a project: v1, v2 and so on, each the tag of a commit.

use chrono::{DateTime, Utc};
use diesel::sql_types::{BigInt, Integer, Nullable, Text, Timestamptz, Uuid as SqlUuid};
use diesel::{OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::page::Page;
use crate::{Error, Result, ids, projects};

#[derive(Debug, Clone, PartialEq, Serialize, QueryableByName, ToSchema)]
pub struct Publication {
    #[diesel(sql_type = SqlUuid)]
    pub id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub project_id: Uuid,
    #[diesel(sql_type = SqlUuid)]
    pub run_id: Uuid,
    /// 1 is the first.
    #[diesel(sql_type = Integer)]
    pub number: i32,
    #[diesel(sql_type = Text)]
    pub commit_id: String,
    /// Where it was when it was published.
    #[diesel(sql_type = Nullable<Text>)]
    pub address: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
}

impl Publication {
    /// The tag of its commit.
    #[must_use]
    pub fn tag(&self) -> String {
        format!("v{}", self.number)
    }
}

const COLUMNS: &str = "id, project_id, run_id, number, commit_id, address, created_at";

/// How often somebody else may be first before this gives up.
const TRIES: usize = 8;

/// Gives what a run made the next number. Said again by the same run, it is the same publication.
///
/// # Errors
/// [`crate::Error::NotFound`] for the project.
pub fn publish(
    connection: &mut PgConnection,
    project_id: Uuid,
    run_id: Uuid,
    commit: &str,
    address: Option<&str>,
) -> Result<Publication> {
    projects::exists(connection, project_id)?;
    for _ in 0..TRIES {
        // Nothing is written when the run has published already, or somebody else took the number just now.
        sql_query(
            "INSERT INTO publications (id, project_id, run_id, number, commit_id, address) \
             SELECT $1, $2, $3, coalesce(max(number), 0) + 1, $4, $5 FROM publications WHERE project_id = $2 \
             ON CONFLICT DO NOTHING",
        )
        .bind::<SqlUuid, _>(ids::new())
        .bind::<SqlUuid, _>(project_id)
        .bind::<SqlUuid, _>(run_id)
        .bind::<Text, _>(commit)
        .bind::<Nullable<Text>, _>(address)
        .execute(connection)?;
        let published = sql_query(format!("SELECT {COLUMNS} FROM publications WHERE run_id = $1"))
            .bind::<SqlUuid, _>(run_id)
            .get_result(connection)
            .optional()?;
        if let Some(published) = published {
            return Ok(published);
        }
    }
    Err(Error::Conflict("others publish this project all the time; try again".to_owned()))
}

/// The newest first.
///
/// # Errors
/// [`crate::Error::NotFound`] for the project; a cursor or limit that is wrong.
pub fn list(
    connection: &mut PgConnection,
    project_id: Uuid,
    limit: Option<i64>,
    cursor: Option<&str>,
) -> Result<Page<Publication>> {
    let limit = crate::page::limit(limit)?;
    projects::exists(connection, project_id)?;
    let rows: Vec<Publication> = sql_query(format!(
        "SELECT {COLUMNS} FROM publications WHERE project_id = $1 AND ($2 IS NULL OR id < $2) ORDER BY id DESC LIMIT $3"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<SqlUuid>, _>(crate::page::id_cursor(cursor)?)
    .bind::<BigInt, _>(limit + 1)
    .load(connection)?;
    Ok(Page::of(rows, limit, |row| row.id.to_string()))
}
