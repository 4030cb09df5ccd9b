//! Plans, charters, and what an approval makes of them: against a real Postgres. Covers P2, P3, T5.

mod answering;
mod approving;
mod choosing;
mod drafting;
mod rechartering;
mod waiting;

use titan_core::Result;
use titan_core::engine::{Applied, Approve, Approved, Done, Outcome, Submission, Write};
use titan_core::ids::Uuid;
use titan_core::plans::{self, NewPlan, PlanContent, PlanCost, PlanQuestion, PlannedTask};
use titan_core::queue::{Claim, claim};
use titan_core::state::{ExecutionStatus, ExecutionType};

use crate::support::{Bench, answered, fence, remembered};

/// A task of a plan: by itself or by hand, what it needs, and the group that it belongs to.
fn planned(key: &str, execution_type: ExecutionType, needs: &[&str], parent: Option<&str>) -> PlannedTask {
    PlannedTask {
        key: key.to_owned(),
        title: key.to_uppercase(),
        content: format!("Do {key}"),
        task_type: "chat".to_owned(),
        execution_type,
        needs: needs.iter().map(|need| (*need).to_owned()).collect(),
        parent: parent.map(str::to_owned),
    }
}

fn alone(key: &str, needs: &[&str]) -> PlannedTask {
    planned(key, ExecutionType::FullyAutomated, needs, None)
}

fn content(tasks: Vec<PlannedTask>) -> PlanContent {
    let question = |key: &str, choices: &[&str]| PlanQuestion {
        key: key.to_owned(),
        question: format!("What about {key}?"),
        choices: choices.iter().map(|choice| (*choice).to_owned()).collect(),
        blocks: Vec::new(),
    };
    PlanContent {
        goal: "A page".to_owned(),
        resources: Vec::new(),
        gaps: Vec::new(),
        assumptions: vec!["It is small".to_owned()],
        questions: vec![question("colour", &["red", "blue"]), question("name", &[])],
        tasks,
        risks: Vec::new(),
        cost: PlanCost { currency: "EUR".to_owned(), low: 0.0, high: 1.0, basis: "a guess".to_owned() },
        template: None,
    }
}

/// Has a run make a version.
fn draft(bench: &mut Bench, content: PlanContent) -> i32 {
    let project_id = bench.project;
    let task = plans::draft_of(project_id, "A page", None);
    bench.apply(Submission { task, key: None, trace_id: None }.into()).unwrap();
    let claimed = claim(&mut bench.connection, &Claim::simple(bench.worker, vec!["plan".to_owned()], 1)).unwrap();
    let plan = NewPlan { project_id, author: "fake:m".to_owned(), wish: "A page".to_owned(), content };
    let writes = vec![Write::Plan(Box::new(plan))];
    bench.finish(fence(&claimed[0]), Outcome::Done(Done { writes, ..Done::default() })).unwrap();
    plans::latest(&mut bench.connection, project_id).unwrap().unwrap().summary.number
}

fn approve(bench: &mut Bench, version: i32) -> Result<Approved> {
    let project_id = bench.project;
    match bench.apply(Approve { project_id, version, pipeline: None, key: None }.into())? {
        Applied::Approved(approved) => Ok(approved),
        other => panic!("{other:?}"),
    }
}

/// A charter of these tasks.
fn chartered(bench: &mut Bench, tasks: Vec<PlannedTask>) {
    let version = draft(bench, content(tasks));
    assert!(!approve(bench, version).unwrap().replayed);
}

fn task_of(bench: &mut Bench, key: &str) -> Uuid {
    let charter = plans::charter(&mut bench.connection, bench.project, None).unwrap();
    charter.items.iter().find(|item| item.key == key).unwrap().task_id
}

fn status(bench: &mut Bench, key: &str) -> ExecutionStatus {
    let id = task_of(bench, key);
    bench.task(id).execution_status
}

/// Answers the task that is ready; there must be one and no other.
fn do_next(bench: &mut Bench) {
    bench.work(answered("done"));
    bench.work(remembered("x"));
}
