//! How a connection to Postgres is opened: what libpq is told, and which settings hold on it: for its whole session, or,
//! behind a pooler, for each transaction.

use std::sync::LazyLock;

use diesel::connection::{CacheSize, SimpleConnection};
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

/// No statement runs longer, no lock is awaited longer, no transaction stays open idle longer. None is compiled: what we ask reads little,
/// and compiling takes longer than that, which a planner who takes a table for larger than it is would not know.
const BASIC: [Setting; 6] = [
    ("statement_timeout", "'30s'"),
    ("lock_timeout", "'10s'"),
    ("idle_in_transaction_session_timeout", "'30s'"),
    ("timezone", "'UTC'"),
    ("client_min_messages", "'warning'"),
    ("jit", "off"),
];

/// A table that is empty most of the time has statistics that say so, and a planner that believes them would read and sort
/// the whole table at the moment it is full. Here only the indexes remain, and a plan is made once.
const BY_INDEX: [Setting; 6] = [
    ("enable_seqscan", "off"),
    ("enable_bitmapscan", "off"),
    ("enable_sort", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
    ("plan_cache_mode", "force_generic_plan"),
];

/// A worker that is cut off or frozen in the middle of a transaction keeps its jobs locked, and nobody can take what is
/// locked. Between two statements of the engine there is no more than a little arithmetic. And what others lock, the engine
/// waits for with a whole batch, so it does not wait long.
const IMPATIENT: [Setting; 2] = [("idle_in_transaction_session_timeout", "'5s'"), ("lock_timeout", "'1s'")];

/// A setting of Postgres and its value, as SQL.
type Setting = (&'static str, &'static str);

static SESSION: LazyLock<String> = LazyLock::new(|| statements("SET", &[&BASIC]));
static ENGINE_SESSION: LazyLock<String> = LazyLock::new(|| statements("SET", &[&BY_INDEX, &IMPATIENT]));
/// What a transaction behind a pooler begins with.
pub(super) static LOCAL: LazyLock<String> = LazyLock::new(|| statements("SET LOCAL", &[&BASIC]));
/// The same for the engine's.
pub(super) static ENGINE_LOCAL: LazyLock<String> =
    LazyLock::new(|| statements("SET LOCAL", &[&BASIC, &BY_INDEX, &IMPATIENT]));

fn statements(set: &str, groups: &[&[Setting]]) -> String {
    let all = groups.iter().flat_map(|group| group.iter());
    all.map(|(name, value)| format!("{set} {name} = {value}")).collect::<Vec<_>>().join("; ")
}

/// Opens a connection to Postgres itself.
///
/// # Errors
/// When the database cannot be reached, in one line without a password.
pub fn connect(url: &str) -> Result<PgConnection> {
    let mut connection = PgConnection::establish(&with_link_settings(url)?)?;
    connection.batch_execute(&SESSION)?;
    Ok(connection)
}

/// Opens a connection to a pooler in transaction mode. Whatever it left behind in a session, a statement that is prepared or
/// a setting, would be met by a stranger there.
pub(super) fn connect_through_pooler(url: &str) -> Result<PgConnection> {
    let mut connection = PgConnection::establish(&with_link_settings(url)?)?;
    connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    Ok(connection)
}

/// What holds on a connection of the engine besides: the planner uses indexes and nothing else, and a transaction that was
/// left open ends soon.
///
/// # Errors
/// When Postgres refuses.
pub(super) fn settle_for_engine(connection: &mut PgConnection) -> Result<()> {
    Ok(connection.batch_execute(&ENGINE_SESSION)?)
}

/// A transaction that changes nothing. It may be part of another one, as everything is behind a pooler.
///
/// # Errors
/// What is read, or when Postgres refuses.
pub fn read_only<T>(connection: &mut PgConnection, read: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
    connection.transaction(|connection| {
        // SET TRANSACTION would do, but Postgres counts it as a setting of the session.
        connection.batch_execute("SET LOCAL transaction_read_only = on")?;
        read(connection)
    })
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
