//! A charter after a charter: what is kept, what is new, and what hangs between the two.

use diesel::Connection as _;
use titan_core::engine::{Approve, Finish, Transition, apply_one};
use titan_core::ids::Uuid;
use titan_core::state::{ExecutionStatus, ExecutionType};
use titan_core::{Error, plans};

use super::{chartered, content, do_next, draft, planned, status, task_of};
use crate::support::{Bench, answered, fence, remembered, somebody_waits};

const BY_HAND: ExecutionType = ExecutionType::Manual;
const BY_ITSELF: ExecutionType = ExecutionType::FullyAutomated;

fn everything_is_done(bench: &mut Bench) {
    let charter = plans::charter(&mut bench.connection, bench.project, None).unwrap();
    assert!(charter.items.iter().all(|item| item.execution_status == ExecutionStatus::Completed), "{charter:?}");
}

#[test]
fn a_finished_group_is_open_again_when_a_charter_adds_to_it() {
    for (how, added) in [(BY_ITSELF, 1), (BY_ITSELF, 2), (BY_HAND, 1), (BY_HAND, 2)] {
        let mut bench = Bench::new();
        // The outer group sorts after the inner one, and before it.
        for (outer, inner) in [("z", "in"), ("in", "z")] {
            let project = titan_core::projects::NewProject {
                name: "P".to_owned(),
                project_type: None,
                template_ref: None,
                spec: None,
            };
            bench.project = titan_core::projects::create(&mut bench.connection, &project, None).unwrap().0.id;
            let mut tasks = vec![
                planned(outer, BY_HAND, &[], None),
                planned(inner, BY_HAND, &[], Some(outer)),
                planned("a", BY_ITSELF, &[], Some(inner)),
            ];
            chartered(&mut bench, tasks.clone());
            do_next(&mut bench);
            everything_is_done(&mut bench);
            let a = task_of(&mut bench, "a");
            let keys = ["b", "c"].into_iter().take(added).collect::<Vec<_>>();
            tasks.extend(keys.iter().map(|key| planned(key, how, &[], Some(inner))));
            chartered(&mut bench, tasks);
            assert_eq!(task_of(&mut bench, "a"), a);
            for group in [outer, inner] {
                assert_eq!(status(&mut bench, group), ExecutionStatus::Queued, "{group}");
            }
            for key in keys {
                if how == BY_HAND {
                    let task_id = task_of(&mut bench, key);
                    bench.apply(Transition::CompleteTask { task_id }).unwrap();
                }
            }
            do_all(&mut bench);
            everything_is_done(&mut bench);
        }
        bench.test.assert_no_jobs_left();
    }
}

/// Answers whatever is ready, until nothing is.
fn do_all(bench: &mut Bench) {
    while let Some(job) = bench.claim_as(bench.worker, 1).pop() {
        let outcome = if job.kind == "chat" { answered("done") } else { remembered("x") };
        bench.finish(fence(&job), outcome).unwrap();
    }
}

#[test]
fn what_is_added_while_the_task_that_it_needs_ends_begins_all_the_same() {
    for how in [BY_ITSELF, BY_HAND] {
        let mut bench = Bench::new();
        chartered(&mut bench, vec![planned("b", how, &[], None)]);
        let end: Transition = match how {
            BY_HAND => Transition::CompleteTask { task_id: task_of(&mut bench, "b") },
            _ => {
                bench.work(answered("done"));
                let fence = bench.claim();
                Finish { fence, events: Vec::new(), calls: Vec::new(), outcome: remembered("x"), go_on: None }.into()
            }
        };
        let added = vec![
            planned("b", how, &[], None),
            planned("g", BY_HAND, &[], None),
            planned("c", BY_ITSELF, &["b"], Some("g")),
        ];
        let version = draft(&mut bench, content(added));
        let project_id = bench.project;
        let mut session = bench.test.connect();
        let ending = bench.connection.transaction(|connection| {
            apply_one(connection, Approve { project_id, version, pipeline: None, key: None }.into())?;
            let ending = std::thread::spawn(move || apply_one(&mut session, end));
            somebody_waits(&bench.test);
            Ok::<_, Error>(ending)
        });
        ending.unwrap().join().unwrap().unwrap();
        assert_eq!(status(&mut bench, "c"), ExecutionStatus::Queued);
        assert_eq!(status(&mut bench, "g"), ExecutionStatus::InProgress);
    }
}

fn needs(bench: &mut Bench, key: &str) -> Vec<Uuid> {
    let charter = plans::charter(&mut bench.connection, bench.project, None).unwrap();
    charter.items.iter().find(|item| item.key == key).unwrap().needs.clone()
}

#[test]
fn a_kept_task_waits_for_what_the_new_plan_says() {
    let mut bench = Bench::new();
    let of_plan = || {
        vec![
            planned("a", BY_HAND, &[], None),
            planned("b", BY_ITSELF, &["a"], None),
            planned("g", BY_HAND, &[], None),
            planned("x", BY_HAND, &[], Some("g")),
            planned("after", BY_ITSELF, &["g"], None),
        ]
    };
    chartered(&mut bench, of_plan());
    let (a, b, after) = (task_of(&mut bench, "a"), task_of(&mut bench, "b"), task_of(&mut bench, "after"));
    bench.apply(Transition::CancelTask { task_id: a }).unwrap();
    let mut more = of_plan();
    more.push(planned("y", BY_HAND, &[], Some("g")));
    chartered(&mut bench, more);
    let again = task_of(&mut bench, "a");
    assert!(a != again && b == task_of(&mut bench, "b") && after == task_of(&mut bench, "after"));
    assert_eq!(needs(&mut bench, "b"), [again]);
    let mut both = vec![task_of(&mut bench, "x"), task_of(&mut bench, "y")];
    both.sort();
    assert_eq!(needs(&mut bench, "after"), both);
    bench.apply(Transition::CompleteTask { task_id: again }).unwrap();
    assert_eq!(status(&mut bench, "b"), ExecutionStatus::Queued);
    for task_id in both {
        assert_eq!(status(&mut bench, "after"), ExecutionStatus::Pending);
        bench.apply(Transition::CompleteTask { task_id }).unwrap();
    }
    assert_eq!(status(&mut bench, "after"), ExecutionStatus::Queued);

    // What has begun stays as it is; what waits for nothing any more begins.
    chartered(
        &mut bench,
        vec![
            planned("b", BY_ITSELF, &["c"], None),
            planned("c", BY_HAND, &[], None),
            planned("d", BY_ITSELF, &["c"], None),
        ],
    );
    assert_eq!(needs(&mut bench, "b"), [again]);
    assert_eq!(status(&mut bench, "d"), ExecutionStatus::Pending);
    chartered(&mut bench, vec![planned("d", BY_ITSELF, &[], None)]);
    assert_eq!(status(&mut bench, "d"), ExecutionStatus::Queued);
    do_all(&mut bench);
}

#[test]
fn a_group_is_made_only_for_what_is_new_in_it() {
    let mut bench = Bench::new();
    chartered(
        &mut bench,
        vec![planned("a", BY_HAND, &[], None), planned("g", BY_HAND, &[], None), planned("b", BY_HAND, &[], Some("g"))],
    );
    let of_plan = |more: &[&str]| {
        let mut tasks = vec![
            planned("outer", BY_HAND, &[], None),
            planned("inner", BY_HAND, &[], Some("outer")),
            planned("a", BY_HAND, &[], Some("inner")),
            planned("g", BY_HAND, &[], Some("outer")),
            planned("b", BY_HAND, &[], Some("g")),
            planned("then", BY_HAND, &["outer"], None),
        ];
        tasks.extend(more.iter().map(|key| planned(key, BY_HAND, &[], Some("inner"))));
        tasks
    };
    chartered(&mut bench, of_plan(&[]));
    let keys = |bench: &mut Bench| {
        let charter = plans::charter(&mut bench.connection, bench.project, None).unwrap();
        charter.items.into_iter().map(|item| item.key).collect::<Vec<_>>()
    };
    assert_eq!(keys(&mut bench), ["a", "g", "b", "then"]);
    assert_eq!(needs(&mut bench, "then").len(), 2);
    chartered(&mut bench, of_plan(&["new"]));
    assert_eq!(keys(&mut bench), ["outer", "inner", "a", "g", "b", "then", "new"]);
    for key in ["a", "b", "new", "then"] {
        let task_id = task_of(&mut bench, key);
        bench.apply(Transition::CompleteTask { task_id }).unwrap();
    }
    everything_is_done(&mut bench);
}
