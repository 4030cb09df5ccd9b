//! A step begins with its worker's first word, and the next step of a run may stay with its worker. Covers A2 and X9.

use titan_core::engine::{
    Applied, CancelRun, Canceled, Fence, Finish, Finished, GoOn, NewEvent, Outcome, Report, Taken,
};
use titan_core::ids::Uuid;
use titan_core::queue;
use titan_core::state::{ExecutionStatus, Level, RunStatus, StepStatus};
use titan_core::{Error, runs};

use crate::support::{Bench, add_worker, answered, fence, remembered};

fn kinds(bench: &Bench, run_id: Uuid) -> Vec<String> {
    let sql = format!("SELECT string_agg(kind, ' ' ORDER BY seq) FROM run_events WHERE run_id = '{run_id}'");
    bench.test.text(&sql).split(' ').map(str::to_owned).collect()
}

fn step(bench: &mut Bench, run_id: Uuid, seq: i16) -> runs::Step {
    let run = bench.run(run_id);
    run.steps.into_iter().find(|step| step.seq == seq).unwrap()
}

/// Finishes, and would go on with whatever comes next.
fn finish_and_go_on(bench: &mut Bench, fence: Fence, outcome: Outcome) -> Finished {
    let go_on = GoOn { worker_id: bench.worker, kinds: ["chat".to_owned(), "remember".to_owned()].into() };
    match bench
        .apply(Finish { fence, events: Vec::new(), calls: Vec::new(), outcome, go_on: Some(go_on) }.into())
        .unwrap()
    {
        Applied::Finished(finished) => finished,
        other => panic!("{other:?}"),
    }
}

fn next(finished: Finished) -> Taken {
    *finished.next.expect("there is a step to go on with")
}

#[test]
fn an_outcome_without_a_word_before_it_tells_of_the_start_too() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let held = bench.claim();
    assert_eq!(bench.run(run_id).status, RunStatus::Queued, "a claim alone writes nothing down");
    bench.finish(held, answered("hi")).unwrap();
    let told = kinds(&bench, run_id);
    assert_eq!(told[2..4], ["run.started", "step.started"], "{told:?}");
    let done = step(&mut bench, run_id, 1);
    assert_eq!((done.status, done.attempt, done.worker.as_deref()), (StepStatus::Completed, 1, Some("w")));
    bench.work(remembered("x"));
    assert_eq!(bench.run(run_id).status, RunStatus::Completed);
}

#[test]
fn a_report_is_a_first_word_and_only_the_first_one_begins() {
    let mut bench = Bench::new();
    let submitted = bench.submit("hello");
    let run_id = submitted.run_id.unwrap();
    let held = bench.claim();
    for text in ["one", "two"] {
        bench
            .apply(Report { fence: held, events: vec![NewEvent::log(Level::Info, text)], calls: Vec::new() }.into())
            .unwrap();
    }
    // Neither does it begin again when it is said outright.
    assert_eq!(bench.start(held).unwrap().attempt, 1);
    assert_eq!(kinds(&bench, run_id)[2..], ["run.started", "step.started", "log", "log"]);
    assert_eq!(step(&mut bench, run_id, 1).status, StepStatus::Running);
    assert_eq!(bench.task(submitted.task_id).execution_status, ExecutionStatus::InProgress);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn each_claim_begins_anew() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let held = bench.claim();
    bench.start(held).unwrap();
    queue::release(&mut bench.connection, bench.worker, &[(held.job_id, held.epoch)]).unwrap();
    let again = bench.claim();
    bench.finish(again, answered("hi")).unwrap();
    assert_eq!(step(&mut bench, run_id, 1).attempt, 2);
    assert_eq!(kinds(&bench, run_id).iter().filter(|kind| *kind == "step.started").count(), 2);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn the_cancel_of_a_run_that_is_claimed_and_has_said_nothing_waits_for_its_worker() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let held = bench.claim();
    let canceled = bench.apply(CancelRun { run_id, reason: "no".to_owned() }.into()).unwrap();
    assert!(matches!(canceled, Applied::Canceled(Canceled::Requested)), "{canceled:?}");
    bench.finish(held, Outcome::Cancel { reason: "told to stop".to_owned() }).unwrap();
    assert_eq!(bench.run(run_id).status, RunStatus::Canceled);
    bench.test.assert_no_jobs_left();
}

#[test]
fn the_next_step_stays_with_its_worker_and_has_all_it_needs() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let held = bench.claim();
    let taken = next(finish_and_go_on(&mut bench, held, answered("hi")));
    let context = taken.context.as_ref().unwrap();
    assert_eq!((context.step_name.as_str(), context.attempt, context.leads_on), ("remember", 1, false));
    assert_eq!(context.inputs["answer"]["answer"], "hi");
    let row = "SELECT concat_ws('|', id, state, epoch, attempt, worker_id, deadline_at > now()) FROM jobs";
    assert_eq!(bench.test.text(row), format!("{}|running|1|1|{}|t", taken.job.id, bench.worker));
    assert!(bench.claim_as(bench.worker, 10).is_empty(), "there is nothing to claim");
    let finished = finish_and_go_on(&mut bench, fence(&taken.job), remembered("x"));
    assert!(finished.next.is_none());
    assert_eq!(finished.run_status, RunStatus::Completed);
    bench.test.assert_no_jobs_left();
    assert_eq!(bench.test.count("SELECT count(*) FROM job_history WHERE outcome = 'completed'"), 2);
    assert_eq!(bench.test.count(&format!("SELECT count(*) FROM steps WHERE run_id = '{run_id}' AND waits_for = 0")), 2);
}

#[test]
fn what_a_worker_went_on_with_is_rescued_like_any_other_job() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let held = bench.claim();
    let taken = next(finish_and_go_on(&mut bench, held, answered("hi")));
    bench.test.execute("UPDATE workers SET heartbeat_at = now() - interval '1 minute'");
    assert_eq!(queue::rescue(&mut bench.connection).unwrap().len(), 1);
    let late = bench.finish(fence(&taken.job), remembered("late"));
    assert!(matches!(late, Err(Error::Fenced { .. })), "{late:?}");
    let other = add_worker(&mut bench.connection);
    let again = bench.claim_as(other, 10).pop().unwrap();
    bench.finish(fence(&again), remembered("in time")).unwrap();
    assert_eq!(bench.run(run_id).status, RunStatus::Completed);
    assert_eq!(bench.test.text("SELECT content FROM memories"), "in time");
    assert_eq!(step(&mut bench, run_id, 2).attempt, 1, "the first worker never said that it began");
}

#[test]
fn nobody_goes_on_in_a_paused_queue_or_past_a_limit_or_without_a_handler() {
    let mut bench = Bench::new();
    bench.submit("hello");
    let held = bench.claim();
    bench.test.execute("UPDATE queues SET paused_at = now() WHERE name = 'default'");
    assert!(finish_and_go_on(&mut bench, held, answered("hi")).next.is_none());
    assert_eq!(bench.test.text("SELECT state FROM jobs"), "ready");
    bench.test.execute("UPDATE queues SET paused_at = NULL; DELETE FROM jobs");

    bench.test.execute("INSERT INTO limits (key, max_running) VALUES ('one', 1)");
    let mut limited = bench.submission("hello");
    limited.task.limit_key = Some("one".to_owned());
    bench.apply(limited.into()).unwrap();
    let held = bench.claim();
    assert!(finish_and_go_on(&mut bench, held, answered("hi")).next.is_none());
    bench.test.execute("DELETE FROM jobs");

    bench.submit("hello");
    let held = bench.claim();
    let go_on = Some(GoOn { worker_id: bench.worker, kinds: ["chat".to_owned()].into() });
    let finish = Finish { fence: held, events: Vec::new(), calls: Vec::new(), outcome: answered("hi"), go_on };
    let Applied::Finished(finished) = bench.apply(finish.into()).unwrap() else { panic!("not finished") };
    assert!(finished.next.is_none() && finished.readied == 1);
    bench.test.execute("DELETE FROM jobs");
}

#[test]
fn a_run_that_is_canceled_in_the_same_batch_is_not_gone_on_with() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let held = bench.claim();
    let go_on = Some(GoOn { worker_id: bench.worker, kinds: ["remember".to_owned()].into() });
    let finish = Finish { fence: held, events: Vec::new(), calls: Vec::new(), outcome: answered("hi"), go_on };
    let cancel = CancelRun { run_id, reason: "no".to_owned() };
    let batch = titan_core::engine::apply(&mut bench.connection, &[finish.into(), cancel.into()]).unwrap();
    let Ok(Applied::Finished(finished)) = &batch.answers[0] else { panic!("{:?}", batch.answers) };
    assert!(finished.next.is_none());
    assert_eq!(bench.run(run_id).status, RunStatus::Canceled);
    bench.test.assert_no_jobs_left();
}
