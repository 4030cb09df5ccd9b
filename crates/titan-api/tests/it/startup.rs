//! The program: what keeps it from starting is one line and an exit code, and what it says when it is up.

use std::process::{Command, Output, Stdio};

use secrecy::ExposeSecret as _;
use titan_testkit::client::Client;
use titan_testkit::daemon::{Daemon, env};
use titan_testkit::db::TestDb;
use titan_testkit::wait;

const NOWHERE: &str = "postgres://titan:hidden@127.0.0.1:1/titan";

/// Runs the program to its end.
fn titan_api(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let child = Command::new(env!("CARGO_BIN_EXE_titan-api"))
        .args(arguments)
        .env_clear()
        .envs(variables.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program");
    let (sender, receiver) = std::sync::mpsc::channel();
    std::thread::spawn(move || sender.send(child.wait_with_output()));
    receiver.recv_timeout(wait::PATIENCE).expect("the program to end in time").unwrap()
}

#[track_caller]
fn refuses(variables: &[(&str, &str)], code: i32, says: &str) {
    let output = titan_api(&["serve"], variables);
    let complaint = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(code), "{complaint}");
    assert_eq!(complaint.lines().count(), 1, "{complaint}");
    assert!(complaint.starts_with("titan-api: ") && complaint.contains(says), "{complaint}");
    assert!(!complaint.contains("hidden"), "no password: {complaint}");
}

#[test]
fn a_wrong_configuration_is_one_line_and_exit_code_2() {
    refuses(&[], 2, "DATABASE_URL: is not set");
    refuses(&[("DATABASE_URL", "mysql://x")], 2, "DATABASE_URL: ");
    refuses(&[("DATABASE_URL", NOWHERE), ("TITAN_AUTH", "required")], 2, "TITAN_AUTH: required does not exist yet");
    refuses(&[("DATABASE_URL", NOWHERE), ("TITAN_BIND", "0.0.0.0:0")], 2, "TITAN_BIND: is 0.0.0.0:0");
    refuses(&[("DATABASE_URL", NOWHERE), ("TITAN_BIND", "[::]:0")], 2, "TITAN_BIND: ");
    refuses(&[("DATABASE_URL", NOWHERE), ("PORT", "http")], 2, "PORT: ");
    refuses(&[("DATABASE_URL", NOWHERE), ("TITAN_BLOB_URL", "gs://hidden")], 2, "TITAN_BLOB_URL: must be postgres:");
    let half = [("DATABASE_URL", NOWHERE), ("TITAN_BLOB_URL", "s3://b"), ("AWS_SECRET_ACCESS_KEY", "hidden")];
    refuses(&half, 2, "AWS_ACCESS_KEY_ID: is not set");
}

#[test]
fn a_database_that_is_not_there_is_one_line_and_exit_code_1() {
    refuses(&[("DATABASE_URL", NOWHERE), ("TITAN_BIND", "127.0.0.1:0")], 1, "the database is not available");
}

#[test]
fn a_port_that_is_taken_is_one_line() {
    let db = TestDb::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let bind = taken.local_addr().unwrap().to_string();
    refuses(&[("DATABASE_URL", db.url.expose_secret()), ("TITAN_BIND", &bind), ("RUST_LOG", "error")], 1, &bind);
}

#[test]
fn a_migration_that_fails_is_one_line() {
    let db = TestDb::new();
    // As if somebody had made a table of this name by hand, in a database that knows no migrations.
    db.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE projects (id int)");
    let variables = [("DATABASE_URL", db.url.expose_secret()), ("TITAN_BIND", "127.0.0.1:0"), ("RUST_LOG", "error")];
    refuses(&variables, 1, "migration 00000000000001_work failed");
}

#[test]
fn migrate_and_its_check() {
    let db = TestDb::new();
    let variables = [("DATABASE_URL", db.url.expose_secret())];
    let run = |arguments: &[&str]| titan_api(arguments, &variables);
    assert!(run(&["migrate", "--check"]).status.success());
    db.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    let missing = run(&["migrate", "--check"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8(missing.stderr).unwrap().starts_with("titan-api: migrations are missing: 0"));
    let applied = run(&["migrate"]);
    assert!(String::from_utf8(applied.stdout).unwrap().starts_with("Applied 0"));
    assert!(run(&["migrate", "--check"]).status.success());
}

#[test]
fn openapi_needs_nothing() {
    let output = titan_api(&["openapi"], &[]);
    assert!(output.status.success());
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim_end(), titan_api::openapi::text());
}

#[tokio::test(flavor = "multi_thread")]
async fn it_says_where_it_listens_and_stops_in_order() {
    let db = tokio::task::spawn_blocking(TestDb::new).await.unwrap();
    let settings =
        env(&[("DATABASE_URL", db.url.expose_secret()), ("TITAN_BIND", "127.0.0.1:0"), ("TITAN_GRACE", "20s")]);
    let mut daemon = Daemon::spawn("titan-api", &[], &settings);
    let line = daemon.line("titan-api listening");
    let address = line.split("address=").nth(1).and_then(|rest| rest.split_whitespace().next()).expect("an address");
    assert!(address.starts_with("127.0.0.1:") && !address.ends_with(":0"), "{line}");
    let client = Client::new(address);
    // Leaves an idle connection behind, as browsers do.
    client.get("/healthz").await.expect(200);
    let stream = client.stream("/api/events", None).await;
    let stopped = std::time::Instant::now();
    daemon.signal("TERM");
    stream.rest().await;
    let status = tokio::task::block_in_place(|| daemon.ended());
    assert!(status.success(), "{}", daemon.log());
    assert!(
        stopped.elapsed() < std::time::Duration::from_secs(18),
        "neither an open stream nor an idle connection uses up the grace"
    );
    assert!(daemon.log().contains("titan-api stopped"), "{}", daemon.log());
    tokio::task::spawn_blocking(move || drop(db)).await.unwrap();
}
