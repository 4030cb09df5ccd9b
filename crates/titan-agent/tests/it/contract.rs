//! What every provider promises, whichever wire it speaks: one suite for all of them. What is particular to one wire is in its
//! own tests.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::StreamExt;
use serde_json::{Value, json};
use titan_agent::{
    FinishReason, Format, Image, Message, ModelRequest, Part, ProbeState, Provider, ProviderError, Role, TimeoutPhase,
    Timeouts, Tool, ToolCall, ToolResult,
};
use titan_testkit::fake_model::{Answer, Behaviour, Dialect, FakeModel, MODEL};
use tokio_util::sync::CancellationToken;

use crate::support::{KEY, PATIENCE, Read, ask, ask_for, failure, provider_of, request};

const SHORT: Duration = Duration::from_secs(1);

/// A provider, the server it asks, and the wire between them.
struct Case {
    dialect: Dialect,
    fake: FakeModel,
    provider: Arc<dyn Provider>,
}

impl Case {
    fn all() -> impl Iterator<Item = Case> {
        Self::with(Timeouts::default())
    }

    fn with(timeouts: Timeouts) -> impl Iterator<Item = Case> {
        Dialect::ALL.into_iter().map(move |dialect| {
            let fake = FakeModel::start().unwrap();
            let provider = provider_of(dialect, fake.base_url_of(dialect), timeouts);
            Case { dialect, fake, provider }
        })
    }

    async fn answered(&self, behaviour: Behaviour) -> Read {
        self.fake.push(behaviour);
        ask(&self.provider, "hello").await
    }

    async fn failed(&self, behaviour: Behaviour) -> ProviderError {
        self.fake.push(behaviour);
        failure(&self.provider, "hello").await
    }
}

#[tokio::test]
async fn an_answer_arrives_in_pieces_with_its_usage_and_its_key() {
    for case in Case::all() {
        case.fake.require_key(KEY);
        let text = "Grüße, 世界! 🙂 And a few more words.";
        let read = case.answered(Behaviour::Answer(Answer::of(text).with_chunk_chars(3))).await;
        assert_eq!(
            (read.error, read.text.as_str(), read.finish),
            (None, text, Some(FinishReason::Stop)),
            "{:?}",
            case.dialect
        );
        assert!(read.texts > 5 && read.calls.is_empty());
        let usage = read.usage.unwrap();
        assert!(
            !usage.estimated && usage.input_tokens == 2 && usage.output_tokens > 5,
            "{:?}: {usage:?}",
            case.dialect
        );
        assert_eq!(case.fake.requests()[0].content(), "hello");
        assert_eq!(case.fake.abandoned(), 0);
    }
}

#[tokio::test]
async fn a_server_that_does_not_stream_is_understood() {
    for case in Case::all() {
        let read = case.answered(Behaviour::NotStreamed).await;
        assert_eq!((read.error, read.finish), (None, Some(FinishReason::Stop)), "{:?}", case.dialect);
        assert!(read.text.contains("You wrote: \"hello\"") && !read.usage.unwrap().estimated);
    }
}

#[tokio::test]
async fn usage_that_is_not_told_is_estimated_and_marked() {
    for case in Case::all() {
        let usage = case.answered(Behaviour::NoUsage).await.usage.unwrap();
        assert!(
            usage.estimated && usage.input_tokens == 2 && usage.output_tokens > 10,
            "{:?}: {usage:?}",
            case.dialect
        );
    }
}

fn weather(city: &str) -> (String, Value) {
    ("weather".to_owned(), json!({"city": city, "days": 3}))
}

#[tokio::test]
async fn tools_are_called_one_or_several_at_once() {
    for case in Case::all() {
        let mut ids = HashSet::new();
        for cities in [&["Kraków"][..], &["Kraków", "東京"]] {
            let calls = cities.iter().map(|city| weather(city)).collect();
            let read = case.answered(Behaviour::Answer(Answer::of("Let me see. ").with_calls(calls))).await;
            assert_eq!((read.error, read.finish), (None, Some(FinishReason::ToolCalls)), "{:?}", case.dialect);
            assert_eq!(read.text, "Let me see. ");
            let arguments: Vec<_> = read.calls.iter().map(|call| (call.name.clone(), call.arguments.clone())).collect();
            assert_eq!(arguments, cities.iter().map(|city| weather(city)).collect::<Vec<_>>(), "{:?}", case.dialect);
            ids.extend(read.calls.iter().map(|call| call.id.clone()));
        }
        // The fake numbers its calls anew in each answer, where the wire has numbers at all.
        let given = matches!(case.dialect, Dialect::OpenAi | Dialect::Anthropic);
        assert!(ids.len() == if given { 2 } else { 3 } && !ids.contains(""), "{:?}: {ids:?}", case.dialect);
        // A model may also say nothing besides.
        let read = case.answered(Behaviour::Answer(Answer::of("").with_calls(vec![weather("Oslo")]))).await;
        assert_eq!((read.error, read.text.as_str(), read.calls.len()), (None, "", 1), "{:?}", case.dialect);
    }
}

/// A whole exchange: tools offered, called, and their results given back, with an image.
fn exchange() -> ModelRequest {
    let call = |id: &str, city: &str| {
        let (name, arguments) = weather(city);
        Part::ToolCall(ToolCall { id: id.to_owned(), name, arguments, signature: Some("c2ln".to_owned()) })
    };
    let result = |id: &str, content: &str, is_error| {
        Part::ToolResult(ToolResult {
            id: id.to_owned(),
            name: "weather".to_owned(),
            content: content.to_owned(),
            is_error,
        })
    };
    let image = Image { media_type: "image/png".to_owned(), bytes: Bytes::from_static(b"\x89PNG") };
    let parameters = json!({"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]});
    let text = |text: &str| Part::Text(text.to_owned());
    ModelRequest {
        model: "some/model:free".to_owned(),
        messages: vec![
            Message::new(Role::System, "be kind"),
            Message { role: Role::User, parts: vec![text("where is it warm?"), Part::Image(image)] },
            Message {
                role: Role::Assistant,
                parts: vec![text("Let me see."), call("a", "Oslo"), call("b", "Atlantis")],
            },
            Message { role: Role::Tool, parts: vec![result("a", "12 °C", false), result("b", "no such city", true)] },
            Message::new(Role::User, "well?"),
        ],
        tools: vec![Tool { name: "weather".to_owned(), description: "Tells the weather.".to_owned(), parameters }],
        format: None,
        max_output_tokens: Some(500),
    }
}

#[tokio::test]
async fn requests_are_written_as_each_wire_wants_them() {
    for case in Case::all() {
        ask_for(&case.provider, exchange()).await;
        let asked = &case.fake.requests()[0];
        assert_eq!(asked.content(), "well?", "{:?}", case.dialect);
        insta::assert_json_snapshot!(format!("request_{}", case.dialect.vendor()), asked.body);
    }
}

#[tokio::test]
async fn an_answer_can_be_asked_for_in_json() {
    let schema = json!({"type": "object", "properties": {"ok": {"type": "boolean"}}, "required": ["ok"],
        "additionalProperties": false});
    for case in Case::all() {
        // Anthropic's models give such an answer by calling a tool with it.
        let answer = match case.dialect {
            Dialect::Anthropic => Answer::of("").with_calls(vec![("verdict".to_owned(), json!({"ok": true}))]),
            _ => Answer::of(r#"{"ok":true}"#),
        };
        case.fake.push(Behaviour::Answer(answer));
        let format = Some(Format { name: "verdict".to_owned(), schema: schema.clone() });
        let read = ask_for(&case.provider, ModelRequest { format, ..request("is it?") }).await;
        assert_eq!((read.error, read.finish), (None, Some(FinishReason::Stop)), "{:?}", case.dialect);
        assert_eq!(serde_json::from_str::<Value>(&read.text).unwrap(), json!({"ok": true}), "{:?}", case.dialect);
        assert!(read.calls.is_empty());
        assert!(case.fake.requests()[0].body.to_string().contains(&schema.to_string()), "{:?}", case.dialect);
    }
}

#[tokio::test]
async fn too_many_requests_say_when_to_come_back() {
    for case in Case::all() {
        let error = case.failed(Behaviour::RateLimited { retry_after: Some("7".to_owned()) }).await;
        assert!(
            matches!(error, ProviderError::RateLimited { .. }) && error.may_pass(),
            "{:?}: {error:?}",
            case.dialect
        );
        assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
        assert!(error.to_string().ends_with("Rate limit reached for requests"), "{:?}: {error}", case.dialect);
    }
}

#[tokio::test]
async fn failures_of_the_server_may_pass() {
    for case in Case::all() {
        let error = case.failed(Behaviour::ServerError).await;
        let unavailable = matches!(error, ProviderError::Unavailable { status: Some(500), .. });
        assert!(unavailable && error.may_pass(), "{:?}: {error:?}", case.dialect);
        let error = case.failed(Behaviour::MalformedJson).await;
        let malformed = matches!(error, ProviderError::MalformedAnswer { .. });
        assert!(malformed && error.may_pass(), "{:?}: {error:?}", case.dialect);
    }
}

#[tokio::test]
async fn an_answer_that_breaks_off_says_how_far_it_came() {
    for case in Case::all() {
        for behaviour in [Behaviour::CutAfter(3), Behaviour::EndAfter(3)] {
            let read = case.answered(behaviour).await;
            let Some(ProviderError::CutStream { received_chars, .. }) = read.error else {
                panic!("{:?}: {read:?}", case.dialect)
            };
            assert_eq!((received_chars, read.text.len()), (24, 24), "{:?}", case.dialect);
            assert!(read.error.unwrap().may_pass());
        }
    }
}

#[tokio::test]
async fn an_error_in_the_stream_keeps_what_came_before() {
    for case in Case::all() {
        let read = case.answered(Behaviour::ErrorInStream { after: 2 }).await;
        assert_eq!(read.text.len(), 16, "{:?}", case.dialect);
        let error = read.error.unwrap();
        assert!(
            matches!(error, ProviderError::Unavailable { .. }) && error.may_pass(),
            "{:?}: {error:?}",
            case.dialect
        );
        assert!(error.to_string().contains("the model ran out of memory"));
    }
}

#[tokio::test]
async fn a_wrong_key_is_named_as_such_and_not_repeated() {
    for case in Case::all() {
        case.fake.require_key("another key");
        let error = failure(&case.provider, "hello").await;
        let unauthorized = matches!(error, ProviderError::Unauthorized { status: 401, .. });
        assert!(unauthorized && !error.may_pass(), "{:?}: {error:?}", case.dialect);
        assert!(error.to_string().contains("Incorrect API key provided: [key]"), "{error}");
        let probe = case.provider.probe().await;
        assert!(probe.state == ProbeState::Failing && !probe.detail.unwrap().contains(KEY), "{:?}", case.dialect);
    }
}

#[tokio::test]
async fn every_wait_ends_and_says_what_was_waited_for() {
    let phase = |dialect, error: ProviderError| match error {
        ProviderError::Timeout { phase, after } if error.may_pass() => (phase, after),
        other => panic!("{dialect:?}: {other:?}"),
    };
    for case in Case::with(Timeouts { first_token: SHORT, ..Timeouts::default() }) {
        let error = case.failed(Behaviour::Hang).await;
        assert_eq!(phase(case.dialect, error), (TimeoutPhase::FirstToken, SHORT));
    }
    for case in Case::with(Timeouts { idle: SHORT, ..Timeouts::default() }) {
        // The server goes on saying that it is there.
        let read = case.answered(Behaviour::HangAfter(2)).await;
        assert_eq!(read.text.len(), 16, "{:?}", case.dialect);
        assert_eq!(phase(case.dialect, read.error.unwrap()), (TimeoutPhase::Idle, SHORT));
        assert!(case.fake.wait_for_abandoned(1, PATIENCE).await, "{:?}: the connection is closed", case.dialect);
    }
}

#[tokio::test]
async fn who_cancels_is_obeyed_at_once_and_the_server_sees_the_connection_close() {
    for case in Case::all() {
        case.fake.push(Behaviour::HangAfter(1));
        let cancel = CancellationToken::new();
        let mut stream = case.provider.stream(request("hello"), cancel.clone()).await.unwrap();
        tokio::time::timeout(PATIENCE, stream.next()).await.unwrap().unwrap().unwrap();
        let canceled = Instant::now();
        cancel.cancel();
        assert_eq!(stream.next().await.unwrap(), Err(ProviderError::Canceled), "{:?}", case.dialect);
        assert!(canceled.elapsed() < Duration::from_secs(2));
        assert!(case.fake.wait_for_abandoned(1, PATIENCE).await, "{:?}: the connection is closed", case.dialect);
        assert!(stream.next().await.is_none());
    }
}

#[tokio::test]
async fn the_models_that_can_chat_are_listed() {
    for case in Case::all() {
        let probe = case.provider.probe().await;
        assert_eq!(probe.state, ProbeState::Ready, "{:?}: {:?}", case.dialect, probe.detail);
        let models = probe.models;
        let ids: Vec<_> = models.iter().map(|model| model.id.as_str()).collect();
        // Anthropic has no models for embeddings, and its list says nothing of what a model can do.
        let expected: &[&str] = if case.dialect == Dialect::Anthropic { &["fake-embedding", MODEL] } else { &[MODEL] };
        assert_eq!(ids, expected, "{:?}", case.dialect);
        let limit = models.last().unwrap().context_tokens;
        assert_eq!(limit, (case.dialect != Dialect::Ollama).then_some(200_000), "{:?}", case.dialect);
        // A probe asks no model.
        assert_eq!(case.fake.requests().len(), 0);
    }
}

#[tokio::test]
async fn texts_are_embedded_one_vector_each_in_their_order() {
    for case in Case::all() {
        case.fake.require_key(KEY);
        let texts = ["a red car", "Darjeeling", "tea", "世界"].map(str::to_owned);
        let embedded = case.provider.embed("fake-embed", &texts).await;
        if case.dialect == Dialect::Anthropic {
            assert!(
                matches!(embedded, Err(ProviderError::Misconfigured { message }) if message.contains("no embeddings"))
            );
            continue;
        }
        let vectors = embedded.unwrap();
        assert_eq!((vectors.len(), case.fake.embedded()), (4, texts.to_vec()), "{:?}", case.dialect);
        assert!(vectors[1] == vectors[2] && vectors[0] != vectors[1], "{:?}", case.dialect);
        assert_eq!(case.provider.embed("fake-embed", &[]).await.unwrap(), Vec::<Vec<f32>>::new());
        let many = vec!["x".to_owned(); 65];
        assert!(case.provider.embed("fake-embed", &many).await.is_err());
        // A wrong key is said as it is for answers, and the key is not in it.
        case.fake.require_key("another");
        let refused = case.provider.embed("fake-embed", &texts).await.unwrap_err();
        assert!(matches!(refused, ProviderError::Unauthorized { .. }) && !refused.to_string().contains(KEY));
    }
}
