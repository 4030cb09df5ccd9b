//! The leader of maintenance: one at a time, replaced when it is gone, and fenced when it does not know.

use std::collections::HashSet;

use diesel::PgConnection;
use diesel::connection::SimpleConnection;
use titan_core::Result;
use titan_core::ids::Uuid;
use titan_core::queue::maintenance::Speed;
use titan_core::queue::maintenance::leader::{self, Patience, Term};
use titan_core::workers;

use crate::support::{Bench, add_worker};

const PATIENCE: Patience = Patience { statement_ms: 10_000, lock_ms: 10_000 };

fn take(bench: &mut Bench, worker: Uuid) -> Option<Term> {
    leader::take(&mut bench.connection, worker, Speed::Fast).unwrap()
}

fn expire(bench: &Bench) {
    bench.test.execute("UPDATE leaders SET expires_at = now() - interval '1 second'");
}

fn add_queue(connection: &mut PgConnection) -> Result<()> {
    Ok(connection.batch_execute("INSERT INTO queues (name) VALUES ('made-by-the-leader')")?)
}

fn queues_made(bench: &Bench) -> i64 {
    bench.test.count("SELECT count(*) FROM queues WHERE name = 'made-by-the-leader'")
}

#[test]
fn the_first_who_asks_leads_and_the_next_one_does_not() {
    let mut bench = Bench::new();
    let (first, second) = (bench.worker, add_worker(&mut bench.connection));
    assert!(leader::vacant(&mut bench.connection).unwrap());
    assert_eq!(take(&mut bench, first), Some(Term { holder: first, number: 1 }));
    assert!(!leader::vacant(&mut bench.connection).unwrap());
    assert_eq!(take(&mut bench, second), None);
}

#[test]
fn a_leader_that_was_replaced_writes_nothing_more() {
    let mut bench = Bench::new();
    let (first, second) = (bench.worker, add_worker(&mut bench.connection));
    let stale = take(&mut bench, first).unwrap();
    assert_eq!(leader::act(&mut bench.connection, &stale, PATIENCE, |_| Ok(7)).unwrap(), Some(7));
    expire(&bench);
    assert!(leader::vacant(&mut bench.connection).unwrap());
    let fresh = take(&mut bench, second).unwrap();
    assert_eq!((fresh.holder, fresh.number), (second, 2));

    assert!(leader::act(&mut bench.connection, &stale, PATIENCE, add_queue).unwrap().is_none());
    assert_eq!(queues_made(&bench), 0);
    assert!(!leader::renew(&mut bench.connection, &stale).unwrap());
    leader::give_up(&mut bench.connection, &stale).unwrap();
    assert!(!leader::vacant(&mut bench.connection).unwrap(), "it cannot give up what it has not");
    assert!(leader::act(&mut bench.connection, &fresh, PATIENCE, add_queue).unwrap().is_some());
    assert_eq!(queues_made(&bench), 1);
}

#[test]
fn a_term_of_the_same_worker_that_is_over_is_stale_too() {
    let mut bench = Bench::new();
    let worker = bench.worker;
    let old = take(&mut bench, worker).unwrap();
    expire(&bench);
    assert_eq!(take(&mut bench, worker).unwrap().number, 2);
    assert!(leader::act(&mut bench.connection, &old, PATIENCE, add_queue).unwrap().is_none());
}

#[test]
fn nobody_is_replaced_within_a_transaction() {
    let mut bench = Bench::new();
    let (first, second) = (bench.worker, add_worker(&mut bench.connection));
    let term = take(&mut bench, first).unwrap();
    let mut own = bench.test.connect();
    let done = leader::act(&mut own, &term, PATIENCE, |connection| {
        expire_from_within(connection);
        assert_eq!(take(&mut bench, second), None, "the leader is doing something");
        add_queue(connection)
    });
    assert!(done.unwrap().is_some());
    assert_eq!(queues_made(&bench), 1);
    expire(&bench);
    assert!(take(&mut bench, second).is_some());
}

/// Its own transaction may change the row that it holds.
fn expire_from_within(connection: &mut PgConnection) {
    connection.batch_execute("UPDATE leaders SET expires_at = now() - interval '1 second'").unwrap();
}

#[test]
fn work_that_fails_leaves_nothing_and_the_leader_stays() {
    let mut bench = Bench::new();
    let worker = bench.worker;
    let term = take(&mut bench, worker).unwrap();
    let failed = leader::act(&mut bench.connection, &term, PATIENCE, |connection| {
        add_queue(connection)?;
        Ok(connection.batch_execute("SELECT 1 / 0")?)
    });
    assert!(failed.is_err());
    assert_eq!(queues_made(&bench), 0);
    assert!(leader::renew(&mut bench.connection, &term).unwrap());
}

#[test]
fn the_time_of_a_transaction_is_limited() {
    let mut bench = Bench::new();
    let worker = bench.worker;
    let term = take(&mut bench, worker).unwrap();
    let short = Patience { statement_ms: 50, lock_ms: 50 };
    let slow = leader::act(&mut bench.connection, &term, short, |connection| {
        Ok(connection.batch_execute("SELECT pg_sleep(60)")?)
    });
    assert!(slow.unwrap_err().may_pass());
    assert_eq!(bench.test.count("SELECT count(*) FROM leaders"), 1);
}

#[test]
fn a_leader_that_died_is_replaced_before_its_time_is_over() {
    let mut bench = Bench::new();
    let (first, second) = (bench.worker, add_worker(&mut bench.connection));
    let key = workers::lock_key(first);
    let mut session = bench.test.connect();
    assert!(workers::hold_lock(&mut session, key).unwrap());
    assert!(workers::sign_of_life(&mut session, first, Some(key)).unwrap());
    take(&mut bench, first).unwrap();
    bench.test.execute(&format!("UPDATE workers SET heartbeat_at = now() - interval '2 seconds' WHERE id = '{first}'"));
    assert!(leader::vacant(&mut bench.connection).unwrap(), "worth a try");
    assert_eq!(take(&mut bench, second), None, "it holds its lock");
    session.batch_execute("SELECT pg_advisory_unlock_all()").unwrap();
    assert_eq!(
        leader::take(&mut bench.connection, second, Speed::LeaseOnly).unwrap(),
        None,
        "not for a newcomer to say"
    );
    assert_eq!(take(&mut bench, second).unwrap().number, 2);
}

#[test]
fn a_leader_that_beats_is_not_replaced_although_its_lock_is_free() {
    let mut bench = Bench::new();
    let (first, second) = (bench.worker, add_worker(&mut bench.connection));
    bench.test.execute(&format!(
        "UPDATE workers SET lock_key = 1, heartbeat_at = now() + interval '1 minute' WHERE id = '{first}'"
    ));
    take(&mut bench, first).unwrap();
    assert!(!leader::vacant(&mut bench.connection).unwrap());
    assert_eq!(take(&mut bench, second), None);
}

#[test]
fn a_leader_that_stops_or_gives_up_is_replaced_at_once() {
    let mut bench = Bench::new();
    let (first, second) = (bench.worker, add_worker(&mut bench.connection));
    let term = take(&mut bench, first).unwrap();
    leader::give_up(&mut bench.connection, &term).unwrap();
    assert!(leader::vacant(&mut bench.connection).unwrap());
    assert_eq!(take(&mut bench, second).unwrap().number, 2);
    workers::stopped(&mut bench.connection, second).unwrap();
    assert!(leader::vacant(&mut bench.connection).unwrap());
    assert_eq!(take(&mut bench, first).unwrap().number, 3);
}

#[test]
fn of_many_who_want_a_vacant_office_one_gets_it() {
    let mut bench = Bench::new();
    let mut terms = HashSet::new();
    for round in 1..=5 {
        let threads: Vec<_> = (0..6)
            .map(|_| {
                let mut connection = bench.test.connect();
                let worker = add_worker(&mut connection);
                std::thread::spawn(move || leader::take(&mut connection, worker, Speed::Fast).unwrap())
            })
            .collect();
        let won: Vec<Term> = threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect();
        assert_eq!(won.iter().map(|term| term.number).collect::<Vec<_>>(), [round]);
        assert!(terms.insert(won[0].number));
        leader::give_up(&mut bench.connection, &won[0]).unwrap();
    }
}
