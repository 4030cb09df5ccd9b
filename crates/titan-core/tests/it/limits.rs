//! Limits per key: jobs beyond them wait outside the ready index, and whoever ends one hands its place on.

use std::time::Duration;

use titan_core::engine::{Applied, Done, FinishJob, Outcome, apply_one};
use titan_core::queue::{Claim, NewJob, admit, claim, enqueue};
use titan_core::{Error, ids};

use crate::support::{Bench, answered, remembered};

fn limited(key: &str) -> NewJob {
    NewJob { limit_key: Some(key.to_owned()), ..NewJob::new("test.lone") }
}

fn states(bench: &Bench) -> String {
    bench.test.text(
        "SELECT string_agg(concat(state, ' ', n), ', ' ORDER BY state) \
         FROM (SELECT state, count(*) AS n FROM jobs GROUP BY state) s",
    )
}

#[test]
fn no_more_than_the_limit_are_admitted_and_each_end_lets_one_in() {
    let mut bench = Bench::new();
    bench.test.execute("INSERT INTO limits (key, max_running) VALUES ('a', 2), ('b', 1)");
    let jobs: Vec<NewJob> = ["a", "a", "a", "a", "b", "b"].map(limited).into();
    enqueue(&mut bench.connection, &jobs).unwrap();
    assert_eq!(states(&bench), "ready 3, waiting 3");
    let what = Claim::simple(bench.worker, vec!["test.lone".to_owned()], 10);
    let mut done = 0;
    while let Some(job) = claim(&mut bench.connection, &what).unwrap().pop() {
        let over = "SELECT count(*) FROM (SELECT limit_key, count(*) AS n FROM jobs WHERE state IN ('ready', 'running') \
                    GROUP BY limit_key) s JOIN limits l ON l.key = s.limit_key WHERE n > max_running";
        assert_eq!(bench.test.count(over), 0);
        bench.test.execute(
            "UPDATE jobs SET state = 'ready', worker_id = NULL, epoch = epoch - 1, attempt = 0 \
             WHERE state = 'running' AND id <> (SELECT max(id) FROM jobs WHERE state = 'running')",
        );
        let id = bench.test.count("SELECT id FROM jobs WHERE state = 'running'");
        let epoch = bench.test.count("SELECT epoch FROM jobs WHERE state = 'running'");
        let outcome = Outcome::Done(Done::default());
        bench.apply(FinishJob { job_id: id, epoch, outcome }.into()).unwrap();
        done += 1;
        assert!(done <= 6, "{job:?}");
    }
    assert_eq!(done, 6);
    bench.test.assert_no_jobs_left();
}

#[test]
fn who_waited_long_for_a_place_is_next_in_line_and_not_before_it() {
    let mut bench = Bench::new();
    bench.test.execute("INSERT INTO limits (key, max_running) VALUES ('a', 1)");
    enqueue(&mut bench.connection, &[limited("a"), limited("a")]).unwrap();
    bench.test.execute("UPDATE jobs SET start_tag = 1 WHERE state = 'waiting'");
    let what = Claim::simple(bench.worker, vec!["test.lone".to_owned()], 1);
    let first = claim(&mut bench.connection, &what).unwrap().pop().unwrap();
    enqueue(&mut bench.connection, &vec![NewJob::new("test.lone"); 3]).unwrap();
    bench
        .apply(FinishJob { job_id: first.id, epoch: first.epoch, outcome: Outcome::Done(Done::default()) }.into())
        .unwrap();
    let tag = |which: &str| {
        bench.test.count(&format!("SELECT min(start_tag) FROM jobs WHERE state = 'ready' AND limit_key IS {which}"))
    };
    assert_eq!(tag("NOT NULL"), tag("NULL"), "the virtual time may not fall back");
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_sleeping_job_holds_no_place_and_takes_its_turn_when_it_wakes() {
    let mut bench = Bench::new();
    bench.test.execute("INSERT INTO limits (key, max_running) VALUES ('a', 1)");
    enqueue(&mut bench.connection, &[limited("a"), limited("a")]).unwrap();
    let what = Claim::simple(bench.worker, vec!["test.lone".to_owned()], 10);
    let first = claim(&mut bench.connection, &what).unwrap().pop().unwrap();
    let snooze = Outcome::Snooze { after: Duration::from_secs(60), reason: "later".to_owned() };
    bench.apply(FinishJob { job_id: first.id, epoch: first.epoch, outcome: snooze }.into()).unwrap();
    assert_eq!(states(&bench), "ready 1, scheduled 1");
    bench.skip_waiting();
    assert_eq!(
        bench.test.count("SELECT count(*) FROM jobs WHERE state IN ('ready', 'running')"),
        1,
        "{}",
        states(&bench)
    );
}

#[test]
fn all_steps_of_a_task_are_subject_to_its_limit_and_unknown_limits_and_queues_are_refused() {
    let mut bench = Bench::new();
    let mut submission = bench.submission("hello");
    submission.task.limit_key = Some("customer:7".to_owned());
    let refused = bench.apply(submission.clone().into());
    assert!(matches!(refused, Err(Error::Invalid { field: "limit_key", .. })), "{refused:?}");
    bench.test.execute("INSERT INTO limits (key, max_running) VALUES ('customer:7', 1)");
    let mut elsewhere = bench.submission("hello");
    elsewhere.task.queue = Some("nowhere".to_owned());
    let refused = bench.apply(elsewhere.into());
    assert!(matches!(refused, Err(Error::Invalid { field: "queue", .. })), "{refused:?}");

    for _ in 0..2 {
        let made = bench.apply(submission.clone().into()).unwrap();
        assert!(
            matches!(made, Applied::Submitted(made) if made.task.as_ref().unwrap().limit_key.as_deref() == Some("customer:7"))
        );
    }
    assert_eq!(states(&bench), "ready 1, waiting 1");
    for _ in 0..2 {
        // The first run's second step and the second run's first wait for the same place, and each gets it once.
        for _ in 0..2 {
            let fence = bench.claim();
            bench.start(fence).unwrap();
            let outcome = if fence.step == 1 { answered("hi") } else { remembered("said hello") };
            bench.finish(fence, outcome).unwrap();
        }
    }
    bench.test.assert_no_jobs_left();
    assert_eq!(bench.test.count("SELECT count(*) FROM runs WHERE status = 'completed'"), 2);
}

#[test]
fn a_rate_lets_a_burst_in_and_then_as_many_as_time_allows() {
    let mut bench = Bench::new();
    bench.test.execute("INSERT INTO limits (key, rate_count, rate_period_ms) VALUES ('slow', 5, 60000)");
    let jobs: Vec<NewJob> = (0..8).map(|_| limited("slow")).collect();
    enqueue(&mut bench.connection, &jobs).unwrap();
    assert_eq!(states(&bench), "ready 5, waiting 3");
    let wakes = "SELECT count(*) FROM limits WHERE wake_at BETWEEN now() + interval '10 s' AND now() + interval '13 s'";
    assert_eq!(bench.test.count(wakes), 1, "the next one in a fifth of a minute");
    assert_eq!(admit(&mut bench.connection, ["slow"]).unwrap(), 0);
    bench.test.execute("UPDATE limits SET next_at = next_at - interval '24 s'");
    assert_eq!(admit(&mut bench.connection, ["slow"]).unwrap(), 2);
    bench.test.execute("UPDATE limits SET next_at = '-infinity'");
    assert_eq!(admit(&mut bench.connection, ["slow"]).unwrap(), 1);
    assert_eq!(bench.test.text("SELECT coalesce(wake_at::text, 'never') FROM limits"), "never");
}

#[test]
fn many_transactions_at_once_never_admit_too_many() {
    let mut bench = Bench::new();
    bench.test.execute("INSERT INTO limits (key, max_running) VALUES ('hot', 3)");
    let kinds = vec!["test.lone".to_owned()];
    let threads: Vec<_> = (0..6)
        .map(|_| {
            let (mut connection, kinds) = (bench.test.connect(), kinds.clone());
            std::thread::spawn(move || {
                let what = Claim::simple(ids::new(), kinds, 2);
                for _ in 0..15 {
                    enqueue(&mut connection, &[limited("hot"), limited("hot")]).unwrap();
                    for job in claim(&mut connection, &what).unwrap() {
                        let outcome = Outcome::Done(Done::default());
                        apply_one(&mut connection, FinishJob { job_id: job.id, epoch: job.epoch, outcome }.into())
                            .unwrap();
                    }
                }
            })
        })
        .collect();
    let watch = "SELECT count(*) FROM jobs WHERE limit_key = 'hot' AND state IN ('ready', 'running')";
    let mut most = 0;
    while threads.iter().any(|thread| !thread.is_finished()) {
        most = most.max(bench.test.count(watch));
    }
    threads.into_iter().for_each(|thread| assert!(thread.join().is_ok()));
    assert!(most <= 3, "{most} were admitted");
    let what = Claim::simple(bench.worker, kinds, 100);
    loop {
        let jobs = claim(&mut bench.connection, &what).unwrap();
        if jobs.is_empty() {
            break;
        }
        for job in jobs {
            let outcome = Outcome::Done(Done::default());
            bench.apply(FinishJob { job_id: job.id, epoch: job.epoch, outcome }.into()).unwrap();
        }
    }
    bench.test.assert_no_jobs_left();
    assert_eq!(bench.test.count("SELECT count(*) FROM job_history"), 6 * 15 * 2, "none was left waiting");
}
