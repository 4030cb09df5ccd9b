//! The database through a PgBouncer in transaction mode: settings hold in each transaction and nowhere else, and what the
//! pooler says when it cannot help counts as a failure that passes.

use std::collections::HashMap;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::Text;
use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _, sql_query};
use secrecy::ExposeSecret as _;
use titan_core::config::Config;
use titan_core::db::{Db, Prepare as _, read_only};
use titan_core::{Error, Result};
use titan_testkit::db::TestDb;
use titan_testkit::pooler::Pooler;
use titan_testkit::wait;

struct Pooled {
    db: Db,
    // Dropped in this order: the pooler's sessions are in the database.
    pooler: Pooler,
    test: TestDb,
}

impl Pooled {
    fn new() -> Self {
        let test = TestDb::new();
        let pooler = Pooler::start(test.url.expose_secret());
        let variables = [("DATABASE_URL", pooler.url()), ("DATABASE_POOLER", "transaction".to_owned())];
        let variables: HashMap<_, _> = variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        Pooled { db: Db::of(&Config::from_map(&variables).unwrap(), 8).unwrap(), pooler, test }
    }
}

fn setting(connection: &mut PgConnection, name: &str) -> Result<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        value: String,
    }
    // Prepared, where statements are.
    let row: Row =
        sql_query("SELECT current_setting($1) AS value").bind::<Text, _>(name).prepared().get_result(connection)?;
    Ok(row.value)
}

#[test]
fn settings_hold_in_each_transaction_and_nowhere_else() {
    let pooled = Pooled::new();
    for _ in 0..10 {
        for (name, value) in [("statement_timeout", "30s"), ("lock_timeout", "10s"), ("enable_sort", "on")] {
            assert_eq!(pooled.db.run_blocking(|connection| setting(connection, name)).unwrap(), value);
        }
    }
    let mut connection = pooled.db.for_engine().unwrap();
    let settings = pooled.db.engine_settings().unwrap();
    let told = |connection: &mut PgConnection| -> Result<String> {
        connection.batch_execute(settings)?;
        Ok(["statement_timeout", "enable_sort", "plan_cache_mode"]
            .map(|name| setting(connection, name).unwrap())
            .join(" "))
    };
    assert_eq!(connection.transaction(told).unwrap(), "30s off force_generic_plan");
    assert_eq!(setting(&mut connection, "enable_sort").unwrap(), "on");
    assert!(pooled.pooler.leftovers().is_empty());

    assert_eq!(pooled.test.db.engine_settings(), None, "Postgres's own sessions keep theirs");
    let mut own = pooled.test.db.for_engine().unwrap();
    assert_eq!(setting(&mut own, "enable_sort").unwrap(), "off");
}

#[test]
fn a_read_that_writes_is_refused_and_the_next_one_may() {
    let pooled = Pooled::new();
    let write = |connection: &mut PgConnection| Ok(connection.batch_execute("CREATE TABLE written ()")?);
    let refused = pooled.db.run_blocking(|connection| read_only(connection, write)).unwrap_err();
    assert!(matches!(&refused, Error::Refused(why) if why.contains("read-only transaction")), "{refused}");
    pooled.db.run_blocking(write).unwrap();
    assert!(pooled.pooler.leftovers().is_empty());
}

#[test]
fn a_database_that_is_away_behind_the_pooler_is_a_failure_that_passes() {
    let pooled = Pooled::new();
    // Not by the pool, which would tell of nothing but its own patience.
    let ask = || {
        let mut connection = pooled.db.dedicated()?;
        pooled.db.on(&mut connection, |connection| setting(connection, "lock_timeout"))
    };
    ask().unwrap();
    let other = TestDb::new();
    let name = &pooled.test.name;
    other.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS false"));
    let broken = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
    other.execute(&broken);
    for _ in 0..5 {
        let error = ask().unwrap_err();
        assert!(error.may_pass(), "{error}");
    }
    other.execute(&format!("ALTER DATABASE {name} ALLOW_CONNECTIONS true"));
    wait::until_blocking("the database back", || ask().ok());
    for _ in 0..5 {
        // In the middle of a transaction.
        let mut connection = wait::until_blocking("a connection", || pooled.db.dedicated().ok());
        let cut = pooled.db.on(&mut connection, |connection| {
            other.execute(&broken);
            setting(connection, "lock_timeout")
        });
        let error = cut.unwrap_err();
        assert!(error.may_pass(), "{error}");
    }
    wait::until_blocking("the database back", || ask().ok());
}
