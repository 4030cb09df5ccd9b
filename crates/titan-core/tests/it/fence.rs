//! A stale epoch never writes, and the race is forced in both orders: the writer waits on the run row while the reclaim
//! commits, and the reclaim waits while the writer commits. Covers fault F.

use std::sync::mpsc;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use titan_core::engine::{Finish, apply_one};
use titan_core::state::RunStatus;
use titan_core::{Error, queue};

use crate::support::{Bench, answered, remembered, somebody_waits};

const OLD: &str = "UPDATE workers SET heartbeat_at = now() - interval '1 hour'";

#[test]
fn the_writer_waits_on_the_run_while_the_reclaim_commits() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let fence = bench.claim();
    bench.start(fence).unwrap();

    let mut blocker = bench.test.connect();
    blocker.batch_execute(&format!("BEGIN; SELECT 1 FROM runs WHERE id = '{run_id}' FOR UPDATE")).unwrap();
    let mut writer = bench.test.connect();
    let late = std::thread::spawn(move || {
        apply_one(
            &mut writer,
            Finish { fence, events: Vec::new(), calls: Vec::new(), outcome: answered("stale"), go_on: None }.into(),
        )
    });
    somebody_waits(&bench.test);
    bench.test.execute(OLD);
    assert_eq!(queue::rescue(&mut bench.connection).unwrap().len(), 1);
    let next = bench.claim();
    assert!(next.epoch > fence.epoch);
    blocker.batch_execute("COMMIT").unwrap();

    assert!(matches!(late.join().unwrap(), Err(Error::Fenced { .. })));
    bench.start(next).unwrap();
    bench.finish(next, answered("fresh")).unwrap();
    bench.work(remembered("x"));
    assert_eq!(bench.test.text("SELECT content FROM messages WHERE role = 'assistant'"), "fresh");
    assert_eq!(bench.run(run_id).status, RunStatus::Completed);
}

#[test]
fn the_reclaim_passes_by_a_job_that_is_being_finished() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let fence = bench.claim();
    bench.start(fence).unwrap();
    bench.test.execute(OLD);

    // The writer has locked its job and stands before its commit: the message's insert waits for this lock.
    let mut blocker = bench.test.connect();
    blocker.batch_execute("BEGIN; LOCK TABLE messages IN SHARE ROW EXCLUSIVE MODE").unwrap();
    let mut writer = bench.test.connect();
    let (told, hears) = mpsc::channel();
    let finishing = std::thread::spawn(move || {
        let done = apply_one(
            &mut writer,
            Finish { fence, events: Vec::new(), calls: Vec::new(), outcome: answered("in time"), go_on: None }.into(),
        );
        told.send(()).unwrap();
        done
    });
    somebody_waits(&bench.test);
    assert!(queue::rescue(&mut bench.connection).unwrap().is_empty(), "a job under its owner's lock was stolen");
    assert!(hears.recv_timeout(Duration::from_millis(50)).is_err());
    blocker.batch_execute("COMMIT").unwrap();
    finishing.join().unwrap().unwrap();
    bench.work(remembered("x"));
    assert_eq!(bench.run(run_id).status, RunStatus::Completed);
}

#[test]
fn every_write_of_a_lost_job_is_refused() {
    let mut bench = Bench::new();
    bench.submit("hello");
    let stale = bench.claim();
    bench.start(stale).unwrap();
    bench.test.execute(OLD);
    queue::rescue(&mut bench.connection).unwrap();
    let events = bench.test.count("SELECT count(*) FROM run_events");
    // Between rescue and the next claim nobody holds it, and afterwards somebody else does.
    for round in 0..2 {
        assert!(matches!(bench.start(stale), Err(Error::Fenced { .. })), "start in round {round}");
        let report = titan_core::engine::Report {
            fence: stale,
            events: vec![titan_core::engine::NewEvent::log(titan_core::state::Level::Info, "stale")],
            calls: Vec::new(),
        };
        assert!(matches!(bench.apply(report.into()), Err(Error::Fenced { .. })), "report in round {round}");
        assert!(matches!(bench.finish(stale, answered("stale")), Err(Error::Fenced { .. })), "finish in round {round}");
        if round == 0 {
            bench.claim();
        }
    }
    assert_eq!(bench.test.count("SELECT count(*) FROM run_events"), events);
    bench.test.execute("DELETE FROM jobs");
}
