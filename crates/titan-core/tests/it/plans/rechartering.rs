//! A charter after a charter: what is kept, what is new, and what hangs between the two.

use diesel::Connection as _;
use titan_core::engine::{Approve, Finish, Transition, apply_one};
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
