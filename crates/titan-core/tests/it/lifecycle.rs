//! A task from submission to its end, each way it can go. Covers F1, F4, F7, A3, A5.

use std::time::Duration;

use diesel::Connection as _;
use diesel::connection::SimpleConnection as _;
use serde_json::json;
use titan_core::engine::{
    Applied, CancelRun, Canceled, Done, Execute, ForceCancel, NewEvent, Outcome, Quarantine, Report, Transition, Write,
    apply_one,
};
use titan_core::ids::Uuid;
use titan_core::state::{ExecutionStatus, ExecutionType, Level, RunStage, RunStatus, StepStatus, WaitingOn};
use titan_core::{Error, counters, events, messages, outputs, projects, workers};

use crate::support::{Bench, answered, call_of, ended, remembered, somebody_waits, submission};

fn cancel(bench: &mut Bench, run_id: Uuid) -> Canceled {
    match bench.apply(CancelRun { run_id, reason: "a person asked".to_owned() }.into()).unwrap() {
        Applied::Canceled(canceled) => canceled,
        other => panic!("{other:?}"),
    }
}

fn kinds(bench: &mut Bench, run_id: Uuid) -> Vec<String> {
    let events = events::after(&mut bench.connection, run_id, 0, 1000).unwrap();
    let numbers: Vec<i64> = events.iter().map(|event| event.seq).collect();
    assert_eq!(numbers, (1..=i64::try_from(events.len()).unwrap()).collect::<Vec<_>>(), "the sequence has a gap");
    events.into_iter().map(|event| event.kind).collect()
}

#[test]
fn a_message_is_answered_and_remembered() {
    let mut bench = Bench::new();
    let submitted = bench.submit("  What is this?\nSecond line");
    let run_id = submitted.run_id.unwrap();
    let task = bench.task(submitted.task_id);
    assert_eq!((task.title.as_str(), task.execution_status), ("What is this?", ExecutionStatus::Queued));
    assert_eq!(bench.run(run_id).status, RunStatus::Queued);

    let fence = bench.claim();
    let started = bench.start(fence).unwrap();
    assert_eq!((started.step_name.as_str(), started.attempt), ("answer", 1));
    assert_eq!(started.payload, json!({"content": "  What is this?\nSecond line"}));
    let run = bench.run(run_id);
    assert_eq!((run.status, run.stage), (RunStatus::Running, RunStage::Processing));
    bench
        .apply(
            Report {
                fence,
                events: vec![NewEvent::delta(1, 1, 0, "hi"), NewEvent::log(Level::Info, "said hi")],
                calls: Vec::new(),
            }
            .into(),
        )
        .unwrap();
    let call = ended(call_of("offline"), false, 5, 2);
    let finished = bench.finish_with(fence, vec![call], answered("hi")).unwrap();
    assert_eq!((finished.readied, finished.run_status), (1, RunStatus::Running));

    let fence = bench.claim();
    let started = bench.start(fence).unwrap();
    assert_eq!(started.inputs.get("answer"), Some(&json!({"answer": "hi"})));
    assert_eq!(bench.finish(fence, remembered("Asked and answered")).unwrap().run_status, RunStatus::Completed);

    let run = bench.run(run_id);
    assert_eq!((run.status, run.stage, run.usage.output_tokens), (RunStatus::Completed, RunStage::Done, 2));
    assert!(run.steps.iter().all(|step| step.status == StepStatus::Completed));
    let task = bench.task(submitted.task_id);
    assert_eq!((task.execution_status, task.retry_count), (ExecutionStatus::Completed, 0));
    assert_eq!(
        kinds(&mut bench, run_id),
        [
            "run.created",
            "message.created",
            "run.started",
            "step.started",
            "delta",
            "log",
            "message.created",
            "output.created",
            "step.completed",
            "step.started",
            "memory.created",
            "step.completed",
            "run.completed",
        ]
    );
    assert_eq!(messages::answer(&mut bench.connection, run_id).unwrap().unwrap().content, "hi");
    let output = outputs::of_run(&mut bench.connection, run_id).unwrap().remove(0);
    assert_eq!(bench.blobs().read_blocking(&output.sha256.unwrap()).unwrap(), b"hi");
    let stats = counters::of_project(&mut bench.connection, bench.project).unwrap();
    assert_eq!((stats.tasks.completed, stats.tasks.total, stats.runs.completed), (1, 1, 1));
    assert_eq!((stats.memories, stats.outputs.pending), (1, 1));
    assert_eq!(bench.test.count("SELECT count(*) FROM job_history WHERE outcome = 'completed'"), 2);
    bench.test.assert_no_jobs_left();
}

#[test]
fn a_retry_waits_and_is_a_new_attempt_inside_the_step() {
    let mut bench = Bench::new();
    let submitted = bench.submit("hello");
    let run_id = submitted.run_id.unwrap();
    let after = Some(Duration::from_secs(60));
    bench.work(Outcome::Retry { error: "429".to_owned(), after });
    let run = bench.run(run_id);
    assert_eq!((run.status, run.waiting_on), (RunStatus::Running, Some(WaitingOn::Timer)));
    assert!(run.waiting_until.unwrap() - run.waiting_since.unwrap() >= chrono::TimeDelta::seconds(60));
    assert_eq!(run.hint.unwrap().code, "retrying");
    assert!(bench.claim_as(bench.worker, 10).is_empty());
    assert_eq!(bench.task(submitted.task_id).retry_count, 1);

    bench.skip_waiting();
    let fence = bench.claim();
    assert_eq!(bench.start(fence).unwrap().attempt, 2);
    assert_eq!(bench.run(run_id).waiting_on, None);
    bench.finish(fence, answered("hi")).unwrap();
    bench.work(remembered("x"));
    assert_eq!(bench.run(run_id).status, RunStatus::Completed);
}

#[test]
fn attempts_are_used_up_and_then_the_run_fails() {
    let mut bench = Bench::new();
    let submitted = bench.submit("hello");
    for _ in 0..4 {
        bench.work(Outcome::Retry { error: "no route".to_owned(), after: None });
        bench.skip_waiting();
    }
    let run = bench.run(submitted.run_id.unwrap());
    assert_eq!(run.status, RunStatus::Failed);
    assert!(run.error.unwrap().contains("no route (tried 4 times)"));
    assert_eq!(run.steps[1].status, StepStatus::Skipped);
    let task = bench.task(submitted.task_id);
    assert_eq!((task.execution_status, task.retry_count), (ExecutionStatus::Failed, 3));
    assert!(task.failure_reason.is_some());
    bench.test.assert_no_jobs_left();
}

#[test]
fn a_snoozed_attempt_does_not_count() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    for _ in 0..10 {
        bench.work(Outcome::Snooze { after: Duration::from_secs(1), reason: "busy".to_owned() });
        bench.skip_waiting();
    }
    bench.work(answered("hi"));
    bench.work(remembered("x"));
    assert_eq!(bench.run(run_id).status, RunStatus::Completed);
}

#[test]
fn a_queued_run_is_canceled_at_once_and_never_revives() {
    let mut bench = Bench::new();
    let submitted = bench.submit("hello");
    let run_id = submitted.run_id.unwrap();
    assert_eq!(cancel(&mut bench, run_id), Canceled::Now);
    assert_eq!(cancel(&mut bench, run_id), Canceled::HadEnded);
    assert_eq!(bench.run(run_id).status, RunStatus::Canceled);
    assert_eq!(bench.task(submitted.task_id).execution_status, ExecutionStatus::Canceled);
    assert!(bench.claim_as(bench.worker, 10).is_empty());
    let refused = bench.apply(Execute { task_id: submitted.task_id, trace_id: None }.into());
    assert!(matches!(refused, Err(Error::Conflict(_))));
    bench.test.assert_no_jobs_left();
}

#[test]
fn a_running_run_is_asked_and_its_worker_ends_it() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let fence = bench.claim();
    bench.start(fence).unwrap();
    assert_eq!(cancel(&mut bench, run_id), Canceled::Requested);
    assert_eq!(cancel(&mut bench, run_id), Canceled::Requested);
    let run = bench.run(run_id);
    assert_eq!(run.hint.unwrap().code, "canceling");
    assert!(matches!(
        bench.apply(Report { fence, events: Vec::new(), calls: Vec::new() }.into()),
        Ok(Applied::Reported(reported)) if reported.cancel_requested
    ));
    bench.finish(fence, Outcome::Cancel { reason: "asked".to_owned() }).unwrap();
    let kinds = kinds(&mut bench, run_id);
    assert_eq!(kinds.iter().filter(|kind| *kind == "run.cancel_requested").count(), 1);
    assert_eq!(kinds.last().unwrap(), "run.canceled");
    bench.test.assert_no_jobs_left();
}

#[test]
fn an_answer_that_crosses_a_cancel_is_kept_and_the_run_ends_canceled() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let fence = bench.claim();
    bench.start(fence).unwrap();
    cancel(&mut bench, run_id);
    bench.finish(fence, answered("too late")).unwrap();
    let run = bench.run(run_id);
    assert_eq!((run.status, run.steps[0].status), (RunStatus::Canceled, StepStatus::Completed));
    assert_eq!(run.steps[1].status, StepStatus::Canceled);
    bench.test.assert_no_jobs_left();
}

#[test]
fn a_forced_cancel_withdraws_the_claim() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let fence = bench.claim();
    bench.start(fence).unwrap();
    cancel(&mut bench, run_id);
    let overdue = titan_core::queue::overdue_cancels(&mut bench.connection, 0).unwrap();
    assert_eq!(overdue.len(), 1);
    bench.apply(ForceCancel { run_id }.into()).unwrap();
    assert!(matches!(bench.finish(fence, answered("late")), Err(Error::Fenced { .. })));
    assert_eq!(bench.run(run_id).status, RunStatus::Canceled);
    assert_eq!(bench.test.count("SELECT count(*) FROM messages WHERE role = 'assistant'"), 0);
    bench.test.assert_no_jobs_left();
}

#[test]
fn a_worker_that_died_before_it_could_stop_leaves_the_end_to_the_next_one() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let fence = bench.claim();
    bench.start(fence).unwrap();
    cancel(&mut bench, run_id);
    bench.test.execute("UPDATE workers SET heartbeat_at = now() - interval '1 hour'");
    assert_eq!(titan_core::queue::rescue(&mut bench.connection).unwrap().len(), 1);
    let next = bench.claim();
    assert!(matches!(bench.start(next), Err(Error::Fenced { .. })));
    assert_eq!(bench.run(run_id).status, RunStatus::Canceled);
    bench.test.assert_no_jobs_left();
}

#[test]
fn a_failed_task_can_be_executed_again_as_a_new_run() {
    let mut bench = Bench::new();
    let submitted = bench.submit("hello");
    bench.work(Outcome::Fail { error: "no".to_owned() });
    let Applied::Executed(executed) =
        bench.apply(Execute { task_id: submitted.task_id, trace_id: None }.into()).unwrap()
    else {
        panic!()
    };
    assert!(executed.created);
    assert_eq!(bench.run(executed.run_id).retry_of, submitted.run_id);
    assert_eq!(bench.task(submitted.task_id).latest_run.unwrap().id, executed.run_id);
    let Applied::Executed(again) = bench.apply(Execute { task_id: submitted.task_id, trace_id: None }.into()).unwrap()
    else {
        panic!()
    };
    assert_eq!((again.created, again.run_id), (false, executed.run_id));
    bench.work(answered("hi"));
    bench.work(remembered("x"));
    let stats = counters::of_project(&mut bench.connection, bench.project).unwrap();
    assert_eq!((stats.tasks.total, stats.tasks.completed, stats.runs.failed, stats.runs.completed), (1, 1, 1, 1));
    assert_eq!(bench.test.count("SELECT count(*) FROM messages WHERE role = 'user'"), 1);
}

#[test]
fn a_manual_task_waits_for_a_person() {
    let mut bench = Bench::new();
    let mut submission = bench.submission("hello");
    submission.task.execution_type = Some(ExecutionType::Manual);
    let Applied::Submitted(submitted) = bench.apply(submission.into()).unwrap() else { panic!() };
    assert_eq!((submitted.run_id, bench.task(submitted.task_id).execution_status), (None, ExecutionStatus::Pending));
    bench.apply(Transition::CancelTask { task_id: submitted.task_id }).unwrap();
    assert_eq!(bench.task(submitted.task_id).execution_status, ExecutionStatus::Canceled);
}

#[test]
fn a_job_that_keeps_losing_its_workers_is_quarantined() {
    let mut bench = Bench::new();
    let submitted = bench.submit("hello");
    let run_id = submitted.run_id.unwrap();
    for _ in 0..5 {
        bench.claim();
        bench.test.execute("UPDATE workers SET heartbeat_at = now() - interval '1 hour'");
        assert_eq!(titan_core::queue::rescue(&mut bench.connection).unwrap().len(), 1);
    }
    let poisoned: Vec<Quarantine> = titan_core::queue::poisoned(&mut bench.connection).unwrap();
    assert_eq!(poisoned.len(), 1);
    bench.apply(poisoned[0].clone().into()).unwrap();
    assert!(bench.run(run_id).error.unwrap().contains("quarantined: 5 workers"));
    assert_eq!(bench.task(submitted.task_id).execution_status, ExecutionStatus::Failed);
    bench.test.assert_no_jobs_left();
}

#[test]
fn nul_characters_of_a_model_are_replaced_and_those_of_a_client_refused() {
    let mut bench = Bench::new();
    let submission = bench.submission("a\0b");
    assert!(matches!(bench.apply(submission.into()), Err(Error::Invalid { field: "payload", .. })));
    let run_id = bench.submit("hello").run_id.unwrap();
    let fence = bench.claim();
    bench.start(fence).unwrap();
    bench
        .apply(
            Report {
                fence,
                events: vec![NewEvent::delta(1, 1, 0, "x\0y"), NewEvent::log(Level::Warn, "\0")],
                calls: Vec::new(),
            }
            .into(),
        )
        .unwrap();
    bench.finish(fence, answered("x\0y")).unwrap();
    bench.work(remembered("z\0"));
    assert_eq!(messages::answer(&mut bench.connection, run_id).unwrap().unwrap().content, "x\u{fffd}y");
}

#[test]
fn outputs_of_any_size_are_kept_whole_and_equal_ones_once() {
    let mut bench = Bench::new();
    let sizes = [0, 8 << 10, (8 << 10) + 1, (1 << 20) + 1];
    for size in sizes.into_iter().chain(sizes) {
        let run_id = bench.submit("hello").run_id.unwrap();
        let held = bench.claim();
        let bytes: Vec<u8> = (0..size).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let (name, media_type) = ("out".to_owned(), "application/octet-stream".to_owned());
        let write = Write::Output { name, kind: "file", media_type, content: bytes.clone().into() };
        bench.finish(held, Outcome::Done(Done { writes: vec![write], ..Done::default() })).unwrap();
        bench.work(remembered("x"));
        let output = outputs::of_run(&mut bench.connection, run_id).unwrap().remove(0);
        assert!(bench.blobs().read_blocking(&output.sha256.unwrap()).unwrap() == bytes, "{size}");
    }
    let rows = "SELECT (SELECT count(*) FROM blobs) * 100 + (SELECT count(*) FROM blob_chunks)";
    assert_eq!(bench.test.count(rows), 403);
}

#[test]
fn a_deleted_project_takes_no_tasks() {
    let mut bench = Bench::new();
    let run_id = bench.submit("hello").run_id.unwrap();
    let project = bench.project;
    assert_eq!(projects::delete(&mut bench.connection, project).unwrap(), [run_id]);
    let submission = bench.submission("again");
    assert!(matches!(bench.apply(submission.into()), Err(Error::NotFound("project", _))));
    assert_eq!(cancel(&mut bench, run_id), Canceled::Now);
    bench.test.assert_no_jobs_left();
}

/// Whoever comes second waits, and then sees what the first one did.
#[test]
fn a_deletion_waits_for_tasks_that_are_being_added_and_finds_their_runs() {
    let mut bench = Bench::new();
    let (project, late) = (bench.project, bench.submission("just in time"));
    let mut session = bench.test.connect();
    let deletion = bench.connection.transaction(|connection| {
        apply_one(connection, late.into())?;
        let deletion = std::thread::spawn(move || projects::delete(&mut session, project));
        somebody_waits(&bench.test);
        Ok::<_, Error>(deletion)
    });
    assert_eq!(deletion.unwrap().join().unwrap().unwrap().len(), 1);
}

/// Its id is a number that anybody may name in a request.
#[test]
fn a_project_with_the_id_of_a_worker_is_looked_for_without_waiting_for_its_lock() {
    let mut bench = Bench::new();
    let mut session = bench.test.connect();
    assert!(workers::hold_lock(&mut session, workers::lock_key(bench.worker)).unwrap());
    bench.connection.batch_execute("SET lock_timeout = '1ms'").unwrap();
    let nowhere = submission(bench.worker, "hello");
    assert!(matches!(bench.apply(nowhere.into()), Err(Error::NotFound("project", _))));
}

#[test]
fn a_task_that_waits_for_the_deletion_of_its_project_is_refused() {
    let mut bench = Bench::new();
    let (project, late) = (bench.project, bench.submission("too late"));
    let mut session = bench.test.connect();
    let refused = bench.connection.transaction(|connection| {
        projects::delete(connection, project)?;
        let refused = std::thread::spawn(move || apply_one(&mut session, late.into()));
        somebody_waits(&bench.test);
        Ok::<_, Error>(refused)
    });
    assert!(matches!(refused.unwrap().join().unwrap(), Err(Error::NotFound("project", _))));
    assert_eq!(bench.test.count("SELECT count(*) FROM runs"), 0);
}

#[test]
fn a_task_of_a_deleted_project_is_not_executed_again() {
    let mut bench = Bench::new();
    let task_id = bench.submit("hello").task_id;
    bench.work(Outcome::Fail { error: "no".to_owned() });
    let project = bench.project;
    projects::delete(&mut bench.connection, project).unwrap();
    let refused = bench.apply(Execute { task_id, trace_id: None }.into());
    assert!(matches!(refused, Err(Error::NotFound("task", _))));
    bench.test.assert_no_jobs_left();
}
