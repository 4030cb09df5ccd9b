//! A message is answered: the whole way through the queue, the model, and what is left behind.

use std::time::Duration;

use titan_core::blobs::Blobs;
use titan_core::queue::{Heard, Hint, Listener};
use titan_core::state::ExecutionType;
use titan_core::{memories, outputs, providers, workers};
use titan_testkit::fake_model::{Answer, Behaviour};
use titan_testkit::wait;

use crate::support::{Stage, shown};

const GRACE: Duration = Duration::from_secs(10);

#[tokio::test(flavor = "multi_thread")]
async fn a_message_becomes_an_answer_an_output_and_a_memory() {
    let stage = Stage::new();
    let worker = stage.worker(&[("TITAN_WORKER_NAME", "tester")]).await;
    stage.model.push(Behaviour::Answer(Answer::of("Green tea sells best. 🍵")));
    let ids = stage.chat("What sells best?").await;
    assert_eq!(stage.assert_answered_once(ids.run_id).await, "Green tea sells best. 🍵");

    let run = stage.run(ids.run_id).await;
    assert!(run.usage.input_tokens > 0 && run.usage.output_tokens > 0);
    assert_eq!(
        run.steps.iter().map(|step| (step.name.as_str(), step.attempt)).collect::<Vec<_>>(),
        [("answer", 1), ("remember", 1)]
    );
    assert!(run.steps.iter().all(|step| step.worker.as_deref() == Some("tester")));
    let (project_id, run_id) = (stage.project_id, ids.run_id);
    let (output, remembered) = stage
        .db
        .run(move |connection| {
            let output = outputs::of_run(connection, run_id)?.remove(0);
            Ok((output, memories::list(connection, project_id, &memories::Filter::default(), None, None)?.items))
        })
        .await
        .unwrap();
    let bytes = Blobs::in_postgres(stage.db.clone()).read(output.sha256.as_ref().unwrap()).await.unwrap();
    assert_eq!((output.name.as_str(), output.media_type.as_str()), ("Answer", "text/markdown; charset=utf-8"));
    assert_eq!(bytes, "Green tea sells best. 🍵".as_bytes());
    assert_eq!(remembered[0].content, "User asked: What sells best? — Jason answered: Green tea sells best. 🍵");
    assert_eq!(remembered[0].source_run_id, Some(run_id));
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_model_is_shown_the_project_what_was_said_and_what_is_remembered() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    stage.model.push(Behaviour::Answer(Answer::of("Noted.")));
    let first = stage.chat("My name is Ada.").await;
    stage.ended(first.run_id).await;
    let second = stage.chat("What is my name?").await;
    stage.ended(second.run_id).await;

    let requests = stage.model.requests();
    let messages = requests[1].body["messages"].as_array().unwrap();
    let said: Vec<(&str, &str)> =
        messages.iter().map(|said| (said["role"].as_str().unwrap(), said["content"].as_str().unwrap())).collect();
    assert_eq!(said[1..], [("user", "My name is Ada."), ("assistant", "Noted."), ("user", "What is my name?")]);
    assert_eq!(said[0].0, "system");
    for words in ["Shop", "A shop for tea.", "User asked: My name is Ada. — Jason answered: Noted."] {
        assert!(said[0].1.contains(words), "{words:?} is missing in {}", said[0].1);
    }
    worker.stop(GRACE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_messages_at_once_are_all_answered_and_counted_exactly() {
    const MESSAGES: usize = 60;
    let stage = Stage::new();
    // Fewer slots than messages, and two workers: slots that get free are used at once.
    let workers =
        [stage.worker(&[("TITAN_WORKER_SLOTS", "4")]).await, stage.worker(&[("TITAN_WORKER_SLOTS", "4")]).await];
    let mut runs = Vec::new();
    for number in 0..MESSAGES {
        runs.push(stage.chat(&format!("[echo] message {number}")).await.run_id);
    }
    for (number, run_id) in runs.into_iter().enumerate() {
        assert_eq!(stage.assert_answered_once(run_id).await, format!("[echo] message {number}"));
    }
    assert_eq!(stage.model.requests().len(), MESSAGES, "each message was asked once");
    let project_id = stage.project_id;
    let stats = stage.db.run(move |connection| titan_core::counters::of_project(connection, project_id)).await.unwrap();
    let all = i64::try_from(MESSAGES).unwrap();
    assert_eq!((stats.tasks.total, stats.tasks.completed, stats.runs.completed), (all, all, all));
    assert_eq!((stats.memories, stats.outputs.pending), (all, all));
    for worker in workers {
        worker.stop(GRACE).await;
    }
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_says_nothing_for_a_while_is_seen_to_be_at_work() {
    let stage = Stage::new();
    let worker = stage.worker(&[]).await;
    let listener = Listener::start(&stage.config(&[]).database_direct_url);
    let mut heard = listener.subscribe();
    stage.model.push(Behaviour::HangAfter(1));
    let ids = stage.chat("Think about it.").await;

    let mut beats: Vec<std::time::Instant> = Vec::new();
    let listening = async {
        while beats.len() < 4 {
            let Heard::Hints(hints) = heard.recv().await.expect("a listener") else { continue };
            let ours =
                |hint: &&Hint| matches!(hint, Hint::Beat { run_id, attempt: 1, step: 1, .. } if *run_id == ids.run_id);
            beats.extend(hints.iter().filter(ours).map(|_| std::time::Instant::now()));
        }
    };
    tokio::time::timeout(wait::PATIENCE, listening).await.expect("four beats");
    // A second of slack for a busy machine; the beats themselves are one and a half apart.
    assert!(beats.windows(2).all(|pair| pair[1] - pair[0] < Duration::from_secs(3)), "{beats:?}");
    let step = stage.run(ids.run_id).await.steps.remove(0);
    assert!(step.heartbeat_at > step.started_at, "the step's own sign of life moves too");

    // It is not waited for: the worker is told to hand it back.
    worker.stop(Duration::ZERO).await;
    assert_eq!(stage.count("SELECT count(*) FROM jobs WHERE state = 'ready'"), 1);
    stage
        .db
        .run(move |connection| {
            titan_core::engine::apply_one(
                connection,
                titan_core::engine::CancelRun { run_id: ids.run_id, reason: "test".to_owned() }.into(),
            )
        })
        .await
        .unwrap();
    let run = stage.ended(ids.run_id).await;
    assert!(!shown(&stage.events(run.id).await).is_empty());
}

async fn providers_of(stage: &Stage) -> Option<Vec<providers::Provider>> {
    stage.db.run(providers::list).await.ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_worker_says_what_it_is_and_which_models_it_asks() {
    let stage = Stage::new();
    let worker = stage.worker(&[("TITAN_WORKER_NAME", "here")]).await;
    let listed = wait::until("a provider that was asked", async || {
        let listed = providers_of(&stage).await?;
        listed.iter().any(|provider| provider.name == "openai" && provider.state == "ready").then_some(listed)
    })
    .await;
    let names: Vec<_> = listed.iter().map(|provider| (provider.name.as_str(), provider.is_default)).collect();
    assert_eq!(names, [("openai", true), ("offline", false)]);
    assert_eq!(listed[0].model, titan_testkit::fake_model::MODEL);

    // Once a call fails it is marked, and once one works again that too.
    stage.model.push(Behaviour::ServerError);
    let run_id = stage.chat("Hello").await.run_id;
    let failing = wait::until("a failing provider", async || {
        let listed = providers_of(&stage).await?;
        listed.into_iter().find(|provider| provider.state == "failing")
    })
    .await;
    assert!(failing.last_error.is_some_and(|error| error.contains("not available")));
    stage.ended(run_id).await;
    wait::until("a provider that works again", async || {
        let listed = providers_of(&stage).await?;
        listed.iter().any(|provider| provider.name == "openai" && provider.state == "ready").then_some(())
    })
    .await;

    let row = stage.db.run(workers::list).await.unwrap().remove(0);
    assert_eq!((row.id, row.name.as_str(), row.status.as_str()), (worker.id(), "here", "running"));
    assert_eq!(
        row.kinds,
        [
            "build",
            "chat",
            "deploy",
            "exec",
            "extract",
            "install_template",
            "plan",
            "preview",
            "publish",
            "remember",
            "scaffold",
            "verify"
        ]
    );
    worker.stop(GRACE).await;
    assert_eq!(stage.db.run(workers::list).await.unwrap()[0].status, "stopped");
}

/// An answer that is too long to stand in the database.
const LONG: &str = "All about green tea, from the beginning. ";

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_is_kept_where_blobs_are_kept() {
    let stage = Stage::new();
    let directory = tempfile::tempdir().unwrap();
    let url = format!("file://{}", directory.path().display());
    let variables = [("TITAN_BLOB_URL", url.as_str()), ("TITAN_MEMORY", "off")];
    let worker = stage.worker(&variables).await;
    let answer = LONG.repeat(400);
    stage.model.push(Behaviour::Answer(Answer::of(&answer)));
    let run_id = stage.chat("Tell me all.").await.run_id;
    stage.ended(run_id).await;
    let output = stage.db.run(move |connection| outputs::of_run(connection, run_id)).await.unwrap().remove(0);
    assert_eq!(stage.count("SELECT count(*) FROM blobs WHERE place LIKE 'file:%' AND data IS NULL"), 1);
    assert_eq!(stage.count("SELECT count(*) FROM blob_chunks"), 0);
    let blobs = Blobs::of(stage.db.clone(), &stage.config(&variables).blobs.store).unwrap();
    assert_eq!(blobs.read(&output.sha256.unwrap()).await.unwrap(), answer.as_bytes());
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_cannot_be_kept_fails_with_the_reason() {
    let stage = Stage::new();
    let file = tempfile::NamedTempFile::new().unwrap();
    let url = format!("file://{}", file.path().display());
    let worker = stage.worker(&[("TITAN_BLOB_URL", &url)]).await;
    stage.model.push(Behaviour::Answer(Answer::of(LONG.repeat(400))));
    let (_, ids) = stage.submit("Tell me all.", Some(0), ExecutionType::FullyAutomated).await;
    let run = stage.ended(ids.unwrap().run_id).await;
    assert!(run.error.as_ref().is_some_and(|error| error.contains("the store of files failed")), "{:?}", run.error);
    assert_eq!(stage.count("SELECT (SELECT count(*) FROM blobs) + (SELECT count(*) FROM outputs)"), 0);
    worker.stop(GRACE).await;
    stage.assert_no_jobs_left();
}
