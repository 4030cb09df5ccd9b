//! All that is stored of what a project remembers, for whoever wants to have or to check it.

use diesel::sql_types::{BigInt, Nullable, Uuid as SqlUuid};
use diesel::{PgConnection, RunQueryDsl, sql_query};
use uuid::Uuid;

use super::{COLUMNS, Memory};
use crate::Result;

/// Memories that are read at once.
pub const EXPORT_BATCH: usize = 500;

/// The next batch of a project's own memories, the oldest first, expired ones included, and also of a deleted project. The last batch is a smaller one.
///
/// # Errors
/// [`crate::Error::NotFound`] for a project that never was.
pub fn export(connection: &mut PgConnection, project_id: Uuid, after: Option<Uuid>) -> Result<Vec<Memory>> {
    crate::projects::was_created(connection, project_id)?;
    Ok(sql_query(format!(
        "SELECT {COLUMNS} FROM memories m WHERE m.project_id = $1 AND ($2 IS NULL OR m.id > $2) ORDER BY m.id LIMIT $3"
    ))
    .bind::<SqlUuid, _>(project_id)
    .bind::<Nullable<SqlUuid>, _>(after)
    .bind::<BigInt, _>(i64::try_from(EXPORT_BATCH).unwrap_or(i64::MAX))
    .load(connection)?)
}
