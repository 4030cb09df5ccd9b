//! A PgBouncer in transaction mode before a test's database.

use std::net::TcpListener;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::Command;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use url::Url;

use crate::daemon::Daemon;
use crate::wait;

/// Connections to Postgres; fewer than a single daemon holds, so that they are truly shared.
pub const SHARED: usize = 4;

/// A pooler that is killed when it is dropped.
pub struct Pooler {
    _daemon: Daemon,
    dir: PathBuf,
    url: Url,
}

impl Pooler {
    /// One that leads to the database of this URL.
    ///
    /// # Panics
    /// When PgBouncer is not on this machine or does not start.
    #[must_use]
    pub fn start(database: &str) -> Self {
        let mut url = Url::parse(database).expect("a URL");
        let dir = std::env::temp_dir().join(format!("titan-pooler.{}", titan_core::ids::new().simple()));
        // The settings hold the password.
        std::fs::DirBuilder::new().mode(0o700).create(&dir).expect("a folder for the pooler");
        let file = dir.join("pgbouncer.ini");
        for _ in 0..20 {
            let port = free_port();
            std::fs::write(&file, settings(&url, port)).expect("the pooler's settings");
            let mut command = Command::new("pgbouncer");
            command.env("PATH", path()).arg(&file);
            // It refuses to run as root, and needs nothing of its own once it has read its settings.
            if is_root() {
                command.args(["-u", "nobody"]);
            }
            let mut daemon = Daemon::launch("pgbouncer (apt-get install pgbouncer)", command);
            let up = wait::until_blocking("the pooler", || {
                let log = daemon.log();
                let up = log.contains("process up");
                (up || !daemon.is_running()).then_some(up && !log.contains("Address already in use"))
            });
            if up {
                url.set_port(Some(port)).expect("a port");
                return Pooler { _daemon: daemon, dir, url };
            }
            assert!(daemon.log().contains("Address already in use"), "the pooler does not start:\n{}", daemon.log());
        }
        panic!("no free port for the pooler");
    }

    /// The same database through the pooler. Postgres knows its sessions by the name `pooled`.
    #[must_use]
    pub fn url(&self) -> String {
        let mut url = self.url.clone();
        url.query_pairs_mut().append_pair("application_name", "pooled");
        url.into()
    }

    /// A client that leaves everything as it finds it.
    fn connect(&self) -> PgConnection {
        let mut connection = PgConnection::establish(&self.url()).expect("a connection through the pooler");
        connection.set_prepared_statement_cache_size(diesel::connection::CacheSize::Disabled);
        connection
    }

    /// What the clients so far have left in the sessions that they shared, one line for each session with settings,
    /// statements or locks. All sessions are looked at, so nobody else may be in a transaction meanwhile. The time zone and
    /// the encoding are not listed: the pooler gives them to each client by itself.
    ///
    /// # Panics
    /// When the pooler does not answer.
    #[must_use]
    pub fn leftovers(&self) -> Vec<String> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            left: String,
        }
        let mut clients: Vec<PgConnection> = (0..SHARED).map(|_| self.connect()).collect();
        let look = |client: &mut PgConnection| {
            // Kept open, so that the next one is given another session.
            client.batch_execute("BEGIN").expect("a session of the pooler's");
            let row: Row = sql_query(
                "SELECT concat_ws(', ', \
                   (SELECT string_agg(name || '=' || setting, ', ') FROM pg_settings WHERE source = 'session' \
                     AND name NOT IN ('TimeZone', 'client_encoding', 'application_name')), \
                   (SELECT string_agg('statement ' || name, ', ') FROM pg_prepared_statements), \
                   (SELECT string_agg('lock ' || objid, ', ') FROM pg_locks \
                     WHERE locktype = 'advisory' AND pid = pg_backend_pid())) AS left",
            )
            .get_result(client)
            .expect("what is left in a session");
            row.left
        };
        let left = clients.iter_mut().map(look).filter(|left| !left.is_empty()).collect();
        for client in &mut clients {
            client.batch_execute("ROLLBACK").expect("the end of a look");
        }
        left
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

fn settings(to: &Url, port: u16) -> String {
    let (host, server_port) = (to.host_str().expect("a host"), to.port().unwrap_or(5432));
    let (name, user) = (to.path().trim_start_matches('/'), to.username());
    let password = to.password().unwrap_or_default().replace('\'', "''");
    format!(
        "[databases]\n\
         {name} = host={host} port={server_port} dbname={name} user={user} password='{password}'\n\
         [pgbouncer]\n\
         listen_addr = 127.0.0.1\n\
         listen_port = {port}\n\
         unix_socket_dir =\n\
         auth_type = any\n\
         pool_mode = transaction\n\
         default_pool_size = {SHARED}\n\
         max_client_conn = 200\n\
         query_wait_timeout = 10\n\
         server_login_retry = 1\n\
         log_connections = 0\n\
         log_disconnections = 0\n"
    )
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

/// Debian keeps it where only administrators look.
fn path() -> String {
    format!("{}:/usr/sbin:/usr/local/sbin", std::env::var("PATH").unwrap_or_default())
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

#[cfg(test)]
mod tests {
    use secrecy::ExposeSecret as _;

    use super::*;
    use crate::db::TestDb;

    #[test]
    fn what_is_left_in_a_shared_session_is_seen() {
        let database = TestDb::new();
        let pooler = Pooler::start(database.url.expose_secret());
        assert!(pooler.leftovers().is_empty());
        for (careless, seen) in [
            ("SET enable_sort = off", "enable_sort=off"),
            ("PREPARE mine AS SELECT 1", "statement mine"),
            ("DO $$ BEGIN PERFORM pg_advisory_lock(7); END $$", "lock 7"),
        ] {
            pooler.connect().batch_execute(careless).expect(careless);
            let left = pooler.leftovers().join("; ");
            assert!(left.contains(seen), "{seen} is missing in {left:?}");
        }
    }
}
