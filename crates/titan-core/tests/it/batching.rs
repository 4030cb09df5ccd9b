//! What a thousand runs cost: few statements and few commits, whatever their number. The figures are exact, so that one more
//! statement in a batch is seen.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::{Connection as _, InstrumentationEvent};
use titan_core::engine::{Applied, Batch, Finish, GoOn, Taken, Transition, apply_with_claim};
use titan_core::queue::Claim;

use crate::support::{Bench, answered, fence, remembered};

const RUNS: usize = 1000;
const BATCH: usize = 250;

#[derive(Default)]
struct Counted {
    statements: AtomicUsize,
    commits: AtomicUsize,
}

#[test]
fn a_thousand_runs_cost_few_statements_and_commits() {
    let bench = Bench::new();
    let counted = Arc::new(Counted::default());
    let mut connection = bench.test.db.for_engine().unwrap();
    let counts = Arc::clone(&counted);
    connection.set_instrumentation(move |event: InstrumentationEvent<'_>| match event {
        InstrumentationEvent::StartQuery { .. } => drop(counts.statements.fetch_add(1, Ordering::Relaxed)),
        InstrumentationEvent::CommitTransaction { .. } => drop(counts.commits.fetch_add(1, Ordering::Relaxed)),
        _ => {}
    });
    for batch in 0..RUNS / BATCH {
        let submissions: Vec<Transition> =
            (0..BATCH).map(|n| bench.submission(&format!("{batch} {n}")).into()).collect();
        let done = apply_with_claim(&mut connection, &submissions, None).unwrap();
        assert!(done.answers.iter().all(Result::is_ok));
    }
    let submitted = (counted.statements.load(Ordering::Relaxed), counted.commits.load(Ordering::Relaxed));

    let what = Claim::simple(bench.worker, vec!["chat".to_owned(), "remember".to_owned()], BATCH);
    let go_on = GoOn { worker_id: bench.worker, kinds: what.kinds.clone().into() };
    let mut acknowledge: Vec<Transition> = Vec::new();
    loop {
        let Batch { answers, taken, .. } = apply_with_claim(&mut connection, &acknowledge, Some(&what)).unwrap();
        if taken.is_empty() && acknowledge.is_empty() {
            break;
        }
        let claimed = taken.iter().map(|taken| finished(taken, Some(go_on.clone())));
        let went_on = answers.into_iter().filter_map(|answer| next(answer.unwrap()));
        acknowledge = claimed.chain(went_on.map(|taken| finished(&taken, None))).collect();
    }
    let worked = (
        counted.statements.load(Ordering::Relaxed) - submitted.0,
        counted.commits.load(Ordering::Relaxed) - submitted.1,
    );
    assert_eq!(bench.test.count("SELECT count(*) FROM runs WHERE status = 'completed'"), i64::try_from(RUNS).unwrap());
    bench.test.assert_no_jobs_left();

    println!("submitted with {submitted:?}, carried out with {worked:?} statements and commits");
    // BEGIN and COMMIT count as statements.
    let batches = RUNS / BATCH;
    // The virtual time is asked 50 times a second at most: batches that are quicker do without one of their statements.
    assert!(((SUBMIT_STATEMENTS - 1) * batches..=SUBMIT_STATEMENTS * batches).contains(&submitted.0), "{submitted:?}");
    assert_eq!(submitted.1, batches);
    assert!(worked.0 <= WORK_STATEMENTS * worked.1, "{worked:?}");
    assert!(worked.1 <= 2 * RUNS / BATCH + 3, "{worked:?}");
}

const SUBMIT_STATEMENTS: usize = 12;
const WORK_STATEMENTS: usize = 17;

fn next(answer: Applied) -> Option<Taken> {
    match answer {
        Applied::Finished(finished) => finished.next.map(|next| *next),
        other => panic!("{other:?}"),
    }
}

/// What the handler needs to know came with the job; here is its outcome.
fn finished(taken: &Taken, go_on: Option<GoOn>) -> Transition {
    let fence = fence(&taken.job);
    assert!(taken.context.is_some(), "{taken:?}");
    let outcome = if taken.job.kind == "chat" { answered("a good answer") } else { remembered("what was said") };
    Finish { fence, events: Vec::new(), calls: Vec::new(), outcome, go_on }.into()
}
