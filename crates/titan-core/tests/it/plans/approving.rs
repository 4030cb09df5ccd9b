//! A version becomes the charter: once, whole, and for good.

use diesel::connection::SimpleConnection as _;
use serde_json::json;
use titan_core::engine::{Applied, Approve, IdempotencyKey};
use titan_core::plans::{self, PlanState, PlanTemplate};
use titan_core::state::{ExecutionStatus, ExecutionType};
use titan_core::{Error, projects};

use super::{alone, approve, chartered, content, draft, planned, status, task_of};
use crate::support::{Bench, somebody_waits};

#[test]
fn an_approval_makes_the_charter_and_its_tasks_and_begins_with_those_that_are_free() {
    let mut bench = Bench::new();
    let by_hand = ExecutionType::Manual;
    let version = draft(
        &mut bench,
        content(vec![
            planned("write", by_hand, &[], None),
            planned("outline", ExecutionType::FullyAutomated, &[], Some("write")),
            planned("texts", ExecutionType::FullyAutomated, &["outline"], Some("write")),
            planned("check", by_hand, &["write"], None),
        ]),
    );
    assert!(!approve(&mut bench, version).unwrap().replayed);
    let charter = plans::charter(&mut bench.connection, bench.project, None).unwrap();
    assert_eq!((charter.number, charter.plan_version, charter.items.len()), (1, 1, 4));
    let [write, outline, texts, check] = charter.items.as_slice() else { panic!("{charter:?}") };
    assert_eq!((write.execution_status, write.progress.unwrap().total), (ExecutionStatus::InProgress, 2));
    assert_eq!((outline.execution_status, outline.parent_task_id), (ExecutionStatus::Queued, Some(write.task_id)));
    assert_eq!((texts.execution_status, texts.needs.clone()), (ExecutionStatus::Pending, vec![outline.task_id]));
    // Who needs a group needs everything in it.
    let mut both = vec![outline.task_id, texts.task_id];
    both.sort();
    assert_eq!((check.execution_status, check.needs.clone()), (ExecutionStatus::Pending, both));
    assert_eq!(charter.progress.total, 3);
    let waits = bench.task(texts.task_id).hint.unwrap();
    assert_eq!((waits.code.as_str(), waits.message.as_str()), ("needs", "Waits for the task \"OUTLINE\"."));
    let text = plans::charter_text(&mut bench.connection, bench.project).unwrap().unwrap();
    assert_eq!(text, "A page\n\nAssumptions:\n- It is small");
}

#[test]
fn a_version_is_approved_once_whoever_asks_and_however_often() {
    let mut bench = Bench::new();
    let version = draft(&mut bench, content(vec![alone("a", &[])]));
    let key = Some(IdempotencyKey::new("approve", "k", b"body"));
    let project_id = bench.project;
    let with_key = Approve { project_id, version, pipeline: None, key };
    let replayed = |bench: &mut Bench, approve: Approve| match bench.apply(approve.into()).unwrap() {
        Applied::Approved(approved) => approved.replayed,
        other => panic!("{other:?}"),
    };
    assert!(!replayed(&mut bench, with_key.clone()));
    assert!(replayed(&mut bench, with_key));
    assert!(approve(&mut bench, version).unwrap().replayed);
    let rows = "SELECT (SELECT count(*) FROM charters) * 100 + (SELECT count(*) FROM tasks WHERE type = 'chat')";
    assert_eq!(bench.test.count(rows), 101);
    for wrong in [
        "UPDATE plans SET wish = 'another'",
        "UPDATE plans SET state = 'draft', decided_at = NULL",
        "UPDATE charters SET number = 2",
        "DELETE FROM charters",
        "UPDATE charter_tasks SET item = 'b'",
        "DELETE FROM charter_tasks",
        "DELETE FROM plans WHERE state <> 'approved'",
        "TRUNCATE charters, charter_tasks",
    ] {
        assert!(bench.test.connect().batch_execute(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn of_two_that_approve_at_once_the_second_waits_and_makes_nothing() {
    let mut bench = Bench::new();
    let version = draft(&mut bench, content(vec![alone("a", &[]), alone("b", &["a"])]));
    let project_id = bench.project;
    let mut session = bench.test.connect();
    let approve = move || Approve { project_id, version, pipeline: None, key: None }.into();
    let second = diesel::Connection::transaction(&mut bench.connection, |connection| {
        titan_core::engine::apply_one(connection, approve())?;
        let second = std::thread::spawn(move || titan_core::engine::apply_one(&mut session, approve()));
        somebody_waits(&bench.test);
        Ok::<_, Error>(second)
    });
    let (applied, _) = second.unwrap().join().unwrap().unwrap();
    assert!(matches!(applied, Applied::Approved(approved) if approved.replayed));
    assert_eq!(bench.test.count("SELECT count(*) FROM charters"), 1);
}

#[test]
fn what_cannot_be_approved_is_refused_with_a_reason_and_leaves_nothing() {
    let mut bench = Bench::new();
    assert!(matches!(approve(&mut bench, 1), Err(Error::NoPlan { asked: 1, newest: 0 })));
    let version = draft(&mut bench, content(vec![alone("a", &[])]));
    assert!(matches!(approve(&mut bench, 7), Err(Error::NoPlan { asked: 7, newest: 1 })));
    let refused = plans::refuse(&mut bench.connection, bench.project, version, Some("too dear")).unwrap();
    assert_eq!((refused.summary.state, refused.summary.reason.as_deref()), (PlanState::Refused, Some("too dear")));
    let error = approve(&mut bench, version).unwrap_err();
    assert!(error.to_string().contains("was refused"), "{error}");
    let project = bench.project;
    draft(&mut bench, content(vec![alone("a", &[])]));
    projects::delete(&mut bench.connection, project).unwrap();
    assert!(matches!(approve(&mut bench, 2), Err(Error::NotFound("project", _))));
    assert_eq!(bench.test.count("SELECT count(*) FROM tasks WHERE type <> 'plan'"), 0);
}

#[test]
fn the_next_charter_keeps_the_tasks_of_the_one_before() {
    let mut bench = Bench::new();
    chartered(&mut bench, vec![alone("a", &[]), alone("b", &["a"])]);
    let (a, b) = (task_of(&mut bench, "a"), task_of(&mut bench, "b"));
    super::do_next(&mut bench);
    // The second is queued now. The next charter drops it, and has a third that needs the first, which is done.
    chartered(&mut bench, vec![alone("a", &[]), alone("c", &["a"])]);
    let charter = plans::charter(&mut bench.connection, bench.project, None).unwrap();
    assert_eq!((charter.number, task_of(&mut bench, "a")), (2, a));
    assert_eq!(status(&mut bench, "c"), ExecutionStatus::Queued);
    assert_eq!(bench.task(b).execution_status, ExecutionStatus::Queued, "nobody said that it is not to be done");
    assert_eq!(plans::charter(&mut bench.connection, bench.project, Some(1)).unwrap().items.len(), 2);
}

#[test]
fn a_template_that_was_chosen_is_the_projects_with_what_it_is_told() {
    let mut bench = Bench::new();
    let mut with_template = content(vec![alone("a", &[])]);
    with_template.template = Some(PlanTemplate {
        reference: "static-site".to_owned(),
        inputs: json!({"title": "Tea", "features": ["teas"]}),
        reason: "a page".to_owned(),
    });
    let version = draft(&mut bench, with_template);
    approve(&mut bench, version).unwrap();
    let project = projects::get(&mut bench.connection, bench.project).unwrap();
    assert_eq!((project.template_ref.as_deref(), &project.spec["title"]), (Some("static-site"), &json!("Tea")));
}
