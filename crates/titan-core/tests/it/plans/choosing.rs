//! A template that a plan chooses: checked with what the project will tell it, and ordered once.

use serde_json::{Value, json};
use titan_core::engine::Submission;
use titan_core::pipelines::{self, Wanted};
use titan_core::plans::{Known, checked};
use titan_core::templates::{self, Problem, Template};

use crate::support::Bench;

fn install(bench: &mut Bench, version: &str) {
    let manifest = format!(
        "name: test/strict\nversion: {version}\ntitle: Strict\ndescription: x\n\
         inputs:\n  type: object\n  required: [title, size]\n  additionalProperties: false\n\
         \x20 properties: {{title: {{type: string}}, size: {{type: integer}}, features: {{type: array, default: []}}}}\n\
         files: [{{from: a}}]\ndeploy: {{directory: {{from: .}}}}\n"
    );
    let files = [("a".to_owned(), version.as_bytes().to_vec())].into();
    let template = Template::new(manifest, files).unwrap();
    templates::install(&mut bench.connection, &template, "a test").unwrap();
}

fn set_spec(bench: &mut Bench, spec: &Value) {
    bench.test.execute(&format!("UPDATE projects SET spec = '{spec}'"));
}

fn plan_with(inputs: &Value) -> Value {
    json!({
        "goal": "x", "resources": [], "gaps": [], "assumptions": [], "questions": [], "risks": [],
        "tasks": [{"key": "a", "title": "A", "content": "A", "type": "chat", "execution_type": "manual", "needs": [], "parent": null}],
        "cost": {"currency": "EUR", "low": 0, "high": 1, "basis": "x"},
        "template": {"ref": "test/strict", "inputs": inputs, "reason": "x"},
    })
}

/// What the check of a plan says, and whether the same plan could be carried out.
fn judged(bench: &mut Bench, spec: &Value, inputs: &Value) -> (Vec<Problem>, bool) {
    set_spec(bench, spec);
    let catalogue = templates::catalogue(&mut bench.connection, None).unwrap();
    let known = Known { templates: &catalogue, project: "Tea", spec };
    let problems = checked(&plan_with(inputs), known).err().unwrap_or_default();
    (problems, ordered(bench, inputs).is_ok())
}

fn wanted(inputs: &Value) -> Wanted {
    Wanted { template: Some("test/strict".to_owned()), inputs: Some(inputs.clone()), ..Wanted::default() }
}

fn ordered(bench: &mut Bench, inputs: &Value) -> titan_core::Result<titan_core::engine::NewTask> {
    let project_id = bench.project;
    pipelines::task(&mut bench.connection, None, project_id, &wanted(inputs))
}

#[test]
fn a_plan_is_checked_with_what_the_project_will_tell_the_template() {
    let mut bench = Bench::new();
    install(&mut bench, "1.0.0");
    for (spec, inputs, fits) in [
        // A spec says more than a template wants to know, and may say what a plan does not.
        (json!({"description": "Teas", "size": 3}), json!({}), true),
        (json!({"description": "Teas"}), json!({"size": 3}), true),
        (json!({"size": "large", "features": "a, b"}), json!({"size": 3, "features": ["a"]}), true),
        (json!({"size": 3, "features": "a, b"}), json!({}), false),
        (json!({}), json!({}), false),
        (json!({"size": 3}), json!({"colour": "red"}), false),
    ] {
        let (problems, could) = judged(&mut bench, &spec, &inputs);
        assert_eq!((problems.is_empty(), could), (fits, fits), "{spec} {inputs}: {problems:?}");
    }
    let (problems, _) = judged(&mut bench, &json!({"size": 3, "features": "a, b"}), &json!({}));
    assert_eq!((problems.len(), problems[0].path.as_str()), (1, "/template/inputs/features"));
}

#[test]
fn no_input_of_a_plan_may_hold_what_cannot_be_stored() {
    let catalogue = templates::Catalogue::built_in();
    let known = Known { templates: &catalogue, project: "Tea", spec: &json!({}) };
    let inputs = json!([{"name": "title", "value": "a\u{0}b"}, {"name": "features", "value": ["a", "\u{0}"]}]);
    let problems = checked(&plan_with(&inputs), known).unwrap_err();
    let told: Vec<String> = problems.iter().map(|problem| format!("{}: {}", problem.path, problem.message)).collect();
    assert_eq!(
        told,
        [
            "/template/inputs/features/1: must not contain NUL characters",
            "/template/inputs/title: must not contain NUL characters"
        ]
    );
}

#[test]
fn a_plan_orders_a_pipeline_only_for_a_template_that_the_project_is_not_made_of() {
    let mut bench = Bench::new();
    install(&mut bench, "1.0.0");
    let project_id = bench.project;
    let of_plan = |bench: &mut Bench| {
        pipelines::task_of_plan(&mut bench.connection, None, project_id, &wanted(&json!({"size": 3}))).unwrap()
    };
    let submit = |bench: &mut Bench, task| {
        bench.apply(Submission { task, key: None, trace_id: None }.into()).unwrap();
    };
    let first = of_plan(&mut bench).unwrap();
    submit(&mut bench, first);
    assert!(of_plan(&mut bench).is_none());
    install(&mut bench, "1.1.0");
    let newer = of_plan(&mut bench).unwrap();
    submit(&mut bench, newer);
    assert!(of_plan(&mut bench).is_none());
}
