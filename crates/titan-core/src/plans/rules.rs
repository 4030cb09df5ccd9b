//! What the parts of a plan must have to do with each other: what is named exists, nothing waits for itself, and amounts
//! make sense.

use std::collections::BTreeMap;

use super::content::{MAX_DEPTH, PlanContent};
use super::graph::{self, Graph};
use super::read::Known;
use crate::templates::Problems;

pub(super) fn check(content: &PlanContent, known: Known<'_>, problems: &mut Problems) {
    if content.tasks.is_empty() {
        problems.add("/tasks", "must not be empty: a plan without a task changes nothing");
    }
    check_keys("tasks", content.tasks.iter().map(|task| task.key.as_str()), problems);
    check_keys("questions", content.questions.iter().map(|question| question.key.as_str()), problems);
    check_names(content, problems);
    if let Some(loops) = graph::loop_of_parents(content) {
        problems.add(
            "/tasks",
            format!("belong to each other in a circle: {}; let one of them belong to nothing", loops.join(" in ")),
        );
    } else {
        check_graph(content, problems);
    }
    if content.cost.low > content.cost.high {
        let message =
            format!("must not be more than /cost/high: {} is more than {}", content.cost.low, content.cost.high);
        problems.add("/cost/low", message);
    }
    check_template(content, known, problems);
}

fn check_keys<'k>(list: &str, keys: impl Iterator<Item = &'k str>, problems: &mut Problems) {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, key) in keys.enumerate() {
        match first.get(key) {
            Some(before) => {
                let message = format!("must be another than that of /{list}/{before}, and is {key:?} too");
                problems.add(format!("/{list}/{index}/key"), message);
            }
            None => drop(first.insert(key, index)),
        }
    }
}

fn check_names(content: &PlanContent, problems: &mut Problems) {
    let exists = |key: &str| content.tasks.iter().any(|task| task.key == key);
    let missing = |key: &str| format!("must be the key of a task, and there is no task {key:?}");
    for (index, task) in content.tasks.iter().enumerate() {
        for (place, need) in task.needs.iter().enumerate() {
            let path = format!("/tasks/{index}/needs/{place}");
            if !exists(need) {
                problems.add(path, missing(need));
            } else if *need == task.key {
                problems.add(path, format!("must not be the task itself, {need:?}"));
            }
        }
        if let Some(parent) = task.parent.as_deref().filter(|parent| !exists(parent)) {
            problems.add(format!("/tasks/{index}/parent"), missing(parent));
        }
    }
    for (index, question) in content.questions.iter().enumerate() {
        if question.choices.len() == 1 {
            problems.add(format!("/questions/{index}/choices"), "must be none or at least two: one is no choice");
        }
        for (place, key) in question.blocks.iter().enumerate().filter(|(_, key)| !exists(key)) {
            problems.add(format!("/questions/{index}/blocks/{place}"), missing(key));
        }
    }
}

fn check_graph(content: &PlanContent, problems: &mut Problems) {
    for (index, task) in content.tasks.iter().enumerate() {
        let depth = graph::ancestors(content, &task.key).len();
        if depth >= MAX_DEPTH {
            let message = format!("lies {depth} groups deep, and at most {} are possible", MAX_DEPTH - 1);
            problems.add(format!("/tasks/{index}/parent"), message);
        }
        for (place, need) in task.needs.iter().enumerate() {
            let related = graph::ancestors(content, &task.key).contains(&need.as_str())
                || graph::ancestors(content, need).contains(&task.key.as_str());
            if related {
                let message = format!("must not be a group and a task of that group: {:?} and {need:?}", task.key);
                problems.add(format!("/tasks/{index}/needs/{place}"), message);
            }
        }
    }
    if let Some(circle) = Graph::of(content).circle() {
        let message =
            format!("wait for each other in a circle: {}; take one of these needs away", circle.join(" needs "));
        problems.add("/tasks", message);
    }
}

fn check_template(content: &PlanContent, known: Known<'_>, problems: &mut Problems) {
    let Some(template) = &content.template else { return };
    // What the project will tell it when the plan is approved.
    let given = template.inputs.as_object().cloned().unwrap_or_default();
    match known.templates.check_inputs(&template.reference, known.project, known.spec, &given) {
        Ok(wrong) => {
            for problem in wrong {
                problems.add(format!("/template/{}", problem.path), problem.message);
            }
        }
        Err(error) => problems.add("/template/ref", error.to_string()),
    }
}
