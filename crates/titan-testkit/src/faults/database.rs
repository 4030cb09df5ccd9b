//! The database of one trial, on the cluster that all trials share. Asked also while Postgres is being restarted: each
//! question has a connection of its own and patience.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Jsonb};
use diesel::{PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use secrecy::{ExposeSecret as _, SecretString};
use serde::de::DeserializeOwned;
use serde_json::Value;
use titan_core::db;
use url::Url;

use crate::daemon::Cluster;

const PATIENCE: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(50);
/// Waits for nothing, since the row itself may hold locks.
const WITHOUT_LIMITS: &str =
    "SET statement_timeout = '60s'; SET lock_timeout = '20s'; SET idle_in_transaction_session_timeout = 0";

/// Gone when it is dropped.
pub(crate) struct Database {
    pub(crate) url: SecretString,
    pub(crate) name: String,
    server: SecretString,
}

impl Database {
    /// A copy of the cluster's own database, which is migrated and empty.
    pub(crate) fn new(cluster: &Cluster) -> anyhow::Result<Self> {
        let name = format!("trial_{}", titan_core::ids::new().simple());
        let server = named(&cluster.url, "postgres")?;
        let mut connection = connect(&server)?;
        connection.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE titan"))?;
        Ok(Database { url: named(&cluster.url, &name)?, name, server })
    }

    pub(crate) fn connect(&self) -> anyhow::Result<PgConnection> {
        connect(&self.url)
    }

    /// A connection to the server as such, which does not count as one of the trial's.
    pub(crate) fn beside(&self) -> anyhow::Result<PgConnection> {
        connect(&self.server)
    }

    pub(crate) fn count(&self, expression: &str) -> anyhow::Result<i64> {
        count(&mut self.connect()?, expression)
    }

    /// Whatever the query selects, by the names of its columns.
    pub(crate) fn rows<T: DeserializeOwned>(&self, query: &str) -> anyhow::Result<Vec<T>> {
        rows(&mut self.connect()?, query)
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // One that a failed trial leaves behind goes with its cluster.
        if let Ok(mut server) = db::connect(self.server.expose_secret()) {
            let _ = server.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

fn named(url: &SecretString, name: &str) -> anyhow::Result<SecretString> {
    let mut url = Url::parse(url.expose_secret())?;
    url.set_path(name);
    Ok(SecretString::from(String::from(url)))
}

fn connect(url: &SecretString) -> anyhow::Result<PgConnection> {
    let give_up = Instant::now() + PATIENCE;
    loop {
        let connected = db::connect(url.expose_secret()).and_then(|mut connection| {
            connection.batch_execute(WITHOUT_LIMITS)?;
            Ok(connection)
        });
        match connected {
            Ok(connection) => return Ok(connection),
            Err(_) if Instant::now() < give_up => std::thread::sleep(PAUSE),
            Err(error) => return Err(error).context("the database is not there"),
        }
    }
}

pub(crate) fn count(connection: &mut PgConnection, expression: &str) -> anyhow::Result<i64> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        value: i64,
    }
    let sql = format!("SELECT ({expression})::bigint AS value");
    let row: Row = sql_query(&sql).get_result(connection).context(sql)?;
    Ok(row.value)
}

pub(crate) fn rows<T: DeserializeOwned>(connection: &mut PgConnection, query: &str) -> anyhow::Result<Vec<T>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Jsonb)]
        value: Value,
    }
    let sql = format!("SELECT to_jsonb(q) AS value FROM ({query}) AS q");
    let found: Vec<Row> = sql_query(&sql).load(connection).with_context(|| sql.clone())?;
    found.into_iter().map(|row| serde_json::from_value(row.value).with_context(|| sql.clone())).collect()
}
