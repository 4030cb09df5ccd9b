//! Jobs without a run: enqueued in bulk, claimed and acknowledged by the same code, dead letters when they fail for good.

use std::collections::HashSet;

use serde_json::json;
use titan_core::Error;
use titan_core::engine::{Applied, CancelJob, Canceled, Done, FinishJob, Outcome, Transition, apply_with_claim};
use titan_core::ids::Uuid;
use titan_core::queue::{self, Claim, ClaimedJob, NewJob, claim, enqueue};

use crate::support::Bench;

fn job(n: i64) -> NewJob {
    NewJob { payload: Some(json!({"n": n})), ..NewJob::new("test.lone") }
}

fn claim_lone(bench: &mut Bench, worker: Uuid, limit: usize) -> Vec<ClaimedJob> {
    claim(&mut bench.connection, &Claim::simple(worker, vec!["test.lone".to_owned()], limit)).unwrap()
}

fn finish(bench: &mut Bench, job: &ClaimedJob, outcome: Outcome) -> titan_core::Result<Applied> {
    bench.apply(FinishJob { job_id: job.id, epoch: job.epoch, outcome }.into())
}

#[test]
fn a_thousand_are_enqueued_claimed_and_acknowledged_once_each() {
    let mut bench = Bench::new();
    let jobs: Vec<NewJob> = (0..1000).map(job).collect();
    let ids: Vec<i64> = enqueue(&mut bench.connection, &jobs).unwrap().into_iter().map(Option::unwrap).collect();
    assert!(ids.is_sorted(), "they keep their order");
    let what = Claim::simple(bench.worker, vec!["test.lone".to_owned()], 300);
    let mut connection = bench.test.db.for_engine().unwrap();
    let mut seen = Vec::new();
    let mut acknowledge: Vec<Transition> = Vec::new();
    loop {
        let batch = apply_with_claim(&mut connection, &acknowledge, Some(&what)).unwrap();
        assert!(batch.answers.iter().all(Result::is_ok));
        if batch.taken.is_empty() {
            break;
        }
        seen.extend(batch.taken.iter().map(|taken| (taken.job.id, taken.job.payload.clone().unwrap()["n"].clone())));
        let done = |id, epoch| FinishJob { job_id: id, epoch, outcome: Outcome::Done(Done::default()) }.into();
        acknowledge = batch.taken.iter().map(|taken| done(taken.job.id, taken.job.epoch)).collect();
    }
    assert_eq!(seen.iter().map(|(id, _)| *id).collect::<Vec<_>>(), ids, "the oldest first");
    assert!(seen.iter().enumerate().all(|(place, (_, n))| *n == json!(place)));
    bench.test.assert_no_jobs_left();
    let ended = "SELECT count(DISTINCT id) FROM job_history WHERE outcome = 'completed' AND run_id IS NULL";
    assert_eq!(bench.test.count(ended), 1000);
    assert_eq!(bench.test.count("SELECT sum(n) FROM job_tallies WHERE outcome = 'completed'"), 1000);
}

#[test]
fn a_key_is_unique_while_its_job_is_active_in_bulk_too() {
    let mut bench = Bench::new();
    let keyed = |key: &str| NewJob { key: Some(key.to_owned()), ..job(1) };
    let first = enqueue(&mut bench.connection, &[keyed("b"), job(2), keyed("a"), keyed("b")]).unwrap();
    assert_eq!(first.iter().map(Option::is_some).collect::<Vec<_>>(), [true, true, true, false]);
    let again = enqueue(&mut bench.connection, &[keyed("a"), keyed("c")]).unwrap();
    assert_eq!(again.iter().map(Option::is_some).collect::<Vec<_>>(), [false, true]);
    let other_kind = NewJob { kind: "test.other".to_owned(), ..keyed("a") };
    assert!(enqueue(&mut bench.connection, &[other_kind]).unwrap()[0].is_some());
    let worker = bench.worker;
    for job in claim_lone(&mut bench, worker, 10) {
        finish(&mut bench, &job, Outcome::Done(Done::default())).unwrap();
    }
    assert!(enqueue(&mut bench.connection, &[keyed("a")]).unwrap()[0].is_some(), "it may come again when it has ended");
    let ids: HashSet<i64> = first.into_iter().flatten().collect();
    assert_eq!(ids.len(), 3);
}

#[test]
fn a_job_that_fails_for_good_is_a_dead_letter_with_all_it_needs() {
    let mut bench = Bench::new();
    let new = NewJob { max_attempts: 2, priority: 7, queue: "reports".to_owned(), ..job(5) };
    let id = enqueue(&mut bench.connection, &[new]).unwrap()[0].unwrap();
    let take = |bench: &mut Bench| {
        let mut what = Claim::simple(bench.worker, vec!["test.lone".to_owned()], 1);
        what.source = queue::Source::Queues(vec!["default".to_owned(), "reports".to_owned()]);
        claim(&mut bench.connection, &what).unwrap().pop().unwrap()
    };
    let held = take(&mut bench);
    finish(&mut bench, &held, Outcome::Retry { error: "not yet".to_owned(), after: None }).unwrap();
    assert_eq!(bench.test.text("SELECT state FROM jobs"), "scheduled");
    bench.skip_waiting();
    let held = take(&mut bench);
    assert_eq!((held.attempt, held.epoch), (2, 2));
    finish(&mut bench, &held, Outcome::Retry { error: "never\0".to_owned(), after: None }).unwrap();
    bench.test.assert_no_jobs_left();
    let letter = "SELECT concat_ws('|', job_id, kind, queue, priority, payload, attempt, error) FROM dead_letters";
    assert_eq!(bench.test.text(letter), format!("{id}|test.lone|reports|7|{{\"n\": 5}}|2|never\u{fffd}"));
    assert_eq!(bench.test.text("SELECT outcome FROM job_history"), "failed");
}

#[test]
fn a_snooze_costs_no_attempt() {
    let mut bench = Bench::new();
    enqueue(&mut bench.connection, &[NewJob { max_attempts: 1, ..job(1) }]).unwrap();
    let worker = bench.worker;
    for _ in 0..3 {
        let held = claim_lone(&mut bench, worker, 1).pop().unwrap();
        let after = std::time::Duration::from_secs(60);
        finish(&mut bench, &held, Outcome::Snooze { after, reason: "later".to_owned() }).unwrap();
        assert!(claim_lone(&mut bench, worker, 1).is_empty());
        bench.skip_waiting();
    }
    let held = claim_lone(&mut bench, worker, 1).pop().unwrap();
    assert_eq!((held.attempt, held.epoch), (1, 4));
    finish(&mut bench, &held, Outcome::Done(Done::default())).unwrap();
}

#[test]
fn of_two_ends_of_one_job_in_one_batch_the_one_of_the_holder_counts() {
    let mut bench = Bench::new();
    let worker = bench.worker;
    enqueue(&mut bench.connection, &[job(1)]).unwrap();
    let lost = claim_lone(&mut bench, worker, 1).pop().unwrap();
    queue::release(&mut bench.connection, worker, &[(lost.id, lost.epoch)]).unwrap();
    let held = claim_lone(&mut bench, worker, 1).pop().unwrap();
    let end = |job: &ClaimedJob| -> Transition {
        FinishJob { job_id: job.id, epoch: job.epoch, outcome: Outcome::Done(Done::default()) }.into()
    };
    let batch = titan_core::engine::apply(&mut bench.connection, &[end(&lost), end(&held), end(&held)]).unwrap();
    let heard: Vec<bool> = batch.answers.iter().map(Result::is_ok).collect();
    assert_eq!(heard, [false, true, false], "{:?}", batch.answers);
    assert_eq!(bench.test.count("SELECT count(*) FROM job_history"), 1);
}

#[test]
fn a_stale_word_about_a_job_is_refused_and_a_cancel_takes_it_from_its_worker() {
    let mut bench = Bench::new();
    let worker = bench.worker;
    enqueue(&mut bench.connection, &[job(1), job(2)]).unwrap();
    let held = claim_lone(&mut bench, worker, 1).pop().unwrap();
    queue::release(&mut bench.connection, worker, &[(held.id, held.epoch)]).unwrap();
    let stale = finish(&mut bench, &held, Outcome::Done(Done::default()));
    assert!(matches!(stale, Err(Error::Fenced { .. })), "{stale:?}");
    let again = claim_lone(&mut bench, worker, 1).pop().unwrap();
    assert_eq!(again.id, held.id);
    let cancel = |id| CancelJob { job_id: id };
    assert!(matches!(bench.apply(cancel(again.id).into()), Ok(Applied::Canceled(Canceled::Now))));
    let late = finish(&mut bench, &again, Outcome::Done(Done::default()));
    assert!(matches!(late, Err(Error::Fenced { .. })), "{late:?}");
    assert!(matches!(bench.apply(cancel(again.id).into()), Ok(Applied::Canceled(Canceled::HadEnded))));
    assert_eq!(bench.test.text("SELECT outcome FROM job_history"), "canceled");
    let submitted = bench.submit("hello");
    let of_run = bench.test.count("SELECT id FROM jobs WHERE run_id IS NOT NULL");
    assert!(matches!(bench.apply(cancel(of_run).into()), Err(Error::Conflict(_))), "{submitted:?}");
}

#[test]
fn what_is_wrong_with_a_job_is_said_and_nothing_is_enqueued() {
    let mut bench = Bench::new();
    let long = NewJob { payload: Some(json!("x".repeat(queue::MAX_PAYLOAD))), ..job(1) };
    let nul = NewJob { payload: Some(json!("\0")), ..job(1) };
    for (wrong, word) in [
        (NewJob { priority: 101, ..job(1) }, "between -100 and 100"),
        (NewJob { max_attempts: 0, ..job(1) }, "at least 1"),
        (long, "at most 2000 bytes"),
        (nul, "NUL"),
    ] {
        let error = enqueue(&mut bench.connection, &[job(0), wrong]).unwrap_err();
        assert!(error.to_string().contains(word), "{error}");
    }
    bench.test.assert_no_jobs_left();
}

#[test]
fn a_paused_queue_is_not_claimed_from_and_loses_nothing() {
    let mut bench = Bench::new();
    let worker = bench.worker;
    enqueue(&mut bench.connection, &[job(1)]).unwrap();
    bench.test.execute("UPDATE queues SET paused_at = now() WHERE name = 'default'");
    assert!(claim_lone(&mut bench, worker, 1).is_empty());
    bench.test.execute("UPDATE queues SET paused_at = NULL WHERE name = 'default'");
    assert_eq!(claim_lone(&mut bench, worker, 1).len(), 1);
}

#[test]
fn one_suspect_at_a_time() {
    let mut bench = Bench::new();
    let worker = bench.worker;
    enqueue(&mut bench.connection, &[job(1), job(2), job(3), job(4)]).unwrap();
    bench.test.execute("UPDATE jobs SET suspect = true, rescues = 3 WHERE id % 2 = 0");
    let first = claim_lone(&mut bench, worker, 10);
    assert_eq!(first.iter().filter(|job| job.suspect).count(), 1);
    assert_eq!(first.len(), 3);
    let mut what = Claim::simple(worker, vec!["test.lone".to_owned()], 10);
    what.suspect = false;
    assert!(claim(&mut bench.connection, &what).unwrap().is_empty(), "a worker with a suspect takes no second one");
    assert_eq!(claim_lone(&mut bench, worker, 10).len(), 1, "another worker does");
}
