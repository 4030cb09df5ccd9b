//! Giving jobs back before they were done: at shutdown, and strays that nobody here knows of.

use diesel::sql_types::{Array, BigInt, Uuid as SqlUuid};
use diesel::{PgConnection, RunQueryDsl, sql_query};
use uuid::Uuid;

use crate::Result;

/// Makes jobs ready again at once. Only what this worker holds at exactly these epochs is given back; the attempt does not
/// count. Returns how many there were.
///
/// # Errors
/// When the database does not answer.
pub fn release(connection: &mut PgConnection, worker_id: Uuid, jobs: &[(i64, i64)]) -> Result<usize> {
    let (ids, epochs): (Vec<i64>, Vec<i64>) = jobs.iter().copied().unzip();
    Ok(sql_query(
        // Locked in the order in which everybody locks jobs.
        "WITH held AS MATERIALIZED (SELECT j.id FROM jobs j JOIN unnest($2, $3) AS r (id, epoch) \
           ON j.id = r.id AND j.epoch = r.epoch WHERE j.worker_id = $1 AND j.state = 'running' ORDER BY j.id FOR UPDATE OF j) \
         UPDATE jobs j SET state = 'ready', worker_id = NULL, deadline_at = NULL, epoch = j.epoch + 1, \
         attempt = greatest(j.attempt - 1, 0) FROM held WHERE j.id = held.id",
    )
    .bind::<SqlUuid, _>(worker_id)
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Array<BigInt>, _>(epochs)
    .execute(connection)?)
}
