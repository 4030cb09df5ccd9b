//! The database: a pool for reads and short commands, connections of one's own, and the only hop from async to blocking.

mod connection;
mod migrations;
mod prepared;

use std::time::Duration;

use diesel::Connection as _;
/// Named here for those who keep a connection of their own without depending on diesel.
pub use diesel::PgConnection;
use diesel::connection::SimpleConnection as _;
use diesel::r2d2::{self, ManageConnection};
use secrecy::{ExposeSecret, SecretString};

pub use connection::{connect, read_only, set_local_timeouts};
pub use migrations::{MIGRATIONS, migrate, pending};
pub use prepared::{Prepare, Prepared};

use crate::config::Config;
use crate::{Error, Result};

/// How long a caller waits for a free connection before it is told that there is none.
const POOL_WAIT: Duration = Duration::from_secs(5);

/// A handle on the database, cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: r2d2::Pool<Manager>,
    address: Address,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("pool", &self.pool.state()).finish_non_exhaustive()
    }
}

impl Db {
    /// The database that a daemon is configured for, with a pool of up to `size` connections. Nothing is connected yet: a
    /// database that is away is met by the first use.
    ///
    /// # Errors
    /// Never in practice; the pool's builder could refuse its settings.
    pub fn of(config: &Config, size: u32) -> Result<Self> {
        Self::at(Address { url: config.database_url.clone(), pooler: config.pooler }, size)
    }

    /// The same for an address of Postgres itself.
    ///
    /// # Errors
    /// As above.
    pub fn new(url: &SecretString, size: u32) -> Result<Self> {
        Self::at(Address { url: url.clone(), pooler: false }, size)
    }

    fn at(address: Address, size: u32) -> Result<Self> {
        let pool = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(POOL_WAIT)
            .idle_timeout(Some(Duration::from_secs(300)))
            .error_handler(Box::new(Quiet))
            .build_unchecked(Manager(address.clone()));
        Ok(Db { pool, address })
    }

    /// Runs a query off the async threads.
    ///
    /// # Errors
    /// What the query returns, or that no connection was free in time.
    pub async fn run<T, F>(&self, query: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut PgConnection) -> Result<T> + Send + 'static,
    {
        let db = self.clone();
        tokio::task::spawn_blocking(move || db.run_blocking(query))
            .await
            .map_err(|error| Error::Internal(format!("a query's thread ended early: {error}")))?
    }

    /// The same on the calling thread, for code that is blocking already.
    ///
    /// # Errors
    /// As above.
    pub fn run_blocking<T>(&self, query: impl FnOnce(&mut PgConnection) -> Result<T>) -> Result<T> {
        let waiting = std::time::Instant::now();
        let mut connection =
            self.pool.get().map_err(|error| Error::Unavailable(crate::error::one_line(&error.to_string())))?;
        let meter = crate::meter::Meter::get();
        meter.pool_waits.one();
        meter.pool_wait_us.time(waiting.elapsed());
        self.on(&mut connection, query)
    }

    /// Runs a query on a [`Db::dedicated`] connection, under the timeouts of every connection. Behind a pooler they hold
    /// only within a transaction, so there the query is one.
    ///
    /// # Errors
    /// What the query returns, or that the database did not take it.
    pub fn on<T>(
        &self,
        connection: &mut PgConnection,
        query: impl FnOnce(&mut PgConnection) -> Result<T>,
    ) -> Result<T> {
        if !self.address.pooler {
            return query(connection);
        }
        connection.transaction(|connection| {
            connection.batch_execute(&connection::LOCAL)?;
            query(connection)
        })
    }

    /// A connection of one's own, outside the pool. What is to run on it goes through [`Db::on`].
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub fn dedicated(&self) -> Result<PgConnection> {
        self.address.connect()
    }

    /// A connection for the engine's statements, which know their indexes. Behind a pooler each of their transactions begins
    /// with [`Db::engine_settings`].
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub fn for_engine(&self) -> Result<PgConnection> {
        let mut connection = self.dedicated()?;
        if !self.address.pooler {
            connection::settle_for_engine(&mut connection)?;
        }
        Ok(connection)
    }

    /// The statements that a transaction of the engine has to begin with, where the session cannot keep settings.
    #[must_use]
    pub fn engine_settings(&self) -> Option<&'static str> {
        self.address.pooler.then(|| connection::ENGINE_LOCAL.as_str())
    }

    #[must_use]
    pub fn url(&self) -> &SecretString {
        &self.address.url
    }
}

/// Where the database is, and whether a pooler in transaction mode stands before it.
#[derive(Clone)]
struct Address {
    url: SecretString,
    pooler: bool,
}

impl Address {
    fn connect(&self) -> Result<PgConnection> {
        let url = self.url.expose_secret();
        if self.pooler { connection::connect_through_pooler(url) } else { connect(url) }
    }
}

/// Makes and checks the pool's connections. A connection is checked when it is taken: one round trip, so that after a
/// restart of Postgres no caller meets a dead one.
struct Manager(Address);

impl ManageConnection for Manager {
    type Connection = PgConnection;
    type Error = Error;

    fn connect(&self) -> Result<PgConnection> {
        self.0.connect()
    }

    fn is_valid(&self, connection: &mut PgConnection) -> Result<()> {
        Ok(connection.batch_execute("SELECT 1")?)
    }

    fn has_broken(&self, connection: &mut PgConnection) -> bool {
        use diesel::connection::{AnsiTransactionManager, TransactionManager};
        std::thread::panicking() || AnsiTransactionManager::is_broken_transaction_manager(connection)
    }
}

/// The pool would log each failed connect of its own threads; the caller that waits is told anyway.
#[derive(Debug)]
struct Quiet;

impl r2d2::HandleError<Error> for Quiet {
    fn handle_error(&self, error: Error) {
        tracing::debug!(%error, "the pool could not connect");
    }
}
