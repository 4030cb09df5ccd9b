//! A database for one measurement, with a connection of the bench's own that no timeout disturbs.

use anyhow::Context as _;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Double, Text};
use diesel::{PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use secrecy::ExposeSecret as _;
use titan_core::db::{self, Db};

use super::processes;
use crate::db::TestDb;

/// Fresh and migrated; gone when it is dropped.
pub(crate) struct Database {
    pub(crate) connection: PgConnection,
    test: TestDb,
    postmaster: u32,
}

impl Database {
    pub(crate) fn new() -> anyhow::Result<Self> {
        let test = TestDb::new();
        let mut connection = db::connect(test.url.expose_secret())?;
        connection.batch_execute(
            "SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0",
        )?;
        let backend: i64 = number(&mut connection, "pg_backend_pid()")?;
        let postmaster = processes::parent(u32::try_from(backend)?).context("the bench needs a Postgres of its own")?;
        Ok(Database { connection, test, postmaster })
    }

    pub(crate) fn url(&self) -> &str {
        self.test.url.expose_secret()
    }

    pub(crate) fn db(&self) -> &Db {
        &self.test.db
    }

    pub(crate) fn name(&self) -> &str {
        &self.test.name
    }

    pub(crate) fn execute(&mut self, sql: &str) -> anyhow::Result<()> {
        self.connection.batch_execute(sql).with_context(|| sql.to_owned())
    }

    /// Whole numbers.
    pub(crate) fn count(&mut self, expression: &str) -> anyhow::Result<i64> {
        number(&mut self.connection, expression)
    }

    /// Seconds, rates and the like; null counts as 0.
    pub(crate) fn value(&mut self, expression: &str) -> anyhow::Result<f64> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Double)]
            value: f64,
        }
        let sql = format!("SELECT coalesce(({expression})::float8, 0) AS value");
        let row: Row = sql_query(&sql).get_result(&mut self.connection).context(sql)?;
        Ok(row.value)
    }

    pub(crate) fn text(&mut self, expression: &str) -> anyhow::Result<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            value: String,
        }
        let sql = format!("SELECT ({expression})::text AS value");
        let row: Row = sql_query(&sql).get_result(&mut self.connection).context(sql)?;
        Ok(row.value)
    }

    /// The same of many rows.
    pub(crate) fn values(&mut self, query: &str) -> anyhow::Result<Vec<f64>> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Double)]
            value: f64,
        }
        let sql = format!("SELECT value::float8 AS value FROM ({query}) AS q (value) WHERE value IS NOT NULL");
        let rows: Vec<Row> = sql_query(&sql).load(&mut self.connection).context(sql)?;
        Ok(rows.into_iter().map(|row| row.value).collect())
    }

    /// Seconds of CPU of all of Postgres so far.
    pub(crate) fn cpu_seconds(&self) -> f64 {
        processes::cpu_seconds_of_postgres(self.postmaster)
    }

    /// What was given to the server, as far as it differs from what it comes with, and its version.
    pub(crate) fn settings(&mut self) -> anyhow::Result<Vec<(String, String)>> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            name: String,
            #[diesel(sql_type = Text)]
            value: String,
        }
        let rows: Vec<Row> = sql_query(
            "SELECT name, current_setting(name) AS value FROM pg_settings \
             WHERE name IN ('server_version', 'fsync', 'synchronous_commit', 'full_page_writes', 'wal_level', 'jit') \
                OR source IN ('configuration file', 'command line') AND category NOT LIKE ALL (ARRAY['Client%', 'Reporting%']) \
                   AND name NOT IN ('port', 'listen_addresses', 'unix_socket_directories', 'password_encryption') \
             ORDER BY name <> 'server_version', name",
        )
        .load(&mut self.connection)?;
        Ok(rows.into_iter().map(|row| (row.name, row.value)).collect())
    }
}

fn number(connection: &mut PgConnection, expression: &str) -> anyhow::Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }
    let sql = format!("SELECT ({expression})::bigint AS value");
    let row: Row = sql_query(&sql).get_result(connection).context(sql)?;
    Ok(row.value)
}
