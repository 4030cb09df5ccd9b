//! The history's partitions, made ahead.

use diesel::sql_types::Integer;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl, sql_query};

use crate::Result;

/// Makes the history's partitions of the next week.
///
/// # Errors
/// When the database does not answer.
pub fn prepare_partitions(connection: &mut PgConnection) -> Result<usize> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Integer)]
        made: i32,
    }
    // Two workers that start on the same day would both try to make the same table; the lock lets one go first.
    connection.transaction(|connection| {
        sql_query("SELECT pg_advisory_xact_lock(hashtext('titan_history_partitions'))").execute(connection)?;
        let row: Row = sql_query("SELECT titan_ensure_history_partitions(7) AS made").get_result(connection)?;
        Ok(usize::try_from(row.made).unwrap_or(0))
    })
}
