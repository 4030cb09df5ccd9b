//! Plans drafted by a model on the real wire, and without one: sections as they come, repairs, refusals, and that nothing is
//! stored in halves. Covers P2, P3.

use std::time::Duration;

use insta::assert_snapshot;
use serde_json::{Value, json};
use titan_core::budgets::{self, Period, Rule, Scope};
use titan_core::engine::{Approve, CancelRun, Submission};
use titan_core::plans::{self, AnswerKind, NewAnswer, Plan};
use titan_core::runs::Run;
use titan_core::state::{RunStatus, WaitingOn};
use titan_testkit::daemon::Daemon;
use titan_testkit::fake_model::{Answer, Behaviour};
use titan_testkit::wait;
use uuid::Uuid;

use crate::support::{Stage, check_story};

const GRACE: Duration = Duration::from_secs(10);

fn task(key: &str, needs: &[&str]) -> Value {
    json!({"key": key, "title": key, "content": format!("Do {key}"), "type": "chat", "execution_type": "fully_automated",
        "needs": needs, "parent": null})
}

fn good() -> Value {
    json!({
        "goal": "A page for the tea shop.",
        "resources": ["A list of teas"],
        "gaps": ["Photos"],
        "assumptions": ["It is in English"],
        "questions": [{"key": "colour", "question": "Which colour?", "choices": ["green", "red"], "blocks": ["page"]}],
        "tasks": [task("texts", &[]), task("page", &["texts"])],
        "risks": [{"risk": "No photos", "response": "Drawings"}],
        "cost": {"currency": "EUR", "low": 0, "high": 20, "basis": "a domain"},
        "template": {"ref": "static-site", "inputs": [{"name": "title", "value": "Tea"}], "reason": "few pages"},
    })
}

/// The plan with one field of it changed.
fn with(pointer: &str, value: Value) -> String {
    let mut plan = good();
    *plan.pointer_mut(pointer).unwrap() = value;
    plan.to_string()
}

fn says(text: impl Into<String>) -> Behaviour {
    Behaviour::Answer(Answer::of(text).with_chunk_chars(200))
}

impl Stage {
    async fn draft(&self, wish: &str) -> Uuid {
        let task = plans::draft_of(self.project_id, wish, None);
        let submitted = self.committer.submit(Submission { task, key: None, trace_id: None }).await.unwrap();
        submitted.run_id.unwrap()
    }

    async fn plan(&self) -> Option<Plan> {
        let id = self.project_id;
        self.db.run(move |connection| plans::latest(connection, id)).await.unwrap()
    }

    async fn drafted(&self, wish: &str) -> Run {
        let run_id = self.draft(wish).await;
        self.ended(run_id).await
    }

    async fn of_kind(&self, run_id: Uuid, kind: &str) -> Vec<Value> {
        self.events(run_id).await.into_iter().filter(|event| event.kind == kind).map(|event| event.data).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wish_becomes_a_plan_whose_sections_are_seen_while_it_is_written() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    stage.model.push(Behaviour::Answer(Answer::of(good().to_string()).with_delay(Duration::from_millis(20))));
    let run_id = stage.draft("  A page for our tea shop ").await;
    wait::until("a section before the end", async || {
        let seen = stage.of_kind(run_id, "plan.section").await;
        (!seen.is_empty() && stage.run(run_id).await.status == RunStatus::Running).then_some(())
    })
    .await;
    let run = stage.ended(run_id).await;
    assert_eq!((run.status, run.error.as_deref()), (RunStatus::Completed, None));
    let sections = stage.of_kind(run_id, "plan.section").await;
    let names: Vec<&str> = sections.iter().map(|data| data["section"].as_str().unwrap()).collect();
    // In the order in which this answer has them.
    assert_eq!(names, good().as_object().unwrap().keys().map(String::as_str).collect::<Vec<_>>());
    assert!(sections.iter().all(|data| data["round"] == 1 && data["attempt"] == 1));
    let plan = stage.plan().await.unwrap();
    assert_eq!((plan.summary.number, plan.summary.wish.as_str()), (1, "A page for our tea shop"));
    assert!(plan.summary.author.starts_with("openai:"), "{}", plan.summary.author);
    assert_eq!(plan.content.template.unwrap().inputs, json!({"title": "Tea"}));
    let request = &stage.model.requests()[0].body;
    assert_eq!(request["response_format"]["json_schema"]["name"], "plan");
    let told: Value = serde_json::from_str(request["messages"][1]["content"].as_str().unwrap()).unwrap();
    assert_eq!((&told["wish"], &told["project"]["name"]), (&json!("A page for our tea shop"), &json!("Shop")));
    assert!(told["templates"].as_array().unwrap().iter().any(|template| template["ref"] == "static-site"));
    assert_eq!(stage.count("SELECT count(*) FROM model_calls WHERE purpose = 'plan' AND state = 'answered'"), 1);
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_go_into_the_next_version() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    stage.model.push(says(good().to_string()));
    stage.drafted("A page").await;
    let (id, answer) = (
        stage.project_id,
        NewAnswer { question: "colour".to_owned(), answer: Some("red".to_owned()), ..NewAnswer::default() },
    );
    stage.db.run(move |connection| plans::answer(connection, id, 1, &[answer])).await.unwrap();
    stage.model.push(says(with("/questions", json!([]))));
    stage.drafted("A page").await;
    let plan = stage.plan().await.unwrap();
    assert_eq!((plan.summary.number, plan.summary.questions), (2, 0));
    let request = stage.model.requests().pop().unwrap().body;
    let told: Value = serde_json::from_str(request["messages"][1]["content"].as_str().unwrap()).unwrap();
    assert_eq!(told["before"]["version"], 1);
    assert_eq!(told["before"]["answers"][0]["answer"], "red");
    assert_eq!(told["before"]["plan"]["goal"], "A page for the tea shop.");
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_answer_is_mended_twice_at_most() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    for repairs in 0..=2 {
        (0..repairs).for_each(|_| stage.model.push(says(with("/goal", json!("")))));
        stage.model.push(says(format!("Here it is:\n```json\n{}\n```", good())));
        let run = stage.drafted("A page").await;
        assert_eq!(run.status, RunStatus::Completed);
        let told = stage.of_kind(run.id, "plan.repaired").await;
        assert_eq!(told.len(), repairs, "{told:?}");
        let last = stage.of_kind(run.id, "plan.section").await.pop().unwrap();
        assert_eq!(last["round"], repairs + 1);
    }
    // The model is shown what it said and what is wrong with it.
    let request = stage.model.requests().pop().unwrap().body;
    let said: Vec<&str> = request["messages"].as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(said, ["system", "user", "assistant", "user", "assistant", "user"]);
    let asked = request["messages"][5]["content"].as_str().unwrap();
    assert!(asked.contains(r#"{"path":"/goal","message":"must not be empty"}"#), "{asked}");

    stage.model.set_default(says(with("/goal", json!(7))));
    let asked_before = stage.model.requests().len();
    let run = stage.drafted("A page").await;
    assert_eq!((run.status, stage.model.requests().len() - asked_before), (RunStatus::Failed, 3));
    assert_eq!(stage.plan().await.unwrap().summary.number, 3, "nothing is stored of it");
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}

fn broken() -> Vec<(&'static str, String)> {
    let cut = good().to_string();
    let many: Vec<Value> = (0..1000).map(|n| task(&format!("t{n}"), &[])).collect();
    let mut lacks = good();
    lacks.as_object_mut().unwrap().remove("cost");
    let mut more = good();
    more["colour"] = json!("red");
    vec![
        ("cut in the middle", cut[..cut.len() / 2].to_owned()),
        ("an empty object", "{}".to_owned()),
        ("only words", "I would rather talk about it first.".to_owned()),
        ("not JSON", "{goal: 'a page'}".to_owned()),
        ("a list", json!([good()]).to_string().replace(['{', '}'], "")),
        ("another object", json!({"plan": good()}).to_string()),
        ("a section is missing", lacks.to_string()),
        ("a section that nobody asked for", more.to_string()),
        ("a text where a list is due", with("/gaps", json!("photos"))),
        ("a number where a text is due", with("/goal", json!(7))),
        ("null where a text is due", with("/tasks/0/title", Value::Null)),
        ("no task", with("/tasks", json!([]))),
        ("a thousand tasks", with("/tasks", json!(many))),
        ("an unknown type", with("/tasks/0/type", json!("dance"))),
        ("an unknown execution type", with("/tasks/0/execution_type", json!("semi_automated"))),
        ("a need that is no task", with("/tasks/1/needs", json!(["photos"]))),
        ("a task that needs itself", with("/tasks/1/needs", json!(["page"]))),
        ("tasks in a circle", with("/tasks/0/needs", json!(["page"]))),
        ("groups in a circle", with("/tasks", in_a_circle(["a", "b"]))),
        ("a key twice", with("/tasks/1/key", json!("texts"))),
        ("a key with spaces", with("/tasks/0/key", json!("The Texts"))),
        ("a title that is too long", with("/tasks/0/title", json!("x".repeat(201)))),
        ("one choice", with("/questions/0/choices", json!(["green"]))),
        ("a question that blocks nothing that is there", with("/questions/0/blocks", json!(["photos"]))),
        ("more low than high", with("/cost/low", json!(30))),
        ("a negative amount", with("/cost/low", json!(-1))),
        ("an unknown currency", with("/cost/currency", json!("TEA"))),
        ("an unknown template", with("/template/ref", json!("tea-house"))),
        ("inputs that the template does not take", with("/template/inputs", json!([{"name": "title", "value": ""}]))),
        ("inputs of another form", with("/template/inputs", json!("Tea"))),
    ]
}

/// Tasks that are right, each in the group that comes after it.
fn in_a_circle(keys: [&str; 2]) -> Value {
    let task = |key: &str, parent: &str| {
        let mut whole = task(key, &[]);
        whole["parent"] = json!(parent);
        whole
    };
    json!([task(keys[0], keys[1]), task(keys[1], keys[0])])
}

#[tokio::test(flavor = "multi_thread")]
async fn each_broken_plan_is_refused_with_a_precise_reason_and_nothing_is_stored() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    let mut reasons = String::new();
    for (name, answer) in broken() {
        // Asked three times, it says the same.
        (0..3).for_each(|_| stage.model.push(says(answer.clone())));
        let run = stage.drafted("A page").await;
        assert_eq!(run.status, RunStatus::Failed, "{name}");
        let reason = run.error.unwrap();
        let reason = reason.split_once(" tries: ").map_or(reason.as_str(), |(_, reason)| reason).to_owned();
        reasons.push_str(&format!("{name}\n    {reason}\n"));
    }
    assert_snapshot!(reasons);
    assert!(stage.plan().await.is_none());
    assert_eq!(stage.count("SELECT count(*) FROM model_calls"), i64::try_from(broken().len() * 3).unwrap());
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_a_form_of_the_wish_is_the_plan_and_answers_refine_it() {
    let stage = Stage::new();
    let worker = stage.worker(&[("OPENAI_BASE_URL", ""), ("TITAN_DEFAULT_MODEL", "offline")]).await;
    let run = stage.drafted("A page for our tea shop. It lists our teas.").await;
    assert_eq!((run.status, run.error.as_deref()), (RunStatus::Completed, None));
    let plan = stage.plan().await.unwrap();
    assert_eq!((plan.summary.author.as_str(), plan.summary.questions), ("offline", 3));
    assert!(plan.content.gaps[0].contains("No language model is set up"));
    assert_eq!(stage.of_kind(run.id, "plan.section").await.len(), 9);
    let id = stage.project_id;
    let answers = [
        NewAnswer { question: "audience".to_owned(), answer: Some("Customers".to_owned()), decide_for_me: false },
        NewAnswer { question: "place".to_owned(), answer: None, decide_for_me: true },
    ];
    let answered = stage.db.run(move |connection| plans::answer(connection, id, 1, &answers)).await.unwrap();
    assert_eq!(answered.answers[1].kind, AnswerKind::Decide);
    stage.drafted("A page for our tea shop. It lists our teas.").await;
    let refined = stage.plan().await.unwrap();
    assert_eq!((refined.summary.number, refined.summary.questions), (2, 1));
    let said = refined.content.assumptions.join("\n");
    assert!(said.contains("It is for: Customers.") && said.contains("(decided here, as asked)"), "{said}");
    assert_eq!(stage.count("SELECT count(*) FROM model_calls"), 0, "nobody was asked");
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_model_a_template_that_cannot_be_made_is_left_out() {
    let stage = Stage::new();
    let manifest = "name: static-site\nversion: 99.0.0\ntitle: Site\ndescription: x\n\
        inputs: {type: object, required: [size], properties: {size: {type: integer}}}\nfiles: [{from: a}]\n";
    let template = titan_core::templates::Template::new(manifest.to_owned(), [("a".to_owned(), Vec::new())].into());
    let install = move |connection: &mut _| titan_core::templates::install(connection, &template.unwrap(), "a test");
    stage.db.run(install).await.unwrap();
    let worker = stage.worker(&[("OPENAI_BASE_URL", ""), ("TITAN_DEFAULT_MODEL", "offline")]).await;
    stage.drafted("A page for our tea shop").await;
    let plan = stage.plan().await.unwrap();
    assert_eq!(plan.content.template, None);
    let gap = &plan.content.gaps[0];
    assert!(gap.starts_with("The template static-site is left out: /template/inputs/size: is needed"), "{gap}");
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cancel_in_the_middle_leaves_no_plan() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    stage.model.push(Behaviour::Answer(Answer::of(good().to_string()).with_delay(Duration::from_millis(100))));
    let run_id = stage.draft("A page").await;
    wait::until("a section", async || (!stage.of_kind(run_id, "plan.section").await.is_empty()).then_some(())).await;
    stage.committer.cancel(CancelRun { run_id, reason: "no".to_owned() }.into()).await.unwrap();
    assert!(stage.model.wait_for_abandoned(1, Duration::from_secs(30)).await);
    assert_eq!(stage.ended(run_id).await.status, RunStatus::Canceled);
    assert!(stage.plan().await.is_none());
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_while_it_drafts_leaves_one_plan_by_the_next() {
    let stage = Stage::new();
    let env = |name| stage.env(&[("TITAN_WORKER_NAME", name)]);
    let mut first = Daemon::worker(&env("first"));
    stage.model.push(Behaviour::Answer(Answer::of(good().to_string()).with_delay(Duration::from_millis(100))));
    stage.model.push(says(good().to_string()));
    let run_id = stage.draft("A page").await;
    wait::until("a section", async || (!stage.of_kind(run_id, "plan.section").await.is_empty()).then_some(())).await;
    let second = Daemon::worker(&env("second"));
    first.kill();
    let run = stage.ended(run_id).await;
    check_story(&run, &stage.events(run_id).await);
    assert_eq!((run.status, run.steps[0].attempt), (RunStatus::Completed, 2));
    assert_eq!(stage.count("SELECT count(*) FROM plans"), 1);
    let last = stage.of_kind(run_id, "plan.section").await.pop().unwrap();
    assert_eq!(last["attempt"], 2, "what the killed one showed can be told apart");
    drop(second);
    stage.assert_no_jobs_left();
}

/// The first answer is there, and told of, when the worker dies: nothing of it is stored, and the next worker begins anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_between_an_answer_and_the_end_has_stored_nothing() {
    let stage = Stage::new();
    let env = |name| stage.env(&[("TITAN_WORKER_NAME", name)]);
    let mut first = Daemon::worker(&env("first"));
    stage.model.push(says(with("/goal", json!(""))));
    stage.model.push(Behaviour::Hang);
    stage.model.push(says(good().to_string()));
    let run_id = stage.draft("A page").await;
    wait::until("a repair", async || (!stage.of_kind(run_id, "plan.repaired").await.is_empty()).then_some(())).await;
    stage.model.wait_for_requests(2, GRACE).await;
    let second = Daemon::worker(&env("second"));
    first.kill();
    let run = stage.ended(run_id).await;
    assert_eq!((run.status, run.error.as_deref()), (RunStatus::Completed, None));
    assert_eq!(stage.count("SELECT count(*) FROM plans"), 1);
    assert_eq!(stage.plan().await.unwrap().content.goal, "A page for the tea shop.");
    assert_eq!(stage.count("SELECT count(*) FROM model_calls WHERE state = 'lost'"), 1);
    drop(second);
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_approved_binds_whoever_answers_from_then_on() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    stage.model.push(says(good().to_string()));
    stage.drafted("A page").await;
    stage
        .committer
        .approve(Approve { project_id: stage.project_id, version: 1, pipeline: None, key: None })
        .await
        .unwrap();
    // The first of its tasks, and then the one that needed it, are answered by the model.
    wait::until("the tasks of the charter", async || (stage.answers().await.len() == 2).then_some(())).await;
    let system = crate::memory::system_of(&stage);
    assert!(system.contains("### Charter\n\nA page for the tea shop.\n\nAssumptions:\n- It is in English"), "{system}");
    let id = stage.project_id;
    let charter = stage.db.run(move |connection| plans::charter(connection, id, None)).await.unwrap();
    assert_eq!((charter.progress.total, charter.items[1].needs.as_slice()), (2, [charter.items[0].task_id].as_slice()));
    wait::until("the end of both", async || {
        (stage.count("SELECT count(*) FROM runs WHERE finished_at IS NULL") == 0).then_some(())
    })
    .await;
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}

/// The answer is there and a repair is due, and no call is left in the budget: the run waits, and stores nothing.
#[tokio::test(flavor = "multi_thread")]
async fn repairs_are_under_the_budget_too() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    let (id, rule) = (stage.project_id, Rule { calls: Some(1), tokens: None, cost: None, period: Period::Total });
    stage.db.run(move |connection| budgets::set(connection, Scope::Project, id, &rule)).await.unwrap();
    stage.model.push(says("no plan"));
    let run_id = stage.draft("A page").await;
    wait::until("a run that waits", async || {
        (stage.run(run_id).await.waiting_on == Some(WaitingOn::Budget)).then_some(())
    })
    .await;
    assert_eq!(stage.model.requests().len(), 1);
    stage.committer.cancel(CancelRun { run_id, reason: "no".to_owned() }.into()).await.unwrap();
    stage.ended(run_id).await;
    assert!(stage.plan().await.is_none());
    worker.stop(GRACE).await;
}
