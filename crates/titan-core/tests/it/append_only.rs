//! What no client can get round: events are never changed, states never go back. Covers A3.

use diesel::connection::SimpleConnection;

use crate::support::{Bench, answered, remembered};

fn refused(bench: &mut Bench, sql: &str) -> String {
    bench.connection.batch_execute(sql).expect_err(sql).to_string()
}

#[test]
fn events_refuse_update_delete_and_truncate() {
    let mut bench = Bench::new();
    bench.submit("hello");
    let before = bench.test.count("SELECT count(*) FROM run_events");
    for sql in ["UPDATE run_events SET kind = 'x'", "DELETE FROM run_events", "TRUNCATE run_events"] {
        assert!(refused(&mut bench, sql).contains("append-only"), "{sql}");
    }
    assert_eq!(bench.test.count("SELECT count(*) FROM run_events"), before);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_final_state_cannot_be_left_by_hand() {
    let mut bench = Bench::new();
    bench.submit("hello");
    bench.work(answered("hi"));
    bench.work(remembered("greeted"));
    for sql in [
        "UPDATE runs SET status = 'running', finished_at = NULL",
        "UPDATE runs SET stage = 'intake'",
        "UPDATE runs SET last_seq = 0",
        "UPDATE steps SET status = 'running', finished_at = NULL",
        "UPDATE tasks SET execution_status = 'in_progress', completed_at = NULL",
    ] {
        let error = refused(&mut bench, sql);
        assert!(error.contains("not allowed") || error.contains("cannot go back"), "{sql}: {error}");
    }
    bench.test.assert_no_jobs_left();
}

#[test]
fn a_second_answer_of_a_run_is_refused_by_the_schema() {
    let mut bench = Bench::new();
    bench.submit("hello");
    bench.work(answered("hi"));
    let again = "INSERT INTO messages (id, project_id, task_id, run_id, role, content) \
                 SELECT gen_random_uuid(), project_id, task_id, run_id, role, 'another' FROM messages WHERE role = 'assistant'";
    assert!(refused(&mut bench, again).contains("messages_one_answer"));
    bench.test.execute("DELETE FROM jobs");
}
