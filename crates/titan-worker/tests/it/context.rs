//! What a model is shown, on the wire: the agent, the project, attachments, and a conversation that has become too long.

use serde_json::{Value, json};
use std::time::Duration;

use titan_core::attachments::{self, NewAttachment};
use titan_core::outputs::{self, Decision};
use titan_core::projects::{self, ProjectPatch};
use titan_core::state::{ExecutionType, Review, RunStatus};
use titan_testkit::fake_model::{Answer, Behaviour};
use titan_testkit::wait;
use uuid::Uuid;

use crate::support::{Ids, Stage};

const GRACE: Duration = Duration::from_secs(10);
/// As the tests attach it.
const PICTURE: &str = "data:image/gif;base64,R0lGODlhLi4=";
const CHARTER: &str = "Only tea from farms that we have visited.";

/// The texts of a request by role, in the wire of the tests.
fn said(body: &Value) -> Vec<(String, String)> {
    let text = |content: &Value| match content {
        Value::String(text) => text.clone(),
        parts => parts.as_array().unwrap().iter().filter_map(|part| part["text"].as_str()).collect(),
    };
    let messages = body["messages"].as_array().unwrap();
    messages.iter().map(|said| (said["role"].as_str().unwrap().to_owned(), text(&said["content"]))).collect()
}

impl Stage {
    async fn has_a_charter(&self) {
        let spec = Some(json!({"description": "A shop for tea.", "charter": CHARTER}));
        let (id, patch) = (self.project_id, ProjectPatch { spec, ..ProjectPatch::default() });
        self.db.run(move |connection| projects::update(connection, id, &patch)).await.unwrap();
    }

    /// Puts messages into the conversation, as if they had been said. The last answer asks something.
    async fn has_talked(&self, messages: usize) {
        let (task_id, _) = self.submit("before", None, ExecutionType::Manual).await;
        self.own.as_ref().unwrap().execute(&format!(
            "INSERT INTO messages (id, project_id, task_id, role, content) \
             SELECT gen_random_uuid(), project_id, id, CASE n % 2 WHEN 1 THEN 'user' ELSE 'assistant' END, \
               CASE n WHEN {messages} THEN 'Shall I write to the farmers?' \
                 ELSE 'Message ' || n || '. ' || repeat('We talk about tea and more. ', 8) END \
             FROM tasks, generate_series(1, {messages}) AS n WHERE id = '{task_id}' ORDER BY n"
        ));
    }

    async fn attach(&self, name: &str, bytes: &[u8]) -> Uuid {
        let new = NewAttachment { name: name.to_owned(), media_type: None, bytes: bytes.to_vec() };
        let id = self.project_id;
        self.db.run(move |connection| attachments::create(connection, id, &new, None)).await.unwrap().0.id
    }

    /// Until the provider was asked what its models take.
    async fn models_are_told(&self) {
        let told = "SELECT count(*) FROM providers WHERE name = 'openai' AND models <> '[]'";
        wait::until("models", async || (self.count(told) == 1).then_some(())).await;
    }

    async fn compacted(&self, ids: Ids) -> Vec<Value> {
        let events = self.events(ids.run_id).await;
        events.into_iter().filter(|event| event.kind == "context.compacted").map(|event| event.data).collect()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_conversation_of_three_hundred_messages_is_summarised_once_and_goes_on() {
    let stage = Stage::new();
    stage.has_a_charter().await;
    stage.has_talked(300).await;
    stage.model.set_context(8192);
    let worker = stage.worker(&[]).await;
    stage.models_are_told().await;
    stage.model.set_default(Behaviour::Answer(Answer::of("The person likes green tea.")));
    let first = stage.chat("Yes, please.").await;
    assert_eq!(stage.assert_answered_once(first.run_id).await, "The person likes green tea.");

    let requests = stage.model.requests();
    let (answer, summaries) = requests.split_last().unwrap();
    assert!((2..=8).contains(&summaries.len()), "{}", summaries.len());
    for request in &requests {
        let bytes: usize = said(&request.body).iter().map(|(_, text)| text.len()).sum();
        assert!(bytes / 3 < 8192 - 2048, "no request is more than the model takes: {bytes} bytes");
    }
    assert!(summaries.iter().all(|request| said(&request.body)[0].1.starts_with("You keep the notes")));
    assert!(said(&summaries[1].body)[1].1.contains("Earlier notes:\n\nThe person likes green tea."));
    let shown = said(&answer.body);
    assert!(shown[0].1.contains(CHARTER) && shown[0].1.contains("The person likes green tea."), "{}", shown[0].1);
    let (question, asked) = (&shown[shown.len() - 1].1, &shown[shown.len() - 2].1);
    assert_eq!((question.as_str(), asked.as_str()), ("Yes, please.", "Shall I write to the farmers?"));
    for n in [295, 297, 299] {
        assert!(shown.iter().any(|(_, text)| text.starts_with(&format!("Message {n}. "))), "{n}");
    }
    let told = stage.compacted(first).await;
    assert_eq!((told.len(), &told[0]["by"], &told[0]["calls"]), (1, &json!("model"), &json!(summaries.len())));
    let messages = told[0]["messages"].as_i64().unwrap();
    assert!((150..300).contains(&messages), "{messages}");

    // The summary serves the next message too.
    let second = stage.chat("And then?").await;
    stage.assert_answered_once(second.run_id).await;
    assert_eq!(stage.compacted(second).await, Vec::<Value>::new());
    assert_eq!(stage.model.requests().len(), requests.len() + 1);
    assert!(said(&stage.model.requests().last().unwrap().body)[0].1.contains("The person likes green tea."));
    assert_eq!(stage.count("SELECT count(*) FROM conversation_summaries"), 1);
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_nobody_can_summarise_an_extract_is_shown_and_not_kept() {
    let stage = Stage::new();
    stage.has_talked(300).await;
    stage.model.set_context(8192);
    let worker = stage.worker(&[]).await;
    stage.models_are_told().await;
    stage.model.push(Behaviour::ServerError);
    stage.model.push(Behaviour::Answer(Answer::of("I will.")));
    let ids = stage.chat("Yes, please.").await;
    assert_eq!(stage.assert_answered_once(ids.run_id).await, "I will.");
    let told = stage.compacted(ids).await;
    assert_eq!(told[0]["by"], "extract");
    let system = said(&stage.model.requests()[1].body)[0].1.clone();
    assert!(system.contains("- Person: Message ") && system.contains("## Summary of earlier messages"), "{system}");
    assert_eq!(stage.count("SELECT count(*) FROM conversation_summaries"), 0);
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_that_is_named_answers_and_is_shown_what_is_attached() {
    let stage = Stage::new();
    stage.model.set_takes_images(true);
    let worker = stage.worker(&[]).await;
    stage.models_are_told().await;
    let notes = stage.attach("notes.txt", b"Assam, Darjeeling").await;
    let picture = stage.attach("a.gif", b"GIF89a..").await;
    let payload = json!({"content": "Look.", "agent": "reviewer", "attachments": [notes, picture]});
    let ids = stage.chat_with(payload).await;
    stage.assert_answered_once(ids.run_id).await;
    let again = stage.chat("And now?").await;
    stage.assert_answered_once(again.run_id).await;

    let requests = stage.model.requests();
    assert!(said(&requests[0].body)[0].1.starts_with("You are the reviewer of the project"));
    assert!(said(&requests[1].body)[0].1.starts_with("You are Jason"));
    for request in &requests {
        let asked = &request.body["messages"][1];
        let text = asked.to_string();
        assert!(text.contains("Look.") && text.contains("Assam, Darjeeling"), "{text}");
        assert!(text.contains(PICTURE), "{text}");
    }
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_a_model_does_not_take_stops_only_its_own_message() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    stage.models_are_told().await;
    let picture = stage.attach("a.gif", b"GIF89a..").await;
    let body = r#"{"error": {"message": "unknown variant image_url"}}"#.to_owned();
    stage.model.push(Behaviour::Status { status: 400, headers: Vec::new(), body });
    let refused = stage.chat_with(json!({"content": "Look.", "attachments": [picture]})).await;
    let error = stage.ended(refused.run_id).await.error.unwrap();
    assert!(error.contains("the message has images, and the model may not take any: choose another model"), "{error}");
    let next = stage.chat("And now?").await;
    stage.assert_answered_once(next.run_id).await;

    let shown: Vec<String> = stage.model.requests().iter().map(|request| request.body.to_string()).collect();
    assert!(shown[0].contains(PICTURE), "{}", shown[0]);
    assert!(!shown[1].contains("base64") && shown[1].contains("a.gif"), "{}", shown[1]);
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_known_to_take_no_images_answers_without_and_the_log_warns() {
    let stage = Stage::new();
    stage.model.set_takes_images(false);
    let worker = stage.worker(&[]).await;
    stage.models_are_told().await;
    let picture = stage.attach("a.gif", b"GIF89a..").await;
    let ids = stage.chat_with(json!({"content": "Look.", "attachments": [picture]})).await;
    stage.assert_answered_once(ids.run_id).await;
    let asked = stage.model.requests()[0].body.to_string();
    assert!(!asked.contains("base64") && asked.contains("it is not shown here"), "{asked}");
    let warned =
        "SELECT count(*) FROM run_events WHERE message LIKE 'The model takes no images, and is not shown a.gif%'";
    assert_eq!(stage.count(warned), 1);
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_asked_fails_with_the_reason_and_asks_nobody() {
    let stage = Stage::new();
    stage.model.set_context(8192);
    let worker = stage.worker(&[]).await;
    stage.models_are_told().await;
    let long = stage.chat(&"word ".repeat(15_000)).await;
    let unknown = stage.chat_with(json!({"content": "hello", "agent": "nobody"})).await;
    let failure = async |ids: Ids| {
        let run = stage.ended(ids.run_id).await;
        assert_eq!(run.status, RunStatus::Failed);
        run.error.unwrap()
    };
    let error = failure(long).await;
    assert!(error.contains("the message and what is attached to it is too long"), "{error}");
    assert!(error.contains("the model takes 5735"), "{error}");
    assert!(failure(unknown).await.contains("there are jason, researcher, writer, reviewer"));
    assert_eq!(stage.model.requests().len(), 0);
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_does_a_rejected_task_again_is_told_why() {
    let stage = Stage::new();
    let worker = stage.worker(&[("TITAN_MEMORY", "off")]).await;
    stage.model.push(Behaviour::Answer(Answer::of("Tea, tea, and more tea.")));
    let ids = stage.chat("Write a slogan.").await;
    stage.ended(ids.run_id).await;
    let run_id = ids.run_id;
    let reject = move |connection: &mut titan_core::db::PgConnection| {
        let output = outputs::of_run(connection, run_id)?.remove(0);
        let decision = Decision { review: Review::Rejected, comment: Some("Say what is special."), run_again: true };
        outputs::review(connection, output.id, &decision)
    };
    let (rejected, _) = stage.db.run(reject).await.unwrap();
    stage.model.push(Behaviour::Answer(Answer::of("Tea from farms that we know.")));
    let next = rejected.next_run_id.unwrap();
    assert_eq!(stage.ended(next).await.status, RunStatus::Completed);
    let requests = stage.model.requests();
    let asked = said(&requests[1].body).pop().unwrap();
    assert_eq!(asked.0, "user");
    assert_eq!(
        asked.1,
        "Write a slogan.\n\n---\n\
         This was done before, and a person rejected the result. Do it again, with what they say in mind.\n\n\
         They say of \"Answer\": Say what is special.\n\
         What was rejected began: Tea, tea, and more tea.\n"
    );
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}
