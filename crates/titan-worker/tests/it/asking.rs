//! Calls of models as they are made: within the budget, one after the other when one does not answer, priced and written down.

use std::time::Duration;

use titan_core::budgets::{self, Period, Rule, Scope};
use titan_core::calls::{self, Call};
use titan_core::engine::Wake;
use titan_core::state::{RunStatus, WaitingOn};
use titan_testkit::daemon::Daemon;
use titan_testkit::fake_model::{Answer, Behaviour, Dialect, FakeModel, MODEL};
use titan_testkit::wait;
use uuid::Uuid;

use crate::support::Stage;

/// A million tokens for two dollars in and four out.
const PRICES: (&str, &str) = ("TITAN_PRICES", "openai:*=2/4");

async fn limit(stage: &Stage, rule: Rule) {
    let project = stage.project_id;
    stage.db.run(move |connection| budgets::set(connection, Scope::Project, project, &rule)).await.unwrap();
}

fn calls_only(calls: i64) -> Rule {
    Rule { calls: Some(calls), tokens: None, cost: None, period: Period::Total }
}

async fn calls_of(stage: &Stage, run_id: Uuid) -> Vec<Call> {
    stage.db.run(move |connection| calls::of_run(connection, run_id, None, None)).await.unwrap().items
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_runs_against_a_budget_of_ten_calls_ask_the_model_exactly_ten_times() {
    let stage = Stage::new();
    limit(&stage, calls_only(10)).await;
    let worker = stage.worker(&[]).await;
    let mut runs = Vec::new();
    for n in 0..50 {
        runs.push(stage.chat(&format!("Question {n}")).await.run_id);
    }
    // Those that came while ten calls were under way look once more, see that these have left nothing, and wait.
    wait::until("forty runs that wait", async || {
        (stage.count("SELECT count(*) FROM steps WHERE waiting_on = 'budget'") == 40).then_some(())
    })
    .await;
    wait::until("ten answers", async || (stage.answers().await.len() == 10).then_some(())).await;
    assert_eq!(stage.model.requests().len(), 10);
    let mut waiting = Vec::new();
    for run in &runs {
        let run = stage.run(*run).await;
        if run.status == RunStatus::Running {
            assert_eq!(run.waiting_on, Some(WaitingOn::Budget));
            assert!(run.waiting_reason.unwrap().contains("10 of 10 calls"));
            waiting.push(run.id);
        }
    }
    assert_eq!(waiting.len(), 40);
    // Five more are five more.
    limit(&stage, calls_only(15)).await;
    for run_id in waiting {
        stage.committer.wake_run(Wake::for_budget(run_id)).await.unwrap();
    }
    wait::until("fifteen answers", async || (stage.answers().await.len() == 15).then_some(())).await;
    wait::until("thirty-five runs that wait", async || {
        (stage.count("SELECT count(*) FROM steps WHERE waiting_on = 'budget'") == 35).then_some(())
    })
    .await;
    assert_eq!(stage.model.requests().len(), 15);
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_call_cost_stands_at_the_run_and_an_answer_is_no_longer_than_the_money() {
    let stage = Stage::new();
    let worker = stage.worker(&[PRICES]).await;
    let run = stage.chat("What sells best?").await.run_id;
    stage.assert_answered_once(run).await;
    let made = calls_of(&stage, run).await;
    let [call] = made.as_slice() else { panic!("{made:?}") };
    let cost = (call.input_tokens * 2 + call.output_tokens * 4) as f64 / 1e6;
    assert!((call.cost.unwrap() - cost).abs() < 1e-9 && cost > 0.0);
    assert_eq!((call.provider.as_str(), call.model.as_str(), call.fallback), ("openai", MODEL, 0));
    assert!(call.first_token_ms.is_some() && call.duration_ms >= call.first_token_ms, "{call:?}");
    assert_eq!(stage.run(run).await.usage.cost, call.cost);
    assert!(stage.model.requests()[0].body.get("max_tokens").is_none(), "nothing limits it");

    // Enough for the question and some words.
    limit(&stage, Rule { cost: Some(cost + 0.005), calls: None, tokens: None, period: Period::Total }).await;
    let run = stage.chat("And what second?").await.run_id;
    stage.assert_answered_once(run).await;
    let body = &stage.model.requests()[1].body;
    let most = body.get("max_tokens").or_else(|| body.get("max_completion_tokens")).and_then(serde_json::Value::as_i64);
    assert!(most.is_some_and(|most| (256..1250).contains(&most)), "{body}");
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn money_is_not_spent_on_a_model_of_which_nobody_knows_the_price() {
    let stage = Stage::new();
    limit(&stage, Rule { cost: Some(5.0), calls: None, tokens: None, period: Period::Total }).await;
    let worker = stage.worker(&[]).await;
    let run = stage.chat("Hello").await.run_id;
    let waiting = wait::until("a run that waits", async || {
        Some(stage.run(run).await).filter(|run| run.waiting_on == Some(WaitingOn::Budget))
    })
    .await;
    assert!(waiting.waiting_reason.unwrap().contains("TITAN_PRICES"));
    assert!(stage.model.requests().is_empty());
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_a_model_does_not_answer_the_next_is_asked_and_both_are_written_down() {
    let stage = Stage::new();
    let second = FakeModel::start().unwrap();
    let address = second.base_url_of(Dialect::Anthropic).to_string();
    let fallback = format!("anthropic:{MODEL}");
    let worker = stage.worker(&[("ANTHROPIC_BASE_URL", &address), ("TITAN_FALLBACK_MODELS", &fallback)]).await;
    stage.model.push(Behaviour::ServerError);
    second.push(Behaviour::Answer(Answer::of("Here I am.")));
    let run = stage.chat("Hello").await.run_id;
    assert_eq!(stage.assert_answered_once(run).await, "Here I am.");
    let made: Vec<_> = calls_of(&stage, run)
        .await
        .into_iter()
        .map(|call| (call.provider, call.fallback, call.state.as_str()))
        .collect();
    assert_eq!(made, [("openai".to_owned(), 0, "failed"), ("anthropic".to_owned(), 1, "answered")]);
    let said: Vec<String> = stage.events(run).await.into_iter().filter_map(|event| event.message).collect();
    assert!(
        said.iter().any(|line| line.contains("openai does not answer") && line.contains("asking anthropic")),
        "{said:?}"
    );
    // No attempt of the step is used up by it.
    assert_eq!(stage.run(run).await.steps[0].attempt, 1);

    // When no one answers the run waits for the time that the first one asked for, and is tried again.
    stage.model.push(Behaviour::RateLimited { retry_after: Some("0".to_owned()) });
    second.push(Behaviour::ServerError);
    let run = stage.chat("Hello again").await.run_id;
    stage.assert_answered_once(run).await;
    assert_eq!(
        calls_of(&stage, run).await.iter().map(|call| call.state.as_str()).collect::<Vec<_>>(),
        ["failed", "failed", "answered"]
    );
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn words_that_were_shown_are_not_taken_back_for_another_model() {
    let stage = Stage::new();
    let second = FakeModel::start().unwrap();
    let address = second.base_url_of(Dialect::Anthropic).to_string();
    let fallback = format!("anthropic:{MODEL}");
    let worker = stage.worker(&[("ANTHROPIC_BASE_URL", &address), ("TITAN_FALLBACK_MODELS", &fallback), PRICES]).await;
    stage.model.push(Behaviour::CutAfter(3));
    let run = stage.chat("Hello").await.run_id;
    stage.assert_answered_once(run).await;
    assert!(second.requests().is_empty());
    let made = calls_of(&stage, run).await;
    let [cut, whole] = made.as_slice() else { panic!("{made:?}") };
    // What was said before the cut is paid for: it is guessed.
    assert!(
        cut.state.as_str() == "failed" && cut.estimated && cut.output_tokens > 0 && cut.cost > Some(0.0),
        "{cut:?}"
    );
    assert_eq!((whole.attempt, whole.state.as_str()), (2, "answered"));
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_is_told_with_the_name_of_its_variable_and_without_itself() {
    let stage = Stage::new();
    let worker = stage.worker(&[("OPENAI_API_KEY", "sk-canary-wrong")]).await;
    stage.model.require_key("sk-right");
    let run = stage.chat("Hello").await.run_id;
    let run = stage.ended(run).await;
    let error = run.error.unwrap();
    assert!(error.contains("OPENAI_API_KEY") && !error.contains("sk-canary-wrong"), "{error}");
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_offline_model_is_written_down_and_needs_no_budget() {
    let stage = Stage::new();
    limit(&stage, calls_only(0)).await;
    let worker = stage.worker(&[("TITAN_DEFAULT_MODEL", "offline"), ("TITAN_OFFLINE_DELAY", "0ms")]).await;
    let run = stage.chat("Hello").await.run_id;
    stage.assert_answered_once(run).await;
    let made = calls_of(&stage, run).await;
    let [call] = made.as_slice() else { panic!("{made:?}") };
    assert_eq!((call.provider.as_str(), call.state.as_str()), ("offline", "answered"));
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_worker_was_killed_counts_and_its_run_goes_on_within_the_budget() {
    let stage = Stage::new();
    limit(&stage, calls_only(2)).await;
    let mut first = Daemon::worker(&stage.env(&[("TITAN_WORKER_NAME", "first")]));
    let run = stage.chat("[slow] Tell me about tea.").await.run_id;
    stage.deltas(run, 3).await;
    let second = Daemon::worker(&stage.env(&[("TITAN_WORKER_NAME", "second")]));
    first.kill();
    stage.assert_answered_once(run).await;
    let states: Vec<_> = calls_of(&stage, run).await.iter().map(|call| call.state.as_str()).collect();
    assert_eq!(states, ["lost", "answered"]);
    let project = stage.project_id;
    let spending = stage.db.run(move |connection| budgets::get(connection, Scope::Project, project)).await.unwrap();
    let budget = spending.budget.unwrap();
    assert_eq!((budget.spent.calls, budget.reserved.calls, budget.left.calls), (2, 0, Some(0)));
    // The budget is used up by the call that was lost and the one that was answered.
    let next = stage.chat("Once more").await.run_id;
    wait::until("a run that waits", async || {
        (stage.run(next).await.waiting_on == Some(WaitingOn::Budget)).then_some(())
    })
    .await;
    assert_eq!(stage.model.requests().len(), 2);
    drop(second);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_call_left_of_the_budget_is_there_for_the_model_asked_in_its_place() {
    let stage = Stage::new();
    let second = FakeModel::start().unwrap();
    let address = second.base_url_of(Dialect::Anthropic).to_string();
    let fallback = format!("anthropic:{MODEL}");
    let worker = stage.worker(&[("ANTHROPIC_BASE_URL", &address), ("TITAN_FALLBACK_MODELS", &fallback)]).await;
    // The first call reserves all of it.
    limit(&stage, Rule { tokens: Some(4000), calls: None, cost: None, period: Period::Total }).await;
    stage.model.push(Behaviour::ServerError);
    let run = stage.chat("Hello").await.run_id;
    stage.assert_answered_once(run).await;
    assert!(calls_of(&stage, run).await.iter().any(|call| call.fallback == 1 && call.state.as_str() == "answered"));
    assert_eq!(stage.run(run).await.steps[0].attempt, 1);
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_without_a_word_is_paid_for_as_its_provider_tells() {
    let stage = Stage::new();
    let worker = stage.worker(&[PRICES]).await;
    let body = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"\"},\"finish_reason\":\"length\"}]}\n\n\
        data: {\"choices\":[],\"usage\":{\"prompt_tokens\":100,\"completion_tokens\":256,\"total_tokens\":356}}\n\n\
        data: [DONE]\n\n";
    let content_type = "text/event-stream".to_owned();
    stage.model.push(Behaviour::Raw { content_type, body: body.as_bytes().to_vec() });
    let run = stage.chat("Think hard.").await.run_id;
    stage.assert_answered_once(run).await;
    let thought = calls_of(&stage, run).await.remove(0);
    assert_eq!((thought.state.as_str(), thought.input_tokens, thought.output_tokens), ("failed", 100, 256));
    assert!(!thought.estimated && thought.cost.is_some_and(|cost| (cost - 0.001_224).abs() < 1e-9), "{thought:?}");
    worker.stop(Duration::from_secs(10)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_stops_in_order_writes_down_what_its_call_has_come_to() {
    let stage = Stage::new();
    let worker = stage.worker(&[PRICES]).await;
    let run = stage.chat("[slow] Tell me about tea.").await.run_id;
    stage.deltas(run, 2).await;
    worker.stop(Duration::ZERO).await;
    let made = calls_of(&stage, run).await;
    let [call] = made.as_slice() else { panic!("{made:?}") };
    assert!(call.state.as_str() == "canceled" && call.estimated, "{call:?}");
    assert!((1..1000).contains(&call.output_tokens), "{call:?}");
    let worker = stage.worker(&[]).await;
    stage.assert_answered_once(run).await;
    worker.stop(Duration::from_secs(10)).await;
}
