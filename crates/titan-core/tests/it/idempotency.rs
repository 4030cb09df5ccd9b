//! The same request many times makes one thing.

use titan_core::engine::{Applied, IdempotencyKey, Transition, apply};
use titan_core::{Error, idempotency};

use crate::support::Bench;

fn keyed(bench: &Bench, content: &str, key: &str) -> Transition {
    let mut submission = bench.submission(content);
    submission.key = Some(IdempotencyKey::new("tasks", key, content.as_bytes()));
    submission.into()
}

#[test]
fn a_replay_names_the_first_task_and_another_body_is_refused() {
    let mut bench = Bench::new();
    let first = keyed(&bench, "hello", "k");
    let Applied::Submitted(made) = bench.apply(first.clone()).unwrap() else { panic!() };
    let Applied::Submitted(again) = bench.apply(first).unwrap() else { panic!() };
    assert_eq!((again.task_id, made.replayed, again.replayed), (made.task_id, false, true));
    let other = keyed(&bench, "other", "k");
    assert!(matches!(bench.apply(other), Err(Error::KeyReused)));
    assert_eq!(bench.test.count("SELECT count(*) FROM tasks"), 1);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_hundred_in_one_batch_make_one() {
    let mut bench = Bench::new();
    let mut batch: Vec<Transition> = (0..100).map(|_| keyed(&bench, "hello", "k")).collect();
    batch.push(keyed(&bench, "other", "k"));
    batch.push(keyed(&bench, "hello", "another key"));
    let answers = apply(&mut bench.connection, &batch).unwrap().answers;
    let replayed = answers.iter().filter(|a| matches!(a, Ok(Applied::Submitted(s)) if s.replayed)).count();
    assert_eq!(replayed, 99);
    assert!(matches!(answers[100], Err(Error::KeyReused)));
    assert_eq!(bench.test.count("SELECT count(*) FROM tasks"), 2);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn twenty_connections_at_once_make_one() {
    let bench = Bench::new();
    let threads: Vec<_> = (0..20)
        .map(|_| {
            let (mut connection, transition) = (bench.test.connect(), keyed(&bench, "hello", "k"));
            std::thread::spawn(move || apply(&mut connection, &[transition]).unwrap().answers.remove(0).unwrap())
        })
        .collect();
    let ids: std::collections::HashSet<_> = threads
        .into_iter()
        .map(|thread| match thread.join().unwrap() {
            Applied::Submitted(submitted) => submitted.task_id,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!((ids.len(), bench.test.count("SELECT count(*) FROM tasks")), (1, 1));
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn the_key_of_a_refused_request_stays_free() {
    let mut bench = Bench::new();
    let mut wrong = bench.submission("x");
    wrong.key = Some(IdempotencyKey::new("tasks", "k", b"x"));
    wrong.task.priority = 1000;
    assert!(bench.apply(wrong.into()).is_err());
    let right = keyed(&bench, "corrected", "k");
    assert!(matches!(bench.apply(right), Ok(Applied::Submitted(made)) if !made.replayed));
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn expired_keys_are_forgotten() {
    let mut bench = Bench::new();
    let first = keyed(&bench, "hello", "k");
    bench.apply(first).unwrap();
    assert_eq!(idempotency::forget_expired(&mut bench.connection, 10).unwrap(), 0);
    bench.test.execute("UPDATE idempotency_keys SET expires_at = now() - interval '1 second'");
    assert_eq!(idempotency::forget_expired(&mut bench.connection, 10).unwrap(), 1);
    bench.test.execute("DELETE FROM jobs");
}
