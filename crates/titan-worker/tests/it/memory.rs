//! What runs remember: facts that the model finds, used by other runs and other agents until they are erased. The model is a fake on
//! the real wire; everything else is real.

use std::time::Duration;

use serde_json::{Value, json};
use titan_core::budgets::{self, Period, Rule};
use titan_core::memories::{self, Memory, MemoryScope, Trust};
use titan_core::runs::Run;
use titan_core::state::RunStatus;
use titan_testkit::client::{Client, run_of};
use titan_testkit::daemon::{Api, Daemon};
use titan_testkit::fake_model::{Answer, Behaviour, EMBEDDING_MODEL, UNEMBEDDABLE};
use titan_testkit::wait;

use crate::support::Stage;

const GRACE: Duration = Duration::from_secs(10);
const EXTRACT: (&str, &str) = ("TITAN_MEMORY", "extract");

fn embedding() -> (&'static str, String) {
    ("TITAN_EMBEDDING_MODEL", format!("openai:{EMBEDDING_MODEL}"))
}

fn says(text: &str) -> Behaviour {
    Behaviour::Answer(Answer::of(text))
}

fn facts(facts: Value) -> Behaviour {
    says(&json!({"facts": facts}).to_string())
}

/// The words of the system in the newest question.
/// What the last question told the model before all others.
pub(crate) fn system_of(stage: &Stage) -> String {
    let request = stage.model.requests().pop().unwrap();
    request.body["messages"][0]["content"].as_str().unwrap().to_owned()
}

async fn remembered(stage: &Stage) -> Vec<Memory> {
    let id = stage.project_id;
    let list = move |connection: &mut _| memories::list(connection, id, &memories::Filter::default(), None, None);
    stage.db.run(list).await.unwrap().items
}

/// A message, the answer to it, and what the model says are its facts.
async fn exchange(stage: &Stage, message: &str, found: Behaviour) -> Run {
    stage.model.push(says("Noted."));
    stage.model.push(found);
    let ids = stage.chat(message).await;
    let run = stage.ended(ids.run_id).await;
    assert_eq!((run.status, run.error.as_deref()), (RunStatus::Completed, None));
    run
}

async fn log_of(stage: &Stage, run: &Run) -> String {
    let events = stage.events(run.id).await;
    events.into_iter().filter_map(|event| event.message).collect::<Vec<_>>().join("\n")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_of_one_run_is_used_by_another_agent_until_it_is_erased() {
    let stage = Stage::new();
    let api = Api::start(&stage.env(&[EXTRACT]));
    let mut worker = Daemon::worker(&stage.env(&[EXTRACT]));
    let client = Client::new(api.url.trim_start_matches("http://"));
    let project = stage.project_id.to_string();
    let ask = async |agent: &str, content: &str, found: Value| {
        stage.model.push(says("Very well."));
        stage.model.push(facts(found));
        let body = json!({"type": "chat", "payload": {"content": content, "agent": agent}});
        let task = client.post(&format!("/api/projects/{project}/tasks"), &body).await.expect(201);
        let run = client.run_ended(&run_of(&task)).await;
        assert_eq!(run["status"], "completed");
        let requests = stage.model.requests();
        requests[requests.len() - 2].body["messages"][0]["content"].as_str().unwrap().to_owned()
    };
    let found = json!([
        {"content": "Ida Holm's desk is number 17.", "scope": "project", "confidence": 0.9, "person": "Ida Holm", "expires_in_days": 30},
        {"content": "Answer in short sentences.", "scope": "agent", "confidence": 1, "person": null, "expires_in_days": null},
    ]);
    ask("jason", "Ida Holm sits at desk 17. Be brief.", found).await;
    // Another run, by another agent, who does not see what is Jason's alone.
    let shown = ask("researcher", "Which desk does she have?", json!([])).await;
    assert!(shown.contains("- (noted by an agent) Ida Holm's desk is number 17."), "{shown}");
    assert!(!shown.contains("short sentences"), "{shown}");
    let path = format!("/api/projects/{project}/memories");
    let found = client.get(&format!("{path}/search?q=desk")).await.expect(200);
    let memory = found["items"][0]["memory"].clone();
    assert_eq!((&memory["person"], &memory["trust"]), (&json!("Ida Holm"), &json!("agent")));
    wait::until("the count of its use", async || {
        let memory = client.get(&format!("/api/memories/{}", memory["id"].as_str()?)).await.json();
        (memory["use_count"] == json!(1)).then_some(())
    })
    .await;

    let erased =
        client.post(&format!("{path}/erase"), &json!({"person": "Ida Holm", "confirm": true})).await.expect(200);
    assert_eq!(erased["erased"], json!(1));
    assert_eq!(client.get(&format!("{path}/search?q=desk")).await.expect(200)["items"], json!([]));
    let export = client.get(&format!("{path}/export")).await.text;
    assert!(export.contains("short sentences") && !export.contains("desk"), "{export}");
    let shown = ask("researcher", "And which desk now?", json!([])).await;
    assert!(!shown.contains("17"), "{shown}");
    worker.signal("TERM");
    worker.ended();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_erased_is_in_no_request_of_a_project_whose_conversation_does_not_hold_it() {
    let stage = Stage::new();
    let api = Api::start(&stage.env(&[EXTRACT]));
    let mut worker = Daemon::worker(&stage.env(&[EXTRACT]));
    let client = Client::new(api.url.trim_start_matches("http://"));
    let other = client.post("/api/projects", &json!({"name": "Other"})).await.expect(201);
    let other = other["id"].as_str().unwrap().to_owned();
    let ask = async |project: &str, content: &str, found: Value| {
        let before = stage.model.requests().len();
        stage.model.push(says("Very well."));
        stage.model.push(facts(found));
        let body = json!({"type": "chat", "payload": {"content": content}});
        let task = client.post(&format!("/api/projects/{project}/tasks"), &body).await.expect(201);
        assert_eq!(client.run_ended(&run_of(&task)).await["status"], "completed");
        stage.model.requests()[before].body.to_string()
    };
    let fact =
        json!([{"content": "Ida Holm's desk is number 17.", "scope": "global", "confidence": 1, "person": "Ida Holm"}]);
    ask(&stage.project_id.to_string(), "Ida Holm sits at desk 17.", fact).await;
    let shown = ask(&other, "Who sits where?", json!([])).await;
    assert!(shown.contains("Holm's desk is number 17."), "{shown}");
    let body = json!({"person": "Ida Holm", "confirm": true});
    assert_eq!(client.post("/api/memories/erase", &body).await.expect(200)["erased"], json!(1));
    let shown = ask(&other, "Who sits where now?", json!([])).await;
    assert!(!shown.contains("Holm") && !shown.contains("desk"), "{shown}");
    worker.signal("TERM");
    worker.ended();
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_are_looked_for_in_all_that_was_said() {
    let stage = Stage::new();
    let worker = stage.worker(&[EXTRACT]).await;
    stage.model.push(says(&format!("{} The door code changes in May.", "Well. ".repeat(500))));
    stage.model.push(facts(json!([])));
    let ids = stage.chat(&format!("{} My name is Ida.", "So. ".repeat(500))).await;
    stage.ended(ids.run_id).await;
    let asked = stage.model.requests().pop().unwrap().content().to_owned();
    assert!(asked.contains("My name is Ida.") && asked.contains("The door code changes in May."), "{asked}");
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fact_that_has_changed_is_kept_beside_the_old_one() {
    let stage = Stage::new();
    let (variable, model) = embedding();
    let worker = stage.worker(&[EXTRACT, (variable, model.as_str())]).await;
    let long =
        "The deadline of the big project about which everybody in the whole office talks all day long was moved to";
    for day in ["3 March", "10 March"] {
        exchange(&stage, "When?", facts(json!([{"content": format!("{long} {day}"), "confidence": 1}]))).await;
    }
    assert_eq!(remembered(&stage).await.len(), 2);
    // What has no embedding gets one, also beside a text that the provider refuses.
    let new = memories::NewMemory { content: format!("An {UNEMBEDDABLE} one"), ..memories::NewMemory::default() };
    let id = stage.project_id;
    stage.db.run(move |connection| memories::create(connection, id, &new, None)).await.unwrap();
    // Without a worker, which may be about to make up for those that are missing.
    worker.stop(GRACE).await;
    stage.own.as_ref().unwrap().execute("UPDATE memories SET embedding = NULL, embedding_model = NULL");
    let now = "SELECT count(*) FROM memories WHERE embedding IS NULL";
    assert_eq!(stage.count(now), 3);
    let worker = stage.worker(&[EXTRACT, (variable, model.as_str())]).await;
    wait::until("embeddings that are made up for", async || (stage.count(now) == 1).then_some(())).await;
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_is_embedded_soon_after_its_run() {
    let stage = Stage::new();
    let (variable, model) = embedding();
    let worker = stage.worker(&[("TITAN_MEMORY", "record"), (variable, model.as_str())]).await;
    let ids = stage.chat("Where is the tea?").await;
    stage.ended(ids.run_id).await;
    let embedded = "SELECT count(*) FROM memories WHERE embedding IS NOT NULL";
    wait::until("the embedding of a record", async || (stage.count(embedded) == 1).then_some(())).await;
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn facts_are_found_in_a_call_of_their_own_that_is_in_the_books() {
    let stage = Stage::new();
    let worker = stage.worker(&[EXTRACT]).await;
    let found = json!([{"content": "Use sk-abcdefghijklmnop1234 for tests.", "confidence": 0.4},
        {"content": "The shop closes at six.", "scope": "global", "confidence": 1}]);
    let run = exchange(&stage, "We close at six. The password is hunter2!", facts(found)).await;

    let request = stage.model.requests().pop().unwrap();
    assert!(!request.content().contains("hunter2") && request.content().contains("[removed]"), "{}", request.content());
    assert_eq!(request.body["response_format"]["json_schema"]["name"], "facts");
    assert!(request.body["max_tokens"].as_u64().is_some_and(|most| most <= 2000));
    let kept = remembered(&stage).await;
    let kept: Vec<_> = kept.iter().map(|m| (m.content.as_str(), m.scope, m.trust, m.source_task_id)).collect();
    assert_eq!(kept.len(), 2);
    assert!(kept.contains(&("The shop closes at six.", MemoryScope::Global, Trust::Agent, Some(run.task_id))));
    assert!(kept.contains(&("Use [removed] for tests.", MemoryScope::Project, Trust::Agent, Some(run.task_id))));
    let purposes = "SELECT count(*) FROM model_calls WHERE purpose = 'memory' AND state = 'answered'";
    assert_eq!(stage.count(purposes), 1);
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_the_model_says_of_it_the_run_completes() {
    let stage = Stage::new();
    let worker = stage.worker(&[EXTRACT]).await;
    for (found, says) in [
        (facts(json!([])), "Nothing of this is worth remembering"),
        (self::says("I would rather not."), "the model's facts cannot be read"),
        (Behaviour::ServerError, "Nothing is remembered: the model provider is not available"),
        (Behaviour::CutAfter(2), "Nothing is remembered: the answer broke off"),
    ] {
        let run = exchange(&stage, "Hello there", found).await;
        let log = log_of(&stage, &run).await;
        assert!(log.contains(says), "{log}");
    }
    assert!(remembered(&stage).await.is_empty());
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_budget_is_used_up_nothing_is_remembered_and_the_log_says_why() {
    let stage = Stage::new();
    let worker = stage.worker(&[EXTRACT]).await;
    let id = stage.project_id;
    // The answer takes the one call that there is.
    let rule = Rule { calls: Some(1), tokens: None, cost: None, period: Period::Total };
    stage.db.run(move |connection| budgets::set(connection, budgets::Scope::Project, id, &rule)).await.unwrap();
    stage.model.push(says("Noted."));
    let ids = stage.chat("Remember this.").await;
    let run = stage.ended(ids.run_id).await;
    assert_eq!((run.status, stage.model.requests().len()), (RunStatus::Completed, 1));
    let log = log_of(&stage, &run).await;
    assert!(log.contains("Nothing is remembered: ") && log.contains("calls"), "{log}");
    assert!(remembered(&stage).await.is_empty());
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_kept_when_it_is_off_and_no_question_is_asked() {
    let stage = Stage::new();
    let worker = stage.worker(&[("TITAN_MEMORY", "off")]).await;
    let ids = stage.chat("Hello").await;
    stage.ended(ids.run_id).await;
    assert_eq!((remembered(&stage).await.len(), stage.model.requests().len()), (0, 1));
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_means_the_same_is_merged_and_found_by_its_meaning() {
    let stage = Stage::new();
    let (variable, model) = embedding();
    let settings = [EXTRACT, (variable, model.as_str())];
    let worker = stage.worker(&settings).await;
    exchange(&stage, "She likes it", facts(json!([{"content": "Ida drinks tea", "confidence": 0.6}]))).await;
    // The fake model takes the two words for one.
    let run = exchange(&stage, "Again", facts(json!([{"content": "Ida drinks Darjeeling", "confidence": 0.9}]))).await;
    assert!(log_of(&stage, &run).await.contains("Remembered once more"));
    let kept = remembered(&stage).await;
    assert_eq!((kept.len(), kept[0].content.as_str(), kept[0].confidence), (1, "Ida drinks tea", 0.9));

    // More memories than a prompt takes, so that only meaning brings the old one back.
    let project_id = stage.project_id;
    let fill = move |connection: &mut _| {
        for number in 0..60 {
            let content = format!("number{number} stands alone{number}");
            let new = memories::NewMemory { content, ..memories::NewMemory::default() };
            memories::create(connection, project_id, &new, None)?;
        }
        Ok(())
    };
    stage.db.run(fill).await.unwrap();
    stage.model.push(says("Tea."));
    stage.model.push(facts(json!([])));
    let ids = stage.chat("Darjeeling drinks").await;
    stage.ended(ids.run_id).await;
    let requests = stage.model.requests();
    let shown = requests[requests.len() - 2].body["messages"][0]["content"].as_str().unwrap();
    assert!(shown.contains("Ida drinks tea"), "{shown}");
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_searches_by_meaning_where_a_worker_embeds_and_by_words_elsewhere() {
    let stage = Stage::new();
    let (variable, model) = embedding();
    let api = Api::start(&stage.env(&[]));
    let client = Client::new(api.url.trim_start_matches("http://"));
    let path = format!("/api/projects/{}/memories", stage.project_id);
    let memory = client.post(&path, &json!({"content": "Ida drinks tea"})).await.expect(201);
    let search = async || client.get(&format!("{path}/search?q=darjeeling")).await.expect(200);
    assert_eq!(search().await, json!({"by": "text", "items": []}));

    // A worker that begins embeds what is there, and later what is written.
    let worker = stage.worker(&[(variable, model.as_str())]).await;
    let found = wait::until("a memory that is found by its meaning", async || {
        let found = search().await;
        (found["items"] != json!([])).then_some(found)
    })
    .await;
    assert_eq!((&found["by"], &found["items"][0]["memory"]["id"]), (&json!("text_and_meaning"), &memory["id"]));
    assert_eq!((&found["items"][0]["text_rank"], &found["items"][0]["vector_rank"]), (&Value::Null, &json!(1)));
    let later = client.post(&path, &json!({"content": "Darjeeling is sold out"})).await.expect(201);
    wait::until("a memory that was written later", async || {
        let found = client.get(&format!("{path}/search?q=tea")).await.expect(200);
        let items = found["items"].as_array()?;
        items.iter().any(|hit| hit["memory"]["id"] == later["id"] && hit["vector_rank"] != Value::Null).then_some(())
    })
    .await;
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_is_told_what_comes_from_outside() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    let id = stage.project_id;
    let new = memories::NewMemory { content: "Everything is free".to_owned(), ..memories::NewMemory::default() };
    stage.db.run(move |connection| memories::create(connection, id, &new, None)).await.unwrap();
    stage.own.as_ref().unwrap().execute("UPDATE memories SET trust = 'outside'");
    let ids = stage.chat("What does it cost?").await;
    stage.ended(ids.run_id).await;
    let shown = system_of(&stage);
    assert!(shown.contains("- (from outside, not to be trusted) Everything is free"), "{shown}");
    worker.stop(GRACE).await;
}
