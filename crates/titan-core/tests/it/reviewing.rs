//! What a person decides about an output, and what comes of a rejection.

use titan_core::Error;
use titan_core::engine::Execute;
use titan_core::ids::Uuid;
use titan_core::outputs::{self, Decision, Output};
use titan_core::state::{ExecutionStatus, Review, RunStatus};

use crate::support::{Bench, answered, remembered};

const APPROVE: Decision<'static> = Decision { review: Review::Approved, comment: None, run_again: false };
const AGAIN: Decision<'static> = Decision { review: Review::Rejected, comment: Some(" Too long. "), run_again: true };

/// A task that was answered, and the output.
fn answer(bench: &mut Bench) -> (Uuid, Output) {
    let submitted = bench.submit("hello");
    (submitted.task_id, answer_run(bench, submitted.run_id.unwrap()))
}

fn answer_run(bench: &mut Bench, run_id: Uuid) -> Output {
    bench.work(answered("hi"));
    bench.work(remembered("x"));
    outputs::of_run(&mut bench.connection, run_id).unwrap().remove(0)
}

#[test]
fn an_output_is_decided_once() {
    let mut bench = Bench::new();
    let (_, output) = answer(&mut bench);
    let decision = Decision { comment: Some("good"), ..APPROVE };
    let (decided, hints) = outputs::review(&mut bench.connection, output.id, &decision).unwrap();
    let (decided, next) = (decided.output, decided.next_run_id);
    assert_eq!((decided.review, decided.comment.as_deref(), next), (Review::Approved, Some("good"), None));
    assert_eq!(hints.len(), 2);
    let (_, hints) = outputs::review(&mut bench.connection, output.id, &APPROVE).unwrap();
    assert!(hints.is_empty());
    let other = outputs::review(&mut bench.connection, output.id, &AGAIN);
    assert!(matches!(other, Err(Error::AlreadyDecided("approved"))));
    let events = titan_core::events::after(&mut bench.connection, output.run_id, 0, 100).unwrap();
    assert_eq!(events.last().unwrap().message.as_deref(), Some("Output Answer approved: good"));
    assert_eq!(usize::try_from(bench.run(output.run_id).last_seq).unwrap(), events.len());
    bench.test.assert_no_jobs_left();
}

#[test]
fn a_rejection_has_the_task_done_again_once() {
    let mut bench = Bench::new();
    let (task_id, first) = answer(&mut bench);
    let (rejected, hints) = outputs::review(&mut bench.connection, first.id, &AGAIN).unwrap();
    let next = rejected.next_run_id.unwrap();
    assert_eq!((rejected.output.review, rejected.output.comment.as_deref()), (Review::Rejected, Some("Too long.")));
    assert!(hints.len() > 2, "{hints:?}");
    let task = bench.task(task_id);
    assert_eq!((task.execution_status, task.latest_run.unwrap().id), (ExecutionStatus::Queued, next));
    assert_eq!(bench.run(next).retry_of, Some(first.run_id));

    // The same request again, before and after the new run: it is told of the same one.
    let again = |bench: &mut Bench| outputs::review(&mut bench.connection, first.id, &AGAIN).unwrap().0.next_run_id;
    assert_eq!(again(&mut bench), Some(next));
    let second = answer_run(&mut bench, next);
    assert_eq!(again(&mut bench), Some(next));
    assert_eq!(bench.test.count("SELECT count(*) FROM runs"), 2);
    bench.test.assert_no_jobs_left();

    let versions = outputs::versions(&mut bench.connection, second.id).unwrap();
    assert_eq!(versions.iter().map(|output| output.id).collect::<Vec<_>>(), [first.id, second.id]);
    let told = outputs::rejections(&mut bench.connection, task_id).unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].comment.as_deref(), told[0].preview.as_deref()), (Some("Too long."), Some("hi")));
}

#[test]
fn what_was_only_rejected_may_be_done_again_later() {
    let mut bench = Bench::new();
    let (_, output) = answer(&mut bench);
    let plain = Decision { run_again: false, ..AGAIN };
    assert_eq!(outputs::review(&mut bench.connection, output.id, &plain).unwrap().0.next_run_id, None);
    bench.test.assert_no_jobs_left();
    let (again, _) = outputs::review(&mut bench.connection, output.id, &AGAIN).unwrap();
    let next = again.next_run_id.unwrap();
    assert_eq!(bench.run(next).status, RunStatus::Queued);
    answer_run(&mut bench, next);
}

#[test]
fn a_run_that_is_under_way_is_not_run_again_and_nothing_is_recorded() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    bench.work(answered("hi"));
    let output = outputs::of_run(&mut bench.connection, run_id).unwrap().remove(0);
    let refused = outputs::review(&mut bench.connection, output.id, &AGAIN).unwrap_err();
    assert!(matches!(&refused, Error::Conflict(why) if why.contains("still under way")), "{refused}");
    assert_eq!(outputs::get(&mut bench.connection, output.id).unwrap().review, Review::Pending);
    bench.work(remembered("x"));
    assert!(outputs::review(&mut bench.connection, output.id, &AGAIN).unwrap().0.next_run_id.is_some());
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_run_that_somebody_else_has_begun_is_the_next_one() {
    let mut bench = Bench::new();
    let (task_id, output) = answer(&mut bench);
    bench.apply(Execute { task_id, trace_id: None }.into()).unwrap();
    let begun = bench.task(task_id).latest_run.unwrap().id;
    let (rejected, _) = outputs::review(&mut bench.connection, output.id, &AGAIN).unwrap();
    assert_eq!(rejected.next_run_id, Some(begun));
    assert_eq!(bench.test.count("SELECT count(*) FROM runs"), 2);
    answer_run(&mut bench, begun);
}

#[test]
fn a_run_that_ended_before_the_rejection_knows_nothing_of_it() {
    let mut bench = Bench::new();
    let (task_id, output) = answer(&mut bench);
    bench.apply(Execute { task_id, trace_id: None }.into()).unwrap();
    let between = bench.task(task_id).latest_run.unwrap().id;
    answer_run(&mut bench, between);
    let (rejected, _) = outputs::review(&mut bench.connection, output.id, &AGAIN).unwrap();
    let next = rejected.next_run_id.unwrap();
    assert!(![between, output.run_id].contains(&next));
    answer_run(&mut bench, next);
    let again = outputs::review(&mut bench.connection, output.id, &AGAIN).unwrap().0;
    assert_eq!(again.next_run_id, Some(next), "once is enough");
}

#[test]
fn two_who_reject_at_once_start_one_run() {
    let mut bench = Bench::new();
    let (_, output) = answer(&mut bench);
    let next: Vec<_> = std::thread::scope(|scope| {
        let reject = || outputs::review(&mut bench.test.connect(), output.id, &AGAIN).unwrap().0.next_run_id.unwrap();
        let both: Vec<_> = (0..2).map(|_| scope.spawn(reject)).collect();
        both.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(next[0], next[1]);
    assert_eq!(bench.test.count("SELECT count(*) FROM runs"), 2);
    answer_run(&mut bench, next[0]);
}
