//! The database: a pool for reads and short commands, connections of one's own, and the only hop from async to blocking.

mod connection;
mod migrations;
mod prepared;

use std::time::Duration;

/// Named here for those who keep a connection of their own without depending on diesel.
pub use diesel::PgConnection;
use diesel::r2d2::{self, ManageConnection};
use secrecy::{ExposeSecret, SecretString};

pub use connection::{connect, set_local_timeouts};
pub use migrations::{MIGRATIONS, migrate, pending};
pub use prepared::{Prepare, Prepared};

use crate::{Error, Result};

/// How long a caller waits for a free connection before it is told that there is none.
const POOL_WAIT: Duration = Duration::from_secs(5);

/// A handle on the database, cheap to clone.
#[derive(Clone)]
pub struct Db {
    pool: r2d2::Pool<Manager>,
    url: SecretString,
}

impl std::fmt::Debug for Db {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Db").field("pool", &self.pool.state()).finish_non_exhaustive()
    }
}

impl Db {
    /// A pool of up to `size` connections. Nothing is connected yet: a database that is away is met by the first use.
    ///
    /// # Errors
    /// Never in practice; the pool's builder could refuse its settings.
    pub fn new(url: &SecretString, size: u32) -> Result<Self> {
        let pool = r2d2::Pool::builder()
            .max_size(size)
            .min_idle(Some(0))
            .connection_timeout(POOL_WAIT)
            .idle_timeout(Some(Duration::from_secs(300)))
            .error_handler(Box::new(Quiet))
            .build_unchecked(Manager { url: url.clone() });
        Ok(Db { pool, url: url.clone() })
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
        query(&mut connection)
    }

    /// A connection of one's own, outside the pool.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub fn dedicated(&self) -> Result<PgConnection> {
        connect(self.url.expose_secret())
    }

    /// A connection for the engine's statements, which know their indexes.
    ///
    /// # Errors
    /// When the database cannot be reached.
    pub fn for_engine(&self) -> Result<PgConnection> {
        let mut connection = self.dedicated()?;
        connection::settle_for_engine(&mut connection)?;
        Ok(connection)
    }

    #[must_use]
    pub fn url(&self) -> &SecretString {
        &self.url
    }
}

/// Makes and checks the pool's connections. A connection is checked when it is taken: one round trip, so that after a
/// restart of Postgres no caller meets a dead one.
struct Manager {
    url: SecretString,
}

impl ManageConnection for Manager {
    type Connection = PgConnection;
    type Error = Error;

    fn connect(&self) -> Result<PgConnection> {
        connect(self.url.expose_secret())
    }

    fn is_valid(&self, connection: &mut PgConnection) -> Result<()> {
        use diesel::connection::SimpleConnection;
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
