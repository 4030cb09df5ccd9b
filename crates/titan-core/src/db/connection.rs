//! How a connection to Postgres is opened: what libpq is told, and which timeouts hold on every connection.

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection};
use url::Url;

use crate::{Error, Result};

/// libpq gives up after this many seconds, and notices a dead peer by keep-alives.
const LINK: [(&str, &str); 6] = [
    ("connect_timeout", "5"),
    ("keepalives", "1"),
    ("keepalives_idle", "10"),
    ("keepalives_interval", "5"),
    ("keepalives_count", "3"),
    ("tcp_user_timeout", "15000"),
];

/// No statement runs longer, no lock is awaited longer, no transaction stays open idle longer.
const SESSION: &str = "SET statement_timeout = '30s'; SET lock_timeout = '10s'; \
     SET idle_in_transaction_session_timeout = '30s'; SET TIME ZONE 'UTC'; SET client_min_messages = 'warning'";

/// Opens a connection.
///
/// # Errors
/// When the database cannot be reached, in one line without a password.
pub fn connect(url: &str) -> Result<PgConnection> {
    let mut connection = PgConnection::establish(&with_link_settings(url)?)?;
    connection.batch_execute(SESSION)?;
    Ok(connection)
}

/// A worker that is cut off or frozen in the middle of a transaction keeps its jobs locked, and nobody can take what is
/// locked. Between two statements of the engine there is no more than a little arithmetic.
const SOON_IDLE: &str = "SET idle_in_transaction_session_timeout = '5s'";

/// A table that is empty most of the time has statistics that say so, and a planner that believes them would read and sort
/// the whole table at the moment it is full. Here only the indexes remain, a plan is made once, and none is compiled.
const BY_INDEX: &str = "SET enable_seqscan = off; SET enable_bitmapscan = off; SET enable_sort = off; \
     SET enable_hashjoin = off; SET enable_mergejoin = off; SET plan_cache_mode = force_generic_plan; SET jit = off";

/// What holds on a connection of the engine besides: the planner uses indexes and nothing else, and a transaction that was
/// left open ends soon.
///
/// # Errors
/// When Postgres refuses.
pub(super) fn settle_for_engine(connection: &mut PgConnection) -> Result<()> {
    Ok(connection.batch_execute(&format!("{BY_INDEX}; {SOON_IDLE}"))?)
}

/// Other timeouts for the transaction that is open.
///
/// # Errors
/// When Postgres refuses.
pub fn set_local_timeouts(connection: &mut PgConnection, statement_ms: u32, lock_ms: u32) -> Result<()> {
    let sql = format!("SET LOCAL statement_timeout = {statement_ms}; SET LOCAL lock_timeout = {lock_ms}");
    Ok(connection.batch_execute(&sql)?)
}

/// Adds what the caller did not set itself.
fn with_link_settings(url: &str) -> Result<String> {
    let mut url = Url::parse(url).map_err(|_| Error::Internal("the database URL cannot be read".to_owned()))?;
    for (name, value) in LINK.into_iter().chain([("application_name", "titan")]) {
        if !url.query_pairs().any(|(given, _)| given == name) {
            url.query_pairs_mut().append_pair(name, value);
        }
    }
    Ok(url.into())
}
