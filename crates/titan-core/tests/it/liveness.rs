//! When a worker counts as gone, what becomes of its jobs, and what of a job that kills its workers.

use diesel::{Connection as _, PgConnection};
use titan_core::ids::Uuid;
use titan_core::queue::maintenance::{self, Loss};
use titan_core::queue::{self, NewJob};
use titan_core::workers;
use titan_testkit::wait;

use crate::support::{Bench, add_worker};

/// Heartbeats that are surely fresh and surely old to the fast rule, however busy this machine is; the lease is 15 s.
const FRESH: &str = "now() + interval '1 minute'";
const OLD: &str = "now() - interval '5 seconds'";

/// A worker with its lock, as the heartbeat's connection holds it.
struct Living {
    id: Uuid,
    session: PgConnection,
}

impl Living {
    fn new(bench: &mut Bench) -> Self {
        let id = add_worker(&mut bench.connection);
        let mut session = workers::connect_to_beat(&bench.test.url).unwrap();
        assert!(workers::hold_lock(&mut session, workers::lock_key(id)).unwrap());
        assert!(workers::sign_of_life(&mut session, id, Some(workers::lock_key(id))).unwrap());
        Living { id, session }
    }

    /// Its connection is gone, and Postgres has noticed.
    fn die(self, bench: &Bench) -> Uuid {
        drop(self.session);
        wait::until_blocking("a lock that is free", || {
            (bench.test.count("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())") == 0).then_some(())
        });
        self.id
    }
}

fn heartbeat(bench: &Bench, worker: Uuid, at: &str) {
    bench.test.execute(&format!("UPDATE workers SET heartbeat_at = {at} WHERE id = '{worker}'"));
}

/// Lets a worker hold a job without a run, with these columns set besides.
fn hold(bench: &Bench, worker: Uuid, columns: &str, values: &str) {
    bench.test.execute(&format!(
        "INSERT INTO jobs (kind, state, worker_id, epoch, attempt, max_attempts, timeout_ms{columns}) \
         VALUES ('chat', 'running', '{worker}', 1, 1, 3, 1000{values})"
    ));
}

#[test]
fn a_worker_is_dead_when_its_lock_is_free_and_its_heartbeat_old_and_each_alone_is_not_enough() {
    let mut bench = Bench::new();
    let worker = Living::new(&mut bench);
    hold(&bench, worker.id, "", "");
    heartbeat(&bench, worker.id, OLD);
    assert_eq!(queue::rescue(&mut bench.connection).unwrap(), [], "it holds its lock");

    heartbeat(&bench, worker.id, FRESH);
    let id = worker.die(&bench);
    assert_eq!(queue::rescue(&mut bench.connection).unwrap(), [], "it has just beaten");

    heartbeat(&bench, id, OLD);
    let rescued = queue::rescue(&mut bench.connection).unwrap();
    assert_eq!(rescued.iter().map(|job| (job.worker_id, job.loss)).collect::<Vec<_>>(), [(id, Loss::Died)]);
    let job = "SELECT format('%s %s %s %s', state, epoch, attempt, rescues) FROM jobs";
    assert_eq!(bench.test.text(job), "ready 2 0 1", "a rescue raises the epoch and gives the attempt back");
    assert_eq!(queue::rescue(&mut bench.connection).unwrap(), []);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_worker_without_a_lock_has_its_whole_lease() {
    let mut bench = Bench::new();
    hold(&bench, bench.worker, "", "");
    heartbeat(&bench, bench.worker, "now() - interval '10 seconds'");
    assert_eq!(queue::rescue(&mut bench.connection).unwrap(), []);
    heartbeat(&bench, bench.worker, "now() - interval '16 seconds'");
    assert_eq!(queue::rescue(&mut bench.connection).unwrap()[0].loss, Loss::Silent);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_frozen_worker_keeps_its_lock_and_loses_its_jobs_with_its_lease() {
    let mut bench = Bench::new();
    let worker = Living::new(&mut bench);
    hold(&bench, worker.id, "", "");
    heartbeat(&bench, worker.id, "now() - interval '16 seconds'");
    assert_eq!(queue::rescue(&mut bench.connection).unwrap()[0].loss, Loss::Silent);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_worker_that_has_stopped_or_is_unknown_holds_nothing() {
    let mut bench = Bench::new();
    workers::stopped(&mut bench.connection, bench.worker).unwrap();
    hold(&bench, bench.worker, "", "");
    hold(&bench, Uuid::from_u128(1), "", "");
    let mut losses: Vec<Loss> = queue::rescue(&mut bench.connection).unwrap().iter().map(|job| job.loss).collect();
    losses.sort_by_key(|loss| *loss == Loss::Silent);
    assert_eq!(losses, [Loss::Stopped, Loss::Silent]);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_worker_that_comes_back_between_the_judgement_and_the_rescue_keeps_its_jobs() {
    let mut bench = Bench::new();
    let worker = Living::new(&mut bench);
    hold(&bench, worker.id, "", "");
    heartbeat(&bench, worker.id, OLD);
    let id = worker.die(&bench);
    let judged = maintenance::candidates(&mut bench.connection).unwrap();
    assert_eq!(judged.len(), 1);

    // It beats on a new connection, before it has its lock again.
    assert!(workers::sign_of_life(&mut bench.test.connect(), id, None).unwrap());
    assert_eq!(maintenance::rescue_from(&mut bench.connection, &judged).unwrap(), []);
    // It has its lock again, before it beats.
    bench.test.execute(&format!("UPDATE workers SET lock_key = {}", workers::lock_key(id)));
    heartbeat(&bench, id, OLD);
    let judged = maintenance::candidates(&mut bench.connection).unwrap();
    assert_eq!(judged.len(), 1);
    let mut session = bench.test.connect();
    assert!(workers::hold_lock(&mut session, workers::lock_key(id)).unwrap());
    assert_eq!(maintenance::rescue_from(&mut bench.connection, &judged).unwrap(), []);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn the_rescuer_has_the_lock_to_itself_until_it_commits() {
    let mut bench = Bench::new();
    let worker = Living::new(&mut bench);
    hold(&bench, worker.id, "", "");
    heartbeat(&bench, worker.id, OLD);
    let id = worker.die(&bench);
    let mut rescuer = bench.test.connect();
    let mut session = bench.test.connect();
    rescuer
        .transaction(|rescuer| {
            assert_eq!(queue::rescue(rescuer)?.len(), 1);
            assert!(!workers::hold_lock(&mut session, workers::lock_key(id))?);
            Ok::<_, titan_core::Error>(())
        })
        .unwrap();
    assert!(workers::hold_lock(&mut session, workers::lock_key(id)).unwrap());
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn the_key_of_a_lock_is_the_low_half_of_the_workers_id() {
    let id = Uuid::from_u128(0x0192_0000_0000_7000_8000_0000_0000_002a);
    assert_eq!(workers::lock_key(id), i64::MIN + 42);
}

/// Loses everything that the worker of the bench holds.
fn lose(bench: &mut Bench) {
    heartbeat(bench, bench.worker, "now() - interval '1 hour'");
    queue::rescue(&mut bench.connection).unwrap();
}

fn jobs(bench: &Bench) -> String {
    bench.test.text(
        "SELECT string_agg(format('%s rescues %s lone%s', rescues, lone_losses, CASE WHEN suspect THEN ' suspect' END), ', ' ORDER BY id) FROM jobs",
    )
}

#[test]
fn a_job_becomes_a_suspect_with_its_third_worker_and_that_loss_is_not_its_own() {
    let mut bench = Bench::new();
    hold(&bench, bench.worker, ", rescues", ", 1");
    hold(&bench, bench.worker, ", rescues", ", 2");
    lose(&mut bench);
    assert_eq!(jobs(&bench), "2 rescues 0 lone, 3 rescues 0 lone suspect");
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn only_the_one_suspect_of_a_dead_worker_is_to_blame() {
    let mut bench = Bench::new();
    hold(&bench, bench.worker, ", rescues, suspect", ", 3, true");
    hold(&bench, bench.worker, ", rescues, suspect", ", 0, false");
    lose(&mut bench);
    assert_eq!(jobs(&bench), "4 rescues 1 lone suspect, 1 rescues 0 lone", "strangers beside it change nothing");

    bench.test.execute("DELETE FROM jobs");
    hold(&bench, bench.worker, ", rescues, suspect", ", 3, true");
    hold(&bench, bench.worker, ", rescues, suspect", ", 3, true");
    lose(&mut bench);
    assert_eq!(jobs(&bench), "4 rescues 0 lone suspect, 4 rescues 0 lone suspect", "it may have been either");

    bench.test.execute("DELETE FROM jobs");
    hold(&bench, bench.worker, ", rescues, suspect", ", 3, true");
    workers::stopped(&mut bench.connection, bench.worker).unwrap();
    queue::rescue(&mut bench.connection).unwrap();
    assert_eq!(jobs(&bench), "4 rescues 0 lone suspect", "its worker stopped in order");
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_step_that_killed_two_workers_alone_is_for_the_engine_to_fail() {
    let mut bench = Bench::new();
    bench.submit("innocent");
    bench.submit("poison");
    bench.test.execute("UPDATE jobs SET rescues = 7, suspect = true, lone_losses = 1 WHERE id = 1");
    assert!(queue::poisoned(&mut bench.connection).unwrap().is_empty(), "many rescues alone prove nothing");
    bench.test.execute(&format!(
        "UPDATE jobs SET rescues = 4, suspect = true, lone_losses = 1, state = 'running', worker_id = '{}' WHERE id = 2",
        bench.worker
    ));
    lose(&mut bench);
    let poisoned = queue::poisoned(&mut bench.connection).unwrap();
    assert_eq!(poisoned.iter().map(|job| (job.job_id, job.rescues)).collect::<Vec<_>>(), [(2, 5)]);
    bench.apply(poisoned[0].clone().into()).unwrap();
    assert!(bench.run(poisoned[0].run_id).error.unwrap().contains("quarantined: 5 workers"));
    assert!(maintenance::quarantine_jobs(&mut bench.connection).unwrap().is_empty());
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_job_without_a_run_that_killed_two_workers_alone_ends_with_all_that_is_due() {
    let mut bench = Bench::new();
    bench.test.execute("INSERT INTO limits (key, max_running) VALUES ('site', 1)");
    let job = |n: i32| NewJob {
        payload: Some(serde_json::json!({"n": n})),
        limit_key: Some("site".to_owned()),
        key: Some(n.to_string()),
        ..NewJob::new("crawl")
    };
    let ids = queue::enqueue(&mut bench.connection, &[job(1), job(2)]).unwrap();
    let poison = ids[0].unwrap();
    bench.test.execute(&format!("UPDATE jobs SET suspect = true, lone_losses = 2, rescues = 5 WHERE id = {poison}"));

    let gone = maintenance::quarantine_jobs(&mut bench.connection).unwrap();
    assert_eq!(
        gone.iter().map(|job| (job.id, job.kind.as_str(), job.rescues)).collect::<Vec<_>>(),
        [(poison, "crawl", 5)]
    );
    assert_eq!(
        bench.test.text("SELECT string_agg(state || ' ' || key, ',') FROM jobs"),
        "ready 2",
        "its place is handed on"
    );
    assert_eq!(
        bench.test.text("SELECT format('%s %s %s', id, outcome, rescues) FROM job_history"),
        format!("{poison} failed 5")
    );
    assert_eq!(
        bench
            .test
            .text("SELECT format('%s %s %s %s %s', job_id, kind, limit_key, payload->>'n', error) FROM dead_letters"),
        format!("{poison} crawl site 1 quarantined: 5 workers were lost while they ran this job")
    );
    assert_eq!(bench.test.text("SELECT format('%s %s %s', queue, outcome, n) FROM job_tallies"), "default failed 1");
    assert!(maintenance::quarantine_jobs(&mut bench.connection).unwrap().is_empty());
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_handler_that_hangs_at_its_last_attempt_is_not_begun_again() {
    let mut bench = Bench::new();
    let hung = ", now() - interval '1 hour'";
    hold(&bench, bench.worker, ", deadline_at", hung);
    bench.test.execute("UPDATE jobs SET attempt = 2");
    assert_eq!(queue::rescue_overdue(&mut bench.connection).unwrap()[0].loss, Loss::Hung);
    assert_eq!(bench.test.text("SELECT format('%s %s %s', state, attempt, suspect) FROM jobs"), "ready 2 f");
    bench.test.execute(&format!(
        "UPDATE jobs SET state = 'running', worker_id = '{}', attempt = 3, deadline_at = now() - interval '1 hour'",
        bench.worker
    ));
    queue::rescue_overdue(&mut bench.connection).unwrap();
    assert_eq!(maintenance::quarantine_jobs(&mut bench.connection).unwrap().len(), 1);
    bench.test.assert_no_jobs_left();
}
