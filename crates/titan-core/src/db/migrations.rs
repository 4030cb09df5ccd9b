//! The schema's history, embedded and applied at start by whichever daemon comes first.

use diesel::sql_types::BigInt;
use diesel::{Connection, PgConnection, RunQueryDsl, sql_query};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};

use super::set_local_timeouts;
use crate::{Error, Result};

pub const MIGRATIONS: EmbeddedMigrations = embed_migrations!("../../migrations");

/// Any number, the same in every version of Titan: who holds it migrates.
const LOCK: i64 = 0x7469_7461_6e00_0001;

/// Applies what is not applied yet, all of it or nothing, and says what that was.
///
/// One transaction holds the lock and every migration, so that it works through a transaction pooler too, a second
/// daemon waits and then finds nothing to do, and one that fails leaves no half of a schema.
///
/// # Errors
/// The migration that failed and why, in one line.
pub fn migrate(connection: &mut PgConnection) -> Result<Vec<String>> {
    connection.transaction(|connection| {
        set_local_timeouts(connection, 600_000, 120_000)?;
        sql_query("SELECT pg_advisory_xact_lock($1)").bind::<BigInt, _>(LOCK).execute(connection)?;
        let mut applied = Vec::new();
        for migration in connection.pending_migrations(MIGRATIONS).map_err(failed)? {
            let name = migration.name().to_string();
            connection.run_migration(&*migration).map_err(|error| {
                Error::Refused(format!("migration {name} failed: {}", crate::error::one_line(&error.to_string())))
            })?;
            applied.push(name);
        }
        // A database that slept for a week has no partition of today; whoever starts first makes it.
        sql_query("SELECT titan_ensure_history_partitions(7)").execute(connection)?;
        Ok(applied)
    })
}

/// The names of the migrations that this program has and the database has not.
///
/// # Errors
/// When the database does not answer.
pub fn pending(connection: &mut PgConnection) -> Result<Vec<String>> {
    let pending = connection.pending_migrations(MIGRATIONS).map_err(failed)?;
    Ok(pending.iter().map(|migration| migration.name().to_string()).collect())
}

fn failed(error: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Unavailable(crate::error::one_line(&error.to_string()))
}
