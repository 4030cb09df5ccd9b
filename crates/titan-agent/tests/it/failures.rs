//! Answers that fail: each way has its own type, says whether another try may help, and holds no key.

use std::time::Duration;

use titan_agent::{ProviderError, Timeouts, models};
use titan_testkit::fake_model::{Answer, Behaviour, FakeModel};
use url::Url;

use crate::support::{KEY, ask, configured, failure, nowhere, provider, provider_at};

async fn fails_with(behaviour: Behaviour) -> ProviderError {
    let fake = FakeModel::start().unwrap();
    fake.push(behaviour);
    failure(&provider(&fake), "hello").await
}

fn status(status: u16, body: &str) -> Behaviour {
    Behaviour::Status { status, headers: Vec::new(), body: body.to_owned() }
}

fn raw(content_type: &str, body: &str) -> Behaviour {
    Behaviour::Raw { content_type: content_type.to_owned(), body: body.as_bytes().to_vec() }
}

#[tokio::test]
async fn too_many_requests_say_when_to_come_back() {
    let error = fails_with(Behaviour::RateLimited { retry_after: Some("7".to_owned()) }).await;
    assert!(matches!(error, ProviderError::RateLimited { .. }) && error.may_pass(), "{error:?}");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(7)));
    assert_eq!(
        error.to_string(),
        "the model provider refuses more requests for now (try again in 7 s): Rate limit reached for requests"
    );

    let date = (chrono::Utc::now() + chrono::Duration::seconds(90)).format("%a, %d %b %Y %H:%M:%S GMT").to_string();
    let error = fails_with(Behaviour::RateLimited { retry_after: Some(date) }).await;
    let wait = error.retry_after().unwrap();
    assert!(wait > Duration::from_secs(20) && wait <= Duration::from_secs(90), "{wait:?}");

    let error = fails_with(Behaviour::RateLimited { retry_after: None }).await;
    assert!(error.may_pass() && error.retry_after().is_none());
}

#[tokio::test]
async fn failures_of_the_server_may_pass() {
    let error = fails_with(Behaviour::ServerError).await;
    assert!(matches!(error, ProviderError::Unavailable { status: Some(500), .. }) && error.may_pass(), "{error:?}");
    let busy = Behaviour::Status {
        status: 503,
        headers: vec![("retry-after".to_owned(), "3".to_owned())],
        body: "<html>busy</html>".to_owned(),
    };
    let error = fails_with(busy).await;
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    assert!(error.to_string().ends_with("Service Unavailable"), "{error}");
}

#[tokio::test]
async fn what_a_person_must_change_does_not_pass() {
    let error = fails_with(status(404, r#"{"error":{"message":"The model `x` does not exist"}}"#)).await;
    assert!(matches!(error, ProviderError::InvalidRequest { status: 404, .. }) && !error.may_pass(), "{error:?}");
    assert!(error.to_string().contains("The model `x` does not exist"));
    let error = fails_with(status(403, "not for you")).await;
    assert!(matches!(error, ProviderError::Unauthorized { status: 403, .. }) && !error.may_pass(), "{error:?}");
}

#[tokio::test]
async fn a_key_that_the_server_repeats_is_not_in_the_error() {
    let fake = FakeModel::start().unwrap();
    fake.require_key("another key");
    let error = failure(&provider(&fake), "hello").await;
    assert!(matches!(error, ProviderError::Unauthorized { status: 401, .. }), "{error:?}");
    assert!(error.to_string().contains("Incorrect API key provided: [key]"), "{error}");

    // Nor when it comes in the middle of an answer, in one that is not JSON, or in an error object.
    let fake = FakeModel::start().unwrap();
    fake.push(raw("text/event-stream", &format!("data: {KEY}\n\n")));
    fake.push(raw("text/event-stream", &format!("data: {{\"error\": \"{KEY}\"}}\n\n")));
    fake.push(raw("application/json", KEY));
    for _ in 0..3 {
        failure(&provider(&fake), "hello").await;
    }
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn a_redirect_is_not_followed_and_the_key_goes_nowhere_else() {
    let (fake, other) = (FakeModel::start().unwrap(), FakeModel::start().unwrap());
    for code in [301, 302, 307, 308] {
        fake.push(Behaviour::Status {
            status: code,
            headers: vec![("location".to_owned(), format!("{}/chat/completions", other.base_url()))],
            body: String::new(),
        });
        let error = failure(&provider(&fake), "hello").await;
        assert!(matches!(error, ProviderError::InvalidRequest { .. }) && !error.may_pass(), "{error:?}");
        assert!(error.to_string().contains("it redirects to http://127.0.0.1"), "{error}");
    }
    assert_eq!((fake.requests().len(), other.requests().len()), (4, 0));
}

#[tokio::test]
async fn an_answer_that_breaks_off_says_how_far_it_came() {
    for behaviour in [Behaviour::CutAfter(3), Behaviour::EndAfter(3)] {
        let fake = FakeModel::start().unwrap();
        fake.push(behaviour);
        let read = ask(&provider(&fake), "hello").await;
        let Some(ProviderError::CutStream { received_chars, .. }) = read.error else { panic!("{read:?}") };
        assert_eq!((received_chars, read.text.len()), (24, 24), "{read:?}");
        assert!(read.error.unwrap().may_pass());
    }
}

#[tokio::test]
async fn an_answer_that_ends_within_an_event_broke_off() {
    let body = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\ndata: {\"choi";
    let error = fails_with(raw("text/event-stream", body)).await;
    assert!(matches!(error, ProviderError::CutStream { received_chars: 2, .. }), "{error:?}");
}

#[tokio::test]
async fn a_key_at_the_edge_of_a_quotation_is_not_cut_in_half() {
    let error = fails_with(raw("text/event-stream", &format!("data: {}{KEY}\n\n", "x".repeat(190)))).await;
    assert!(!error.to_string().contains("sk-test"), "{error}");
}

#[tokio::test]
async fn an_answer_that_is_not_of_the_wire_is_malformed() {
    for (name, behaviour) in [
        ("broken JSON", Behaviour::MalformedJson),
        ("a page", raw("text/html", "<html>welcome</html>")),
        (
            "not UTF-8",
            Behaviour::Raw { content_type: "text/event-stream".to_owned(), body: b"data: \xff\n\n".to_vec() },
        ),
        ("no JSON at all", raw("application/json", "hello")),
        ("no text", raw("text/event-stream", "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n")),
        ("another status", status(204, "")),
    ] {
        let error = fails_with(behaviour).await;
        assert!(matches!(error, ProviderError::MalformedAnswer { .. }) && error.may_pass(), "{name}: {error:?}");
    }
    let error = fails_with(raw("text/html", "<html>welcome</html>")).await;
    assert!(error.to_string().contains("/v1?"), "{error}");
}

#[tokio::test]
async fn a_filtered_answer_is_a_refusal() {
    let body = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"content_filter\"}]}\n\ndata: [DONE]\n\n";
    let error = fails_with(raw("text/event-stream", body)).await;
    assert!(matches!(error, ProviderError::Refused { .. }) && !error.may_pass(), "{error:?}");
}

#[tokio::test]
async fn an_error_in_the_stream_keeps_what_came_before() {
    let fake = FakeModel::start().unwrap();
    fake.push(Behaviour::ErrorInStream { after: 2 });
    let read = ask(&provider(&fake), "hello").await;
    assert_eq!(read.text.len(), 16);
    let error = read.error.unwrap();
    assert!(matches!(error, ProviderError::Unavailable { status: Some(503), .. }) && error.may_pass(), "{error:?}");
    assert!(error.to_string().contains("the model ran out of memory"));
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_stopped() {
    let fake = FakeModel::start().unwrap();
    fake.set_default(Behaviour::Answer(Answer::of("x".repeat(20_000)).with_chunk_chars(100)));
    let limited = provider_at(fake.base_url(), Timeouts { max_answer_bytes: 10_000, ..Timeouts::default() });
    let error = failure(&limited, "hello").await;
    assert_eq!(error, ProviderError::TooLong { limit_bytes: 10_000 });
    assert!(!error.may_pass());
    assert_eq!(ask(&provider(&fake), "hello").await.text.len(), 20_000);
    // Also when it does not stream.
    fake.push(raw("application/json", &" ".repeat(20_000)));
    assert_eq!(failure(&limited, "hello").await, ProviderError::TooLong { limit_bytes: 10_000 });
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let (_held, mut url) = nowhere();
    url.set_username("user").unwrap();
    url.set_password(Some("hidden")).unwrap();
    url.set_query(Some("token=hidden"));
    let provider = provider_at(url, Timeouts::default());
    let error = failure(&provider, "hello").await;
    assert!(matches!(error, ProviderError::Unavailable { status: None, .. }) && error.may_pass(), "{error:?}");
    assert!(!format!("{error:?} {provider:?}").contains("hidden"), "{error:?} {provider:?}");
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_once() {
    let new = |url: &str, key: &str| {
        models::provider(&configured("openai", Url::parse(url).unwrap(), Some(key)), Timeouts::default()).unwrap_err()
    };
    for error in [new("ftp://localhost/v1", KEY), new("http://localhost/v1", "sk-\nhidden")] {
        assert!(matches!(error, ProviderError::Misconfigured { .. }) && !error.may_pass(), "{error:?}");
        assert!(!error.to_string().contains("hidden"));
    }
}
