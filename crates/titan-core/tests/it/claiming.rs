//! The claim: order, limit, no job twice, and the plan that it must have.

use std::collections::HashSet;

use diesel::connection::SimpleConnection;
use diesel::sql_types::Text;
use diesel::{QueryableByName, RunQueryDsl, sql_query};
use titan_core::engine::Transition;
use titan_core::queue::{CLAIM_SQL, Claim, claim};

use crate::support::{Bench, add_worker};

fn submit_with_priority(bench: &mut Bench, priority: i16) {
    let mut submission = bench.submission("hello");
    submission.task.priority = priority;
    bench.apply(Transition::Submit(submission)).unwrap();
}

#[test]
fn the_most_urgent_and_then_the_oldest_comes_first() {
    let mut bench = Bench::new();
    for priority in [0, 10, -5, 10] {
        submit_with_priority(&mut bench, priority);
    }
    let order: Vec<i64> = (0..4).map(|_| bench.claim_as(bench.worker, 1)[0].id).collect();
    assert_eq!(order, [2, 4, 1, 3]);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_claim_takes_no_more_than_its_limit_and_only_its_kinds() {
    let mut bench = Bench::new();
    for _ in 0..5 {
        bench.submit("hello");
    }
    assert_eq!(bench.claim_as(bench.worker, 3).len(), 3);
    let other = Claim::simple(bench.worker, vec!["build".to_owned()], 10);
    assert!(claim(&mut bench.connection, &other).unwrap().is_empty());
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn eight_claimers_share_the_jobs_without_a_double() {
    let mut bench = Bench::new();
    for _ in 0..200 {
        bench.submit("hello");
    }
    let threads: Vec<_> = (0..8)
        .map(|_| {
            let mut connection = bench.test.connect();
            std::thread::spawn(move || {
                let worker_id = add_worker(&mut connection);
                let what = Claim::simple(worker_id, vec!["chat".to_owned()], 7);
                let mut mine = Vec::new();
                loop {
                    let jobs = claim(&mut connection, &what).unwrap();
                    if jobs.is_empty() {
                        return mine;
                    }
                    mine.extend(jobs.into_iter().map(|job| job.id));
                }
            })
        })
        .collect();
    let all: Vec<i64> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    assert_eq!((all.len(), all.iter().collect::<HashSet<_>>().len()), (200, 200));
    bench.test.execute("DELETE FROM jobs");
}

/// The statistics of a hot table are always wrong: made when it was empty, used when it is full. Pinned in that state.
#[test]
fn the_claim_reads_its_index_in_order_and_sorts_nothing() {
    let bench = Bench::new();
    bench.test.execute(&format!("ANALYZE jobs; {READY}"));
    let text = plan_of_a_claim(&bench, "");
    assert!(reads_its_indexes(&text), "{text}");
    bench.test.execute("DELETE FROM jobs");
}

/// With a million scheduled jobs and ten million rows of history, whatever the statistics say. Besides the plan, the pages
/// that a claim of ten jobs looks at are counted: their number may not grow with the tables.
#[test]
#[ignore = "makes eleven million rows, which takes minutes: STAGES=scale make test"]
fn the_claim_keeps_its_plan_and_its_cost_when_the_tables_are_large() {
    let bench = Bench::new();
    bench.test.execute(READY);
    let small = pages(&plan_of_a_claim(&bench, "ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF, "));
    bench.test.execute(
        "INSERT INTO jobs (kind, state, run_at, max_attempts, timeout_ms) \
         SELECT 'chat', 'scheduled', now() + n * interval '1 second', 3, 60000 FROM generate_series(1, 1000000) AS n",
    );
    for _ in 0..20 {
        bench.test.execute(
            "INSERT INTO job_history (id, finished_at, kind, queue, outcome, attempt, rescues, epoch, created_at) \
             SELECT -n, now(), 'chat', 'default', 'completed', 1, 0, 1, now() FROM generate_series(1, 500000) AS n",
        );
    }
    for statistics in ["SELECT 'as they are'", "ANALYZE jobs; ANALYZE job_history"] {
        bench.test.execute(statistics);
        let text = plan_of_a_claim(&bench, "ANALYZE, BUFFERS, TIMING OFF, SUMMARY OFF, ");
        assert!(reads_its_indexes(&text), "{text}");
        let large = pages(&text);
        // An index on eleven hundred times as many rows is two levels deeper at most, and each job is found by two of them.
        assert!(large <= small + 2 * 2 * 10, "{small} pages at first, now {large}:\n{text}");
    }
    bench.test.execute("TRUNCATE jobs");
}

const READY: &str = "INSERT INTO jobs (kind, state, max_attempts, timeout_ms) \
                     SELECT 'chat', 'ready', 1, 1000 FROM generate_series(1, 1000)";

/// The plan on a connection of the engine. What it claims to count is rolled back.
fn plan_of_a_claim(bench: &Bench, options: &str) -> String {
    #[derive(QueryableByName)]
    struct Line {
        #[diesel(sql_type = Text)]
        #[diesel(column_name = "QUERY PLAN")]
        line: String,
    }
    let mut connection = bench.test.db.for_engine().unwrap();
    connection.batch_execute(&format!("PREPARE claim (uuid, text[], bigint, text) AS {CLAIM_SQL}; BEGIN")).unwrap();
    let explain = format!("EXPLAIN ({options}COSTS OFF) EXECUTE claim (gen_random_uuid(), '{{chat}}', 10, 'default')");
    let plan: Vec<Line> = sql_query(explain).load(&mut connection).unwrap();
    connection.batch_execute("ROLLBACK").unwrap();
    plan.into_iter().map(|line| line.line).collect::<Vec<_>>().join("\n")
}

fn reads_its_indexes(plan: &str) -> bool {
    let both = ["Index Scan using jobs_ready on jobs", "Index Scan using jobs_pkey on jobs j"];
    both.iter().all(|scan| plan.contains(scan)) && !plan.contains("Sort") && !plan.contains("Seq Scan")
}

/// Pages that the whole statement looked at: what its top line sums up.
fn pages(plan: &str) -> u64 {
    let line = plan.lines().find(|line| line.contains("Buffers:")).unwrap();
    let counted = line.split_whitespace().filter_map(|word| {
        let (what, count) = word.split_once('=')?;
        ["hit", "read"].contains(&what).then(|| count.parse::<u64>().unwrap())
    });
    counted.sum()
}
