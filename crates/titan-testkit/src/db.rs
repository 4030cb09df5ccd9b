//! A database of its own for each test, copied from a migrated template.
//!
//! The server is the one that `TITAN_TEST_DATABASE_URL` names. Without it a throwaway cluster is started once per checkout in
//! `target/test-postgres`, so that a single test runs with nothing prepared.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use diesel::connection::SimpleConnection;
use diesel::sql_types::{BigInt, Bool, Text};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, sql_query};
use secrecy::SecretString;
use titan_core::db::{self, Db};
use url::Url;

/// Any number; who holds it makes the template.
const TEMPLATE_LOCK: i64 = 0x7469_7461_6e00_0002;

/// Dropped together with its database.
pub struct TestDb {
    pub db: Db,
    pub url: SecretString,
    pub name: String,
}

impl TestDb {
    /// A fresh, migrated and empty database.
    #[must_use]
    pub fn new() -> Self {
        let mut server = connect(&server_url());
        let template = template(&mut server);
        let name = format!("titan_test_{}", titan_core::ids::new().simple());
        // Copying is refused while somebody else copies the same template in that very moment.
        for attempt in 0.. {
            match server.batch_execute(&format!("CREATE DATABASE {name} TEMPLATE {template}")) {
                Ok(()) => break,
                Err(error) if attempt < 200 && error.to_string().contains("being accessed") => {
                    std::thread::sleep(std::time::Duration::from_millis(50));
                }
                Err(error) => panic!("no database for the test: {error}"),
            }
        }
        let url = with_database(&server_url(), &name);
        let db = Db::new(&SecretString::from(url.clone()), 16).expect("a pool");
        TestDb { db, url: SecretString::from(url), name }
    }

    /// A connection beside the pool.
    #[must_use]
    pub fn connect(&self) -> PgConnection {
        self.db.dedicated().expect("a connection to the test's database")
    }

    /// Runs a query of a single number.
    ///
    /// # Panics
    /// When the query is wrong.
    #[must_use]
    pub fn count(&self, sql: &str) -> i64 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            n: i64,
        }
        let row: Row = sql_query(format!("SELECT ({sql})::bigint AS n")).get_result(&mut self.connect()).expect(sql);
        row.n
    }

    /// Runs a query of a single text.
    ///
    /// # Panics
    /// When the query is wrong.
    #[must_use]
    pub fn text(&self, sql: &str) -> String {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Text)]
            t: String,
        }
        let row: Row = sql_query(format!("SELECT ({sql})::text AS t")).get_result(&mut self.connect()).expect(sql);
        row.t
    }

    /// Runs statements.
    ///
    /// # Panics
    /// When one is refused.
    pub fn execute(&self, sql: &str) {
        self.connect().batch_execute(sql).expect(sql);
    }

    /// Runs statements on a thread and a connection of their own, for what is to go on beside the test.
    ///
    /// # Panics
    /// The thread, when one is refused.
    pub fn execute_beside(&self, sql: &str) -> std::thread::JoinHandle<()> {
        let (mut connection, sql) = (self.connect(), sql.to_owned());
        std::thread::spawn(move || connection.batch_execute(&sql).expect(&sql))
    }

    /// # Panics
    /// When a job is left: a test that ends with work under way has not seen how it ends.
    pub fn assert_no_jobs_left(&self) {
        let left = self.text(
            "SELECT coalesce(string_agg(format('%s %s %s of run %s', id, kind, state, run_id), '; '), '') FROM jobs",
        );
        assert!(left.is_empty(), "jobs are left over: {left}");
    }
}

impl Default for TestDb {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for TestDb {
    fn drop(&mut self) {
        // A failing test leaves its database behind for whoever wants to look at it.
        if std::thread::panicking() {
            eprintln!("the test's database is kept: {}", self.name);
            return;
        }
        if let Ok(mut server) = PgConnection::establish(&server_url()) {
            let _ = server.batch_execute(&format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name));
        }
    }
}

/// The template's name carries a fingerprint of the migrations: a changed schema gets a new template.
fn template(server: &mut PgConnection) -> String {
    static NAME: OnceLock<String> = OnceLock::new();
    NAME.get_or_init(|| {
        past_restart_grace(server);
        make_template(server)
    })
    .clone()
}

/// Right after a start of Postgres nothing is rescued; tests of rescue would have to know that.
fn past_restart_grace(server: &mut PgConnection) {
    let young =
        "SELECT pg_sleep(greatest(0, extract(epoch FROM pg_postmaster_start_time() + interval '6 seconds' - now())))";
    server.batch_execute(young).expect("the age of Postgres");
}

fn make_template(server: &mut PgConnection) -> String {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        there: bool,
    }
    let name = format!("titan_template_{:016x}", fingerprint());
    // Whoever makes the template on a busy machine may take longer than a usual lock may be waited for.
    server.batch_execute("SET lock_timeout = '120s'; SET statement_timeout = '120s'").expect("patience");
    sql_query("SELECT pg_advisory_lock($1)")
        .bind::<BigInt, _>(TEMPLATE_LOCK)
        .execute(server)
        .expect("the template's lock");
    let row: Row = sql_query("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1) AS there")
        .bind::<Text, _>(&name)
        .get_result(server)
        .expect("the list of databases");
    if !row.there {
        // Made under another name, so that one that was interrupted is never taken for whole.
        let draft = format!("{name}_draft");
        server.batch_execute(&format!("DROP DATABASE IF EXISTS {draft} WITH (FORCE)")).expect("no old draft");
        server.batch_execute(&format!("CREATE DATABASE {draft}")).expect("a draft");
        let mut connection = db::connect(&with_database(&server_url(), &draft)).expect("a connection to the draft");
        db::migrate(&mut connection).expect("migrations");
        drop(connection);
        server.batch_execute(&format!("ALTER DATABASE {draft} RENAME TO {name}")).expect("a finished template");
    }
    sql_query("SELECT pg_advisory_unlock($1)").bind::<BigInt, _>(TEMPLATE_LOCK).execute(server).expect("unlock");
    name
}

fn fingerprint() -> u64 {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    let root = repository().join("migrations");
    let mut folders: Vec<_> =
        std::fs::read_dir(&root).expect("migrations").flatten().map(|entry| entry.path()).collect();
    folders.sort();
    for folder in folders {
        std::fs::read_to_string(folder.join("up.sql")).expect("up.sql").hash(&mut hasher);
    }
    hasher.finish()
}

/// The root of the repository.
#[must_use]
pub fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the repository")
}

/// The server that the tests use, as a superuser.
#[must_use]
pub fn server_url() -> String {
    static URL: OnceLock<String> = OnceLock::new();
    URL.get_or_init(|| std::env::var("TITAN_TEST_DATABASE_URL").unwrap_or_else(|_| own_cluster())).clone()
}

fn own_cluster() -> String {
    let root = repository();
    let output = Command::new(root.join("scripts/postgres.sh"))
        .args(["ensure", "--throwaway", "--database", "postgres", "--dir"])
        .arg(root.join("target/test-postgres"))
        .output()
        .expect("scripts/postgres.sh");
    assert!(output.status.success(), "no Postgres for the tests: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

fn connect(url: &str) -> PgConnection {
    db::connect(url).unwrap_or_else(|error| panic!("the tests' Postgres is not there: {error}"))
}

fn with_database(url: &str, name: &str) -> String {
    let mut url = Url::parse(url).expect("a URL");
    url.set_path(name);
    url.into()
}
