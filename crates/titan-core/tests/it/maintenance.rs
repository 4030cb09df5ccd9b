//! What happens from time to time: promotion, rescue, release, folding, partitions.

use titan_core::workers::{self, Beat};
use titan_core::{counters, queue};

use crate::support::{Bench, add_worker, answered, fence, remembered};

#[test]
fn a_live_worker_keeps_its_jobs_and_a_silent_one_loses_them() {
    let mut bench = Bench::new();
    bench.submit("one");
    bench.submit("two");
    let silent = add_worker(&mut bench.connection);
    bench.claim_as(bench.worker, 1);
    let lost = bench.claim_as(silent, 1)[0].id;
    bench
        .test
        .execute(&format!("UPDATE workers SET heartbeat_at = now() - interval '16 seconds' WHERE id = '{silent}'"));
    let rescued = queue::rescue(&mut bench.connection).unwrap();
    assert_eq!(rescued.iter().map(|job| (job.id, job.worker_id)).collect::<Vec<_>>(), [(lost, silent)]);
    assert!(queue::rescue(&mut bench.connection).unwrap().is_empty());
    assert_eq!(bench.test.count("SELECT rescues FROM jobs WHERE state = 'ready'"), 1);
    assert_eq!(bench.test.count("SELECT attempt FROM jobs WHERE state = 'ready'"), 0);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_job_far_past_its_deadline_is_taken_from_a_hung_handler() {
    let mut bench = Bench::new();
    bench.submit("one");
    bench.claim();
    assert!(queue::rescue_overdue(&mut bench.connection).unwrap().is_empty());
    bench.test.execute("UPDATE jobs SET deadline_at = now() - interval '31 seconds'");
    assert_eq!(queue::rescue_overdue(&mut bench.connection).unwrap().len(), 1);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_release_gives_back_only_what_is_held_at_that_epoch() {
    let mut bench = Bench::new();
    bench.submit("one");
    let held = bench.claim();
    let other = add_worker(&mut bench.connection);
    assert_eq!(queue::release(&mut bench.connection, other, &[(held.job_id, held.epoch)]).unwrap(), 0);
    assert_eq!(queue::release(&mut bench.connection, bench.worker, &[(held.job_id, held.epoch - 1)]).unwrap(), 0);
    assert_eq!(queue::release(&mut bench.connection, bench.worker, &[(held.job_id, held.epoch)]).unwrap(), 1);
    let again = fence(&bench.claim_as(other, 1)[0]);
    assert!(again.epoch > held.epoch);
    assert_eq!(bench.test.count("SELECT attempt FROM jobs"), 1, "the attempt that was given back counts");
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_heartbeat_tells_what_is_held_and_what_to_stop() {
    let mut bench = Bench::new();
    let run_id = bench.submit("one").run_id.unwrap();
    let held = bench.claim();
    bench.start(held).unwrap();
    bench.apply(titan_core::engine::CancelRun { run_id, reason: "x".to_owned() }.into()).unwrap();
    let beat = Beat { runs: vec![run_id], running: 1, ..Beat::default() };
    let (known, pulse) = workers::beat(&mut bench.connection, bench.worker, &beat).unwrap();
    assert!(known);
    assert_eq!((pulse.held, pulse.canceled_runs), (vec![(held.job_id, held.epoch)], vec![run_id]));
    let (known, _) = workers::beat(&mut bench.connection, titan_core::ids::new(), &Beat::default()).unwrap();
    assert!(!known);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn counters_are_exact_before_during_and_after_folding() {
    let mut bench = Bench::new();
    for _ in 0..3 {
        bench.submit("hello");
    }
    let jobs = bench.claim_as(bench.worker, 1);
    bench.start(fence(&jobs[0])).unwrap();
    bench.finish(fence(&jobs[0]), answered("x")).unwrap();
    let before = counters::of_project(&mut bench.connection, bench.project).unwrap();
    assert_eq!(
        (before.tasks.total, before.tasks.queued, before.tasks.in_progress, before.outputs.pending),
        (3, 2, 1, 1)
    );
    assert!(queue::fold_counters(&mut bench.connection).unwrap() > 0);
    assert_eq!(counters::of_project(&mut bench.connection, bench.project).unwrap(), before);
    assert_eq!(bench.test.count("SELECT count(*) FROM counter_deltas"), 0);
    bench.test.execute("DELETE FROM jobs WHERE step = 1");
    bench.work(remembered("y"));
    queue::fold_counters(&mut bench.connection).unwrap();
    let after = counters::of_project(&mut bench.connection, bench.project).unwrap();
    assert_eq!((after.tasks.completed, after.memories), (1, 1));
    bench.test.assert_no_jobs_left();
}

#[test]
fn partitions_are_made_ahead_and_only_once() {
    let mut bench = Bench::new();
    assert_eq!(queue::prepare_partitions(&mut bench.connection).unwrap(), 0);
    bench.test.execute("DO $$ BEGIN EXECUTE 'DROP TABLE job_history_' || to_char((now() AT TIME ZONE 'UTC')::date + 7, 'YYYYMMDD'); END $$");
    assert_eq!(queue::prepare_partitions(&mut bench.connection).unwrap(), 1);
}

#[test]
fn only_jobs_whose_time_has_come_are_promoted() {
    let mut bench = Bench::new();
    bench.test.execute(
        "INSERT INTO jobs (kind, state, run_at, max_attempts, timeout_ms) VALUES \
         ('chat', 'scheduled', now() - interval '1 second', 1, 1), ('chat', 'scheduled', now() + interval '1 hour', 1, 1)",
    );
    assert_eq!(queue::promote(&mut bench.connection).unwrap(), 1);
    assert_eq!(queue::promote(&mut bench.connection).unwrap(), 0);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_row_that_came_before_its_partition_stays_and_harms_nothing() {
    let mut bench = Bench::new();
    let today = "DO $$ BEGIN EXECUTE 'DROP TABLE job_history_' || to_char((now() AT TIME ZONE 'UTC')::date, 'YYYYMMDD'); END $$";
    bench.test.execute(today);
    bench.submit("hello");
    bench.work(titan_core::engine::Outcome::Fail { error: "no".to_owned() });
    assert_eq!(bench.test.count("SELECT count(*) FROM job_history_default"), 1);
    assert_eq!(queue::prepare_partitions(&mut bench.connection).unwrap(), 0);
    assert_eq!(bench.test.count("SELECT count(*) FROM job_history"), 1);
}
