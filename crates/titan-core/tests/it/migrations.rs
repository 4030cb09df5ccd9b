//! Migrations: applied once by whoever comes first, and undone cleanly.

use diesel::connection::SimpleConnection;
use diesel_migrations::MigrationHarness;
use titan_core::db;
use titan_testkit::db::TestDb;

#[test]
fn applied_ones_are_not_applied_again() {
    let test = TestDb::new();
    let mut connection = test.connect();
    assert!(db::pending(&mut connection).unwrap().is_empty());
    assert!(db::migrate(&mut connection).unwrap().is_empty());
}

#[test]
fn they_can_be_undone_and_two_daemons_apply_them_once() {
    let test = TestDb::new();
    let mut connection = test.connect();
    connection.revert_all_migrations(db::MIGRATIONS).unwrap();
    let left = "SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace \
                WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND c.relname <> '__diesel_schema_migrations'";
    assert_eq!(test.count(left), 0);
    let functions =
        "SELECT count(*) FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE n.nspname = 'public'";
    assert_eq!(test.count(functions), 0);
    let threads: Vec<_> = (0..2)
        .map(|_| {
            let mut connection = test.connect();
            std::thread::spawn(move || db::migrate(&mut connection).unwrap().len())
        })
        .collect();
    let mut applied: Vec<usize> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    applied.sort_unstable();
    let folders = std::fs::read_dir("../../migrations").unwrap().count();
    assert_eq!(applied, [0, folders]);
}

#[test]
fn one_that_fails_is_named_in_one_line_and_leaves_nothing() {
    let test = TestDb::new();
    let mut connection = test.connect();
    connection.revert_all_migrations(db::MIGRATIONS).unwrap();
    // Somebody else's table stands in the way of the second migration.
    connection.batch_execute("CREATE TABLE workers (x integer)").unwrap();
    let error = db::migrate(&mut connection).unwrap_err().to_string();
    assert!(error.contains("00000000000002_queue") && error.contains("workers") && !error.contains('\n'), "{error}");
    assert_eq!(test.count("SELECT count(*) FROM pg_class WHERE relname = 'projects'"), 0);
}
