//! The fake model server itself: what other tests and other processes rely on.

use std::time::Duration;

use serde_json::{Value, json};
use titan_testkit::fake_model::{Answer, Behaviour, FakeModel, MODEL};

use crate::support::{ask, failure, provider};

#[tokio::test]
async fn is_steered_by_the_message_alone() {
    let fake = FakeModel::start().unwrap();
    let provider = provider(&fake);
    assert_eq!(ask(&provider, "[echo] Ünïcode").await.text, "[echo] Ünïcode");
    for (message, code) in [
        ("[429]", "rate_limited"),
        ("[500]", "unavailable"),
        ("[malformed]", "malformed_answer"),
        ("[cut-once]", "cut_stream"),
    ] {
        assert_eq!(failure(&provider, message).await.code(), code);
        assert!(ask(&provider, message).await.text.contains(message), "the next try succeeds");
    }
    for _ in 0..2 {
        assert_eq!(failure(&provider, "[cut]").await.code(), "cut_stream");
    }
}

#[tokio::test]
async fn what_is_pushed_comes_before_what_the_message_says() {
    let fake = FakeModel::start().unwrap();
    fake.set_default(Behaviour::Answer(Answer::of("default")));
    fake.push(Behaviour::Answer(Answer::of("first")));
    fake.push(Behaviour::Answer(Answer::of("second")));
    let provider = provider(&fake);
    for expected in ["first", "second", "[echo]", "[echo]"] {
        assert_eq!(ask(&provider, "[echo]").await.text, expected);
    }
    assert_eq!(ask(&provider, "hello").await.text, "default");
}

#[tokio::test]
async fn records_when_and_what_it_was_asked() {
    let fake = FakeModel::start().unwrap();
    let provider = provider(&fake);
    for content in ["one", "two"] {
        ask(&provider, content).await;
    }
    let recorded = fake.wait_for_requests(2, Duration::from_secs(60)).await;
    assert!(recorded[0].at_unix_micros() < recorded[1].at_unix_micros());
    assert!(recorded[0].instant < recorded[1].instant);

    let url = fake.base_url().join("/requests").unwrap();
    let listed: Value = serde_json::from_str(&reqwest::get(url).await.unwrap().text().await.unwrap()).unwrap();
    let expected: Vec<Value> = recorded
        .iter()
        .map(|request| json!({"at_unix_micros": request.at_unix_micros(), "content": request.content()}))
        .collect();
    assert_eq!(listed, json!(expected));
}

#[tokio::test]
async fn answers_in_one_object_when_no_stream_is_asked_for() {
    let fake = FakeModel::start().unwrap();
    let url = format!("{}/chat/completions", fake.base_url());
    let ask = |body: Value| reqwest::Client::new().post(&url).body(body.to_string()).send();
    let messages = json!([{"role": "user", "content": "[echo] hi"}]);
    let answer = ask(json!({"model": MODEL, "messages": messages})).await.unwrap().text().await.unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!(answer["choices"][0]["message"], json!({"role": "assistant", "content": "[echo] hi"}));
    assert_eq!(answer["usage"], json!({"prompt_tokens": 3, "completion_tokens": 3, "total_tokens": 6}));

    assert_eq!(ask(json!({"messages": messages})).await.unwrap().status(), 400);
    assert_eq!(ask(json!({"model": MODEL, "messages": []})).await.unwrap().status(), 400);
    assert_eq!(ask(json!("no object")).await.unwrap().status(), 400);
}
