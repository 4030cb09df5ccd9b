//! Tasks of a charter wait for those that they need, and groups stand as their tasks do.

use std::collections::{BTreeMap, BTreeSet};

use diesel::Connection as _;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use titan_core::engine::{Applied, CancelRun, Canceled, Execute, Finish, Outcome, Transition, apply_one};
use titan_core::plans;
use titan_core::queue::{Claim, claim};
use titan_core::state::{ExecutionStatus, ExecutionType, rolled_up};
use titan_core::{Error, tasks};

use super::{alone, chartered, do_next, planned, status, task_of};
use crate::support::{Bench, answered, fence, remembered, somebody_waits};

#[test]
fn a_task_begins_when_the_last_that_it_needs_is_done() {
    let mut bench = Bench::new();
    chartered(&mut bench, vec![alone("a", &[]), alone("b", &["a"]), alone("c", &["a", "b"])]);
    do_next(&mut bench);
    assert_eq!((status(&mut bench, "b"), status(&mut bench, "c")), (ExecutionStatus::Queued, ExecutionStatus::Pending));
    let c = task_of(&mut bench, "c");
    let early = bench.apply(Execute { task_id: c, trace_id: None }.into()).unwrap_err();
    assert!(matches!(&early, Error::Conflict(why) if why.contains("needs 1 others")), "{early}");
    assert!(tasks::executable(&mut bench.connection, None, None).unwrap().is_empty());
    do_next(&mut bench);
    do_next(&mut bench);
    assert_eq!(status(&mut bench, "c"), ExecutionStatus::Completed);
    bench.test.assert_no_jobs_left();
}

#[test]
fn what_failed_is_waited_for_and_what_was_canceled_is_done_without() {
    let mut bench = Bench::new();
    chartered(&mut bench, vec![alone("a", &[]), alone("b", &["a"])]);
    bench.work(Outcome::Fail { error: "no".to_owned() });
    let (a, b) = (task_of(&mut bench, "a"), task_of(&mut bench, "b"));
    let hint = bench.task(b).hint.unwrap().message;
    assert!(hint.contains("It failed: execute it again"), "{hint}");
    let Applied::Executed(again) = bench.apply(Execute { task_id: a, trace_id: None }.into()).unwrap() else {
        panic!()
    };
    bench.apply(CancelRun { run_id: again.run_id, reason: "asked".to_owned() }.into()).unwrap();
    assert_eq!(status(&mut bench, "b"), ExecutionStatus::Pending, "nobody said that it is to be done without");
    assert!(bench.apply(Execute { task_id: b, trace_id: None }.into()).is_ok());
    do_next(&mut bench);
    assert_eq!(status(&mut bench, "b"), ExecutionStatus::Completed);
}

#[test]
fn what_failed_for_good_is_given_up_and_its_group_ends() {
    let mut bench = Bench::new();
    let (by_hand, by_itself) = (ExecutionType::Manual, ExecutionType::FullyAutomated);
    chartered(
        &mut bench,
        vec![
            planned("all", by_hand, &[], None),
            planned("a", by_itself, &[], Some("all")),
            planned("b", by_itself, &["a"], Some("all")),
        ],
    );
    bench.work(Outcome::Fail { error: "no".to_owned() });
    let (a, b) = (task_of(&mut bench, "a"), task_of(&mut bench, "b"));
    let before = titan_core::counters::of_project(&mut bench.connection, bench.project).unwrap();
    let cancel = Transition::CancelTask { task_id: a };
    assert!(matches!(bench.apply(cancel.clone()), Ok(Applied::Canceled(Canceled::Now))));
    assert!(matches!(bench.apply(cancel), Ok(Applied::Canceled(Canceled::HadEnded))));
    assert_eq!(
        (status(&mut bench, "a"), status(&mut bench, "b")),
        (ExecutionStatus::Canceled, ExecutionStatus::Pending)
    );
    assert!(bench.apply(Execute { task_id: a, trace_id: None }.into()).is_err());
    let after = titan_core::counters::of_project(&mut bench.connection, bench.project).unwrap();
    assert_eq!((before.tasks.failed, after.tasks.failed), (1, 0));
    let hint = bench.task(b).hint.unwrap().message;
    assert!(hint.contains("execute this one without it"), "{hint}");
    bench.apply(Execute { task_id: b, trace_id: None }.into()).unwrap();
    do_next(&mut bench);
    assert_eq!(status(&mut bench, "all"), ExecutionStatus::Completed);
}

#[test]
fn a_group_is_done_when_its_tasks_are_and_nobody_decides_about_it() {
    let mut bench = Bench::new();
    let by_hand = ExecutionType::Manual;
    chartered(
        &mut bench,
        vec![
            planned("all", by_hand, &[], None),
            planned("part", by_hand, &[], Some("all")),
            planned("a", ExecutionType::FullyAutomated, &[], Some("part")),
            planned("b", by_hand, &["a"], Some("all")),
        ],
    );
    let (all, b) = (task_of(&mut bench, "all"), task_of(&mut bench, "b"));
    for refused in [
        Execute { task_id: all, trace_id: None }.into(),
        Transition::CancelTask { task_id: all },
        Transition::CompleteTask { task_id: all },
        Transition::CompleteTask { task_id: b },
    ] {
        assert!(matches!(bench.apply(refused), Err(Error::Conflict(_))));
    }
    do_next(&mut bench);
    assert_eq!(
        (status(&mut bench, "part"), status(&mut bench, "all")),
        (ExecutionStatus::Completed, ExecutionStatus::InProgress)
    );
    bench.apply(Transition::CompleteTask { task_id: b }).unwrap();
    assert_eq!(
        (status(&mut bench, "b"), status(&mut bench, "all")),
        (ExecutionStatus::Completed, ExecutionStatus::Completed)
    );
    let charter = plans::charter(&mut bench.connection, bench.project, None).unwrap();
    assert_eq!((charter.progress.total, charter.progress.completed), (2, 2));

    // A result is rejected and the task done again: its groups are open again, and closed again.
    let a = task_of(&mut bench, "a");
    bench.apply(Execute { task_id: a, trace_id: None }.into()).unwrap();
    assert_eq!(
        (status(&mut bench, "part"), status(&mut bench, "all")),
        (ExecutionStatus::Queued, ExecutionStatus::Queued)
    );
    do_next(&mut bench);
    assert_eq!(
        (status(&mut bench, "part"), status(&mut bench, "all")),
        (ExecutionStatus::Completed, ExecutionStatus::Completed)
    );
    let stats = titan_core::counters::of_project(&mut bench.connection, bench.project).unwrap();
    assert_eq!((stats.tasks.total, stats.tasks.completed), (5, 5), "with the draft of the plan");
}

#[test]
fn of_two_that_end_at_once_the_second_begins_with_what_needs_both() {
    let mut bench = Bench::new();
    chartered(&mut bench, vec![alone("a", &[]), alone("b", &[]), alone("c", &["a", "b"])]);
    for job in bench.claim_as(bench.worker, 2) {
        bench.finish(fence(&job), answered("done")).unwrap();
    }
    let [one, other] = bench.claim_as(bench.worker, 2).iter().map(fence).collect::<Vec<_>>()[..] else { panic!() };
    let end =
        |fence| Finish { fence, events: Vec::new(), calls: Vec::new(), outcome: remembered("x"), go_on: None }.into();
    let mut session = bench.test.connect();
    let second = bench.connection.transaction(|connection| {
        apply_one(connection, end(one))?;
        let second = std::thread::spawn(move || apply_one(&mut session, end(other)));
        somebody_waits(&bench.test);
        Ok::<_, Error>(second)
    });
    second.unwrap().join().unwrap().unwrap();
    let c = task_of(&mut bench, "c");
    assert_eq!(status(&mut bench, "c"), ExecutionStatus::Queued);
    assert_eq!(bench.test.count(&format!("SELECT count(*) FROM runs WHERE task_id = '{c}'")), 1);
}

/// A plan of up to eight tasks: whether each is done by itself, which of the earlier ones it needs, and which group it is in.
fn any_plan() -> impl Strategy<Value = Vec<(bool, BTreeSet<usize>, Option<usize>)>> {
    let task = |index: usize| {
        (any::<bool>(), proptest::collection::btree_set(0..index.max(1), 0..3), proptest::option::of(0..3usize))
    };
    (0..8usize).map(task).collect::<Vec<_>>()
}

#[test]
fn whatever_the_plan_nothing_begins_before_its_needs_and_everything_is_done_in_the_end() {
    let bench = std::cell::RefCell::new(Bench::new());
    let mut runner = TestRunner::new(Config { cases: 24, failure_persistence: None, ..Config::default() });
    let held = runner.run(&any_plan(), |plan| {
        let bench = &mut *bench.borrow_mut();
        let new = titan_core::projects::NewProject {
            name: "P".to_owned(),
            project_type: None,
            template_ref: None,
            spec: None,
        };
        bench.project = titan_core::projects::create(&mut bench.connection, &new, None).unwrap().0.id;
        play(bench, &plan);
        Ok(())
    });
    held.unwrap();
    bench.into_inner().test.assert_no_jobs_left();
}

fn play(bench: &mut Bench, plan: &[(bool, BTreeSet<usize>, Option<usize>)]) {
    let key = |index: usize| format!("t{index}");
    let mut planned_tasks = Vec::new();
    for (index, (by_itself, needs, group)) in plan.iter().enumerate() {
        let how = if *by_itself { ExecutionType::FullyAutomated } else { ExecutionType::Manual };
        let needs: Vec<String> = needs.iter().filter(|need| **need < index).map(|need| key(*need)).collect();
        let needs: Vec<&str> = needs.iter().map(String::as_str).collect();
        let group = group.map(|group| format!("g{group}"));
        planned_tasks.push(planned(&key(index), how, &needs, group.as_deref()));
    }
    let groups: BTreeSet<String> = planned_tasks.iter().filter_map(|task| task.parent.clone()).collect();
    planned_tasks.extend(groups.iter().map(|group| planned(group, ExecutionType::Manual, &[], None)));
    chartered(bench, planned_tasks);
    for _ in 0..200 {
        check(bench, plan);
        let ready = claim(
            &mut bench.connection,
            &Claim::simple(bench.worker, vec!["chat".to_owned(), "remember".to_owned()], 1),
        );
        if let Some(job) = ready.unwrap().first() {
            let outcome = if job.kind == "chat" { answered("done") } else { remembered("x") };
            bench.finish(fence(job), outcome).unwrap();
            continue;
        }
        // What is left is by hand; what waits is not offered.
        let Some(task) =
            tasks::executable(&mut bench.connection, Some(bench.project), None).unwrap().into_iter().next()
        else {
            break;
        };
        bench.apply(Transition::CompleteTask { task_id: task.id }).unwrap();
    }
    let charter = plans::charter(&mut bench.connection, bench.project, None).unwrap();
    assert!(charter.items.iter().all(|item| item.execution_status == ExecutionStatus::Completed), "{charter:?}");
}

fn check(bench: &mut Bench, plan: &[(bool, BTreeSet<usize>, Option<usize>)]) {
    let charter = plans::charter(&mut bench.connection, bench.project, None).unwrap();
    let stands: BTreeMap<&str, ExecutionStatus> =
        charter.items.iter().map(|item| (item.key.as_str(), item.execution_status)).collect();
    for (index, (by_itself, needs, _)) in plan.iter().enumerate() {
        let now = stands[format!("t{index}").as_str()];
        let free = needs
            .iter()
            .filter(|need| **need < index)
            .all(|need| stands[format!("t{need}").as_str()] == ExecutionStatus::Completed);
        assert!(free || now == ExecutionStatus::Pending, "t{index} is {now} before its needs");
        assert!(!(free && *by_itself && now == ExecutionStatus::Pending), "t{index} has not begun");
    }
    for item in charter.items.iter().filter(|item| item.progress.is_some()) {
        let parts: Vec<ExecutionStatus> = charter
            .items
            .iter()
            .filter(|part| part.parent_task_id == Some(item.task_id))
            .map(|part| part.execution_status)
            .collect();
        assert_eq!(rolled_up(item.execution_status, &parts), None, "{} is {}", item.key, item.execution_status);
    }
}
