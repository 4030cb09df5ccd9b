//! What the tables have in common whose rows simply belong to a project: how many there may be, and how one is deleted.

use diesel::sql_types::{BigInt, Uuid as SqlUuid};
use diesel::{OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::{Error, Result};

/// Refuses `more` rows when a project would then have more than `most` of them. Two that count at once may together go a
/// little over a limit, which is there against floods and not for the last row.
pub(crate) fn refuse_more(
    connection: &mut PgConnection,
    table: &'static str,
    project_id: Uuid,
    more: i64,
    most: i64,
) -> Result<()> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        there: i64,
    }
    let Row { there } = sql_query(format!("SELECT count(*) AS there FROM {table} WHERE project_id = $1"))
        .bind::<SqlUuid, _>(project_id)
        .get_result(connection)?;
    if there + more <= most {
        return Ok(());
    }
    Err(Error::Conflict(format!("a project has at most {most} {table}, and this one has {there}; delete some first")))
}

/// Deletes one, and says of which project it was. Those of a deleted project are not there.
pub(crate) fn delete(connection: &mut PgConnection, table: &'static str, id: Uuid) -> Result<Option<Uuid>> {
    #[derive(QueryableByName)]
    struct Gone {
        #[diesel(sql_type = SqlUuid)]
        project_id: Uuid,
    }
    let gone: Option<Gone> = sql_query(format!(
        "DELETE FROM {table} t USING projects p WHERE t.id = $1 AND p.id = t.project_id AND p.deleted_at IS NULL \
         RETURNING t.project_id"
    ))
    .bind::<SqlUuid, _>(id)
    .get_result(connection)
    .optional()?;
    Ok(gone.map(|gone| gone.project_id))
}
