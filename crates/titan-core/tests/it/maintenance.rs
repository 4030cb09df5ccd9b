//! What happens from time to time: promotion, rescue, release, reconciling, folding, partitions, retention.

use titan_core::ids::Uuid;
use titan_core::queue::maintenance::{self, Kept};
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
fn a_heartbeat_tells_how_many_workers_live() {
    let mut bench = Bench::new();
    let fleet = |bench: &mut Bench| {
        let (_, pulse) = workers::beat(&mut bench.connection, bench.worker, &Beat::default()).unwrap();
        pulse.fleet
    };
    assert_eq!(fleet(&mut bench), 1);
    let (gone, silent) = (add_worker(&mut bench.connection), add_worker(&mut bench.connection));
    assert_eq!(fleet(&mut bench), 3);
    workers::stopped(&mut bench.connection, gone).unwrap();
    bench
        .test
        .execute(&format!("UPDATE workers SET heartbeat_at = now() - interval '4 seconds' WHERE id = '{silent}'"));
    assert_eq!(fleet(&mut bench), 1);
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

/// A job that sleeps until a second ago, with these columns set besides.
fn sleeping(bench: &Bench, columns: &str, values: &str) {
    bench.test.execute(&format!(
        "INSERT INTO jobs (kind, state, run_at, max_attempts, timeout_ms{columns}) \
         VALUES ('chat', 'scheduled', now() - interval '1 second', 1, 1{values})"
    ));
}

#[test]
fn who_sleeps_says_when_to_wake_it() {
    let mut bench = Bench::new();
    assert_eq!(maintenance::sleepers(&mut bench.connection).unwrap().next_ms, None);
    bench.test.execute(
        "INSERT INTO jobs (kind, state, run_at, max_attempts, timeout_ms) VALUES ('chat', 'scheduled', now() + interval '1 hour', 1, 1)",
    );
    let hour = maintenance::sleepers(&mut bench.connection).unwrap().next_ms.unwrap();
    assert!((3_000_000.0..=3_600_000.0).contains(&hour), "{hour}");
    bench.test.execute(
        "INSERT INTO limits (key, rate_count, rate_period_ms, wake_at) VALUES ('site', 1, 1000, now() - interval '1 second')",
    );
    assert!(maintenance::sleepers(&mut bench.connection).unwrap().next_ms.unwrap() < 0.0);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_job_that_wakes_takes_its_turn_from_now_on() {
    let mut bench = Bench::new();
    // The line stands at a virtual time far ahead of any clock.
    bench.test.execute(
        "INSERT INTO jobs (kind, state, start_tag, max_attempts, timeout_ms) VALUES ('chat', 'ready', 5000000000000000, 1, 1)",
    );
    let project = format!(", '{}'", bench.project);
    for _ in 0..3 {
        sleeping(&bench, ", project_id", &project);
    }
    sleeping(&bench, ", project_id, start_tag", &format!("{project}, 6000000000000000"));
    sleeping(&bench, ", project_id", &format!(", '{}'", Uuid::from_u128(5)));
    assert_eq!(queue::promote(&mut bench.connection).unwrap(), 5);
    let tags = bench
        .test
        .text("SELECT string_agg((start_tag - 5000000000000000)::text, ' ' ORDER BY id) FROM jobs WHERE id > 1");
    assert_eq!(tags, "0 1 2 1000000000000000 0", "one project's jobs are spaced, and another's come in between");
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_job_with_a_limit_key_wakes_into_the_line_of_its_key() {
    let mut bench = Bench::new();
    bench.test.execute("INSERT INTO limits (key, max_running) VALUES ('site', 2)");
    for _ in 0..3 {
        sleeping(&bench, ", limit_key", ", 'site'");
    }
    sleeping(&bench, ", limit_key", ", 'nobody-limits-this'");
    assert_eq!(queue::promote(&mut bench.connection).unwrap(), 4);
    let states = bench.test.text("SELECT string_agg(state, ' ' ORDER BY id) FROM jobs");
    assert_eq!(states, "ready ready waiting ready");
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn more_than_a_batch_wakes_in_several() {
    let mut bench = Bench::new();
    bench.test.execute(
        "INSERT INTO jobs (kind, state, run_at, max_attempts, timeout_ms) \
         SELECT 'chat', 'scheduled', now() - n * interval '1 second', 1, 1 FROM generate_series(1, 1500) AS n",
    );
    assert_eq!(queue::promote(&mut bench.connection).unwrap(), maintenance::BATCH);
    assert_eq!(bench.test.count("SELECT max(id) FROM jobs WHERE state = 'scheduled'"), 500, "the longest due first");
    assert_eq!(queue::promote(&mut bench.connection).unwrap(), 500);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_key_whose_rate_has_room_again_is_woken_and_one_without_a_place_is_not_asked_again_at_once() {
    let mut bench = Bench::new();
    bench.test.execute(
        "INSERT INTO limits (key, rate_count, rate_period_ms, wake_at) VALUES ('rate', 1, 1000, now() - interval '1 second'); \
         INSERT INTO limits (key, max_running, rate_count, rate_period_ms, wake_at) VALUES ('full', 1, 9, 9, now() - interval '1 second'); \
         INSERT INTO jobs (kind, state, limit_key, max_attempts, timeout_ms) VALUES ('a', 'waiting', 'rate', 1, 1), \
           ('b', 'waiting', 'full', 1, 1), ('c', 'ready', 'full', 1, 1)",
    );
    assert_eq!(maintenance::wake(&mut bench.connection).unwrap(), 1);
    assert_eq!(
        bench.test.text("SELECT string_agg(kind || ' ' || state, ', ' ORDER BY kind) FROM jobs"),
        "a ready, b waiting, c ready"
    );
    assert_eq!(bench.test.count("SELECT count(*) FROM limits WHERE wake_at <= now() - interval '500 milliseconds'"), 0);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn who_waits_although_there_is_room_is_let_in() {
    let mut bench = Bench::new();
    bench.test.execute(
        "INSERT INTO limits (key, max_running) SELECT format('key-%s', lpad(n::text, 3, '0')), 1 FROM generate_series(1, 120) AS n; \
         INSERT INTO jobs (kind, state, limit_key, max_attempts, timeout_ms) \
           SELECT 'x', 'waiting', format('key-%s', lpad(n::text, 3, '0')), 1, 1 FROM generate_series(1, 120) AS n, generate_series(1, 2); \
         INSERT INTO jobs (kind, state, limit_key, max_attempts, timeout_ms) VALUES ('y', 'ready', 'key-001', 1, 1)",
    );
    let (admitted, next) = maintenance::admit_waiting(&mut bench.connection, "").unwrap();
    assert_eq!((admitted, next.as_deref()), (99, Some("key-100")), "the first key has no room");
    assert_eq!(maintenance::admit_waiting(&mut bench.connection, "key-100").unwrap(), (20, None));
    assert_eq!(maintenance::admit_waiting(&mut bench.connection, "").unwrap().0, 0);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_run_that_nothing_moves_is_found() {
    let mut bench = Bench::new();
    let moving = bench.submit("one").run_id.unwrap();
    let stuck = bench.submit("two").run_id.unwrap();
    let waits = bench.submit("three").run_id.unwrap();
    let ended = bench.submit("four").run_id.unwrap();
    bench.apply(titan_core::engine::CancelRun { run_id: ended, reason: "x".to_owned() }.into()).unwrap();
    assert!(maintenance::stranded(&mut bench.connection, Uuid::nil()).unwrap().runs.is_empty());
    bench.test.execute(&format!("DELETE FROM jobs WHERE run_id IN ('{stuck}', '{waits}')"));
    bench.test.execute(&format!(
        "UPDATE steps SET waiting_on = 'approval', waiting_since = now() WHERE run_id = '{waits}' AND seq = 1"
    ));
    let found = maintenance::stranded(&mut bench.connection, Uuid::nil()).unwrap();
    assert_eq!((found.runs, found.next), (vec![stuck], None), "{moving} moves, {waits} waits");
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn tallies_are_folded_to_one_row_per_minute_queue_and_outcome() {
    let mut bench = Bench::new();
    bench.test.execute(
        "INSERT INTO job_tallies SELECT date_trunc('minute', now()) - m * interval '1 minute', q, o, n \
         FROM generate_series(0, 1) AS m, (VALUES ('a'), ('b')) AS q (q), (VALUES ('completed'), ('failed')) AS o (o), generate_series(1, 3) AS n",
    );
    let sums = "SELECT string_agg(n::text, ' ' ORDER BY minute, queue, outcome) FROM \
                (SELECT minute, queue, outcome, sum(n) AS n FROM job_tallies GROUP BY 1, 2, 3) AS t";
    assert_eq!(bench.test.text(sums), "6 6 6 6 6 6 6 6");
    assert_eq!(maintenance::fold_tallies(&mut bench.connection).unwrap(), 8);
    assert_eq!(
        (bench.test.count("SELECT count(*) FROM job_tallies"), bench.test.text(sums)),
        (8, "6 6 6 6 6 6 6 6".to_owned())
    );
    assert_eq!(maintenance::fold_tallies(&mut bench.connection).unwrap(), 0);
}

#[test]
fn whole_days_of_history_go_and_younger_ones_stay() {
    let mut bench = Bench::new();
    let day = |ago: i32| {
        format!(
            "DO $$ DECLARE d date := (now() AT TIME ZONE 'UTC')::date - {ago}; BEGIN \
               EXECUTE format('CREATE TABLE job_history_%s PARTITION OF job_history FOR VALUES FROM (%L) TO (%L)', \
                 to_char(d, 'YYYYMMDD'), to_char(d, 'YYYY-MM-DD') || ' 00:00:00+00', to_char(d + 1, 'YYYY-MM-DD') || ' 00:00:00+00'); \
               INSERT INTO job_history (id, finished_at, kind, queue, outcome, attempt, rescues, epoch, created_at) \
                 VALUES ({ago}, (to_char(d, 'YYYY-MM-DD') || ' 12:00:00+00')::timestamptz, 'x', 'default', 'completed', 1, 0, 1, now()); END $$"
        )
    };
    bench.test.execute(&day(30));
    bench.test.execute(&day(31));
    bench.test.execute(&day(40));
    assert_eq!(maintenance::drop_history(&mut bench.connection, 30).unwrap(), 2);
    assert_eq!(bench.test.count("SELECT sum(id) FROM job_history"), 30);
    assert_eq!(maintenance::drop_history(&mut bench.connection, 30).unwrap(), 0);
    assert_eq!(bench.test.count("SELECT count(*) FROM pg_inherits WHERE inhparent = 'job_history'::regclass"), 10);
}

#[test]
fn what_is_too_old_is_forgotten_and_the_rest_is_not() {
    let mut bench = Bench::new();
    let gone = add_worker(&mut bench.connection);
    let holds = add_worker(&mut bench.connection);
    bench.test.execute(&format!(
        "UPDATE workers SET heartbeat_at = now() - interval '25 hours' WHERE id IN ('{gone}', '{holds}'); \
         INSERT INTO jobs (kind, state, worker_id, max_attempts, timeout_ms) VALUES ('x', 'running', '{holds}', 1, 1); \
         INSERT INTO job_tallies SELECT now() - h * interval '1 hour', 'default', 'failed', 1 FROM generate_series(23, 25, 2) AS h; \
         INSERT INTO idempotency_keys SELECT 's', decode(lpad(h::text, 2, '0'), 'hex'), '', '{{}}', now(), now() + h * interval '1 hour' \
           FROM (VALUES (-1), (1)) AS t (h) WHERE h > 0; \
         INSERT INTO idempotency_keys VALUES ('s', 'old', '', '{{}}', now(), now() - interval '1 second'); \
         INSERT INTO dead_letters (job_id, kind, queue, priority, max_attempts, timeout_ms, attempt, rescues, error, created_at, failed_at) \
           SELECT d, 'x', 'default', 0, 1, 1, 1, 0, 'e', now(), now() - d * interval '1 day' FROM (VALUES (89), (91)) AS t (d); \
         INSERT INTO job_history (id, finished_at, kind, queue, outcome, attempt, rescues, epoch, created_at) \
           SELECT d, now() - d * interval '1 day', 'x', 'default', 'failed', 1, 0, 1, now() FROM (VALUES (6), (8)) AS t (d)"
    ));
    for kept in [Kept::StrayHistory { days: 7 }, Kept::DeadLetters, Kept::IdempotencyKeys, Kept::Workers, Kept::Tallies]
    {
        assert_eq!(maintenance::forget(&mut bench.connection, kept).unwrap(), 1, "{kept:?}");
        assert_eq!(maintenance::forget(&mut bench.connection, kept).unwrap(), 0, "{kept:?}");
    }
    assert_eq!(
        bench
            .test
            .count("SELECT count(*) FROM workers WHERE id = '{gone}'".replace("{gone}", &gone.to_string()).as_str()),
        0
    );
    assert_eq!(bench.test.count("SELECT id FROM job_history"), 6);
    assert_eq!(bench.test.count("SELECT job_id FROM dead_letters"), 89);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_table_that_has_changed_much_is_analysed_once() {
    let mut bench = Bench::new();
    assert!(!maintenance::analyse(&mut bench.connection).unwrap());
    bench.test.execute("INSERT INTO jobs (kind, state, max_attempts, timeout_ms) SELECT 'chat', 'ready', 1, 1000 FROM generate_series(1, 6000)");
    // The statistics of a session come with its end, or a little later.
    titan_testkit::wait::until_blocking("jobs that were analysed", || {
        maintenance::analyse(&mut bench.connection).unwrap().then_some(())
    });
    assert_eq!(bench.test.count("SELECT reltuples FROM pg_class WHERE oid = 'jobs'::regclass"), 6000);
    titan_testkit::wait::until_blocking("statistics that were reset", || {
        (!maintenance::analyse(&mut bench.connection).unwrap()).then_some(())
    });
    bench.test.execute("DELETE FROM jobs");
}
