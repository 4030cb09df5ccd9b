//! Answers that succeed, in all the shapes in which servers give them.

use serde_json::json;
use titan_agent::{AUTO_MODEL, FinishReason, Message, ModelRequest, ProbeState, ProviderKind, Role, Timeouts, models};
use titan_testkit::fake_model::{Answer, Behaviour, FakeModel, MODEL};
use tokio_util::sync::CancellationToken;

use crate::support::{KEY, ask, configured, nowhere, provider, provider_at, read};

#[tokio::test]
async fn a_streamed_answer_arrives_in_pieces_with_its_usage() {
    let fake = FakeModel::start().unwrap();
    fake.push(Behaviour::Answer(Answer::of("Grüße, 世界! 🙂 And a few more words.").with_chunk_chars(3)));
    let read = ask(&provider(&fake), "hello").await;
    assert_eq!(read.text, "Grüße, 世界! 🙂 And a few more words.");
    assert!(read.texts > 5, "{}", read.texts);
    assert_eq!(read.finish, Some(FinishReason::Stop));
    let usage = read.usage.unwrap();
    assert!(!usage.estimated && usage.input_tokens == 2 && usage.output_tokens > 5, "{usage:?}");
    assert_eq!(fake.abandoned(), 0);
}

#[tokio::test]
async fn the_request_is_what_the_wire_asks_for() {
    let fake = FakeModel::start().unwrap();
    fake.require_key(KEY);
    let messages = [(Role::System, "be kind"), (Role::User, "one"), (Role::Assistant, "two"), (Role::User, "three")];
    let messages = messages.map(|(role, text)| Message::new(role, text)).to_vec();
    let asked = ModelRequest::new("some/model:free", messages);
    let stream = provider(&fake).stream(asked, CancellationToken::new()).await.unwrap();
    read(stream).await;
    let requests = fake.requests();
    assert_eq!(requests[0].authorization.as_deref(), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(requests[0].content(), "three");
    assert_eq!(
        requests[0].body,
        json!({
            "model": "some/model:free",
            "messages": [
                {"role": "system", "content": "be kind"}, {"role": "user", "content": "one"},
                {"role": "assistant", "content": "two"}, {"role": "user", "content": "three"},
            ],
            "stream": true,
            "stream_options": {"include_usage": true},
        })
    );
}

#[tokio::test]
async fn usage_that_is_not_reported_is_estimated_and_marked() {
    let fake = FakeModel::start().unwrap();
    fake.push(Behaviour::NoUsage);
    let usage = ask(&provider(&fake), "hello there").await.usage.unwrap();
    assert!(usage.estimated && usage.input_tokens == 3 && usage.output_tokens > 10, "{usage:?}");
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    let fake = FakeModel::start().unwrap();
    fake.push(Behaviour::NotStreamed);
    let read = ask(&provider(&fake), "hello").await;
    assert!(read.text.contains("hello"), "{read:?}");
    assert_eq!((read.finish, read.usage.map(|usage| usage.estimated)), (Some(FinishReason::Stop), Some(false)));
}

#[tokio::test]
async fn dialects_of_the_stream_are_understood() {
    let say = r#"{"choices":[{"delta":{"content":"hi"},"finish_reason":null}]}"#;
    let stop = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    let length = r#"{"choices":[{"delta":{"content":null},"finish_reason":"length"}],"usage":{"prompt_tokens":1,"completion_tokens":2}}"#;
    let refusal = r#"{"choices":[{"delta":{"refusal":"no"},"finish_reason":"stop"}]}"#;
    for (name, body, text, reason, estimated) in [
        ("no mark of the end", format!("data: {say}\n\ndata: {stop}\n\n"), "hi", "stop", true),
        ("no reason", format!("data: {say}\n\ndata: [DONE]\n\n"), "hi", "stop", true),
        ("no last empty line", format!("data: {say}\n\ndata: {stop}"), "hi", "stop", true),
        (
            "usage with the reason",
            format!("data:{say}\r\n\r\ndata:{length}\r\n\r\ndata: [DONE]"),
            "hi",
            "length",
            false,
        ),
        (
            "comments and a mark",
            format!("\u{feff}: PROCESSING\n\n: PROCESSING\n\ndata: {say}\n\ndata: {stop}\n\n"),
            "hi",
            "stop",
            true,
        ),
        ("a refusal", format!("data: {refusal}\n\n"), "no", "stop", true),
    ] {
        let fake = FakeModel::start().unwrap();
        fake.push(Behaviour::Raw { content_type: "text/event-stream".to_owned(), body: body.into_bytes() });
        let read = ask(&provider(&fake), "hello").await;
        assert_eq!(read.error, None, "{name}");
        assert_eq!((read.text.as_str(), read.finish.unwrap().as_str()), (text, reason), "{name}");
        assert_eq!(read.usage.unwrap().estimated, estimated, "{name}");
    }
}

#[tokio::test]
async fn without_a_model_the_first_that_can_chat_answers() {
    let fake = FakeModel::start().unwrap();
    let provider = models::provider(&configured("openai", fake.base_url(), None), Timeouts::default()).unwrap();
    assert_eq!(provider.default_model(), AUTO_MODEL);
    let asked = ModelRequest::new(AUTO_MODEL, vec![Message::new(Role::User, "hello")]);
    read(provider.stream(asked, CancellationToken::new()).await.unwrap()).await;
    assert_eq!(fake.requests()[0].body["model"], MODEL);
    assert_eq!(fake.requests()[0].authorization, None);
    assert_eq!(provider.default_model(), MODEL);
}

#[tokio::test]
async fn a_probe_tells_whether_the_server_would_answer() {
    let fake = FakeModel::start().unwrap();
    let provider = provider(&fake);
    assert_eq!(provider.kind(), ProviderKind::OpenAi);
    let probe = provider.probe().await;
    assert_eq!((probe.state, probe.detail), (ProbeState::Ready, Some(fake.base_url().to_string())));

    fake.require_key("another key");
    let probe = provider.probe().await;
    assert_eq!(probe.state, ProbeState::Failing);
    let detail = probe.detail.unwrap();
    assert!(detail.contains("does not accept the key") && !detail.contains(KEY), "{detail}");

    let (_held, nowhere) = nowhere();
    let probe = provider_at(nowhere, Timeouts::default()).probe().await;
    assert_eq!(probe.state, ProbeState::Failing);
    assert!(probe.detail.unwrap().contains("not available"));
    // A probe asks no model.
    assert_eq!(fake.requests().len(), 0);
}
