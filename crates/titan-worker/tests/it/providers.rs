//! The whole way with each of the wires, and what the worker tells of the providers that it asks.

use std::time::Duration;

use titan_core::providers;
use titan_testkit::fake_model::{Answer, Behaviour, Dialect, MODEL};
use titan_testkit::wait;

use crate::support::Stage;

#[tokio::test(flavor = "multi_thread")]
async fn a_message_is_answered_over_each_wire() {
    for dialect in Dialect::ALL {
        let stage = Stage::new();
        let variable = format!("{}_BASE_URL", dialect.vendor().to_uppercase());
        let address = stage.model.base_url_of(dialect).to_string();
        let default = format!("{}:{MODEL}", dialect.vendor());
        let worker = stage.worker(&[(&variable, &address), ("TITAN_DEFAULT_MODEL", &default)]).await;
        // Refused once, so that the step is tried again, and then answered.
        stage.model.push(Behaviour::RateLimited { retry_after: Some("0".to_owned()) });
        stage.model.push(Behaviour::Answer(Answer::of("Green tea sells best. 🍵")));
        let ids = stage.chat("What sells best?").await;
        assert_eq!(stage.assert_answered_once(ids.run_id).await, "Green tea sells best. 🍵", "{dialect:?}");
        let run = stage.run(ids.run_id).await;
        assert!(run.usage.input_tokens > 0 && run.usage.output_tokens > 0, "{dialect:?}");
        let asked = stage.model.requests();
        assert!(asked.len() == 2 && asked.iter().all(|request| request.dialect == dialect), "{dialect:?}");
        worker.stop(Duration::from_secs(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_told_by_their_providers_and_kept_while_these_are_away() {
    let stage = Stage::new();
    let gemini = stage.model.base_url_of(Dialect::Gemini).to_string();
    let worker = stage.worker(&[("GEMINI_BASE_URL", &gemini)]).await;
    let told = async |q: Option<&'static str>| {
        let list = move |connection: &mut _| providers::models(connection, q, None, None);
        let named = |model: providers::Model| (model.name, model.context_tokens, model.is_default);
        stage.db.run(list).await.unwrap().items.into_iter().map(named).collect::<Vec<_>>()
    };
    let all = [
        ("gemini:fake-model".to_owned(), Some(200_000), false),
        ("offline:offline".to_owned(), None, false),
        ("openai:fake-model".to_owned(), Some(200_000), true),
    ];
    wait::until("all models", async || (told(None).await == all).then_some(())).await;
    assert_eq!(told(Some("GEMINI")).await, all[..1]);
    worker.stop(Duration::from_secs(10)).await;

    // Nobody answers there any more.
    let worker = stage.worker(&[("GEMINI_BASE_URL", "http://127.0.0.1:9/v1beta")]).await;
    wait::until("a provider that was asked in vain", async || {
        let listed = stage.db.run(providers::list).await.unwrap();
        listed.iter().any(|known| known.name == "gemini" && known.state == "failing").then_some(())
    })
    .await;
    assert_eq!(told(None).await, all);
    worker.stop(Duration::from_secs(10)).await;
}
