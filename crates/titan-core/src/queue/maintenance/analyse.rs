//! Statistics of the hot table. It fills and empties within seconds, and autovacuum looks once a minute.

use diesel::sql_types::Bool;
use diesel::{PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::Result;
use crate::db::Prepare as _;

/// Analyses `jobs` when much of it has changed since the last time. Returns whether it did. The caller's transaction sets
/// how long it may take and how long it may wait for a vacuum.
///
/// # Errors
/// When the database does not answer in time.
pub fn analyse(connection: &mut PgConnection) -> Result<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        much: bool,
    }
    let row: Row = sql_query(
        "SELECT pg_stat_get_mod_since_analyze(oid) > 5000 + greatest(reltuples, 0) / 2 AS much \
         FROM pg_class WHERE oid = 'jobs'::regclass",
    )
    .prepared()
    .get_result(connection)?;
    if row.much {
        sql_query("ANALYZE jobs").execute(connection)?;
    }
    Ok(row.much)
}
