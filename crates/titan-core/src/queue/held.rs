//! Whether a claim is still good, for writes that stand outside the engine.

use diesel::sql_types::BigInt;
use diesel::{PgConnection, RunQueryDsl, sql_query};

use crate::{Error, Result};

/// Holds a claimed job until the end of the transaction: nobody takes it over before what is written with it is there.
///
/// # Errors
/// [`Error::Fenced`] when it was lost.
pub fn hold(connection: &mut PgConnection, job_id: i64, epoch: i64) -> Result<()> {
    let held = sql_query("SELECT 1 FROM jobs WHERE id = $1 AND epoch = $2 AND state = 'running' FOR SHARE")
        .bind::<BigInt, _>(job_id)
        .bind::<BigInt, _>(epoch)
        .execute(connection)?;
    if held == 0 { Err(Error::Fenced { job_id, epoch }) } else { Ok(()) }
}
